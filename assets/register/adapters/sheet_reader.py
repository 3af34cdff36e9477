"""Runs alone in a confined child: XLSX bytes in, the first sheet's rows as JSON out, `null` when it is over the limits."""

from __future__ import annotations

import io
import json
import sys
import warnings
from typing import Any

import openpyxl

MAX_ROWS = 20_000  # below the header
MAX_COLUMNS = 200


def rows_of(content: bytes) -> list[list[str]] | None:
    """Cells as text; a cell far away makes a sheet too large, so what lies past the limits is only counted."""
    warnings.simplefilter("ignore")
    book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
    sheet: Any = book.worksheets[0]
    if (sheet.max_row or 0) > MAX_ROWS + 1 or (sheet.max_column or 0) > MAX_COLUMNS:
        return None
    rows = [
        _trimmed([_text(cell) for cell in line])
        for line in sheet.iter_rows(max_row=MAX_ROWS + 2, max_col=MAX_COLUMNS + 1, values_only=True)
    ]
    too_many = len(rows) > MAX_ROWS + 1 or any(len(row) > MAX_COLUMNS for row in rows)
    return None if too_many else rows


def _trimmed(cells: list[str]) -> list[str]:
    """Without the empty cells that openpyxl fills every row up with."""
    while cells and not cells[-1]:
        cells.pop()
    return cells


def _text(cell: Any) -> str:
    """A number typed as 12 may be stored as 12.0."""
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    return "" if cell is None else str(cell)


if __name__ == "__main__":
    sys.stdout.write(json.dumps(rows_of(sys.stdin.buffer.read())))
