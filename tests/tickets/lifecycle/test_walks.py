"""Random walks over all verbs: only legal edges, every refusal leaves everything as it was, the log tells the same story."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assets.models import Device, FaultPreset, User
from config.kernel.errors import DomainError, NotAllowedNow
from config.kernel.models import EventRecord, Timer
from tests.faults.ledger import note
from tickets.lifecycle import services as lifecycle
from tickets.models import Clock, HoldReason, LastStep, Pause, RepairReport, Signature, Ticket, TimeEntry

pytestmark = pytest.mark.django_db

IN_HAND = {"assigned", "accepted", "arrived", "working", "paused"}
OPEN = {"new", "triaged", "reopened", "resolved", "verifying", *IN_HAND}

# Written from the description of the states, not from the code: from where a verb may start, and where it ends ("" stays).
EDGES: dict[str, tuple[set[str], str]] = {
    "triage": ({"new", "triaged"}, "triaged"),
    "assign": ({"triaged", "reopened", *IN_HAND}, "assigned"),
    "unassign": ({"assigned", "accepted", "arrived"}, "triaged"),
    "accept": ({"triaged", "reopened", "assigned"}, "accepted"),
    "decline": ({"assigned", "accepted"}, "triaged"),
    "depart": ({"accepted"}, ""),
    "arrive": ({"accepted"}, "arrived"),
    "start": ({"accepted", "arrived"}, "working"),
    "pause": ({"accepted", "arrived", "working"}, "paused"),
    "resume": ({"paused"}, "held"),  # to where the pause had found it
    "restore": (OPEN - {"resolved", "verifying"}, ""),  # a ward may well connect the backup itself
    "resolve": ({"working"}, "verifying"),
    "confirm": ({"resolved", "verifying"}, "closed"),
    "close": ({"resolved", "verifying"}, "closed"),
    "dispute": ({"resolved", "verifying"}, "reopened"),
    "reopen": ({"resolved", "verifying", "closed"}, "reopened"),
    "cancel": ({"new", "triaged", "reopened", *IN_HAND}, "cancelled"),
    "reject": ({"new", "triaged", "assigned"}, "rejected"),
    "reprioritise": (OPEN, ""),
    "rate": ({"verifying", "closed"}, ""),
    "undo": (OPEN - {"resolved", "verifying"}, "back"),  # to where the step before had found it
}
AFTER = {
    "TicketTriaged": "triaged",
    "TicketAssigned": "assigned",
    "TicketUnassigned": "triaged",
    "TicketAccepted": "accepted",
    "TicketArrived": "arrived",
    "WorkStarted": "working",
    "WorkPaused": "paused",
    "TicketResolved": "resolved",
    "VerificationRequested": "verifying",
    "TicketClosed": "closed",
    "TicketReopened": "reopened",
    "TicketCancelled": "cancelled",
    "TicketRejected": "rejected",
}


@dataclass
class Cast:
    engineers: list[User]
    nurse: User
    dispatcher: User

    def steps(self) -> dict[str, Callable[[Ticket, datetime, int], Any]]:
        """Each verb with all that it needs; `n` varies who and what."""
        sheet = lifecycle.FinishSheet(cause="part", action="replace", release="usable", diagnosis="电源板")
        desk, ward = self.dispatcher, self.nurse

        def hand(ticket: Ticket, n: int) -> User:
            return ticket.assignee or self.engineers[n % 2]

        return {
            "triage": lambda t, at, n: lifecycle.triage(t, by=desk, at=at, impact=f"I{1 + n % 4}"),
            "assign": lambda t, at, n: lifecycle.assign(t, to=self.engineers[n % 2], by=desk, at=at, reason="换人"),
            "unassign": lambda t, at, n: lifecycle.unassign(t, by=desk, at=at, reason="by_hand"),
            "accept": lambda t, at, n: lifecycle.accept(t, by=hand(t, n), at=at),
            "decline": lambda t, at, n: lifecycle.decline(t, by=hand(t, n), at=at, reason="手上有急单"),
            "depart": lambda t, at, n: lifecycle.depart(t, by=hand(t, n), at=at, eta_minutes=5),
            "arrive": lambda t, at, n: lifecycle.arrive(t, by=hand(t, n), at=at, scanned=True),
            "start": lambda t, at, n: lifecycle.start(t, by=hand(t, n), at=at, decon="cleaned"),
            "pause": lambda t, at, n: lifecycle.pause(t, reason=HoldReason.objects.order_by("code")[n % 5], by=hand(t, n), at=at),
            "resume": lambda t, at, n: lifecycle.resume(t, by=hand(t, n), at=at),
            "restore": lambda t, at, n: lifecycle.restore(t, by=hand(t, n), at=at),
            "resolve": lambda t, at, n: lifecycle.resolve(t, sheet=sheet, by=hand(t, n), at=at),
            "confirm": lambda t, at, n: lifecycle.confirm(t, by=ward, at=at, name="陈护士"),
            "close": lambda t, at, n: lifecycle.close(t, by=desk, at=at, reason="电话确认"),
            "dispute": lambda t, at, n: lifecycle.dispute(t, by=ward, at=at, reason="还响"),
            "reopen": lambda t, at, n: lifecycle.reopen(t, by=desk, at=at, reason="又坏"),
            "cancel": lambda t, at, n: lifecycle.cancel(t, by=desk, at=at, reason="误报"),
            "reject": lambda t, at, n: lifecycle.reject(t, by=desk, at=at, reason="不归我们"),
            "reprioritise": lambda t, at, n: lifecycle.reprioritise(t, priority=1 + n % 4, reason="改", by=desk, at=at),
            "undo": lambda t, at, n: lifecycle.undo(t, verb=step_of(t), by=hand(t, n), at=at),
            "rate": lambda t, at, n: lifecycle.rate(t, rating=1 + n % 3, by=ward, at=at),
        }  # fmt: skip


def step_of(ticket: Ticket) -> str:
    last = LastStep.objects.filter(ticket=ticket).first()
    return last.verb if last else "accept"


@pytest.fixture
def cast(engineer: User, colleague: User, nurse: User, dispatcher: User) -> Cast:
    return Cast([engineer, colleague], nurse, dispatcher)


def everything(ticket: Ticket) -> list[Any]:
    """All that a step could have touched."""
    mine = [Clock, Pause, TimeEntry, RepairReport, Signature]
    return [
        Ticket.objects.filter(pk=ticket.pk).values().get(),
        Device.objects.filter(pk=ticket.device_id).values().get(),
        EventRecord.objects.count(),
        list(Timer.objects.order_by("pk").values()),
        *(list(model.objects.filter(ticket=ticket).order_by("pk").values()) for model in mine),
    ]


STEP = st.tuples(st.sampled_from(sorted(EDGES)), st.integers(0, 9), st.sampled_from([0, 1, 30, 600]))
# Walks that only stumble see little: two of three steps take what the state allows.
LEGAL = st.tuples(st.just(""), st.integers(0, 29), st.sampled_from([0, 1, 30]))
WALK = st.lists(st.one_of(STEP, LEGAL, LEGAL), min_size=4, max_size=16)


@pytest.fixture(scope="module")
def tally() -> Iterator[Counter[str]]:
    """Walks and steps of this run; `make faults` walks 10,000 times."""
    counts = Counter[str]()
    yield counts
    note(
        "random walks over the state machine",
        tried=counts["walks"],
        acknowledged=counts["steps"],
        refused=counts["refusals"],
        illegal=counts["illegal"],
        replay_differs=counts["other_replays"],
        lost=0,
        doubled=0,
    )


@settings(
    max_examples=int(os.environ.get("WARDLINE_WALKS", "25")),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(callback=st.booleans(), walk=WALK)
def test_whatever_people_try_only_legal_steps_happen(
    cast: Cast,
    ventilator: Device,
    stopped: FaultPreset,
    now: datetime,
    tally: Counter[str],
    callback: bool,
    walk: list[tuple[str, int, int]],
) -> None:
    with transaction.atomic():
        ticket = lifecycle.submit(device=ventilator, preset=stopped, by=None, at=now, needs_callback=callback)
        at, steps, found, held = now, cast.steps(), "", ""

        for verb, n, minutes in walk:
            at += timedelta(minutes=minutes)
            ticket = Ticket.objects.get(pk=ticket.pk)
            before, was = everything(ticket), ticket.state
            verb = verb or allowed(was, n)  # noqa: PLW2901
            sources, target = EDGES[verb]
            refusal = attempt(steps[verb], ticket, at, n)
            if refusal:
                assert everything(ticket) == before, (verb, was, refusal)
                assert refusal.status in (400, 403, 409)
                tally["refusals"] += 1
                continue
            tally["steps"] += 1
            state = Ticket.objects.get(pk=ticket.pk).state
            tally["illegal"] += was not in sources
            assert was in sources, (verb, was)
            assert state == {"back": found, "held": held}.get(target, target or was), (verb, was, state)
            held = was if verb == "pause" else held
            found = was
            assert EventRecord.objects.count() > before[2] or everything(ticket) == before, (verb, was)

        tally["other_replays"] += replayed(ticket) != Ticket.objects.get(pk=ticket.pk).state
        assert replayed(ticket) == Ticket.objects.get(pk=ticket.pk).state
        tally["walks"] += 1
        transaction.set_rollback(True)


def allowed(state: str, n: int) -> str:
    """The n-th verb that may start from here; a closed door where none may."""
    verbs = sorted(verb for verb, (sources, _target) in EDGES.items() if state in sources)
    return verbs[n % len(verbs)] if verbs else "accept"


def attempt(step: Callable[[Ticket, datetime, int], Any], ticket: Ticket, at: datetime, n: int) -> DomainError | None:
    try:
        step(ticket, at, n)
    except DomainError as refusal:
        return refusal
    return None


def replayed(ticket: Ticket) -> str:
    """The state as the log alone tells it; each fact that moves the ticket carries the state that it moved to."""
    state = "new"
    for record in EventRecord.objects.filter(subject=f"ticket:{ticket.public_id}").order_by("id"):
        if record.type in AFTER:
            state = AFTER[record.type]
        elif record.type in ("StepUndone", "WorkResumed"):
            state = record.data["state"]
    return state


def test_each_step_back_leads_to_where_it_was(
    cast: Cast, ventilator: Device, stopped: FaultPreset, now: datetime
) -> None:
    ticket = lifecycle.submit(device=ventilator, preset=stopped, by=None, at=now)
    steps, at = cast.steps(), now
    steps["assign"](ticket, at, 0)

    for verb in ("accept", "depart", "arrive", "start", "pause", "resume"):
        at += timedelta(minutes=1)
        was = everything(Ticket.objects.get(pk=ticket.pk))
        steps[verb](ticket, at, 0)
        steps["undo"](Ticket.objects.get(pk=ticket.pk), at + timedelta(seconds=9), 0)
        assert reduced(everything(Ticket.objects.get(pk=ticket.pk))) == reduced(was), verb
        at += timedelta(minutes=1)
        steps[verb](Ticket.objects.get(pk=ticket.pk), at, 0)


def reduced(rows: list[Any]) -> list[Any]:
    """Without what only counts up (version, log, append-only pauses) and without row numbers."""
    ticket, device, _log, timers, clocks, _pauses, entries, *rest = rows
    drop = {"id", "version", "updated_at"}
    return [
        {k: v for k, v in ticket.items() if k not in drop},
        {k: v for k, v in device.items() if k not in drop},
        [{k: v for k, v in t.items() if k not in drop | {"attempts"}} for t in timers],
        clocks,
        [{k: v for k, v in e.items() if k not in drop} for e in entries],
        rest,
    ]


def test_a_straight_walk_reaches_the_end(cast: Cast, ventilator: Device, stopped: FaultPreset, now: datetime) -> None:
    ticket = lifecycle.submit(device=ventilator, preset=stopped, by=None, at=now)
    steps = cast.steps()

    for verb in ("assign", "accept", "depart", "arrive", "start", "pause", "resume", "resolve", "confirm", "rate"):
        steps[verb](Ticket.objects.get(pk=ticket.pk), now, 0)

    assert replayed(ticket) == "closed" == Ticket.objects.get(pk=ticket.pk).state


def test_every_verb_is_walked() -> None:
    published = {name for name in lifecycle.__all__ if name.islower()} - {"submit"}

    assert published == set(EDGES)


def test_who_has_come_to_the_device_cannot_refuse_any_more(
    cast: Cast, ventilator: Device, stopped: FaultPreset, now: datetime
) -> None:
    """Found by a random walk: the edge back to the desk is there for the desk, not for a refusal."""
    ticket = lifecycle.submit(device=ventilator, preset=stopped, by=None, at=now)
    steps = cast.steps()
    for verb in ("assign", "accept", "arrive"):
        steps[verb](Ticket.objects.get(pk=ticket.pk), now, 0)
    ticket = Ticket.objects.get(pk=ticket.pk)
    before = everything(ticket)

    with pytest.raises(NotAllowedNow):
        steps["decline"](ticket, now, 0)

    assert everything(ticket) == before


@pytest.mark.parametrize(("brought", "state"), [(("accept",), "accepted"), (("accept", "arrive"), "arrived")])
def test_after_a_wait_before_the_work_arrival_and_declaration_are_still_to_come(
    cast: Cast, ventilator: Device, stopped: FaultPreset, now: datetime, brought: tuple[str, ...], state: str
) -> None:
    """Found by a tester: pausing on the way and going on was a door around the scan and the decontamination."""
    ticket = lifecycle.submit(device=ventilator, preset=stopped, by=None, at=now)
    steps = cast.steps()
    for verb in ("assign", *brought, "pause", "resume"):
        steps[verb](Ticket.objects.get(pk=ticket.pk), now, 0)

    row = Ticket.objects.get(pk=ticket.pk)
    assert (row.state, row.started_at, row.time_entries.count()) == (state, None, 0)
    with pytest.raises(NotAllowedNow):
        steps["resolve"](row, now, 0)
