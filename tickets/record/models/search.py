"""SQLite's search table is kept by triggers, and rebuilding a table drops its triggers: this puts them back."""

from __future__ import annotations

from typing import Any, Final

from django.db import connections, transaction

TRIGGERS: Final = {
    "ticket_search_insert": "CREATE TRIGGER ticket_search_insert AFTER INSERT ON tickets_ticket BEGIN "
    "INSERT INTO ticket_search(rowid, search_text) VALUES (new.id, new.search_text); END",
    "ticket_search_update": "CREATE TRIGGER ticket_search_update AFTER UPDATE OF search_text ON tickets_ticket "
    "WHEN old.search_text IS NOT new.search_text BEGIN "
    "UPDATE ticket_search SET search_text = new.search_text WHERE rowid = new.id; END",
    "ticket_search_delete": "CREATE TRIGGER ticket_search_delete AFTER DELETE ON tickets_ticket BEGIN "
    "DELETE FROM ticket_search WHERE rowid = old.id; END",
}


def keep_searchable(using: str = "default", **_signal: Any) -> None:
    """After every migration: missing triggers are made again and the search table is filled anew. Nothing otherwise.

    Django alters a SQLite table by copying it, whatever the migration was about; its author need not know of search.
    """
    connection = connections[using]
    if connection.vendor != "sqlite":
        return
    with transaction.atomic(using=using), connection.cursor() as cursor:
        cursor.execute("SELECT name FROM sqlite_master WHERE name LIKE 'ticket_search%'")
        there = {row[0] for row in cursor.fetchall()}
        missing = [sql for name, sql in TRIGGERS.items() if name not in there]
        if "ticket_search" not in there or not missing:
            return
        for statement in missing:
            cursor.execute(statement)
        cursor.execute("DELETE FROM ticket_search")
        cursor.execute("INSERT INTO ticket_search(rowid, search_text) SELECT id, search_text FROM tickets_ticket")
