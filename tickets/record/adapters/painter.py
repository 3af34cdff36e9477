"""Runs alone in a limited child: image bytes in, (8-byte length, JPEG, JPEG thumbnail) out. Imports nothing of ours."""

from __future__ import annotations

import io
import resource
import sys
import warnings

from PIL import Image, ImageOps

MAX_PIXELS = 25_000_000
MAX_EDGE = 1600
THUMB_EDGE = 320
MEMORY = 512 * 1024 * 1024
SECONDS = 10


def paint(content: bytes) -> tuple[bytes, bytes]:
    """First frame, upright, on a new canvas: metadata, profiles, comments and trailers stay behind."""
    Image.MAX_IMAGE_PIXELS = MAX_PIXELS
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    with Image.open(io.BytesIO(content), formats=("JPEG", "PNG", "WEBP")) as source:
        if source.width * source.height > MAX_PIXELS:
            raise ValueError("too many pixels")
        source.draft("RGB", (MAX_EDGE, MAX_EDGE))
        upright = ImageOps.exif_transpose(source).convert("RGBA")
    canvas = Image.new("RGB", upright.size, "white")
    canvas.paste(upright, mask=upright.getchannel("A"))
    return _jpeg(canvas, MAX_EDGE), _jpeg(canvas, THUMB_EDGE)


def _jpeg(canvas: Image.Image, edge: int) -> bytes:
    copy = canvas.copy()
    copy.thumbnail((edge, edge))
    out = io.BytesIO()
    copy.save(out, "JPEG", quality=85, optimize=True)
    return out.getvalue()


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    picture, thumbnail = paint(sys.stdin.buffer.read())
    sys.stdout.buffer.write(len(picture).to_bytes(8, "big") + picture + thumbnail)
