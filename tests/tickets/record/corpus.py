"""Uploads nobody should trust (security.md 5.4), made here byte by byte; nothing is stored in the repository."""

from __future__ import annotations

import gzip
import io
import struct
import zipfile
import zlib

from PIL import Image

PHP = b"<?php system($_GET['c']); ?>"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'
GPS_COMMENT = b"shot at 30.2741N 120.1551E"


def jpeg(size: tuple[int, int] = (64, 48), mode: str = "RGB", **more: object) -> bytes:
    out = io.BytesIO()
    Image.new(mode, size).save(out, "JPEG", **more)
    return out.getvalue()


def png(size: tuple[int, int] = (64, 48), mode: str = "RGB") -> bytes:
    out = io.BytesIO()
    Image.new(mode, size).save(out, "PNG")
    return out.getvalue()


def photo_with_secrets() -> bytes:
    """A photo turned by EXIF, with GPS, a colour profile and a comment."""
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = "SecretPhoneMaker"
    exif.get_ifd(0x8825)[2] = (30.0, 16.0, 26.0)
    return jpeg((60, 40), exif=exif, icc_profile=b"SECRET-PROFILE" * 20, comment=GPS_COMMENT)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_header_only(width: int, height: int) -> bytes:
    """69 bytes that claim any number of pixels."""
    head = _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + _chunk(b"IDAT", zlib.compress(b"")) + _chunk(b"IEND", b"")


def png_of_zeros(edge: int) -> bytes:
    """A small file, 1 bit a pixel, that unpacks to `edge` squared pixels."""
    head = _chunk(b"IHDR", struct.pack(">IIBBBBB", edge, edge, 1, 0, 0, 0, 0))
    rows = zlib.compress(b"\0" * ((edge + 7) // 8 + 1) * edge, 9)
    return b"\x89PNG\r\n\x1a\n" + head + _chunk(b"IDAT", rows) + _chunk(b"IEND", b"")


def png_with_text_bomb() -> bytes:
    """A 100 MB comment, compressed to 100 KB."""
    text = _chunk(b"zTXt", b"Comment\0\0" + zlib.compress(b"a" * 100_000_000, 9))
    whole = png()
    return whole[:33] + text + whole[33:]


def animation(frames: int, kind: str) -> bytes:
    out = io.BytesIO()
    pictures = [Image.new("RGB", (32, 32), (n % 256, 0, 0)) for n in range(frames)]
    pictures[0].save(out, kind, save_all=True, append_images=pictures[1:])
    return out.getvalue()


def zip_polyglot() -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as bundle:
        bundle.writestr("evil.html", "<script>alert(1)</script>")
    return jpeg() + archive.getvalue()


def box(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", 8 + len(data)) + kind + data


def mp4(seconds: int = 5, track: bytes = b"soun", brand: bytes = b"M4A ") -> bytes:
    header = box(b"mvhd", struct.pack(">IIIII", 0, 0, 0, 1000, seconds * 1000) + b"\0" * 80)
    handler = box(b"hdlr", struct.pack(">II", 0, 0) + track + b"\0" * 13)
    return box(b"ftyp", brand + b"\0\0\0\0") + box(b"moov", header + box(b"trak", handler)) + box(b"mdat", b"\0" * 64)


def wav(claimed: int | None = None, *, sample: int = 0) -> bytes:
    """A voice note of a millisecond; `sample` makes it another one."""
    body = (
        b"WAVEfmt "
        + struct.pack("<IHHIIHH", 16, 1, 1, 8000, 8000, 1, 8)
        + b"data"
        + struct.pack("<I", 8)
        + bytes([sample]) * 8
    )
    return b"RIFF" + struct.pack("<I", len(body) if claimed is None else claimed) + body


VOICE = {
    "webm": (b"\x1aE\xdf\xa3\x9fB\x86\x81\x01B\x82\x84webmB\x87\x81\x04" + b"A_OPUS" + b"\0" * 64, "audio/webm"),
    "ogg": (b"OggS\0\x02" + b"\0" * 22 + b"OpusHead" + b"\0" * 64, "audio/ogg"),
    "m4a": (mp4(), "audio/mp4"),
    "m4a of a running recorder": (mp4(0, brand=b"iso5"), "audio/mp4"),
    "wav": (wav(), "audio/wav"),
}

REFUSED = {
    "1 PHP named a.jpg": PHP,
    "4 HTML after the JPEG mark": b"\xff\xd8\xff<html><script>alert(1)</script>",
    "5 GIF and JavaScript": b"GIF89a/*" + b"\0" * 10 + b"*/=1;alert(1)",
    "6 SVG onload": SVG,
    "7 SVG after the PNG mark": b"\x89PNG\r\n\x1a\n" + SVG,
    "8 SVGZ": gzip.compress(SVG),
    "10 PDF with JavaScript": b"%PDF-1.7\n1 0 obj<</OpenAction<</S/JavaScript/JS(app.alert(1))>>>>endobj",
    "11 EPS": b"%!PS-Adobe-3.0 EPSF-3.0\n(/etc/passwd) (r) file",
    "12 PNG of 20000 x 20000 in 69 bytes": png_header_only(20000, 20000),
    "13 PNG of 12000 x 12000 zeros": png_of_zeros(12000),
    "14 PNG of 9000 x 9000 zeros": png_of_zeros(9000),
    "15 GIF of many frames": animation(50, "GIF"),
    "16 FITS gzip bomb": gzip.compress(b"SIMPLE  =                    T" + b"\0" * 10_000_000),
    "17 JPEG 2000": b"\0\0\0\x0cjP  \r\n\x87\n" + b"\0" * 200,
    "18 truncated JPEG": jpeg((800, 600))[:1000],
    "20 PNG with a 100 MB comment": png_with_text_bomb(),
    "21 HEIC": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0" * 100,
    "22 playlist named mp4": b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\nhttp://127.0.0.1/\n",
    "23 mp4 that claims 10 hours": mp4(36_000),
    "23b film as voice": mp4(5, track=b"vide", brand=b"isom"),
    "23c WebM film": b"\x1aE\xdf\xa3\x9fB\x86\x81\x01B\x82\x84webmB\x87\x81\x04" + b"V_VP9" + b"\0" * 64,
    "24 WAV that claims 4 GiB": wav(0xFFFFFFF0),
    "26 nothing": b"",
    "26b one byte more than 10 MB": jpeg() + b"\0" * (10 * 1024 * 1024),
    "mp4 without a header": box(b"ftyp", b"M4A \0\0\0\0") + b"moov",
}

REPAINTED = {
    "2 JPEG with PHP behind it": jpeg() + PHP,
    "3 named a.jpg.html": jpeg(),
    "9 JPEG and ZIP": zip_polyglot(),
    "15b APNG": animation(50, "PNG"),
    "15c animated WebP": animation(50, "WEBP"),
    "19 GPS, profile, comment": photo_with_secrets(),
    "transparent PNG": png(mode="RGBA"),
    "grey and alpha": png(mode="LA"),
    "16 bit": png(mode="I;16"),
    "palette": png(mode="P"),
    "bitmap": png(mode="1"),
    "CMYK JPEG": jpeg(mode="CMYK"),
    "EXIF damaged": jpeg(exif=b"Exif\0\0MM\0*\xff\xff\xff\xff" + b"\xff" * 40),
}
