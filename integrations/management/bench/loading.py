"""Bulk writing as a database likes it: secondary indexes down, one stream a table, indexes up again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime
from typing import Any

import orjson
import psycopg
from django.db import connection
from django.db.models import Model

from integrations.management.bench.story import COLUMNS, Block, constants

Table = type[Model]


@contextmanager
def bulk(tables: Sequence[Table]) -> Iterator[Any]:
    """A sink for rows of these tables; call `finish` before the end."""
    if connection.vendor == "postgresql":
        yield _Copy(tables)
    else:
        yield _ExecuteMany(tables)


class _Copy:
    """One COPY a table, each on a connection of its own, so that the server works on all of them beside Python."""

    def __init__(self, tables: Sequence[Table]) -> None:
        self.stack = ExitStack()
        self.indexes: list[tuple[str, str, str]] = []
        self.names = [table._meta.db_table for table in tables]
        self._take_indexes_down()
        self.lines = {table: _line(table) for table in tables}
        self.streams = {table: self._stream(table) for table in tables}

    def write(self, block: Block) -> None:
        for table, rows in block.items():
            line = self.lines[table]
            self.streams[table].write("".join([line % tuple(_text(v) for v in row) for row in rows]))

    def finish(self) -> None:
        self.stack.close()
        with connection.cursor() as cursor:
            cursor.execute("SET maintenance_work_mem = '512MB'")
            for _name, _drop, make in self.indexes:
                cursor.execute(make)
            for table in self.names:
                cursor.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))")

    def _stream(self, table: Table) -> Any:
        given = connection.settings_dict
        link = self.stack.enter_context(
            psycopg.connect(host=given["HOST"], port=given["PORT"], user=given["USER"], password=given["PASSWORD"],
                            dbname=given["NAME"])
        )  # fmt: skip
        link.execute("SET session_replication_role = replica")  # keys are right by construction
        link.execute("SET synchronous_commit = off")
        cursor = self.stack.enter_context(link.cursor())
        names = ", ".join(f'"{name}"' for name in (*COLUMNS[table], *constants(table)))
        return self.stack.enter_context(cursor.copy(f"COPY {table._meta.db_table} ({names}) FROM STDIN"))

    def _take_indexes_down(self) -> None:
        marks = ", ".join(["%s"] * len(self.names))
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT c.conname, c.conrelid::regclass::text, pg_get_constraintdef(c.oid) FROM pg_constraint c "
                f"WHERE c.contype = 'u' AND c.conrelid::regclass::text IN ({marks})",
                self.names,
            )
            for name, table, told in cursor.fetchall():
                drop = f'ALTER TABLE {table} DROP CONSTRAINT "{name}"'
                self.indexes.append((name, drop, f'ALTER TABLE {table} ADD CONSTRAINT "{name}" {told}'))
            owned = [name for name, _drop, _make in self.indexes]
            cursor.execute(
                f"SELECT indexname, indexdef FROM pg_indexes WHERE tablename IN ({marks}) AND indexname NOT LIKE '%%_pkey'",
                self.names,
            )
            rows = [(name, told) for name, told in cursor.fetchall() if name not in owned]
            self.indexes += [(name, f'DROP INDEX "{name}"', told) for name, told in rows]
            for _name, drop, _make in self.indexes:
                cursor.execute(drop)


class _ExecuteMany:
    """One transaction, constants written into the statement, triggers of the search index off and their work done after."""

    def __init__(self, tables: Sequence[Table]) -> None:
        connection.ensure_connection()
        self.link: Any = connection.connection
        names = [table._meta.db_table for table in tables]
        marks = ", ".join("?" * len(names))
        self.kept = self.link.execute(
            f"SELECT type, name, sql FROM sqlite_master WHERE tbl_name IN ({marks}) AND sql IS NOT NULL "
            "AND type IN ('index', 'trigger')", names,
        ).fetchall()  # fmt: skip
        self.link.execute("PRAGMA foreign_keys = OFF")
        self.link.execute("PRAGMA cache_size = -400000")
        self.link.execute("BEGIN IMMEDIATE")
        for kind, name, _sql in self.kept:
            self.link.execute(f'DROP {kind.upper()} "{name}"')
        self.statements = {table: _statement(table) for table in tables}

    def write(self, block: Block) -> None:
        try:
            for table, rows in block.items():
                self.link.executemany(self.statements[table], rows)
        except self.link.Error:
            self.link.execute("ROLLBACK")  # Django does not know of this transaction
            self.link.execute("PRAGMA foreign_keys = ON")
            raise

    def finish(self) -> None:
        for _kind, _name, sql in self.kept:
            self.link.execute(sql)
        self.link.execute(
            "INSERT INTO ticket_search(rowid, search_text) SELECT id, search_text FROM tickets_ticket "
            "WHERE id > (SELECT coalesce(max(rowid), 0) FROM ticket_search)"
        )
        self.link.execute("COMMIT")
        self.link.execute("PRAGMA foreign_keys = ON")


def _line(table: Table) -> str:
    """A line of COPY text with a place for each value that differs."""
    fixed = [str(_text(value)).replace("%", "%%") for value in constants(table).values()]
    return "\t".join(["%s"] * len(COLUMNS[table]) + fixed) + "\n"


def _text(value: Any) -> Any:
    if value is None:
        return "\\N"
    if value is True or value is False:
        return "t" if value else "f"
    if isinstance(value, (dict, list)):
        return orjson.dumps(value).decode()
    if isinstance(value, datetime):
        return value.isoformat(" ")
    return value if isinstance(value, int) else str(value)


def _statement(table: Table) -> str:
    names = ", ".join(f'"{name}"' for name in (*COLUMNS[table], *constants(table)))
    values = ["?"] * len(COLUMNS[table]) + [_literal(value) for value in constants(table).values()]
    return f"INSERT INTO {table._meta.db_table} ({names}) VALUES ({', '.join(values)})"


def _literal(value: Any) -> str:
    if value is None:
        return "NULL"
    if value is True or value is False:
        return str(int(value))
    return str(value) if isinstance(value, int) else "'" + str(_text(value)).replace("'", "''") + "'"
