"""Uploads made safe: images are decoded and painted anew in a limited child process, voice notes checked by content.

Nothing a client sent is stored as sent except an audio stream of a known container, which is only ever downloaded.
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from django.utils.translation import gettext as _

from config.kernel.errors import Invalid

MAX_BYTES: Final = 10 * 1024 * 1024
_PAINTER: Final = Path(__file__).with_name("painter.py")
CHILD_SECONDS: Final = 10  # wall time; the painter limits its own memory and processor time


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
    if upload.size is not None and upload.size > MAX_BYTES:
        raise Invalid(_("文件太大，最多 10 MB。"), fields={"file": _("文件太大，最多 10 MB。")})
    content = upload.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise Invalid(_("文件太大，最多 10 MB。"), fields={"file": _("文件太大，最多 10 MB。")})
    if not content:
        raise Invalid(_("文件是空的。"), fields={"file": _("文件是空的。")})
    if audio := _audio_type(content):
        return SafeFile("audio", content, audio[0], audio[1])
    if _is_picture(content):
        picture, thumbnail = reencode_image(content)
        return SafeFile("photo", picture, "image/jpeg", ".jpg", thumbnail)
    raise Invalid(_("只能发 JPEG、PNG、WebP 照片或语音。"), fields={"file": _("只能发 JPEG、PNG、WebP 照片或语音。")})


def _is_picture(content: bytes) -> bool:
    return (
        content.startswith(b"\xff\xd8\xff")
        or content.startswith(b"\x89PNG\r\n\x1a\n")
        or (content[:4] == b"RIFF" and content[8:12] == b"WEBP")
    )


def _audio_type(content: bytes) -> tuple[str, str] | None:
    """What browsers record: WebM, Ogg, MP4 audio; and WAV. Only containers that cannot name outside files."""
    if content.startswith(b"\x1aE\xdf\xa3") and b"webm" in content[:64]:
        return "audio/webm", ".webm"
    if content.startswith(b"OggS"):
        return "audio/ogg", ".ogg"
    if content[4:8] == b"ftyp" and content[8:12] in (b"M4A ", b"mp42", b"isom", b"iso5", b"mp41"):
        return "audio/mp4", ".m4a"
    if content[:4] == b"RIFF" and content[8:12] == b"WAVE" and int.from_bytes(content[4:8], "little") <= len(content):
        return "audio/wav", ".wav"
    return None


def reencode_image(content: bytes) -> tuple[bytes, bytes]:
    """(JPEG of at most 1600 px, JPEG thumbnail of 320 px), free of metadata and trailers.

    Decoders are attack surface: they run in a child with 512 MB and 10 s. Invalid when the child refuses or dies.
    """
    try:
        child = subprocess.run(  # noqa: S603 - our own interpreter and file, no shell
            [sys.executable, "-I", str(_PAINTER)],
            input=content,
            capture_output=True,
            timeout=CHILD_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise _unreadable() from error
    if child.returncode != 0 or len(child.stdout) < 8:
        raise _unreadable()
    size = int.from_bytes(child.stdout[:8], "big")
    return child.stdout[8 : 8 + size], child.stdout[8 + size :]


def _unreadable() -> Invalid:
    sentence = _("这张照片打不开。换一张，或改用 JPEG。")
    return Invalid(sentence, fields={"file": sentence})
