"""Uploads made safe: images are decoded and painted anew in a limited child process, voice notes checked by content.

Nothing a client sent is stored as sent except an audio stream of a known container, which is only ever downloaded.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from django.utils.translation import gettext as _

from config.kernel import confined
from config.kernel.errors import Invalid

MAX_BYTES: Final = 10 * 1024 * 1024
MAX_SECONDS: Final = 600  # of a voice note
_PAINTER: Final = Path(__file__).with_name("painter.py")


@dataclass(frozen=True)
class SafeFile:
    """What may be stored. `kind` is photo or audio; `thumbnail` JPEG bytes, empty for audio."""

    kind: str
    content: bytes
    content_type: str
    suffix: str
    thumbnail: bytes = b""


def accept_upload(upload: Any) -> SafeFile:
    """A safe version of an uploaded file, or Invalid with a sentence; nothing is stored on refusal."""
    content = b"" if upload.size and upload.size > MAX_BYTES else upload.read(MAX_BYTES + 1)
    if (upload.size and upload.size > MAX_BYTES) or len(content) > MAX_BYTES:
        raise _refusal(_("文件太大，最多 10 MB。"))
    if not content:
        raise _refusal(_("文件是空的。"))
    if audio := _audio_type(content):
        return SafeFile("audio", content, audio[0], audio[1])
    if _is_picture(content):
        picture, thumbnail = reencode_image(content)
        return SafeFile("photo", picture, "image/jpeg", ".jpg", thumbnail)
    raise _refusal(_("只能发 JPEG、PNG、WebP 照片或语音。"))


def _is_picture(content: bytes) -> bool:
    return content.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")) or (
        content[:4] == b"RIFF" and content[8:12] == b"WEBP"
    )


def _audio_type(content: bytes) -> tuple[str, str] | None:
    """What browsers record: WebM, Ogg, MP4 audio; and WAV. Only sound, and only containers that cannot name outside files."""
    if content.startswith(b"\x1aE\xdf\xa3") and b"webm" in content[:64]:
        return None if re.search(rb"V_(?:VP|AV1|MPEG|THEORA|MS)", content[:65536]) else ("audio/webm", ".webm")
    if content.startswith(b"OggS"):
        return None if b"theora" in content[:256] else ("audio/ogg", ".ogg")
    if content[4:8] == b"ftyp" and content[8:12] in (b"M4A ", b"mp42", b"isom", b"iso5", b"mp41"):
        return ("audio/mp4", ".m4a") if _is_short_sound(content) else None
    if content[:4] == b"RIFF" and content[8:12] == b"WAVE" and int.from_bytes(content[4:8], "little") <= len(content):
        return "audio/wav", ".wav"
    return None


def _is_short_sound(mp4: bytes) -> bool:
    """No video track, and a header that claims at most `MAX_SECONDS` (a recorder's stream claims 0)."""
    if re.search(rb"hdlr.{8}vide", mp4, re.DOTALL):
        return False
    at = mp4.find(b"mvhd")
    if at < 0 or len(mp4) < at + 36:
        return False
    wide = mp4[at + 4] == 1
    scale, length = (at + 24, 8) if wide else (at + 16, 4)
    unit = int.from_bytes(mp4[scale : scale + 4], "big")
    duration = int.from_bytes(mp4[scale + 4 : scale + 4 + length], "big")
    return duration <= MAX_SECONDS * unit


def reencode_image(content: bytes) -> tuple[bytes, bytes]:
    """(JPEG of at most 1600 px, JPEG thumbnail of 320 px), free of metadata and trailers.

    Decoders are attack surface: they run in a child with 512 MB and 10 s. Invalid when the child refuses or dies.
    """
    try:
        painted = confined.run(_PAINTER, content, seconds=10, memory=512)
    except confined.DiedError as error:
        raise _refusal(_("这张照片打不开。换一张，或改用 JPEG。")) from error
    size = int.from_bytes(painted[:8], "big")
    return painted[8 : 8 + size], painted[8 + size :]


def _refusal(sentence: str) -> Invalid:
    return Invalid(sentence, fields={"file": sentence})
