"""A device's status moves along its edges only, tells why and since when, and survives two hands at once."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from assets import events
from assets.models import Department, Device, User
from assets.register import queries, services
from assets.register.models import DeviceStatus
from assets.register.services import status as status_services
from config.kernel.errors import Invalid, NotAllowedNow
from config.kernel.events import recording
from tests import factories

S = DeviceStatus


def _in(device: Device, status: str) -> Device:
    Device.objects.filter(pk=device.pk).update(status=status)
    return Device.objects.get(pk=device.pk)


def _now(device: Device) -> Device:
    return Device.objects.get(pk=device.pk)


def test_out_of_use_says_why_and_since_when_and_is_announced(ventilator: Device, nurse: User, now: datetime) -> None:
    with recording() as announced:
        services.put_out_of_use(ventilator, reason="冒烟", by=nurse, at=now)

    device = _now(ventilator)
    assert (device.status, device.status_reason, device.status_since) == (S.FAULT, "冒烟", now)
    [fact] = [event for event in announced if isinstance(event, events.DeviceStatusChanged)]
    assert (fact.previous, fact.status, fact.by, fact.device) == (
        S.READY,
        S.FAULT,
        nurse.person.public_id,
        device.public_id,
    )
    assert "冒烟" not in repr(fact)


@pytest.mark.parametrize("stopped", [S.FAULT, S.QUARANTINED, S.RETIRED, S.OFF_SITE, S.IN_REPAIR])
def test_a_second_stop_changes_nothing(stopped: str, ventilator: Device, now: datetime) -> None:
    _in(ventilator, stopped)

    with recording() as announced:
        services.put_out_of_use(ventilator, reason="漏电", by=None, at=now)

    assert _now(ventilator).status == stopped
    assert announced == []


def test_two_reports_of_danger_at_once_both_go_through(ventilator: Device, now: datetime, monkeypatch: Any) -> None:
    lock = status_services.lock

    def rival_first(device: Device) -> Device:
        monkeypatch.setattr(status_services, "lock", lock)
        services.put_out_of_use(device, reason="第一个", by=None, at=now)
        return lock(device)

    monkeypatch.setattr(status_services, "lock", rival_first)

    services.put_out_of_use(ventilator, reason="第二个", by=None, at=now)

    assert (_now(ventilator).status, _now(ventilator).status_reason) == (S.FAULT, "第一个")


def test_a_repaired_device_passes_verification_before_it_is_ready(
    ventilator: Device, engineer: User, now: datetime
) -> None:
    services.put_out_of_use(ventilator, reason="停机", by=engineer, at=now)
    services.begin_repair(ventilator, by=engineer, at=now)

    with recording() as announced:
        services.release(ventilator, release="usable", note="", by=engineer, at=now)

    walked = [(e.previous, e.status) for e in announced if isinstance(e, events.DeviceStatusChanged)]
    assert walked == [(S.IN_REPAIR, S.PENDING_VERIFICATION), (S.PENDING_VERIFICATION, S.READY)]
    assert (_now(ventilator).status, _now(ventilator).status_reason) == (S.READY, "")


@pytest.mark.parametrize("status", [S.QUARANTINED, S.RETIRED, S.PENDING_DISPOSAL])
def test_a_recall_or_the_end_of_life_is_not_lifted_by_a_repair(status: str, ventilator: Device, now: datetime) -> None:
    _in(ventilator, status)

    with pytest.raises(NotAllowedNow) as refusal:
        services.return_to_use(ventilator, by=None, at=now)

    assert ventilator.label in str(refusal.value)
    assert _now(ventilator).status == status


def test_a_limit_is_stated_and_can_be_restated(ventilator: Device, engineer: User, now: datetime) -> None:
    with pytest.raises(Invalid):
        services.restrict(ventilator, limit="  ", by=engineer, at=now)
    services.restrict(ventilator, limit="只用容量模式", by=engineer, at=now)
    services.restrict(ventilator, limit="只用于转运", by=engineer, at=now + timedelta(hours=1))

    assert (_now(ventilator).status, _now(ventilator).status_reason) == (S.RESTRICTED, "只用于转运")
    assert _now(ventilator).usable


def test_released_out_of_use_ends_stopped(ventilator: Device, engineer: User, now: datetime) -> None:
    services.put_out_of_use(ventilator, reason="停机", by=engineer, at=now)
    services.begin_repair(ventilator, by=engineer, at=now)

    services.release(ventilator, release="out_of_use", note="主板坏，等报废", by=engineer, at=now)

    assert (_now(ventilator).status, _now(ventilator).status_reason) == (S.FAULT, "主板坏，等报废")


def test_status_cannot_be_assigned_or_unknown(ventilator: Device) -> None:
    with pytest.raises(AttributeError):
        ventilator.status = S.RETIRED  # type: ignore[misc]
    with pytest.raises(IntegrityError), transaction.atomic():
        Device.objects.filter(pk=ventilator.pk).update(status="broken")


def test_every_status_but_retired_has_a_way_out() -> None:
    edges = {status: set() for status in S.values}
    for edge in Device._meta.get_field("status").get_all_transitions(Device):
        edges[str(edge.source)].add(str(edge.target))

    assert {status for status, ways in edges.items() if not ways} == {S.RETIRED}
    assert all(S.FAULT in edges[s] for s in S.values if s not in (S.FAULT, S.QUARANTINED, S.RETIRED))


def _pump(home: Department, name: str, *, status: str = S.READY, **place: Any) -> Device:
    kind = factories.DeviceType.objects.filter(name="输液泵").first() or factories.device_type(name="输液泵")
    device = factories.device(home, kind, name=name, backup_group="pump", location=factories.location(name, **place))
    return _in(device, status)


def test_the_nearest_ready_backup_is_on_the_same_floor_before_another_building(icu: Department) -> None:
    broken = _pump(icu, "坏的", floor=5, x=0)
    _pump(icu, "隔壁楼", floor=5, x=5, building_code="B2")
    _pump(icu, "楼下", floor=4, x=0)
    same_floor = _pump(icu, "同层", floor=5, x=12)
    _pump(icu, "更近但在用", floor=5, x=1, status=S.IN_USE)
    _pump(icu, "更近但停用", floor=5, x=2, status=S.FAULT)

    assert queries.nearest_ready_backup(broken) == same_floor


def test_a_standby_device_counts_as_backup_and_the_broken_one_does_not(icu: Department) -> None:
    broken = _pump(icu, "坏的")
    assert queries.nearest_ready_backup(broken) is None

    reserve = _pump(icu, "备用", status=S.STANDBY)

    assert queries.nearest_ready_backup(broken) == reserve
    assert queries.nearest_ready_backup(factories.device(icu)) is None


def test_backups_run_short_below_the_minimum_of_the_group(icu: Department) -> None:
    broken = _pump(icu, "坏的")
    Device.objects.filter(pk=broken.pk).update(min_ready=2)
    _pump(icu, "一台")

    assert queries.backups_short(_now(broken))
    _pump(icu, "两台")
    assert not queries.backups_short(_now(broken))


def test_a_renewed_code_is_announced(ventilator: Device, manager: User, now: datetime) -> None:
    with recording() as announced:
        services.rotate_qr(ventilator, by=manager, at=now)

    [fact] = [event for event in announced if isinstance(event, events.DeviceQrRotated)]
    assert (fact.version, _now(ventilator).qr_version) == (2, 2)


def test_every_status_can_be_reached() -> None:
    targets = {str(edge.target) for edge in Device._meta.get_field("status").get_all_transitions(Device)}

    assert set(S.values) - targets == {S.PENDING_ACCEPTANCE}


def test_the_register_moves_a_device_by_hand_with_a_reason(ventilator: Device, manager: User, now: datetime) -> None:
    with pytest.raises(Invalid):
        services.change_status(ventilator, to=S.ON_LOAN, reason=" ", by=manager, at=now)
    services.change_status(ventilator, to=S.ON_LOAN, reason="借给急诊", by=manager, at=now)

    assert (_now(ventilator).status, _now(ventilator).status_reason) == (S.ON_LOAN, "借给急诊")
    assert _now(ventilator).log.count() == 2


@pytest.mark.parametrize(
    ("status", "target"),
    [
        (S.FAULT, S.READY),
        (S.IN_REPAIR, S.READY),
        (S.READY, S.IN_REPAIR),
        (S.QUARANTINED, S.READY),
        (S.QUARANTINED, S.RESTRICTED),
        (S.READY, S.RETIRED),
        (S.RETIRED, S.READY),
        (S.READY, "broken"),
    ],
)
def test_no_hand_takes_a_short_cut(status: str, target: str, ventilator: Device, manager: User, now: datetime) -> None:
    _in(ventilator, status)

    with pytest.raises(NotAllowedNow):
        services.change_status(ventilator, to=target, reason="想要", by=manager, at=now)

    assert _now(ventilator).status == status


def test_the_admin_offers_the_open_ways_and_takes_one(
    ventilator: Device, manager: User, nurse: User, signed_in: Any
) -> None:
    here = f"/admin/assets/device/{ventilator.pk}/status/"

    shown = signed_in(manager).get(here, headers={"HX-Request": "true"}).content.decode()
    done = signed_in(manager).post(here, {"_form_submitted": "on", "to": S.MISSING, "reason": "盘点没找到"})

    assert S.MISSING in shown
    assert S.RETIRED not in shown
    assert done["HX-Redirect"] == f"/admin/assets/device/{ventilator.pk}/change/"
    assert _now(ventilator).status == S.MISSING
    assert signed_in(nurse).post(here, {"to": S.READY, "reason": "x"}).status_code in (302, 403)
    assert _now(ventilator).status == S.MISSING


def test_the_dialog_in_a_tab_of_its_own_leads_to_the_device(ventilator: Device, manager: User, signed_in: Any) -> None:
    opened = signed_in(manager).get(f"/admin/assets/device/{ventilator.pk}/status/")

    assert (opened.status_code, opened["Location"]) == (302, f"/admin/assets/device/{ventilator.pk}/change/")


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}], ids=["a tab", "the dialog"])
def test_the_dialog_refuses_who_may_not_move_a_device_and_knows_no_device_that_is_not_there(
    method: str, headers: dict[str, str], ventilator: Device, dispatcher: User, manager: User, signed_in: Any
) -> None:
    def asked(user: User, key: object) -> int:
        return int(signed_in(user).generic(method, f"/admin/assets/device/{key}/status/", headers=headers).status_code)

    assert [asked(dispatcher, key) for key in (ventilator.pk, 0, "x")] == [403, 403, 403]
    assert [asked(manager, key) for key in (0, "x")] == [404, 404]


def test_a_version_of_a_device_has_no_button_that_does_nothing(
    ventilator: Device, manager: User, signed_in: Any
) -> None:
    browser, version = signed_in(manager), ventilator.log.latest()

    device = browser.get(f"/admin/assets/device/{ventilator.pk}/change/").content.decode()
    page = browser.get(f"/admin/assets/device/{ventilator.pk}/history/{version.pk}/").content.decode()

    history = f"/admin/assets/device/{ventilator.pk}/history/"
    assert f'href="{history}"' in device
    assert f'href="{history}"' in page
    assert "actionDropdownOpen" not in page
