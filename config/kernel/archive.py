"""The one file of a backup: a zip with tables as lines of JSON, media, and a manifest that vouches for every byte.

Plain files and hashes; no Django here. What a reader hands out has been checked; what it does not expect it refuses.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import stat
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any, BinaryIO, Final

import orjson

FORMAT: Final = 1
MANIFEST: Final = "manifest.json"
MARK: Final = b"wardline-backup-1 "  # the zip's comment: what this is, and the digest of the manifest
LONGEST_LINE: Final = 64 * 1024 * 1024
LARGEST_MANIFEST: Final = 256 * 1024 * 1024
CHUNK: Final = 1024 * 1024
_TABLE: Final = re.compile(r"tables/[a-z][a-z0-9_]{0,62}\.jsonl")
_PART: Final = re.compile(r"[^/\\\x00-\x1f:]{1,200}")
_DAMAGE: Final = (
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    zlib.error,
    EOFError,
    OSError,
    ValueError,
    NotImplementedError,
)


class Unfit(Exception):
    """This file cannot be restored; the message is one sentence that says why."""


def table_member(table: str) -> str:
    return f"tables/{table}.jsonl"


def media_member(name: str) -> str:
    return f"media/{name}"


def is_safe(member: str) -> bool:
    """A table, or a media file whose every part is a plain name: nothing that could point outside a folder."""
    if _TABLE.fullmatch(member):
        return True
    head, *parts = member.split("/")
    return head == "media" and bool(parts) and all(_PART.fullmatch(part) and part.strip(". ") for part in parts)


class Writer:
    """Writes members one after another; `finish` adds the manifest. The file counts only when that returned."""

    def __init__(self, file: BinaryIO) -> None:
        self._zip = zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=3)
        self._members: dict[str, dict[str, Any]] = {}

    def table(self, table: str, columns: list[str], rows: Iterable[list[Any]]) -> int:
        """Write one table; the number of its rows."""
        count, digest, size = 0, hashlib.sha256(), 0
        member = table_member(table)
        with self._zip.open(member, "w", force_zip64=True) as out:
            for line in _lines(columns, rows):
                out.write(line)
                digest.update(line)
                size += len(line)
                count += 1
        self._members[member] = {"sha256": digest.hexdigest(), "size": size, "rows": count - 1}
        return count - 1

    def media(self, name: str, source: BinaryIO) -> None:
        """Write one media file as it is; photographs do not shrink again."""
        digest, size, member = hashlib.sha256(), 0, media_member(name)
        info = zipfile.ZipInfo(member)
        with self._zip.open(info, "w", force_zip64=True) as out:
            while chunk := source.read(CHUNK):
                out.write(chunk)
                digest.update(chunk)
                size += len(chunk)
        self._members[member] = {"sha256": digest.hexdigest(), "size": size}

    def finish(self, facts: Mapping[str, Any]) -> dict[str, Any]:
        """Close the file with the manifest: `facts` and each member's digest, size and rows."""
        manifest = {**facts, "format": FORMAT, "members": self._members}
        body = orjson.dumps(manifest, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS)
        self._zip.writestr(MANIFEST, body)
        self._zip.comment = MARK + hashlib.sha256(body).hexdigest().encode("ascii")
        return manifest

    def close(self) -> None:
        """Write the directory. Without `finish` before it, no reader takes the file for a backup."""
        self._zip.close()


def _lines(columns: list[str], rows: Iterable[list[Any]]) -> Iterator[bytes]:
    yield orjson.dumps(columns, option=orjson.OPT_APPEND_NEWLINE)
    for row in rows:
        yield orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE)


