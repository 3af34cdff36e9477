"""Turns at what no row stands for, or whose row is locked in another order elsewhere (decision 32)."""

from __future__ import annotations

from django.db import connection


def take_turn(key: str) -> None:
    """Until this transaction ends nobody else has a turn with the same key. Take it before any row is locked."""
    if connection.vendor == "postgresql":  # SQLite has one writer anyway
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [key])
