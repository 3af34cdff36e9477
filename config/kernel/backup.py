"""Save everything into one file, and put such a file back: one snapshot out, one transaction in, on either database.

What describes running processes and open browser sessions stays behind; see config/decisions/0019.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO, Final

import orjson
from django.apps import apps
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.color import no_style
from django.db import DatabaseError, connection, models, transaction
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.db.models.functions import Now

from config.kernel import archive, log, rows
from config.kernel.archive import Unfit
from config.kernel.models import EncryptedTextField, EventRecord, Lease

LEFT_BEHIND: Final = {"django_session", "kernel_lease"}
STILL_RUNNING: Final = timedelta(seconds=6)
BATCH: Final = 2000
LOG: Final = EventRecord._meta.db_table
_WORD: Final = "wardline"  # enciphered into the manifest, so that a lost key is noticed before and not after


@dataclass(frozen=True)
class Table:
    """One table as the models of this version describe it."""

    name: str
    columns: list[str]
    kinds: list[str]
    files: list[int]  # which columns name files
    key: str

    def select(self) -> str:
        wanted = [_read(column, kind) for column, kind in zip(self.columns, self.kinds, strict=True)]
        # The log goes out in the order of its chain, so that a reader can walk it line by line.
        order = '(seq IS NULL), seq, "id"' if self.name == LOG else _quoted(self.key)
        return f"SELECT {', '.join(wanted)} FROM {_quoted(self.name)} ORDER BY {order}"  # noqa: S608 - from the models


def tables() -> list[Table]:
    """Every table that belongs in a backup, by name."""
    found: dict[str, Table] = {}
    for model in apps.get_models(include_auto_created=True):
        meta = model._meta
        if meta.proxy or not meta.managed or meta.db_table in LEFT_BEHIND:
            continue
        fields = meta.concrete_fields
        files = [place for place, field in enumerate(fields) if isinstance(field, models.FileField)]
        columns = [str(field.column) for field in fields]
        found[meta.db_table] = Table(meta.db_table, columns, [_kind(f) for f in fields], files, str(meta.pk.column))
    return [found[name] for name in sorted(found)]


def save(file: BinaryIO, *, at: datetime) -> dict[str, Any]:
    """Write a backup of one moment; work goes on meanwhile. Returns the manifest, with names of files not found.

    A log that breaks is saved like a whole one, and the manifest names the fact: a damaged backup is better than none.
    """
    with contextlib.closing(archive.Writer(file)) as writer:
        named, chain = set[str](), log.Chain()
        with _one_moment():
            head = EventRecord.objects.filter(seq__isnull=False).order_by("-seq").values("seq", "hash").first()
            for table in tables():
                out = _rows_of(table, named)
                writer.table(
                    table.name, table.columns, _chained(chain, table.columns, out) if table.name == LOG else out
                )
        lost = [name for name in sorted(named) if not _saved(writer, name)]
        facts = {
            "made_at": log.iso(at),
            "vendor": connection.vendor,
            "schema": sorted(_known_migrations()),
            "log": head or {"seq": 0, "hash": log.GENESIS},
            "log_breaks_at": chain.broken,
            "key": EncryptedTextField().get_prep_value(_WORD),
            "files_not_found": lost,
        }
        return writer.finish(facts)


def inspect(file: BinaryIO, *, any_key: bool = False) -> archive.Reader:
    """A backup of which every byte, every row and the whole chain have been read and fit this version, or `Unfit`."""
    reader = archive.Reader(file)
    _require_schema(reader)
    _require_room(reader)
    reader.check()
    known = {table.name: table for table in tables()}
    for name in reader.tables():
        if name not in known or set(reader.columns(name)) != set(known[name].columns):
            raise Unfit(f"The table {name} of the backup is not one of this version.")
    missing = set(known) - set(reader.tables())
    if missing:
        raise Unfit(f"The backup lacks the table {min(missing)}.")
    _require_key(reader, any_key)
    _require_chain(reader)
    return reader


def restore(reader: archive.Reader, *, replace: bool) -> None:
    """Afterwards this database and its media are those of the backup, counts and chain verified; or nothing changed."""
    if not MigrationRecorder(connection).applied_migrations():
        call_command("migrate", verbosity=0, interactive=False)
    if _applied_migrations() != _known_migrations():
        raise Unfit("This database is not up to date: run `manage.py migrate` first.")
    if get_user_model().objects.exists() or EventRecord.objects.exists():
        if not replace:
            raise Unfit("This database is not empty; `--replace` replaces what is in it.")
        if Lease.objects.filter(beat_at__gt=Now() - STILL_RUNNING).exists():
            raise Unfit("Wardline is running on this database: stop web, worker and clock first.")
    media = _MediaSwap(reader)
    try:
        media.unpack()
        with _unchecked(), transaction.atomic():
            _load(reader)
            media.place()
    except BaseException:
        media.take_back()
        raise
    finally:
        media.clean()
    media.drop_strangers()


def _kind(field: models.Field[Any, Any]) -> str:
    while field.remote_field:
        field = field.target_field  # type: ignore[attr-defined]  # only relations have a remote field
    return field.get_internal_type()


def _quoted(name: str) -> str:
    return connection.ops.quote_name(name)


def _read(column: str, kind: str) -> str:
    if connection.vendor == "postgresql":
        if kind == "JSONField":
            return f"{_quoted(column)}::text"
        if kind == "GenericIPAddressField":
            return f"host({_quoted(column)})"
    return _quoted(column)


@contextlib.contextmanager
def _one_moment() -> Iterator[None]:
    """All reads inside see the same commit, and no writer waits for them."""
    begin = "BEGIN DEFERRED" if connection.vendor == "sqlite" else "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
    with connection.cursor() as cursor:
        cursor.execute(begin)
        try:
            yield
        finally:
            cursor.execute("ROLLBACK")


def _rows_of(table: Table, named: set[str]) -> Iterator[list[Any]]:
    with connection.chunked_cursor() as cursor:
        cursor.execute(table.select())
        while batch := cursor.fetchmany(BATCH):
            for row in batch:
                named.update(str(row[place]) for place in table.files if row[place])
                yield rows.spoken(table.kinds, row)


def _saved(writer: archive.Writer, name: str) -> bool:
    path = Path(settings.MEDIA_ROOT, name)
    if not archive.is_safe(archive.media_member(name)):
        return False
    try:
        with path.open("rb") as source:
            writer.media(name, source)
    except FileNotFoundError:
        return False
    return True


def _known_migrations() -> set[str]:
    return {f"{app}.{name}" for app, name in MigrationLoader(None).disk_migrations}


def _applied_migrations() -> set[str]:
    return {f"{app}.{name}" for app, name in MigrationRecorder(connection).applied_migrations()}


def _require_schema(reader: archive.Reader) -> None:
    theirs, ours = set(reader.manifest.get("schema", ())), _known_migrations()
    if theirs != ours:
        odd = min(theirs ^ ours)
        whose = "the backup" if odd in theirs else "this version"
        raise Unfit(f"The backup is of another version: only {whose} has {odd}. Restore with the version that made it.")


def _require_room(reader: archive.Reader) -> None:
    free = shutil.disk_usage(_existing(Path(settings.MEDIA_ROOT))).free
    if reader.size > free:
        raise Unfit(f"The backup unpacks to {reader.size:,} bytes; the disk has {free:,} left.")


def _existing(path: Path) -> Path:
    return path if path.exists() else _existing(path.parent)


def _require_key(reader: archive.Reader, any_key: bool) -> None:
    known = EncryptedTextField().from_db_value(str(reader.manifest.get("key")), None, None) == _WORD
    if not known and not any_key:
        raise Unfit(
            "FIELD_KEYS does not hold the key of this backup: names and phones would be lost. `--any-key` accepts that."
        )


def _require_chain(reader: archive.Reader) -> None:
    """Walk the chain inside the file; it must arrive at the head that the manifest names."""
    chain = log.Chain()
    for _row in _chained(chain, reader.columns(LOG), reader.rows(LOG)):
        if chain.broken is not None:
            raise Unfit(f"The log of the backup breaks at fact {chain.broken}.")
    if reader.manifest.get("log") != {"seq": chain.seq, "hash": chain.hash}:
        raise Unfit("The log of the backup does not end where its manifest says.")


def _chained(chain: log.Chain, columns: list[str], facts: Iterable[list[Any]]) -> Iterator[list[Any]]:
    """The same rows, each taken along the chain as it passes; what has no number yet stands outside the chain."""
    for values in facts:
        row = dict(zip(columns, values, strict=True))
        if row["seq"] is not None and chain.broken is None:
            told = {name: row[name] for name in ("seq", "type", "at", "by", "subject", "hash")}
            chain.take(told | {"data": orjson.loads(row["data"])})
        yield values


@contextlib.contextmanager
def _unchecked() -> Iterator[None]:
    """References are checked once at the end of the load, not row by row."""
    if connection.vendor == "sqlite":
        connection.disable_constraint_checking()
    try:
        yield
    finally:
        if connection.vendor == "sqlite":
            connection.enable_constraint_checking()


def _load(reader: archive.Reader) -> None:
    known = {table.name: table for table in tables()}
    _empty([*known, *LEFT_BEHIND])
    for name in reader.tables():
        _fill(reader, known[name])
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT count(*) FROM {_quoted(name)}")  # noqa: S608 - from the models
            (count,) = cursor.fetchone()
        if count != reader.count(name):
            raise Unfit(f"The table {name} has {count} rows after the load instead of {reader.count(name)}.")
    connection.check_constraints()
    if (broken := log.verify()) is not None:
        raise Unfit(f"The log breaks at fact {broken} after the load.")
    every = apps.get_models(include_auto_created=True)
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), every):
            cursor.execute(statement)


def _empty(names: list[str]) -> None:
    """Remove all rows; the guard that keeps facts from being deleted steps aside within this transaction."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL lock_timeout = '10s'; SET LOCAL statement_timeout = 0")
            cursor.execute(f"TRUNCATE {', '.join(map(_quoted, names))}")
            return
        cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = %s", [LOG])
        guards = cursor.fetchall()
        for name, _sql in guards:
            cursor.execute(f"DROP TRIGGER {_quoted(name)}")
        for name in names:
            cursor.execute(f"DELETE FROM {_quoted(name)}")  # noqa: S608 - from the models
        for _name, sql in guards:
            cursor.execute(sql)


