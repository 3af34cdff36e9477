"""Who hears of comments and of a ward that asks again and again."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import transaction

from config.kernel.events import publish
from integrations.models import Notification
from integrations.notifications import queries
from tickets import events as said
from tickets.lifecycle import services as lifecycle
from tickets.record import services as record
from tickets.record.queries import envelope

MINUTE = timedelta(minutes=1)


@pytest.fixture
def ticket(monitor, spo2, engineer, dispatcher, now):
    """In the engineer's hands."""
    made = lifecycle.submit(device=monitor, preset=spo2, by=None, at=now)
    lifecycle.assign(made, to=engineer, by=dispatcher, at=now)
    made.refresh_from_db()
    return made


def told(user, template):
    return Notification.objects.filter(user=user, template=template).count()


@pytest.mark.parametrize(("count", "times"), [(1, 0), (2, 0), (3, 1), (4, 1)])
def test_the_third_nudge_reaches_people_once(count, times, ticket, engineer, dispatcher, now):
    for _twice in range(2):
        with transaction.atomic():
            publish(said.TicketNudged(**envelope(ticket), at=now, by="qr", count=count))

    assert (told(engineer, "nudged"), told(dispatcher, "nudged")) == (times, times)


def test_a_public_comment_reaches_followers_but_not_its_author(ticket, nurse, outsider, engineer, now):
    record.watch(ticket, by=outsider.person, client_id=uuid4(), at=now)

    record.comment(ticket, text="配件到了", by=engineer, at=now + MINUTE)

    assert (told(outsider, "commented"), told(engineer, "commented"), told(nurse, "commented")) == (1, 0, 0)


def test_a_private_comment_stays_in_the_department(ticket, outsider, engineer, dispatcher, now):
    record.watch(ticket, by=outsider.person, client_id=uuid4(), at=now)

    record.comment(ticket, text="厂家说下周", by=dispatcher, at=now + MINUTE, public=False)

    assert (told(outsider, "commented"), told(engineer, "commented")) == (0, 1)
    shown = queries.shown(Notification.objects.filter(user=engineer, template="commented"), engineer)
    assert "有新留言" in shown[0].title
    assert "厂家" not in shown[0].title + shown[0].body
