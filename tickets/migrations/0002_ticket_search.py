"""Full-text search over `search_text` (words and two-character pieces): an index on PostgreSQL, FTS5 on SQLite.

On SQLite the triggers belong to the table: `record.models.search` puts them back after a migration that rebuilt it.
"""

from typing import Any

from django.db import migrations

POSTGRES = "CREATE INDEX ticket_search ON tickets_ticket USING gin (to_tsvector('simple', search_text))"
SQLITE = (
    "CREATE VIRTUAL TABLE ticket_search USING fts5(search_text, tokenize='unicode61')",
    "CREATE TRIGGER ticket_search_insert AFTER INSERT ON tickets_ticket BEGIN "
    "INSERT INTO ticket_search(rowid, search_text) VALUES (new.id, new.search_text); END",
    "CREATE TRIGGER ticket_search_update AFTER UPDATE OF search_text ON tickets_ticket "
    "WHEN old.search_text IS NOT new.search_text BEGIN "
    "UPDATE ticket_search SET search_text = new.search_text WHERE rowid = new.id; END",
    "CREATE TRIGGER ticket_search_delete AFTER DELETE ON tickets_ticket BEGIN "
    "DELETE FROM ticket_search WHERE rowid = old.id; END",
    "INSERT INTO ticket_search(rowid, search_text) SELECT id, search_text FROM tickets_ticket",
)


def keep(apps: Any, schema_editor: Any) -> None:
    for statement in (POSTGRES,) if schema_editor.connection.vendor == "postgresql" else SQLITE:
        schema_editor.execute(statement)


def drop(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP INDEX ticket_search")
        return
    for name in ("insert", "update", "delete"):
        schema_editor.execute(f"DROP TRIGGER ticket_search_{name}")
    schema_editor.execute("DROP TABLE ticket_search")


class Migration(migrations.Migration):
    dependencies = [("tickets", "0001_initial")]
    operations = [migrations.RunPython(keep, drop)]