def _fill(reader: archive.Reader, table: Table) -> None:
    columns = reader.columns(table.name)
    kinds = dict(zip(table.columns, table.kinds, strict=True))
    turn = rows.written(connection.vendor, [kinds[column] for column in columns])
    into = f"{_quoted(table.name)} ({', '.join(map(_quoted, columns))})"
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy(f"COPY {into} FROM STDIN") as copy:
                for row in reader.rows(table.name):
                    copy.write_row(turn(row))
            return
        insert = f"INSERT INTO {into} VALUES ({', '.join(['%s'] * len(columns))})"  # noqa: S608 - from the models
        ready = map(turn, reader.rows(table.name))
        while batch := list(itertools.islice(ready, BATCH)):
            cursor.executemany(insert, batch)


class _MediaSwap:
    """Media beside a transaction: unpacked aside, moved in just before the commit, moved out again if it fails.

    Stored names are random, so files of the old state and of the new stand beside each other until the commit decides.
    """

    def __init__(self, reader: archive.Reader) -> None:
        self._reader = reader
        self._root = Path(settings.MEDIA_ROOT)
        self._root.mkdir(parents=True, exist_ok=True)
        self._aside = Path(tempfile.mkdtemp(prefix=".restore-", dir=self._root))
        self._placed: list[str] = []

    def unpack(self) -> None:
        for name in self._reader.media():
            self._reader.extract(name, self._aside / "new" / name)

    def place(self) -> None:
        for name in self._reader.media():
            target = self._root / name
            if not target.parent.resolve().is_relative_to(self._root.resolve()):
                raise Unfit(f"The media folder leads outside at {name[:80]!r}.")
            target.parent.mkdir(parents=True, exist_ok=True)
            if target.exists():
                kept = self._aside / "old" / name
                kept.parent.mkdir(parents=True, exist_ok=True)
                os.replace(target, kept)
            self._placed.append(name)
            os.replace(self._aside / "new" / name, target)
            target.chmod(settings.FILE_UPLOAD_PERMISSIONS or 0o640)

    def take_back(self) -> None:
        for name in self._placed:
            (self._root / name).unlink(missing_ok=True)
            if (self._aside / "old" / name).exists():
                os.replace(self._aside / "old" / name, self._root / name)

    def clean(self) -> None:
        shutil.rmtree(self._aside, ignore_errors=True)

    def drop_strangers(self) -> None:
        """Files that no row names any more."""
        wanted = set(self._reader.media())
        for path in self._root.rglob("*"):
            if path.is_file() and path.relative_to(self._root).as_posix() not in wanted:
                path.unlink()


REFUSALS: Final = (Unfit, DatabaseError, OSError)
