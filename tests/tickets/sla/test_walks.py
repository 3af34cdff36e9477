"""Random stories of one ticket, in the database, against the minute-by-minute model: no alarm early, lost or twice."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.tickets.sla.calendars import minutes, shanghai
from tests.tickets.sla.conftest import Make
from tests.tickets.sla.test_minute_model import Model
from tickets.record.models import HoldReason, Ticket
from tickets.sla import queries
from tickets.sla import services as sla
from tickets.sla.models import Alert, Clock

pytestmark = pytest.mark.django_db

STARTS = [
    shanghai(9, 30, 11),
    shanghai(11, 18, 7, 50),
    shanghai(11, 20, 17, 25),
    shanghai(11, 21, 3),
    shanghai(10, 9, 16),
]
STEP = st.tuples(
    st.sampled_from(["pause", "resume", "P1", "P2", "P3", "P4", "met", "unmet", "nothing"]),
    st.sampled_from([0, 1, 4, 17, 30, 90, 240, 700, 1500]),
)


@dataclass
class Story:
    """What the test believes: told in parallel to the database, with none of its code."""

    started_at: datetime
    priority: int
    now: datetime
    pauses: list[list[datetime | None]] = field(default_factory=list)
    until: datetime | None = None

    def holes(self) -> list[tuple[datetime, datetime]]:
        return [(start, end or self.now) for start, end in self.pauses if start]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(start=st.sampled_from(STARTS), priority=st.integers(1, 4), steps=st.lists(STEP, min_size=1, max_size=7))
def test_whatever_happens_the_clocks_agree_with_the_model(
    ticket_of: Make, start: datetime, priority: int, steps: list[tuple[str, int]]
) -> None:
    ticket = ticket_of(priority, reported_at=start)
    story = Story(start, priority, start)

    for verb, wait in steps:
        story.now += minutes(wait)
        sla.fire_due(story.now)
        do(verb, ticket, story)
        sla.fire_due(story.now)
        agree(ticket, story)


def do(verb: str, ticket: Ticket, story: Story) -> None:
    if verb == "pause" and story.until is None:
        story.until = story.now + timedelta(hours=20)
        story.pauses.append([story.now, None])
        reason = HoldReason.objects.get(code="parts")
        sla.pause(ticket, reason=reason, until=story.until, by=None, at=story.now)
    elif verb == "resume" and story.until is not None:
        story.pauses[-1][1], story.until = min(story.now, story.until), None
        sla.resume(ticket, by=None, at=story.now)
    elif verb.startswith("P") and int(verb[1]) != story.priority:
        before, story.priority = story.priority, int(verb[1])
        sla.rebase(ticket, from_priority=before, to_priority=story.priority, reason="-", by=None, at=story.now)
    elif verb == "met":
        sla.meet(ticket, "response", at=story.now)
    elif verb == "unmet":
        sla.unmeet(ticket, ["response"], at=story.now)


def agree(ticket: Ticket, story: Story) -> None:
    book = queries.rulebook()
    fired = Counter(Alert.objects.filter(clock__ticket=ticket).values_list("clock__metric", "step"))
    assert set(fired.values()) <= {1}
    rebases = ticket.rebases.count()
    suffix = f"@{rebases}" if rebases else ""
    clocks: list[Clock] = [clock for clock in ticket.clocks.all() if clock.running]
    for clock in clocks:
        target = book.targets[story.priority, clock.metric]
        waits = clock.metric == "fix" and story.priority != 1  # the fix of a P1 is gross
        holes: list[Any] = story.holes() if waits else []
        assert clock.target_minutes == book.minutes_for(target, story.started_at)
        assert clock.paused == (waits and story.until is not None)
        if clock.paused:
            assert clock.next_at is None
            continue
        due = Model(book.calendar(clock.calendar_id)).due(story.started_at, clock.target_minutes, holes)
        assert clock.due_at == due
        assert ((clock.metric, f"breach{suffix}") in fired) == (due <= story.now)
        assert clock.next_at is None or clock.next_at > story.now
