"""A file of a private note is as private as its words; those already sent share the note's author and moment."""

from typing import Any

from django.db import migrations, models
from django.db.models import Exists, OuterRef


def hide(apps: Any, schema_editor: Any) -> None:
    comments = apps.get_model("tickets", "Comment").objects
    note = comments.filter(ticket=OuterRef("ticket"), by=OuterRef("by"), at=OuterRef("at"), public=False)
    apps.get_model("tickets", "Attachment").objects.filter(Exists(note)).update(public=False)


class Migration(migrations.Migration):
    dependencies = [("tickets", "0004_files_of_a_report")]

    operations = [
        # The database knows the default too: a process of the release before writes rows while this one starts.
        migrations.AddField(
            "attachment", "public", models.BooleanField(db_default=True, default=True, verbose_name="病区可见")
        ),
        migrations.RunPython(hide, migrations.RunPython.noop),
    ]
