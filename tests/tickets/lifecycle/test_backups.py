"""A device stands in for another only while nobody waits for its own repair, whatever its status says."""

from __future__ import annotations

from datetime import datetime

import pytest

from assets.models import Department, Device, FaultPreset, User
from assets.register import queries
from config.kernel.errors import NotAllowedNow
from tests import factories
from tickets.desk.queries.wall import life_support
from tickets.lifecycle import services as lifecycle
from tickets.models import Ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def broken(ventilator: Device) -> Device:
    Device.objects.filter(pk=ventilator.pk).update(backup_group="vent", min_ready=1)
    return Device.objects.get(pk=ventilator.pk)


@pytest.fixture
def backup(icu: Department, broken: Device) -> Device:
    return factories.device(icu, broken.type, name="备用呼吸机", backup_group="vent")


def report(device: Device, fault: FaultPreset, now: datetime, **more: object) -> Ticket:
    return lifecycle.submit(device=device, preset=fault, by=None, at=now, **more)


def again(device: Device) -> Device:
    return Device.objects.with_ready_others().get(pk=device.pk)


def test_a_reported_backup_is_neither_offered_nor_counted(
    broken: Device, backup: Device, stopped: FaultPreset, dispatcher: User, now: datetime
) -> None:
    assert queries.nearest_ready_backup(broken) == backup
    assert (queries.backups_short(broken), queries.backups_short(again(broken))) == (False, False)

    first = report(backup, stopped, now, in_use=True)
    second = report(backup, stopped, now, duplicate_of=first)

    assert Device.objects.get(pk=backup.pk).status == "ready"
    assert queries.nearest_ready_backup(broken) is None
    assert (queries.backups_short(broken), queries.backups_short(again(broken))) == (True, True)

    lifecycle.cancel(first, by=dispatcher, at=now, reason="误报")
    assert queries.nearest_ready_backup(broken) is None
    lifecycle.cancel(second, by=dispatcher, at=now, reason="误报")

    assert queries.nearest_ready_backup(broken) == backup
    assert (queries.backups_short(broken), queries.backups_short(again(broken))) == (False, False)


def test_the_wall_counts_only_what_could_be_lent(
    broken: Device, backup: Device, stopped: FaultPreset, now: datetime
) -> None:
    assert [(line["ready"], line["least"]) for line in life_support()] == [(1, 1)]

    first = report(broken, stopped, now)
    report(broken, stopped, now, duplicate_of=first)
    assert [line["ready"] for line in life_support()] == [0]


def test_a_backup_reported_meanwhile_cannot_be_plugged_in(
    broken: Device, backup: Device, stopped: FaultPreset, engineer: User, dispatcher: User, now: datetime
) -> None:
    ticket = report(broken, stopped, now, in_use=True)
    report(backup, stopped, now)

    with pytest.raises(NotAllowedNow, match="自己也在报修"):
        lifecycle.restore(ticket, by=engineer, at=now, backup=backup)

    assert Ticket.objects.get(pk=ticket.pk).restored_at is None
