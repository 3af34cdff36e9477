"""The register in and out as tables: judged row by row, written whole or not at all, never a formula."""

from __future__ import annotations

import csv
import io
import zipfile
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import openpyxl
import pytest
from django.db import IntegrityError
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from assets import events
from assets.models import Device, User
from assets.register import services
from assets.register.adapters import tables
from config.kernel.errors import Conflict, Invalid, NotAllowedNow
from config.kernel.events import recording
from tests import factories

HEADER = ["asset_no", "name", "type", "model", "serial_no", "manufacturer", "department", "location", "price"]


@pytest.fixture
def ward(icu: Any) -> list[str]:
    """The end of a good row: type, model, serial number, maker, department, place, price are filled in by `_row`."""
    factories.device_type(name="输液泵")
    return ["ICU", "L-ICU"]


def _row(number: str, ward: list[str], **more: str) -> list[str]:
    given = {"asset_no": number, "name": "输液泵", "type": "输液泵", "model": "P-1", "serial_no": f"S{number}",
             "manufacturer": "明康", "department": ward[0], "location": ward[1], "price": "12800.50"} | more  # fmt: skip
    return [given[column] for column in HEADER]


def _csv(*rows: list[str], header: list[str] = HEADER, encoding: str = "utf-8-sig") -> bytes:
    out = io.StringIO()
    csv.writer(out).writerows([header, *rows])
    return out.getvalue().encode(encoding)


def _xlsx(*rows: list[Any], header: list[str] = HEADER) -> bytes:
    book = openpyxl.Workbook()
    for row in (header, *rows):
        book.active.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def test_a_preview_counts_and_writes_nothing(ward: list[str]) -> None:
    preview = services.preview_import("register.csv", _csv(_row("A-1", ward), _row("A-2", ward)))

    assert (preview.created, preview.updated, preview.errors) == (2, 0, {})
    assert Device.objects.count() == 0


@pytest.mark.parametrize("form", ["csv", "gb18030", "xlsx", "chinese header"])
def test_a_good_file_is_written_in_every_usual_form(form: str, ward: list[str], manager: User, now: datetime) -> None:
    titles = ["资产编号", "设备名称", "设备类型", "型号", "序列号", "生产企业", "使用科室", "位置", "价格（元）"]
    content = {
        "csv": _csv(_row("A-1", ward)),
        "gb18030": _csv(_row("A-1", ward), encoding="gb18030"),
        "xlsx": _xlsx([*_row("A-1", ward)[:-1], 12800.5]),
        "chinese header": _csv(_row("A-1", ward), header=titles),
    }[form]

    written = services.apply_import(services.preview_import("f", content), by=manager, at=now)

    device = Device.objects.get()
    assert written == 1
    assert (device.asset_no, device.name, device.department.code, device.price) == (
        "A-1",
        "输液泵",
        "ICU",
        Decimal("12800.5"),
    )
    assert device.short_code is not None
    assert len(device.public_id) == 22
    assert device.log.get().history_user == manager


def test_an_import_is_announced_once_with_its_numbers(ward: list[str], manager: User, now: datetime) -> None:
    preview = services.preview_import("f", _csv(_row("A-1", ward), _row("A-2", ward)))

    with recording() as announced:
        services.apply_import(preview, by=manager, at=now)

    [fact] = [event for event in announced if isinstance(event, events.RegisterImported)]
    assert (fact.created, fact.updated, fact.by) == (2, 0, manager.person.public_id)


def test_one_wrong_row_keeps_every_row_out(ward: list[str], manager: User, now: datetime) -> None:
    preview = services.preview_import("f", _csv(_row("A-1", ward), _row("A-2", ward, department="X9")))

    assert list(preview.errors) == [3]
    assert "X9" in preview.errors[3][0]
    with pytest.raises(Invalid):
        services.apply_import(preview, by=manager, at=now)
    assert Device.objects.count() == 0


@pytest.mark.parametrize(
    ("more", "word"),
    [
        ({"asset_no": ""}, "资产编号"),
        ({"name": ""}, "设备名称"),
        ({"type": "不存在"}, "设备类型"),
        ({"location": "?"}, "位置"),
        ({"price": "abc"}, "价格"),
        ({"price": "NaN"}, "价格"),
        ({"price": "1e9999999"}, "价格"),
        ({"price": "-5"}, "价格"),
        ({"price": "1.999"}, "价格"),
        ({"name": "x" * 200}, "设备名称"),
        ({"asset_no": "A" * 31}, "资产编号"),
        ({"serial_no": "S" * 61}, "序列号"),
    ],
)
def test_a_wrong_cell_is_named_with_its_row_and_column(more: dict[str, str], word: str, ward: list[str]) -> None:
    preview = services.preview_import("f", _csv(_row("A-1", ward), _row("A-2", ward, **more)))

    assert list(preview.errors) == [3]
    assert word in " ".join(preview.errors[3])


