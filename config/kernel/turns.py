"""Turns at what no row stands for, or whose row is locked in another order elsewhere (decision 32)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import OperationalError, connection
from psycopg.errors import LockNotAvailable


class Held(Exception):
    """Somebody kept what was wanted for longer than the patience; the transaction (or savepoint) around it is over."""


def take_turn(key: str) -> None:
    """Until this transaction ends nobody else has a turn with the same key. Take it before any row is locked."""
    if connection.vendor == "postgresql":  # SQLite has one writer anyway
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [key])


@contextmanager
def patience(milliseconds: int) -> Iterator[None]:
    """Inside a transaction: each lock wanted in this block is waited for this long at most, then `Held`. SQLite has its own
    patience (`timeout` of the connection)."""
    if connection.vendor != "postgresql":
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = {int(milliseconds)}")
    try:
        yield
    except OperationalError as error:
        if isinstance(error.__cause__, LockNotAvailable):
            raise Held from error
        raise
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout TO DEFAULT")
