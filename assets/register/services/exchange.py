"""The register on paper and in tables: labels, export. What comes in is `importing`'s."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any, Final

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import translation
from django.utils.translation import gettext as _

from assets.register import queries, rules
from assets.register.adapters import labels, tables
from assets.register.models import Device
from assets.register.services.status import lock

# header: attribute path on the device; the order of the columns in every file
COLUMNS: Final[Mapping[str, str]] = {
    "asset_no": "asset_no",
    "name": "name",
    "name_en": "name_en",
    "type": "type.name",
    "model": "model",
    "serial_no": "serial_no",
    "manufacturer": "manufacturer",
    "department": "department.code",
    "location": "location.code",
    "criticality": "criticality",
    "backup_group": "backup_group",
    "min_ready": "min_ready",
    "udi_di": "udi_di",
    "price": "price",
    "purchased_on": "purchased_on",
    "warranty_ends_on": "warranty_ends_on",
    "contract_no": "contract_no",
    "status": "status",
}


def label_pdf(devices: QuerySet[Device], *, layout: str = "a4_3x8") -> bytes:
    """Labels of these devices, in the language of the house whoever prints them: a label stays for years.

    Devices without a short code get one first.
    """
    for device in devices.filter(short_code__isnull=True):
        give_short_code(device)
    with translation.override(settings.LANGUAGE_CODE):
        return labels.label_sheet([_label(device) for device in devices.select_related("department", "type")], layout)


def _label(device: Device) -> labels.Label:
    return labels.Label(
        url=queries.report_url(device),
        heading=_("坏了扫我"),
        name=device.label,
        asset_no=device.asset_no,
        code=rules.show_short_code(device.short_code or ""),
        phone=_("电话 %(n)s") % {"n": device.department.extension or settings.HOSPITAL_PHONE},
    )


@transaction.atomic
def give_short_code(device: Device) -> None:
    """A random free code, the same to all who ask at once: who comes second prints what the first has printed.

    The unique constraint has the last word.
    """
    current = lock(device)
    if current.short_code is None:
        current.short_code = free_short_codes(1)[0]
        current.save(update_fields=["short_code", "updated_at"])
    device.short_code = current.short_code


def free_short_codes(count: int) -> list[str]:
    """As many codes as asked for, random and not yet on any device."""
    codes: set[str] = set()
    while len(codes) < count:
        fresh = {rules.new_short_code(secrets.choice) for _n in range(count - len(codes))}
        codes |= fresh - set(Device.objects.filter(short_code__in=fresh).values_list("short_code", flat=True))
    return list(codes)


def export_register(devices: QuerySet[Device], fmt: str) -> bytes:
    """The register's columns as `csv` or `xlsx`; what is exported can be imported again."""
    rows = (
        [_follow(device, path) for path in COLUMNS.values()]
        for device in devices.select_related("type", "department", "location")
    )
    return (tables.write_xlsx if fmt == "xlsx" else tables.write_csv)(list(COLUMNS), rows)


def _follow(thing: Any, path: str) -> Any:
    for name in path.split("."):
        thing = getattr(thing, name, "")
    return thing