class Reader:
    """An opened backup whose directory and manifest agree. `check` reads every byte before anybody relies on one."""

    def __init__(self, file: BinaryIO) -> None:
        file.seek(0, 2)
        self._length = file.tell()
        try:
            self._zip = zipfile.ZipFile(file)
        except _DAMAGE as error:
            raise Unfit("The file is not a Wardline backup, or its end is missing.") from error
        self.manifest = self._manifest()
        self._require_matching_directory()

    def _manifest(self) -> dict[str, Any]:
        if not self._zip.comment.startswith(MARK):
            raise Unfit("The file is a zip, but not a Wardline backup.")
        try:
            info = self._zip.getinfo(MANIFEST)
            if info.file_size > LARGEST_MANIFEST:
                raise Unfit("The manifest is larger than any real one.")
            body = self._zip.read(info)
            manifest = orjson.loads(body)
        except (KeyError, *_DAMAGE) as error:
            raise Unfit("The manifest is missing or damaged.") from error
        if hashlib.sha256(body).hexdigest().encode("ascii") != self._zip.comment.removeprefix(MARK):
            raise Unfit("The manifest is not the one this backup was closed with.")
        if not isinstance(manifest, dict) or manifest.get("format") != FORMAT or not _well_formed(manifest):
            raise Unfit("The manifest was written by another version of the backup format.")
        return manifest

    def _require_matching_directory(self) -> None:
        seen: set[str] = set()
        packed = 0
        for info in self._zip.infolist():
            if info.filename in seen:
                raise Unfit(f"Two members are called {info.filename[:80]!r}.")
            seen.add(info.filename)
            packed += info.compress_size
            if info.filename == MANIFEST:
                continue
            if not is_safe(info.filename):
                raise Unfit(f"The member {info.filename[:80]!r} has no place in a backup.")
            _require_plain(info)
            told = self.manifest["members"].get(info.filename)
            if told is None or told["size"] != info.file_size:
                raise Unfit(f"The member {info.filename[:80]!r} is not the one in the manifest.")
        if packed > self._length:
            raise Unfit("The members overlap each other.")
        missing = set(self.manifest["members"]) - seen
        if missing:
            raise Unfit(f"The member {min(missing)[:80]!r} is missing.")

    @property
    def size(self) -> int:
        """Bytes of all members unpacked."""
        return sum(int(member["size"]) for member in self.manifest["members"].values())

    def tables(self) -> list[str]:
        """Names of the tables inside, in the order in which they were written."""
        members = [info.filename for info in self._zip.infolist()]
        return [name.removeprefix("tables/").removesuffix(".jsonl") for name in members if name.startswith("tables/")]

    def media(self) -> list[str]:
        return [name.removeprefix("media/") for name in self.manifest["members"] if name.startswith("media/")]

    def count(self, table: str) -> int:
        return int(self.manifest["members"][table_member(table)]["rows"])

    def columns(self, table: str) -> list[str]:
        with self._zip.open(table_member(table)) as lines:
            return _columns(lines.readline(LONGEST_LINE), table)

    def rows(self, table: str) -> Iterator[list[Any]]:
        """Rows of a table as lists in the order of its columns."""
        with self._zip.open(table_member(table)) as lines:
            width = len(_columns(lines.readline(LONGEST_LINE), table))
            while line := lines.readline(LONGEST_LINE):
                row = _parsed(line, table)
                if len(row) != width:
                    raise Unfit(f"A row of {table} has {len(row)} values instead of {width}.")
                yield row

    def check(self) -> None:
        """Read everything once: digests, row counts and lengths are those of the manifest, or `Unfit`."""
        for member, told in self.manifest["members"].items():
            try:
                with self._zip.open(member) as source:
                    digest, lines = _digest(source)
            except _DAMAGE as error:
                raise Unfit(f"The member {member[:80]!r} is damaged.") from error
            if digest != told["sha256"]:
                raise Unfit(f"The member {member[:80]!r} is damaged: its digest is not the one in the manifest.")
            if "rows" in told and lines - 1 != told["rows"]:
                raise Unfit(f"The member {member[:80]!r} does not hold the rows that the manifest names.")

    def extract(self, name: str, target: Path) -> None:
        """Write one media file to a path that does not exist yet."""
        target.parent.mkdir(parents=True, exist_ok=True)
        with self._zip.open(media_member(name)) as source, target.open("xb") as out:
            shutil.copyfileobj(source, out, CHUNK)


def _well_formed(manifest: Mapping[str, Any]) -> bool:
    members = manifest.get("members")
    return isinstance(members, dict) and all(
        isinstance(told, dict)
        and isinstance(told.get("size"), int)
        and told["size"] >= 0
        and isinstance(told.get("sha256"), str)
        and (name.startswith("media/") or isinstance(told.get("rows"), int))
        for name, told in members.items()
    )


def _require_plain(info: zipfile.ZipInfo) -> None:
    mode = info.external_attr >> 16
    if info.is_dir() or (stat.S_IFMT(mode) and not stat.S_ISREG(mode)):
        raise Unfit(f"The member {info.filename[:80]!r} is a link or a folder; a backup holds plain files only.")
    if info.flag_bits & 0x1 or info.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        raise Unfit(f"The member {info.filename[:80]!r} is packed in a way that backups are not.")


def _digest(source: IO[bytes]) -> tuple[str, int]:
    digest, lines = hashlib.sha256(), 0
    while chunk := source.read(CHUNK):
        digest.update(chunk)
        lines += chunk.count(b"\n")
    return digest.hexdigest(), lines


def _columns(line: bytes, table: str) -> list[str]:
    names = _parsed(line, table)
    if not names or not all(isinstance(name, str) for name in names) or len(set(names)) != len(names):
        raise Unfit(f"The head of {table} does not name its columns.")
    return names


def _parsed(line: bytes, table: str) -> list[Any]:
    try:
        row = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise Unfit(f"A line of {table} is not JSON.") from error
    if not isinstance(row, list):
        raise Unfit(f"A line of {table} is not a row.")
    return row
