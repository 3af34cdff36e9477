"""A report that was taken back is remembered; a hold reason lasts as long as a pause may at most."""

import django.core.validators
from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

LONGEST_HOURS = 4320


def fit(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """SQLite took any number: what no pause could ever use becomes the longest that one can."""
    reasons = apps.get_model("tickets", "HoldReason").objects
    reasons.filter(default_hours__gt=LONGEST_HOURS).update(default_hours=LONGEST_HOURS)
    reasons.filter(default_hours__lt=1).update(default_hours=1)


class Migration(migrations.Migration):
    dependencies = [
        ("tickets", "0011_promises_within_a_year"),
    ]

    operations = [
        migrations.AddField(
            model_name="watcher",
            name="withdrawn_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="撤回时间"),
        ),
        migrations.AlterField(
            model_name="holdreason",
            name="default_hours",
            field=models.PositiveSmallIntegerField(
                default=24,
                validators=[
                    django.core.validators.MinValueValidator(1),
                    django.core.validators.MaxValueValidator(LONGEST_HOURS),
                ],
                verbose_name="默认等待小时",
            ),
        ),
        migrations.RunPython(fit, migrations.RunPython.noop),
        migrations.AddConstraint(
            model_name="holdreason",
            constraint=models.CheckConstraint(
                condition=models.Q(("default_hours__gte", 1), ("default_hours__lte", LONGEST_HOURS)),
                name="hold_reason_within_its_longest",
            ),
        ),
    ]
