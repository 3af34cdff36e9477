"""PostgreSQL rings when facts, sequence numbers or jobs are committed, so that nobody has to poll for them."""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

RINGS = {
    # trigger: (table, when, channel)
    "ring_facts": ("kernel_eventrecord", "INSERT", "wardline_facts"),
    "ring_log": ("kernel_eventrecord", "UPDATE", "wardline_log"),
    "ring_jobs": ("django_q_ormq", "INSERT", "wardline_jobs"),
}


def hang(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    if editor.connection.vendor != "postgresql":
        return
    editor.execute(
        "CREATE OR REPLACE FUNCTION wardline_ring() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN PERFORM pg_notify(TG_ARGV[0], ''); RETURN NULL; END $$",
        params=None,
    )
    for name, (table, when, channel) in RINGS.items():
        editor.execute(
            f"CREATE TRIGGER {name} AFTER {when} ON {table} FOR EACH STATEMENT "
            f"EXECUTE FUNCTION wardline_ring('{channel}')"
        )


def take_down(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    if editor.connection.vendor != "postgresql":
        return
    for name, (table, _when, _channel) in RINGS.items():
        editor.execute(f"DROP TRIGGER IF EXISTS {name} ON {table}")
    editor.execute("DROP FUNCTION IF EXISTS wardline_ring()")


class Migration(migrations.Migration):
    dependencies = [
        ("kernel", "0002_log_is_append_only"),
        ("django_q", "0019_alter_task_options_alter_ormq_key_alter_ormq_lock_and_more"),
    ]

    operations = [migrations.RunPython(hang, take_down)]