def test_rows_that_repeat_each_other_are_found_in_the_preview(ward: list[str]) -> None:
    twice = services.preview_import("f", _csv(_row("A-1", ward), _row("A-1", ward, serial_no="other")))
    same_plate = services.preview_import("f", _csv(_row("A-1", ward, serial_no="S"), _row("A-2", ward, serial_no="S")))
    no_serials = services.preview_import("f", _csv(_row("A-1", ward, serial_no=""), _row("A-2", ward, serial_no="")))

    assert list(twice.errors) == [3]
    assert list(same_plate.errors) == [3]
    assert "A-1" in same_plate.errors[3][0]
    assert no_serials.errors == {}


def test_a_known_device_is_changed_only_where_the_file_says_so(ward: list[str], manager: User, now: datetime) -> None:
    services.apply_import(services.preview_import("f", _csv(_row("A-1", ward), _row("A-2", ward))), by=manager, at=now)
    before = Device.objects.get(asset_no="A-1")

    preview = services.preview_import("f", _csv(_row("A-1", ward, model="P-2"), _row("A-2", ward)))
    services.apply_import(preview, by=manager, at=now + timedelta(days=1))

    after = Device.objects.get(asset_no="A-1")
    assert [(line.change, line.fields) for line in preview.lines] == [("changed", ["model"]), ("same", [])]
    assert (after.model, after.serial_no, after.public_id, after.short_code) == (
        "P-2", before.serial_no, before.public_id, before.short_code,
    )  # fmt: skip
    assert after.log.count() == 2
    assert Device.objects.get(asset_no="A-2").log.count() == 1


def test_status_in_a_file_changes_nothing(ward: list[str], manager: User, now: datetime) -> None:
    header, row = [*HEADER, "status"], _row("A-1", ward)
    services.apply_import(services.preview_import("f", _csv([*row, "ready"], header=header)), by=manager, at=now)

    preview = services.preview_import("f", _csv([*row, "retired"], header=header))

    assert preview.lines[0].change == "same"


def test_row_numbers_are_those_of_the_file_also_after_blank_and_short_rows(ward: list[str]) -> None:
    preview = services.preview_import("f", _csv(_row("A-1", ward), [""] * 9, ["A-3"], _row("A-4", ward)))

    assert list(preview.errors) == [4]
    assert [line.number for line in preview.lines] == [2, 4, 5]


def test_a_device_that_appears_meanwhile_is_a_conflict_and_nothing_is_written(
    ward: list[str], manager: User, now: datetime
) -> None:
    preview = services.preview_import("f", _csv(_row("A-1", ward), _row("A-2", ward)))
    factories.device(factories.department("X"), asset_no="A-2")

    with pytest.raises(Conflict):
        services.apply_import(preview, by=manager, at=now)

    assert not Device.objects.filter(asset_no="A-1").exists()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe\x00\x01",
        b"a\0b",
        b"PK\x03\x04 not a zip",
        _csv(header=["asset_no", "asset_no"]),
        _csv(["1", "2"], header=["asset_no", "name"]),
        _csv(header=[]),
        _csv([], header=HEADER),
        b'asset_no,name\n"' + b"x" * 200_000,
        b"a\n" * 20_100,
        ("a," * 250 + "\n").encode(),
        b"x" * (10 * 1024 * 1024 + 1),
    ],
    ids=["empty", "binary", "nul", "broken zip", "header twice", "columns missing", "no header", "header only", "endless cell",
         "too many rows", "too many columns", "too large"],
)  # fmt: skip
def test_a_file_that_is_no_register_gets_a_sentence(content: bytes, db: None) -> None:
    with pytest.raises(Invalid) as refusal:
        services.preview_import("f", content)

    assert str(refusal.value).endswith("。")


