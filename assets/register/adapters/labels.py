"""Device labels as PDF (design.md 9): 50 x 30 mm, one colour, QR 22 mm level M, short code 8 pt bold, least type 7 pt."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import Final

import segno
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

WIDTH, HEIGHT, QR = 50 * mm, 30 * mm, 22 * mm
COLUMNS, ROWS = 3, 8
LEAST, LINES = 7, 2
FONT: Final = "STSong-Light"


@dataclass(frozen=True)
class Label:
    """What one label says."""

    url: str
    heading: str
    name: str
    code: str
    phone: str
    asset_no: str = ""


def label_sheet(labels: Iterable[Label], layout: str = "a4_3x8") -> bytes:
    """A PDF: `a4_3x8` = A4 pages of 24 with cut marks, `single_50x30` = one page a label."""
    pdfmetrics.registerFont(UnicodeCIDFont(FONT))
    out = io.BytesIO()
    if layout == "single_50x30":
        canvas = Canvas(out, pagesize=(WIDTH, HEIGHT))
        for label in labels:
            _draw(canvas, label, 0, 0)
            canvas.showPage()
    else:
        canvas = Canvas(out, pagesize=A4)
        _sheets(canvas, list(labels))
    canvas.save()
    return out.getvalue()


def _sheets(canvas: Canvas, labels: list[Label]) -> None:
    left = (A4[0] - COLUMNS * WIDTH) / 2
    top = A4[1] - (A4[1] - ROWS * HEIGHT) / 2
    for start in range(0, len(labels), COLUMNS * ROWS):
        for place, label in enumerate(labels[start : start + COLUMNS * ROWS]):
            x = left + place % COLUMNS * WIDTH
            y = top - (place // COLUMNS + 1) * HEIGHT
            _draw(canvas, label, x, y)
        _cut_marks(canvas, left, top)
        canvas.showPage()


def _cut_marks(canvas: Canvas, left: float, top: float) -> None:
    canvas.setLineWidth(0.25)
    bottom, right = top - ROWS * HEIGHT, left + COLUMNS * WIDTH
    for column in range(COLUMNS + 1):
        x = left + column * WIDTH
        canvas.line(x, top + 2 * mm, x, top + 5 * mm)
        canvas.line(x, bottom - 5 * mm, x, bottom - 2 * mm)
    for row in range(ROWS + 1):
        y = top - row * HEIGHT
        canvas.line(left - 5 * mm, y, left - 2 * mm, y)
        canvas.line(right + 2 * mm, y, right + 5 * mm, y)


def _draw(canvas: Canvas, label: Label, x: float, y: float) -> None:
    quiet = _qr(canvas, label.url, x, y)
    left, room = x + QR + 2 * quiet, WIDTH - QR - 2 * quiet - 1.5 * mm
    _line(canvas, label.heading, left, y + 23.6 * mm, 12, room)
    for n, line in enumerate(_wrap(label.name, 7.5, room)):
        _line(canvas, line, left, y + (19.2 - 3.3 * n) * mm, 7.5, room)
    if label.asset_no:
        _line(canvas, label.asset_no, left, y + 11.9 * mm, LEAST, room)
    _line(canvas, label.code, left, y + 7.8 * mm, 8, room, "Helvetica-Bold")
    _line(canvas, label.phone, left, y + 4 * mm, 7.5, room)


def _line(canvas: Canvas, text: str, x: float, y: float, size: float, room: float, latin: str = "Helvetica") -> None:
    """One line, smaller when it must be, never under 7 pt. Han and Latin each in their own font."""
    size = max(LEAST, size * min(1, room / (_width(text, size, latin) or 1)))
    for font, run in _runs(text, latin):
        canvas.setFont(font, size)
        canvas.drawString(x, y, run)
        x += pdfmetrics.stringWidth(run, font, size)


def _runs(text: str, latin: str) -> list[tuple[str, str]]:
    return [(latin if ascii_ else FONT, "".join(run)) for ascii_, run in groupby(text, str.isascii)]


def _width(text: str, size: float, latin: str = "Helvetica") -> float:
    return float(sum(pdfmetrics.stringWidth(run, font, size) for font, run in _runs(text, latin)))


def _qr(canvas: Canvas, url: str, x: float, y: float) -> float:
    """The symbol at level M, 22 mm wide, in the label's middle line; returns the width of its quiet zone (4 modules).

    One path of all dark runs: single squares would show hairlines between them on some printers. The mask is fixed: the
    signature is random anyway, and choosing the best of eight takes five times as long for a ward's worth of labels.
    """
    matrix: list[bytearray] = list(segno.make(url, error="m", boost_error=False, micro=False, mask=3).matrix)
    module = QR / len(matrix)
    left, top = x + 4 * module, y + (HEIGHT + QR) / 2
    path = canvas.beginPath()
    for row, line in enumerate(matrix):
        start = 0
        for dark, run in groupby(line):
            length = len(list(run))
            if dark:
                path.rect(left + start * module, top - (row + 1) * module, length * module, module)
            start += length
    canvas.drawPath(path, stroke=0, fill=1)
    return 4 * module


def _wrap(text: str, size: float, room: float) -> list[str]:
    """At most two lines, broken between words where there are any; what does not fit ends in an ellipsis."""
    lines, line = [], ""
    for piece in re.findall(r"[!-~]+\s*|\s+|[^!-~\s]", text):
        if line and _width(line + piece.rstrip(), size) > room:
            lines.append(line.rstrip())
            line = ""
        line += piece
    lines.append(line.rstrip())
    if len(lines) > LINES:
        lines = [*lines[: LINES - 1], lines[LINES - 1] + "…"]
    return [_cut(line, size, room) for line in lines]


def _cut(line: str, size: float, room: float) -> str:
    while _width(line, size) > room:
        line = line.rstrip("…")[:-1] + "…"
    return line
