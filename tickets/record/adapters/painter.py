"""Runs alone in a confined child: image bytes in, (8-byte length, JPEG, JPEG thumbnail) out. Imports nothing of ours."""

from __future__ import annotations

import io
import struct
import sys
import warnings

from PIL import Image, ImageOps

MAX_PIXELS = 25_000_000
MAX_EDGE = 1600
THUMB_EDGE = 320
_ORIENTATION = 0x0112


def paint(content: bytes) -> tuple[bytes, bytes]:
    """First frame, upright, on a new canvas: metadata, profiles, comments and trailers stay behind."""
    Image.MAX_IMAGE_PIXELS = MAX_PIXELS
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    with Image.open(io.BytesIO(content), formats=("JPEG", "PNG", "WEBP")) as source:
        if source.width * source.height > MAX_PIXELS:  # Pillow itself only warns, and only above twice as many
            raise ValueError("too many pixels")
        canvas = _upright(source)
    return _jpeg(canvas, MAX_EDGE), _jpeg(canvas, THUMB_EDGE)


def _upright(source: Image.Image) -> Image.Image:
    """Small before anything else is made of it: 25 million pixels in four copies would not fit the child."""
    turn = _orientation(source)
    source.draft("RGB", (MAX_EDGE, MAX_EDGE))
    small = source if source.mode in ("RGB", "L") else source.convert("RGBA")
    small.thumbnail((MAX_EDGE, MAX_EDGE))
    clear = small.convert("RGBA")
    canvas = Image.new("RGB", clear.size, "white")
    canvas.paste(clear, mask=clear.getchannel("A"))
    if turn:
        canvas.getexif()[_ORIENTATION] = turn
        canvas = ImageOps.exif_transpose(canvas)
    return canvas


def _orientation(source: Image.Image) -> int | None:
    """EXIF's turn; damaged metadata costs the turn, not the photo."""
    try:
        turn = source.getexif().get(_ORIENTATION)
    except (OSError, ValueError, SyntaxError, LookupError, struct.error):
        return None
    return turn if isinstance(turn, int) and 1 <= turn <= 8 else None


def _jpeg(canvas: Image.Image, edge: int) -> bytes:
    copy = Image.new("RGB", canvas.size)
    copy.paste(canvas)
    copy.thumbnail((edge, edge))
    out = io.BytesIO()
    copy.save(out, "JPEG", quality=85, optimize=True)
    return out.getvalue()


if __name__ == "__main__":
    picture, thumbnail = paint(sys.stdin.buffer.read())
    sys.stdout.buffer.write(len(picture).to_bytes(8, "big") + picture + thumbnail)
