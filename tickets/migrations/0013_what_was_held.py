"""A pause knows the step that it held: what goes on after it is that step, not always the work."""

from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def tell(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Who waits without having begun goes on where he was: on the way, or at the device."""
    waiting = apps.get_model("tickets", "Ticket").objects.filter(state="paused", started_at=None)
    waiting.filter(arrived_at=None).update(held_from="accepted")
    waiting.exclude(arrived_at=None).update(held_from="arrived")


class Migration(migrations.Migration):
    dependencies = [
        ("tickets", "0012_taken_back_reports"),
    ]

    operations = [
        migrations.AddField(
            model_name="ticket",
            name="held_from",
            field=models.CharField(
                blank=True,
                choices=[
                    ("new", "新报修"),
                    ("triaged", "已分级"),
                    ("assigned", "已派单"),
                    ("accepted", "已接单"),
                    ("arrived", "已到场"),
                    ("working", "维修中"),
                    ("paused", "已暂停"),
                    ("resolved", "已修复"),
                    ("verifying", "待验收"),
                    ("closed", "已关闭"),
                    ("cancelled", "已撤销"),
                    ("rejected", "已驳回"),
                    ("reopened", "重新打开"),
                ],
                editable=False,
                max_length=10,
                null=True,
                verbose_name="从哪一步暂停",
            ),
        ),
        migrations.RunPython(tell, migrations.RunPython.noop),
    ]
