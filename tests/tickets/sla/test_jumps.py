"""The clock of the machine jumps, summer time comes and goes, Saturdays are worked: every step once, none before its time."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest

from tests.faults.ledger import count, note
from tests.tickets.sla.conftest import Make
from tests.tickets.sla.test_minute_model import Model
from tickets.sla import services as sla
from tickets.sla.models import Alert, Calendar, Clock
from tickets.sla.queries import forget_rulebook, rulebook

pytestmark = pytest.mark.django_db

# A day before something odd: make-up Saturday and National Day; both ends of summer time on two continents.
ODD_DAYS = [
    ("Asia/Shanghai", datetime(2026, 10, 9, 3, tzinfo=UTC)),
    ("Asia/Shanghai", datetime(2026, 9, 30, 7, tzinfo=UTC)),
    ("Europe/Berlin", datetime(2026, 3, 28, 9, tzinfo=UTC)),
    ("Europe/Berlin", datetime(2026, 10, 24, 9, tzinfo=UTC)),
    ("America/New_York", datetime(2026, 3, 7, 15, tzinfo=UTC)),
    ("America/New_York", datetime(2026, 10, 31, 15, tzinfo=UTC)),
]
FORWARD = [timedelta(seconds=1), timedelta(minutes=1), timedelta(minutes=20), timedelta(hours=1), timedelta(hours=9)]
BACKWARD = [timedelta(seconds=-5), timedelta(minutes=-3), timedelta(hours=-1), timedelta(hours=-26)]


@pytest.mark.parametrize(("zone", "start"), ODD_DAYS, ids=[f"{z}-{s:%m-%d}" for z, s in ODD_DAYS])
def test_whatever_the_clock_says_each_step_fires_once_and_in_time(ticket_of: Make, zone: str, start: datetime) -> None:
    walks, chance, fired, early, wrong = count(2, 60), random.Random(f"{zone}{start}"), 0, 0, 0
    Calendar.objects.update(timezone=zone)
    forget_rulebook()

    for _walk in range(walks):
        reported = start + timedelta(minutes=chance.randrange(36 * 60))
        tickets = [ticket_of(priority, reported_at=reported) for priority in (1, 2, 3, 4)]
        at, latest = reported, reported
        while latest < reported + timedelta(days=6):
            at += chance.choice(FORWARD if chance.random() < 0.8 else BACKWARD)
            if at > latest:
                latest = at
            sla.fire_due(at)
        sla.fire_due(reported + timedelta(days=60))

        for clock in Clock.objects.filter(ticket__in=tickets).select_related("calendar"):
            alerts = list(Alert.objects.filter(clock=clock))
            fired += len(alerts)
            early += sum(alert.at < alert.due_at for alert in alerts)
            assert [alert.due_at for alert in alerts if alert.step == "breach"] == [clock.due_at], clock
            model = Model(rulebook().calendar(clock.calendar_id))
            wrong += clock.due_at != model.due(clock.started_at, clock.target_minutes, [])

    note(
        f"clock jumps, {zone} from {start:%m-%d}",
        tried=walks * 4,
        acknowledged=fired,
        lost=0,
        doubled=0,
        early=early,
        other_than_model=wrong,
    )
    assert (early, wrong) == (0, 0)
