"""Changes of the roster. Each announces `RosterChanged`, and waiting tickets are matched again."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from assets.places.models import User
from config.kernel.errors import Invalid
from config.kernel.events import publish
from config.kernel.turns import take_turn
from dispatch.engineers.models import Engineer
from dispatch.events import RosterChanged
from dispatch.roster.models import Leave, Shift
from tickets.record.services import actor


@transaction.atomic
def plan_shift(
    engineer: Engineer,
    *,
    starts: datetime,
    ends: datetime,
    presence: str = Shift.Presence.ON_SITE,
    role: str = Shift.Role.PRIMARY,
    name: str = "",
    by: User | None,
    at: datetime,
) -> Shift:
    """A duty is on the roster. Refuses an end before its start, and a second duty of the same presence meanwhile."""
    _check(starts, ends)
    locked = _lock(engineer)
    if locked.shifts.filter(presence=presence, starts_at__lt=ends, ends_at__gt=starts).exists():
        raise Invalid(_("这段时间已经排了班。"), fields={"starts": _("换一个时间。")})
    shift = Shift.objects.create(
        engineer=locked, starts_at=starts, ends_at=ends, presence=presence, role=role, name=name
    )
    _announce(locked, "shift", starts, ends, by=by, at=at)
    return shift


@transaction.atomic
def cancel_shift(shift: Shift, *, by: User | None, at: datetime) -> None:
    """The duty is off the roster; tickets in hand stay where they are."""
    engineer, starts, ends = _lock(shift.engineer), shift.starts_at, shift.ends_at
    shift.delete()
    _announce(engineer, "shift_removed", starts, ends, by=by, at=at)


@transaction.atomic
def take_leave(
    engineer: Engineer,
    *,
    kind: str,
    starts: datetime,
    ends: datetime,
    by: User | None,
    at: datetime,
    note: str = "",
) -> Leave:
    """Away from `starts` to `ends`, whatever the roster says. Tickets not yet begun go to somebody else."""
    _check(starts, ends)
    if kind not in Leave.Kind.values:
        raise Invalid(_("选请假类别。"), fields={"kind": _("选请假类别。")})
    locked = _lock(engineer)
    leave = Leave.objects.create(engineer=locked, kind=kind, starts_at=starts, ends_at=ends, note=note)
    _announce(locked, "leave", starts, ends, by=by, at=at)
    return leave


@transaction.atomic
def return_from_leave(leave: Leave, *, by: User | None, at: datetime) -> None:
    """Back earlier than planned: the absence ends now, or never was when it had not begun."""
    engineer, starts, ends = _lock(leave.engineer), leave.starts_at, leave.ends_at
    if leave.starts_at >= at:
        leave.delete()
    else:
        leave.ends_at = min(ends, at)
        leave.save(update_fields=["ends_at"])
    _announce(engineer, "leave_ended", starts, ends, by=by, at=at)


def announce(row: Shift | Leave, *, by: User | None, at: datetime) -> None:
    """A duty or an absence that the admin has just saved, in the same transaction."""
    kind = "leave" if isinstance(row, Leave) else "shift"
    _announce(_lock(row.engineer), kind, row.starts_at, row.ends_at, by=by, at=at)


def _check(starts: datetime, ends: datetime) -> None:
    if ends <= starts:
        raise Invalid(_("结束要晚于开始。"), fields={"ends": _("选一个更晚的时间。")})


def _lock(engineer: Engineer) -> Engineer:
    """One roster change per person at a time. Not by the person's row: leave goes on to lock tickets, and whoever arrives
    at one has locked it and says on that row where he was seen."""
    take_turn(f"roster:{engineer.pk}")
    return Engineer.objects.select_related("user__person").get(pk=engineer.pk)


def _announce(
    engineer: Engineer, kind: str, starts: datetime, ends: datetime, *, by: User | None, at: datetime
) -> None:
    publish(
        RosterChanged(at=at, by=actor(by), engineer=engineer.user.person.public_id, kind=kind, starts=starts, ends=ends)
    )
