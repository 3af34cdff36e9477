"""Database triggers: a fact is never deleted, and never changed once it has its place in the chain."""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

POSTGRES = """
CREATE OR REPLACE FUNCTION kernel_log_is_append_only() RETURNS trigger AS $$
BEGIN
  IF TG_OP = 'DELETE' OR OLD.seq IS NOT NULL THEN
    RAISE EXCEPTION 'the event log is append-only';
  END IF;
  RETURN NEW;
END $$ LANGUAGE plpgsql;
CREATE TRIGGER event_no_update BEFORE UPDATE ON kernel_eventrecord
  FOR EACH ROW EXECUTE FUNCTION kernel_log_is_append_only();
CREATE TRIGGER event_no_delete BEFORE DELETE ON kernel_eventrecord
  FOR EACH ROW EXECUTE FUNCTION kernel_log_is_append_only();
"""
SQLITE = (
    """CREATE TRIGGER event_no_update BEFORE UPDATE ON kernel_eventrecord WHEN OLD.seq IS NOT NULL
       BEGIN SELECT RAISE(ABORT, 'the event log is append-only'); END""",
    """CREATE TRIGGER event_no_delete BEFORE DELETE ON kernel_eventrecord
       BEGIN SELECT RAISE(ABORT, 'the event log is append-only'); END""",
)


def forbid(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    if editor.connection.vendor == "postgresql":
        editor.execute(POSTGRES, params=None)
        return
    for statement in SQLITE:
        editor.execute(statement)


def allow(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    on_table = " ON kernel_eventrecord" if editor.connection.vendor == "postgresql" else ""
    for trigger in ("event_no_update", "event_no_delete"):
        editor.execute(f"DROP TRIGGER IF EXISTS {trigger}{on_table}")


class Migration(migrations.Migration):
    dependencies = [("kernel", "0001_initial")]
    operations = [migrations.RunPython(forbid, allow)]
