"""The bell and the list of messages belong to one person."""

import pytest

from integrations.models import Notification
from integrations.notifications.services import notify
from tickets.lifecycle import services as lifecycle


@pytest.fixture
def message(dispatcher, now):
    words = {"number": "WX-0031", "priority": 1}
    notify([dispatcher], template="nobody", subject="", at=now, dedup="1", sound=True, params=words)
    return Notification.objects.get()


def test_strangers_are_sent_to_sign_in(client, db):
    for path in ("/notifications/", "/notifications/_bell/"):
        assert client.get(path).status_code == 302


def test_the_bell_counts_and_sounds_for_its_owner_only(message, signed_in, dispatcher, manager):
    mine, other = signed_in(dispatcher), signed_in(manager)

    assert f'data-loud="{message.pk}"' in mine.get("/notifications/_bell/").content.decode()
    assert "data-unread" not in other.get("/notifications/_bell/").content.decode()


def test_reading_all_silences_the_bell(message, signed_in, dispatcher):
    browser = signed_in(dispatcher)
    assert "0031" in browser.get("/notifications/").content.decode()

    assert browser.post("/notifications/read/", {"up_to": message.pk}).status_code == 302

    assert "data-unread" not in browser.get("/notifications/_bell/").content.decode()


def test_following_reads_one_and_leads_to_the_ticket(ventilator, stopped, engineer, dispatcher, signed_in, now):
    ticket = lifecycle.submit(device=ventilator, preset=stopped, by=None, at=now)
    lifecycle.assign(ticket, to=engineer, by=dispatcher, at=now)
    row = Notification.objects.get(user=engineer)

    answer = signed_in(engineer).post(f"/notifications/{row.pk}/")

    assert answer.status_code == 302
    assert ticket.public_id in answer.url
    row.refresh_from_db()
    assert row.read_at is not None


def test_somebody_elses_message_is_not_there(message, signed_in, manager):
    assert signed_in(manager).post(f"/notifications/{message.pk}/").status_code == 404


def test_many_messages_cost_no_more_queries(dispatcher, signed_in, now, django_assert_max_num_queries):
    for n in range(60):
        notify(
            [dispatcher], template="nobody", subject="", at=now, dedup=str(n), params={"number": "WX-1", "priority": 1}
        )
    browser = signed_in(dispatcher)

    with django_assert_max_num_queries(7):
        page = browser.get("/notifications/").content.decode()

    assert page.count('class="note') == 50
    assert "?before=" in page
