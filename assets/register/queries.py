"""Reads over the register: backups, scans, what the ward page needs."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from django.conf import settings
from django.db.models import Q, QuerySet

from assets.places.models import Location
from assets.policies import visible_devices
from assets.register import rules
from assets.register.models import Device, DeviceStatus

MOST_FOUND = 20
MOST_LENT = 200


def token_of(device: Device) -> str:
    """The signed QR token of the device's current label."""
    return rules.sign_token(device.public_id, device.qr_version, kid=settings.QR_ACTIVE_KID, keys=settings.QR_KEYS)


def report_url(device: Device) -> str:
    """What the printed QR says; built from PUBLIC_BASE_URL, never from a request header."""
    return f"{settings.PUBLIC_BASE_URL}/q/{token_of(device)}/"


def by_token(token: str) -> Device | None:
    """The device behind a QR token; None for a forged, revoked or unknown one."""
    parts = rules.read_token(token, keys=settings.QR_KEYS)
    if parts is None:
        return None
    return Device.objects.for_display().filter(public_id=parts.public_id, qr_version=parts.version).first()


def by_short_code(text: str) -> Device | None:
    """The device with this typed code; it stays valid when the QR is revoked, for it opens only the report page."""
    code = rules.read_short_code(text)
    return Device.objects.for_display().filter(short_code=code).first() if code else None


def resolve_scan(text: str, *, user: Any = None) -> list[Device]:
    """Devices a scan may mean: own link, short code, UDI, then serial or asset number. `user` None = anonymous,
    who gets only what a label itself shows (link or short code)."""
    scan = rules.classify(text)
    if scan.kind == "token":
        found = by_token(scan.value)
        return [found] if found else []
    if scan.kind == "short_code":
        found = by_short_code(scan.value)
        if found or user is None:
            return [found] if found else []
    if user is None or not scan.value:
        return []
    rows = visible_devices(user, Device.objects.for_display())
    return _by_udi(rows, scan) or list(rows.filter(_typed_as(scan))[:MOST_FOUND])


def _by_udi(rows: QuerySet[Device], scan: rules.Scan) -> list[Device]:
    if scan.kind != "udi":
        return []
    same = rows.filter(udi_di=scan.value)
    return list((same.filter(serial_no__iexact=scan.serial) if scan.serial else same)[:MOST_FOUND])


def _typed_as(scan: rules.Scan) -> Q:
    """Numbers that people read off a plate: ours, the maker's, or the whole UDI as it was keyed in."""
    typed = scan.serial or scan.value
    return Q(asset_no__iexact=typed) | Q(serial_no__iexact=typed) | Q(udi_pi__iexact=scan.value)


def open_edges(device: Device) -> dict[str, str]:
    """Status that can be reached in one step: the name of that step."""
    machine: Any = device  # django-fsm adds the method when the class is made
    return {str(edge.target): edge.name for edge in machine.get_available_status_transitions()}


def next_statuses(device: Device) -> list[DeviceStatus]:
    """Where a person who keeps the register may move this device now. Repair begins with a ticket, and what was stopped
    or on the bench is verified before it is ready."""
    targets = set(open_edges(device)) - {DeviceStatus.IN_REPAIR}
    if device.status in (DeviceStatus.FAULT, DeviceStatus.IN_REPAIR):
        targets -= {DeviceStatus.READY}
    return [status for status in DeviceStatus if status in targets]


def backups_short(device: Device) -> bool:
    """True when fewer devices of the backup group are ready than the group must keep."""
    if not device.backup_group or not device.min_ready:
        return False
    ready: int | None = getattr(device, "ready_others", None)  # read along with the device
    if ready is None:
        others = Device.objects.ready_to_lend().filter(backup_group=device.backup_group)
        ready = others.exclude(pk=device.pk).count()
    return ready < device.min_ready


def nearest_ready_backup(device: Device) -> Device | None:
    """The closest ready device of the same backup group: same building and floor first, then metres on the site plan."""
    return nearest_ready_backups({device: device.location}).get(device) if device.backup_group else None


def nearest_ready_backups(places: Mapping[Device, Location]) -> dict[Device, Device]:
    """For each device at its place the closest ready one of its backup group, in one query; without one it is left out."""
    groups = {device.backup_group for device in places if device.backup_group}
    if not groups:
        return {}
    ready = (
        Device.objects.ready_to_lend()
        .filter(backup_group__in=groups)
        .select_related("location", "type", "department")
        .order_by("pk")[: MOST_LENT * len(groups)]
    )
    found = {}
    for device, here in places.items():
        same = [other for other in ready if other.backup_group == device.backup_group and other.pk != device.pk]
        if device.backup_group and same:
            found[device] = min(same, key=partial(_far, here))
    return found


def _far(here: Location, other: Device) -> tuple[float, str]:
    return _walk(here, other.location), other.asset_no


def _walk(here: Location, there: Location) -> float:
    """Metres to go, with stairs; another building costs the way down, over and up."""
    metres = abs(here.x - there.x) + abs(here.y - there.y) + 15 * abs(here.floor - there.floor)
    if here.building_code != there.building_code:
        metres += 15 * (abs(here.floor - 1) + abs(there.floor - 1)) + 40
    return metres
