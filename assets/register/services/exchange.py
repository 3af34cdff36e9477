"""The register in and out: labels, export, and import with a preview, errors by row, all or nothing."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from assets.events import RegisterImported
from assets.places.models import Department, Location, Person, User
from assets.register import queries, rules
from assets.register.adapters import labels, tables
from assets.register.models import Criticality, Device, DeviceType
from config.kernel.errors import Invalid
from config.kernel.events import publish
from config.kernel.models import new_public_id

# header: attribute path on the device; the order of the columns in every file
COLUMNS: Mapping[str, str] = {
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
REQUIRED = ("asset_no", "name", "type", "department", "location")
_READ_ONLY = ("status",)


@dataclass
class Preview:
    """What an import would do: rows ready to be written, and sentences by row number of the file (header = 1)."""

    ready: list[Device] = field(default_factory=list)
    errors: dict[int, list[str]] = field(default_factory=dict)
    created: int = 0
    updated: int = 0


def label_pdf(devices: QuerySet[Device], *, layout: str = "a4_3x8") -> bytes:
    """Labels of these devices; devices without a short code get one first."""
    for device in devices.filter(short_code__isnull=True):
        give_short_code(device)
    return labels.label_sheet(
        (
            labels.Label(
                url=queries.report_url(device),
                heading=_("坏了扫我"),
                name=device.label,
                code=rules.show_short_code(device.short_code or ""),
                phone=_("电话 %(n)s") % {"n": device.department.extension or settings.HOSPITAL_PHONE},
            )
            for device in devices.select_related("department", "type")
        ),
        layout,
    )


def give_short_code(device: Device) -> None:
    """A random free code; the unique constraint has the last word."""
    while device.short_code is None:
        code = rules.new_short_code(secrets.choice)
        if not Device.objects.filter(short_code=code).exists():
            device.short_code = code
            device.save(update_fields=["short_code", "updated_at"])


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


def preview_import(name: str, content: bytes) -> Preview:
    """Read and judge every row without writing anything. Invalid when it is no readable table."""
    rows = tables.read_table(name, content)
    missing = [column for column in REQUIRED if rows and column not in rows[0]]
    if missing:
        raise Invalid(_("缺少列：%(names)s。") % {"names": "、".join(missing)})
    known = {
        "type": {t.name: t for t in DeviceType.objects.all()},
        "department": {d.code: d for d in Department.objects.all()},
        "location": {p.code: p for p in Location.objects.all()},
        "device": {d.asset_no: d for d in Device.objects.filter(asset_no__in=[r["asset_no"] for r in rows])},
    }
    preview, seen = Preview(), set()
    for number, row in enumerate(rows, start=2):
        wrong: list[str] = []
        row = {key: tables.refuse((value or "").strip()) for key, value in row.items() if key}
        if row["asset_no"] in seen:
            wrong.append(_("资产编号 %(no)s 在文件里出现两次。") % {"no": row["asset_no"]})
        seen.add(row["asset_no"])
        device = _device(row, known, wrong)
        if not wrong:
            wrong += _own_errors(device)
        if wrong:
            preview.errors[number] = wrong
        else:
            preview.created += device.pk is None
            preview.updated += device.pk is not None
            preview.ready.append(device)
    return preview


def _device(row: Mapping[str, str], known: Mapping[str, Mapping[str, Any]], wrong: list[str]) -> Device:
    device = known["device"].get(row["asset_no"]) or Device(asset_no=row["asset_no"])
    for column in ("type", "department", "location"):
        found = known[column].get(row[column])
        if found is None:
            wrong.append(_("%(column)s“%(value)s”不存在。") % {"column": column, "value": row[column]})
        else:
            setattr(device, column, found)
    for column, read in _READERS.items():
        if column in row:
            try:
                setattr(device, column, read(row[column]))
            except (ValueError, InvalidOperation):
                wrong.append(_("%(column)s 的“%(value)s”读不懂。") % {"column": column, "value": row[column]})
    if not device.criticality and device.type_id:
        device.criticality = device.type.criticality
    return device


def _text(value: str) -> str:
    return value


_READERS: Mapping[str, Callable[[str], Any]] = {
    **dict.fromkeys(("name", "name_en", "model", "serial_no", "manufacturer", "backup_group", "udi_di", "contract_no"), _text),
    "criticality": lambda v: Criticality(v).value if v else "",
    "min_ready": lambda v: int(v) if v else 0,
    "price": lambda v: Decimal(v) if v else None,
    "purchased_on": lambda v: date.fromisoformat(v[:10]) if v else None,
    "warranty_ends_on": lambda v: date.fromisoformat(v[:10]) if v else None,
}


def _own_errors(device: Device) -> list[str]:
    try:
        device.full_clean(exclude=["status", "short_code"], validate_constraints=True)
    except ValidationError as error:
        return [f"{name}: {' '.join(texts)}" for name, texts in error.message_dict.items()]
    return []


@transaction.atomic
def apply_import(preview: Preview, *, by: User | Person | None, at: datetime) -> int:
    """Write every row of a preview without errors, or none. `RegisterImported`."""
    if preview.errors:
        raise Invalid(_("有 %(n)s 行要改，没有写入任何一行。") % {"n": len(preview.errors)})
    for device in preview.ready:
        device.save()
    for device in preview.ready:
        give_short_code(device)
    person = by.person if isinstance(by, User) else by
    publish(
        RegisterImported(
            at=at,
            by=person.public_id if person else "system",
            import_id=new_public_id(),
            created=preview.created,
            updated=preview.updated,
        )
    )
    return len(preview.ready)


