"""Register tables: CSV and XLSX read within limits checked before parsing, written so that no cell becomes a formula."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable, Sequence
from typing import Any, Final

import openpyxl
from django.utils.translation import gettext as _
from openpyxl.utils.exceptions import InvalidFileException

from config.kernel.errors import Invalid

MAX_BYTES: Final = 10 * 1024 * 1024
MAX_UNPACKED: Final = 50 * 1024 * 1024
MAX_RATIO: Final = 100
MAX_ENTRIES: Final = 200
MAX_ROWS: Final = 20_000
MAX_COLUMNS: Final = 200
_FORMULA: Final = tuple("=+-@\t\r＝＋－＠")


def read_table(name: str, content: bytes) -> list[dict[str, str]]:
    """Rows by header, as text. Invalid with a sentence for anything too big or not a table."""
    if len(content) > MAX_BYTES:
        raise Invalid(_("文件太大，最多 10 MB。"))
    rows = _xlsx(content) if content[:4] == b"PK\x03\x04" else _csv(content)
    if not rows:
        raise Invalid(_("表里没有内容。"))
    header = [cell.strip() for cell in rows[0]]
    if len(set(header)) != len(header):
        raise Invalid(_("表头有重复的列。"))
    return [dict(zip(header, row, strict=False)) for row in rows[1:] if any(cell.strip() for cell in row)]


def _csv(content: bytes) -> list[list[str]]:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = content.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    else:
        raise Invalid(_("文件不是 UTF-8 或 GB18030 的 CSV，也不是 XLSX。"))
    if "\0" in text:
        raise Invalid(_("文件不是 UTF-8 或 GB18030 的 CSV，也不是 XLSX。"))
    try:
        rows = [row for _n, row in zip(range(MAX_ROWS + 2), csv.reader(io.StringIO(text)), strict=False)]
    except csv.Error as error:
        raise Invalid(_("CSV 读不懂，检查引号和逗号。")) from error
    return _within_limits(rows)


def _xlsx(content: bytes) -> list[list[str]]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
            unpacked = sum(entry.file_size for entry in entries)
            if len(entries) > MAX_ENTRIES or unpacked > MAX_UNPACKED or unpacked > MAX_RATIO * len(content):
                raise Invalid(_("XLSX 展开后太大，拆成几个文件。"))
            if any(b"<!DOCTYPE" in archive.read(entry)[:2048] for entry in entries if entry.filename.endswith(".xml")):
                raise Invalid(_("XLSX 里有不允许的内容。"))
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        sheet: Any = book.worksheets[0]
        if (sheet.max_row or 0) > MAX_ROWS + 1 or (sheet.max_column or 0) > MAX_COLUMNS:
            raise Invalid(_("最多 20000 行、200 列。"))
        rows = []
        for line in sheet.iter_rows(max_row=MAX_ROWS + 2, max_col=MAX_COLUMNS + 1, values_only=True):
            rows.append(["" if cell is None else str(cell) for cell in line])
    except (zipfile.BadZipFile, InvalidFileException, KeyError, ValueError, IndexError) as error:
        raise Invalid(_("XLSX 打不开，另存一份再试。")) from error
    return _within_limits(rows)


def _within_limits(rows: list[list[str]]) -> list[list[str]]:
    if len(rows) > MAX_ROWS + 1 or any(len(row) > MAX_COLUMNS for row in rows):
        raise Invalid(_("最多 20000 行、200 列。"))
    return rows


def defuse(value: Any) -> str:
    """Text that a spreadsheet would run as a formula gets an apostrophe in front."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def refuse(text: str) -> str:
    """The round trip: an apostrophe that only defused a formula is taken off again."""
    return text[1:] if text[:1] == "'" and text[1:].startswith(_FORMULA) else text


def write_csv(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """UTF-8 with a byte-order mark, so that Excel shows Chinese."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(header)
    writer.writerows([defuse(cell) for cell in row] for row in rows)
    return out.getvalue().encode("utf-8-sig")


def write_xlsx(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """Every cell typed as text."""
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("register")
    sheet.append(list(header))
    for row in rows:
        cells = []
        for value in row:
            cell = openpyxl.cell.WriteOnlyCell(sheet, value=defuse(value))
            cell.data_type = "s"
            cells.append(cell)
        sheet.append(cells)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()
