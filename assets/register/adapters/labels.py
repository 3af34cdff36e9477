"""Device labels as PDF (design.md 9): 50 x 30 mm, one colour, QR 22 mm level M, short code 8 pt bold, least type 7 pt."""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import segno
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

WIDTH, HEIGHT, QR = 50 * mm, 30 * mm, 22 * mm
COLUMNS, ROWS = 3, 8
FONT: Final = "STSong-Light"


@dataclass(frozen=True)
class Label:
    """What one label says."""

    url: str
    heading: str
    name: str
    code: str
    phone: str


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
    _qr(canvas, label.url, x + 2 * mm, y + (HEIGHT - QR) / 2)
    text_x, room = x + QR + 3 * mm, WIDTH - QR - 4.5 * mm
    canvas.setFont(FONT, 10)
    canvas.drawString(text_x, y + 22.5 * mm, label.heading)
    canvas.setFont(FONT, 7.5)
    for n, line in enumerate(_wrap(label.name, 7.5, room)[:2]):
        canvas.drawString(text_x, y + (18 - 3.2 * n) * mm, line)
    canvas.setFont("Helvetica-Bold", 8)
    canvas.drawString(text_x, y + 9.5 * mm, label.code)
    canvas.setFont(FONT, 7.5)
    canvas.drawString(text_x, y + 5 * mm, label.phone)


def _qr(canvas: Canvas, url: str, x: float, y: float) -> None:
    """Level M with the standard quiet zone of 4 modules inside the 22 mm."""
    code = segno.make(url, error="m", boost_error=False, micro=False)
    matrix: Any = list(code.matrix_iter(border=4))
    module = QR / len(matrix)
    for row, line in enumerate(matrix):
        for column, dark in enumerate(line):
            if dark:
                canvas.rect(x + column * module, y + QR - (row + 1) * module, module, module, stroke=0, fill=1)


def _wrap(text: str, size: float, room: float) -> list[str]:
    lines, line = [], ""
    for character in text:
        if line and pdfmetrics.stringWidth(line + character, FONT, size) > room:
            lines.append(line)
            line = ""
        line += character
    return [*lines, line]
