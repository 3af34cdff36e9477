"""A device's status along its edges, and the version of its QR label."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _
from django_fsm import TransitionNotAllowed

from assets.events import DeviceQrRotated, DeviceStatusChanged
from assets.places.models import Person, User
from assets.register import queries
from assets.register.models import Device, DeviceStatus
from config.kernel.errors import Invalid, NotAllowedNow
from config.kernel.events import publish

S = DeviceStatus
Actor = User | Person | None


def _actor(by: Actor) -> str:
    person = by.person if isinstance(by, User) else by
    return person.public_id if person else "system"


def lock(device: Device) -> Device:
    """The row as it is now, held until the transaction ends; every decision about its status is made on this one."""
    return Device.objects.select_for_update(of=("self",)).select_related("department").get(pk=device.pk)


def _move(current: Device, edge: str, *, reason: str, by: Actor, at: datetime) -> Device:
    previous = current.status
    try:
        step: Callable[[], None] = getattr(current, edge)
        step()
    except TransitionNotAllowed as error:
        raise NotAllowedNow(
            _("%(name)s 现在是“%(status)s”，不能这样改。")
            % {"name": current.label, "status": current.get_status_display()}
        ) from error
    current.status_reason, current.status_since = reason[:200], at
    current.save()
    publish(
        DeviceStatusChanged(
            at=at,
            by=_actor(by),
            scope=current.department.code,
            device=current.public_id,
            previous=str(previous),
            status=str(current.status),
        )
    )
    return current


@transaction.atomic
def put_out_of_use(device: Device, *, reason: str, by: Actor, at: datetime) -> Device:
    """停用: the scan page turns red at once. Already stopped (fault, recall, retired) stays as it is, also for the
    second of two reports that arrive together."""
    current = lock(device)
    if current.status in (S.FAULT, S.QUARANTINED, S.RETIRED, S.OFF_SITE, S.IN_REPAIR):
        return current
    return _move(current, "to_fault", reason=reason, by=by, at=at)


@transaction.atomic
def begin_repair(device: Device, *, by: Actor, at: datetime) -> Device:
    """A stopped device is on the bench; one still in use stays in use."""
    current = lock(device)
    if current.status != S.FAULT:
        return current
    return _move(current, "to_repair", reason=current.status_reason, by=by, at=at)


@transaction.atomic
def put_in_use(device: Device, *, by: Actor, at: datetime) -> Device:
    """A ready backup stands in."""
    return _move(lock(device), "to_in_use", reason="", by=by, at=at)


@transaction.atomic
def take_back(device: Device, *, to: str, reason: str, since: datetime, by: Actor, at: datetime) -> Device:
    """A step just taken is undone: the status, its reason and its date are what they were. `DeviceStatusChanged` for each
    edge walked; NotAllowedNow when there is no way back, because somebody has moved the device on."""
    current = lock(device)
    if to == S.STANDBY and current.status == S.IN_USE:
        current = _move(current, "to_ready", reason=reason, by=by, at=at)
    edge = queries.open_edges(current).get(to)
    if edge is None:
        raise _not_now(current)
    current = _move(current, edge, reason=reason, by=by, at=at)
    current.status_since = since
    current.save(update_fields=["status_since", "updated_at"])
    return current


@transaction.atomic
def release(device: Device, *, release: str, note: str, by: Actor, at: datetime) -> Device:
    """The engineer's verdict after a repair: `usable`, `restricted` (note = the limit) or `out_of_use` (note = why).

    `DeviceStatusChanged` for each edge walked; NotAllowedNow from a recall or the end of life.
    """
    current = lock(device)
    if release == "restricted":
        return restrict(current, limit=note, by=by, at=at)
    if release == "out_of_use":
        if current.status == S.IN_REPAIR:
            _move(current, "to_verification", reason=note, by=by, at=at)
        return put_out_of_use(current, reason=note, by=by, at=at)
    return return_to_use(current, by=by, at=at)


@transaction.atomic
def restrict(device: Device, *, limit: str, by: Actor, at: datetime) -> Device:
    """限用 within a stated limit, shown on the scan page; a new limit replaces the old one. Needs a limit."""
    current = lock(device)
    if not limit.strip():
        raise Invalid(_("写清限用条件。"), fields={"note": _("写清限用条件。")})
    if current.status == S.RESTRICTED:
        current.status_reason = limit[:200]
        current.save(update_fields=["status_reason", "updated_at"])
        return current
    return _move(current, "to_restricted", reason=limit, by=by, at=at)


@transaction.atomic
def return_to_use(device: Device, *, by: Actor, at: datetime) -> Device:
    """Ready again, over the stop 待检 when it comes from the bench; one that was never stopped stays as it is."""
    current = lock(device)
    if current.status in (S.READY, S.IN_USE, S.STANDBY, S.ON_LOAN):
        return current
    if current.status == S.IN_REPAIR:
        _move(current, "to_verification", reason="", by=by, at=at)
    return _move(current, "to_ready", reason="", by=by, at=at)


@transaction.atomic
def change_status(device: Device, *, to: str, reason: str, by: Actor, at: datetime) -> Device:
    """One edge by hand, with its reason: lent, sent out, missing, held, retired. `DeviceStatusChanged`.

    Invalid without a reason; NotAllowedNow where `queries.next_statuses` offers no such way.
    """
    current = lock(device)
    if not reason.strip():
        raise Invalid(_("写清原因。"), fields={"reason": _("写清原因。")})
    if to not in queries.next_statuses(current):
        raise _not_now(current)
    return _move(current, queries.open_edges(current)[to], reason=reason.strip(), by=by, at=at)


def _not_now(current: Device) -> NotAllowedNow:
    return NotAllowedNow(
        _("%(name)s 现在是“%(status)s”，不能这样改。") % {"name": current.label, "status": current.get_status_display()}
    )


@transaction.atomic
def rotate_qr(device: Device, *, by: Actor, at: datetime) -> Device:
    """The printed label is lost or defaced: every code of the old version stops working. `DeviceQrRotated`."""
    current = lock(device)
    current.qr_version += 1
    current.save(update_fields=["qr_version", "updated_at"])
    publish(
        DeviceQrRotated(
            at=at, by=_actor(by), scope=current.department.code, device=current.public_id, version=current.qr_version
        )
    )
    return current