def _archive(**parts: bytes) -> bytes:
    """A good workbook with parts added or replaced."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(_xlsx(["1"]))) as good, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as bad:
        for entry in good.infolist():
            bad.writestr(entry.filename, parts.pop(entry.filename, good.read(entry)))
        for name, content in parts.items():
            bad.writestr(name, content)
    return out.getvalue()


def _far_cell() -> bytes:
    book = openpyxl.Workbook()
    book.active["XFD1048576"] = "x"
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


DTD = b'<?xml version="1.0"?><!DOCTYPE w [<!ENTITY x SYSTEM "file:///etc/passwd">]><workbook>&x;</workbook>'
BOMBS = {
    "27 a cell at XFD1048576": _far_cell,
    "27b the same without a dimension": lambda: _archive(
        **{"xl/worksheets/sheet1.xml": b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
           b'<row r="1048576"><c r="XFD1048576" t="inlineStr"><is><t>x</t></is></c></row></sheetData></worksheet>'}
    ),
    "28 small file, 60 MB sheet": lambda: _archive(**{"xl/worksheets/sheet1.xml": b" " * 60_000_000}),
    "28b DTD in the workbook": lambda: _archive(**{"xl/workbook.xml": DTD}),
    "28c DTD in another encoding": lambda: _archive(**{"xl/workbook.xml": DTD.decode().encode("utf-16")}),
    "28d DTD in a relation": lambda: _archive(**{"xl/_rels/workbook.xml.rels": DTD}),
    "29 many entries": lambda: _archive(**{f"xl/media/{n}.xml": b"" for n in range(500)}),
    "29b slip": lambda: _archive(**{"../../../tmp/slip.xml": b"<a/>", "xl/workbook.xml": b"<a/>"}),
    "truncated": lambda: _xlsx(["1"])[:-200],
    "a zip of something else": lambda: _archive(**{"xl/workbook.xml": b"not xml"}),
}  # fmt: skip


@pytest.mark.parametrize("case", BOMBS)
def test_a_hostile_workbook_is_refused_with_a_sentence(case: str, db: None) -> None:
    with pytest.raises(Invalid) as refusal:
        services.preview_import("f", BOMBS[case]())

    assert str(refusal.value).endswith("。")


FORMULAS = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "＝1",
    "＋1",
    "－1",
    "＠1",
    "'=1",
    "''=1",
    '=HYPERLINK("http://x")',
]


@pytest.mark.parametrize("text", FORMULAS)
def test_no_exported_cell_can_run_and_the_text_comes_back(text: str) -> None:
    cell = tables.defuse(text)

    assert cell.startswith("'")
    assert tables.refuse(cell) == text


@hypothesis_settings(max_examples=200, deadline=None)
@given(
    st.text(
        st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="\ufffe\uffff"), max_size=20
    )
)
def test_every_text_survives_the_round_trip(text: str) -> None:
    assert tables.refuse(tables.defuse(text)) == text


@pytest.mark.parametrize("fmt", ["csv", "xlsx"])
def test_an_export_can_be_imported_again_and_changes_nothing(fmt: str, icu: Any) -> None:
    kind = factories.device_type(name="输液泵")
    for n, name in enumerate(["=cmd|'/c calc'!A1", '普通, "名字"', "'quoted", "@home"]):
        factories.device(icu, kind, name=name, asset_no=f"A-{n}", price=Decimal("10.50"))

    content = services.export_register(Device.objects.all(), fmt)
    preview = services.preview_import("f", content)

    assert preview.errors == {}
    assert {line.change for line in preview.lines} == {"same"}
    if fmt == "xlsx":
        sheet = openpyxl.load_workbook(io.BytesIO(content)).active
        assert {cell.data_type for row in sheet.iter_rows(min_row=2) for cell in row if cell.value} == {"s"}


def test_a_staged_file_is_applied_once_by_the_account_that_sent_it(
    ward: list[str], manager: User, admin_user: User, now: datetime, settings: Any, tmp_path: Any
) -> None:
    settings.MEDIA_ROOT = tmp_path
    token = services.stage_import("f.csv", _csv(_row("A-1", ward)), by=manager, at=now)

    with pytest.raises(NotAllowedNow):
        services.preview_staged(token, by=admin_user)
    with pytest.raises(NotAllowedNow):
        services.preview_staged(token + "x", by=manager)
    assert services.preview_staged(token, by=manager).created == 1
    services.apply_staged(token, by=manager, at=now)
    with pytest.raises(NotAllowedNow):
        services.apply_staged(token, by=manager, at=now)

    assert Device.objects.count() == 1
    assert not [p for p in tmp_path.rglob("*") if p.is_file()]


def test_staged_files_are_forgotten_after_an_hour(
    ward: list[str], manager: User, now: datetime, settings: Any, tmp_path: Any
) -> None:
    settings.MEDIA_ROOT = tmp_path
    later = datetime.now(tz=now.tzinfo) + timedelta(hours=2)
    services.stage_import("old.csv", _csv(_row("A-1", ward)), by=manager, at=now)

    services.stage_import("new.csv", _csv(_row("A-2", ward)), by=manager, at=later)

    assert len([p for p in tmp_path.rglob("*") if p.is_file()]) == 1


def test_a_preview_asks_a_few_questions_whatever_the_size_and_an_import_writes_in_batches(
    ward: list[str], manager: User, now: datetime, django_assert_max_num_queries: Any
) -> None:
    many = _csv(*[_row(f"A-{n}", ward) for n in range(300)])

    with django_assert_max_num_queries(8):
        preview = services.preview_import("f", many)
    with django_assert_max_num_queries(45):  # SQLite takes some twenty wide rows a statement
        services.apply_import(preview, by=manager, at=now)

    assert Device.objects.count() == 300
    assert Device.objects.exclude(short_code=None).count() == 300


def test_the_database_has_the_last_word_on_plates(icu: Any) -> None:
    first = factories.device(icu, serial_no="S")

    with pytest.raises(IntegrityError):
        factories.device(icu, first.type, serial_no="S", model=first.model, manufacturer=first.manufacturer)
