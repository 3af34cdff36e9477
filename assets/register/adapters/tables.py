"""Register tables: CSV and XLSX read within limits checked before parsing, written so that no cell becomes a formula."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
import zlib
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Final

import openpyxl
from django.utils.translation import gettext as _

from config.kernel import confined
from config.kernel.errors import Invalid

MAX_BYTES: Final = 10 * 1024 * 1024
MAX_UNPACKED: Final = 50 * 1024 * 1024
MAX_RATIO: Final = 100
MAX_ENTRIES: Final = 200
MAX_ROWS: Final = 20_000
MAX_COLUMNS: Final = 200
_FORMULA: Final = tuple("=+-@\t\r\n＝＋－＠")
_ILLEGAL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_READER: Final = Path(__file__).with_name("sheet_reader.py")


def read_table(name: str, content: bytes) -> list[dict[str, str]]:
    """Every row under the header as text by column. Invalid with a sentence for anything too big or not a table."""
    if len(content) > MAX_BYTES:
        raise Invalid(_("文件太大，最多 10 MB。"))
    rows = _xlsx(content) if content[:4] == b"PK\x03\x04" else _csv(content)
    if not rows:
        raise Invalid(_("表里没有内容。"))
    header = [cell.strip() for cell in rows[0]]
    while header and not header[-1]:
        header.pop()
    if len(set(header)) != len(header) or not all(header):
        raise Invalid(_("表头有重复或空着的列。"))
    return [_row(header, row) for row in rows[1:]]


def _row(header: list[str], cells: list[str]) -> dict[str, str]:
    """Short rows are filled up, so that every column is there; blank rows stay, so that row numbers are the file's."""
    padded = [*cells, *[""] * (len(header) - len(cells))]
    return {name: refuse(_ILLEGAL.sub("", cell).strip()) for name, cell in zip(header, padded, strict=False)}


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
        rows = list(islice(csv.reader(io.StringIO(text, newline="")), MAX_ROWS + 2))
    except csv.Error as error:
        raise Invalid(_("CSV 读不懂，检查引号和逗号。")) from error
    return _within_limits(rows)


def _xlsx(content: bytes) -> list[list[str]]:
    """The archive is measured first, then read in a child that cannot eat the machine."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            _check_archive(archive, len(content))
        rows = json.loads(confined.run(_READER, content, seconds=20, memory=768, output=64))
    except (zipfile.BadZipFile, zlib.error, EOFError, KeyError, RuntimeError, NotImplementedError, ValueError) as error:
        raise Invalid(_("XLSX 打不开，另存一份再试。")) from error
    except confined.DiedError as error:
        raise Invalid(_("XLSX 打不开，另存一份再试。")) from error
    if rows is None:
        raise Invalid(_("最多 20000 行、200 列。"))
    return [[str(cell) for cell in row] for row in rows]


def _check_archive(archive: zipfile.ZipFile, packed: int) -> None:
    """Entries, unpacked size and ratio from the directory (zipfile reads no further than it says); then no DTD inside."""
    entries = archive.infolist()
    unpacked = sum(entry.file_size for entry in entries)
    if len(entries) > MAX_ENTRIES or unpacked > MAX_UNPACKED or unpacked > MAX_RATIO * packed:
        raise Invalid(_("XLSX 展开后太大，拆成几个文件。"))
    for entry in entries:
        with archive.open(entry) as part:
            head = part.read(4096)
        # Office writes UTF-8; another encoding would only serve to hide a DTD from this look.
        if (
            b"<!DOCTYPE" in head
            or b"<!ENTITY" in head
            or (b"\0" in head and entry.filename.endswith((".xml", ".rels")))
        ):
            raise Invalid(_("XLSX 里有不允许的内容。"))


def _within_limits(rows: list[list[str]]) -> list[list[str]]:
    if len(rows) > MAX_ROWS + 1 or any(len(row) > MAX_COLUMNS for row in rows):
        raise Invalid(_("最多 20000 行、200 列。"))
    return rows


def defuse(value: Any) -> str:
    """Text that a spreadsheet would run as a formula gets an apostrophe in front, and so does text that looks defused."""
    text = "" if value is None else _ILLEGAL.sub("", str(value))
    return f"'{text}" if text.lstrip("'").startswith(_FORMULA) else text


def refuse(text: str) -> str:
    """The round trip: the apostrophe that `defuse` put in front is taken off again."""
    return text[1:] if text[:1] == "'" and text.lstrip("'").startswith(_FORMULA) else text


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
