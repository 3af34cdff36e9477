"""The file of a backup: what was written is read, and every other file is refused with one sentence."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Callable

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.kernel import archive
from config.kernel.archive import Unfit

ROWS = [[1, "a"], [2, None], [3, "心"]]


def made() -> bytes:
    out = io.BytesIO()
    writer = archive.Writer(out)
    writer.table("tickets_ticket", ["id", "name"], ROWS)
    writer.media("originals/ab/cd.jpg", io.BytesIO(b"\xff\xd8" * 5000))
    writer.finish({"made_at": "2026-11-18T06:21:08.000000Z"})
    writer.close()
    return out.getvalue()


def rebuilt(change: Callable[[zipfile.ZipFile, dict[str, bytes]], None], *, honest: bool = True) -> bytes:
    """A zip of somebody else's making; an honest one has a manifest that fits what is inside."""
    source = zipfile.ZipFile(io.BytesIO(made()))
    members = {name: source.read(name) for name in source.namelist() if name != archive.MANIFEST}
    manifest = orjson.loads(source.read(archive.MANIFEST))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as target:
        change(target, members)
        for name, content in members.items():
            target.writestr(name, content)
        if honest:
            manifest["members"] = {
                name: {"sha256": hashlib.sha256(target.read(name)).hexdigest(), "size": target.getinfo(name).file_size}
                | ({"rows": 3} if name.startswith("tables/") else {})
                for name in target.namelist()
            }  # fmt: skip
        body = orjson.dumps(manifest)
        target.writestr(archive.MANIFEST, body)
        target.comment = archive.MARK + hashlib.sha256(body).hexdigest().encode()
    return out.getvalue()


def read(content: bytes) -> archive.Reader:
    reader = archive.Reader(io.BytesIO(content))
    reader.check()
    for table in reader.tables():
        list(reader.rows(table))
    return reader


def test_what_was_written_is_read() -> None:
    reader = read(made())

    assert reader.tables() == ["tickets_ticket"]
    assert reader.columns("tickets_ticket") == ["id", "name"]
    assert list(reader.rows("tickets_ticket")) == ROWS
    assert reader.count("tickets_ticket") == 3
    assert reader.media() == ["originals/ab/cd.jpg"]


def test_the_rebuilder_of_these_tests_makes_files_that_are_read() -> None:
    assert read(rebuilt(lambda _zip, _members: None)).count("tickets_ticket") == 3


def linked(target: zipfile.ZipFile, _members: dict[str, bytes]) -> None:
    info = zipfile.ZipInfo("media/originals/link.jpg")
    info.external_attr = 0o120777 << 16
    target.writestr(info, "/etc/passwd")


def named(name: str) -> Callable[[zipfile.ZipFile, dict[str, bytes]], None]:
    return lambda _zip, members: members.__setitem__(name, b"x")


FOREIGN = {
    "slip": named("media/../../etc/cron.d/x"),
    "absolute": named("/etc/passwd"),
    "absolute media": named("media//etc/passwd"),
    "backslash": named("media/..\\..\\x"),
    "drive": named("media/C:/x"),
    "dots": named("media/a/./b"),
    "folder": named("media/originals/"),
    "other": named("tables/../x.jsonl"),
    "capital": named("tables/Users.jsonl"),
    "link": linked,
    "ragged": lambda _zip, members: members.update({"tables/tickets_ticket.jsonl": b'["id","name"]\n[1]\n[2]\n[3]\n'}),
    "no rows": lambda _zip, members: members.update({"tables/tickets_ticket.jsonl": b'["id"]\n{}\n[2]\n[3]\n'}),
    "no json": lambda _zip, members: members.update({"tables/tickets_ticket.jsonl": b'["id"]\n[\n[2]\n[3]\n'}),
    "no columns": lambda _zip, members: members.update({"tables/tickets_ticket.jsonl": b"[]\n[]\n[]\n[]\n"}),
    "too few": lambda _zip, members: members.update({"tables/tickets_ticket.jsonl": b'["id"]\n[1]\n'}),
}


@pytest.mark.parametrize("change", FOREIGN.values(), ids=FOREIGN)
def test_a_foreign_member_is_refused(change: Callable[[zipfile.ZipFile, dict[str, bytes]], None]) -> None:
    with pytest.raises(Unfit) as refusal:
        read(rebuilt(change))

    assert str(refusal.value).endswith(".")
    assert "\n" not in str(refusal.value)


UNTOLD = {
    "one more": named("media/more.jpg"),
    "one less": lambda _zip, members: members.popitem(),
    "another": lambda _zip, members: members.update({"media/originals/ab/cd.jpg": b"y" * 10_000}),
}


@pytest.mark.parametrize("change", UNTOLD.values(), ids=UNTOLD)
def test_a_directory_that_differs_from_the_manifest_is_refused(
    change: Callable[[zipfile.ZipFile, dict[str, bytes]], None],
) -> None:
    with pytest.raises(Unfit):
        read(rebuilt(change, honest=False))


def test_a_member_that_unpacks_to_more_than_it_says_is_refused() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr("media/x", b"\0" * 50_000_000)
        told = {"sha256": "0" * 64, "size": 10}
        body = orjson.dumps({"format": 1, "members": {"media/x": told}})
        bomb.writestr(archive.MANIFEST, body)
        bomb.comment = archive.MARK + hashlib.sha256(body).hexdigest().encode()

    with pytest.raises(Unfit):
        read(out.getvalue())


def test_a_manifest_of_another_backup_is_refused() -> None:
    content = made()

    with pytest.raises(Unfit, match="not the one this backup was closed with"):
        read(content[:-1] + (b"0" if content[-1:] != b"0" else b"1"))


@pytest.mark.parametrize("content", [b"", b"PK", b"SQLite format 3\0" * 100, b"\x1f\x8b" * 50])
def test_another_kind_of_file_is_refused(content: bytes) -> None:
    with pytest.raises(Unfit):
        read(content)


def test_an_ordinary_zip_is_refused() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as plain:
        plain.writestr("manifest.json", "{}")

    with pytest.raises(Unfit, match="not a Wardline backup"):
        read(out.getvalue())


@given(st.integers(0, len(made()) - 1))
def test_a_file_cut_anywhere_is_refused(length: int) -> None:
    with pytest.raises(Unfit):
        read(made()[:length])


@given(st.integers(0, len(made()) - 1), st.integers(1, 255))
def test_a_changed_byte_changes_no_content(place: int, flip: int) -> None:
    """Some bytes of a zip mean nothing (a time stamp); every other change is refused."""
    content = bytearray(made())
    content[place] ^= flip

    try:
        reader = read(bytes(content))
    except Unfit:
        return
    assert list(reader.rows("tickets_ticket")) == ROWS
    assert reader.media() == ["originals/ab/cd.jpg"]
