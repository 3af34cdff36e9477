"""The fix of a P1 does not wait (domain.md 2.2): a target still as it was shipped follows; a hospital's own stays.

Promises already given keep the rule they were given under; a new ticket or a new priority takes the new one.
"""

from typing import Any

from django.db import migrations

SHIPPED = {
    "priority": 1,
    "metric": "fix",
    "minutes": 240,
    "calendar__code": "always",
    "off_hours_minutes": None,
    "office_calendar": None,
}


def to_gross(apps: Any, schema_editor: Any) -> None:
    apps.get_model("tickets", "Target").objects.filter(**SHIPPED, pausable=True).update(pausable=False)


def to_net(apps: Any, schema_editor: Any) -> None:
    apps.get_model("tickets", "Target").objects.filter(**SHIPPED, pausable=False).update(pausable=True)


class Migration(migrations.Migration):
    dependencies = [("tickets", "0005_private_files")]

    operations = [migrations.RunPython(to_gross, to_net)]
