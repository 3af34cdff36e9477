"""Reads over the register: backups, scans, what the ward page needs."""

from __future__ import annotations

from assets.register.models import READY_TO_LEND, Device


def backups_short(device: Device) -> bool:
    """True when fewer devices of the backup group are ready than the group must keep."""
    if not device.backup_group or not device.min_ready:
        return False
    ready = Device.objects.filter(backup_group=device.backup_group, status__in=READY_TO_LEND).exclude(pk=device.pk)
    return ready.count() < device.min_ready


def nearest_ready_backup(device: Device) -> Device | None:
    """The closest ready device of the same backup group: same building and floor first, then metres on the site plan."""
    if not device.backup_group:
        return None
    ready = (
        Device.objects.filter(backup_group=device.backup_group, status__in=READY_TO_LEND)
        .exclude(pk=device.pk)
        .select_related("location", "type", "department")[:200]
    )
    here = device.location

    def distance(other: Device) -> tuple[float, str]:
        there = other.location
        metres = abs(here.x - there.x) + abs(here.y - there.y) + 15 * abs(here.floor - there.floor)
        if here.building_code != there.building_code:
            metres += 15 * (abs(here.floor - 1) + abs(there.floor - 1)) + 40
        return metres, other.asset_no

    return min(ready, key=distance, default=None)
