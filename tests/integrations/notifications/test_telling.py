"""Who is told of what, once, in their own language; mail is a job that keeps its failures."""

from datetime import timedelta
from smtplib import SMTPException

import pytest
from django.core import mail
from django.db import transaction
from django.utils import translation
from django_q.models import OrmQ

from config.kernel.events import publish
from config.kernel.models import Timer
from dispatch.events import NobodyAvailable
from integrations.models import Delivery, Notification
from integrations.notifications import jobs, queries
from integrations.notifications.services import mark_read, notify
from tests import factories
from tickets import events as said
from tickets.lifecycle import services as lifecycle
from tickets.record.queries import envelope


@pytest.fixture
def ticket(ventilator, stopped, now):
    return lifecycle.submit(device=ventilator, preset=stopped, in_use=True, by=None, at=now)


def told(user):
    return list(Notification.objects.filter(user=user).order_by("pk").values_list("template", "level", "sound"))


def announce(event):
    with transaction.atomic():
        publish(event)


def test_the_engineer_hears_of_a_p1_by_sound_and_mail(ticket, engineer, dispatcher, now):
    lifecycle.assign(ticket, to=engineer, by=dispatcher, at=now)

    assert told(engineer) == [("assigned", "urgent", True)]
    assert Delivery.objects.get().notification.user == engineer
    assert any("send_email" in str(task.task) for task in OrmQ.objects.all())


def test_a_plain_assignment_sends_no_mail(monitor, spo2, engineer, dispatcher, now):
    calm = lifecycle.submit(device=monitor, preset=spo2, by=None, at=now)

    lifecycle.assign(calm, to=engineer, by=dispatcher, at=now)

    assert told(engineer) == [("assigned", "info", True)]
    assert not Delivery.objects.exists()


def test_whoever_loses_a_ticket_is_told(ticket, engineer, colleague, dispatcher, now):
    lifecycle.assign(ticket, to=engineer, by=dispatcher, at=now)

    lifecycle.assign(ticket, to=colleague, by=dispatcher, at=now + timedelta(minutes=1), reason="换人")

    assert [template for template, _level, _sound in told(engineer)] == ["assigned", "taken"]
    assert ("assigned", "urgent", True) in told(colleague)


@pytest.mark.parametrize(
    ("tell", "heard"), [("assignee", "dispatcher"), ("head", "manager"), ("ward", "nurse"), ("director", "manager")]
)
def test_a_rung_reaches_the_role_it_names(ticket, dispatcher, manager, nurse, outsider, now, tell, heard):
    announce(
        said.EscalationRaised(**envelope(ticket), at=now, metric="response", due=now, tell=tell, urgent=True, rung=7)
    )

    assert {row.user.username for row in Notification.objects.all()} == {heard}
    assert Notification.objects.get().params["tell"] == tell


def test_the_second_line_is_who_is_on_call_and_otherwise_the_lead(ticket, dispatcher, engineer, colleague, now):
    from dispatch.models import Shift

    Shift.objects.filter(engineer=colleague.engineer).update(presence="on_call")
    rung = {"metric": "response", "due": now, "tell": "secondary", "urgent": True}
    announce(said.EscalationRaised(**envelope(ticket), at=now, rung=1, **rung))
    assert [row.user for row in Notification.objects.all()] == [colleague]

    Shift.objects.all().delete()
    engineer.engineer.is_lead = True
    engineer.engineer.save()
    announce(said.EscalationRaised(**envelope(ticket), at=now, rung=2, **rung))
    assert told(engineer) == [("escalation", "urgent", True)]


def test_one_fact_tells_one_person_once(ticket, dispatcher, now):
    fact = said.SlaBreached(**envelope(ticket), at=now, metric="arrival", due=now)
    announce(fact)
    announce(fact)

    assert told(dispatcher) == [("breached", "warning", True)]


def test_the_ward_is_asked_to_verify_and_no_other_ward(ticket, nurse, outsider, now):
    announce(said.VerificationRequested(**envelope(ticket), at=now))

    assert told(nurse) == [("verify", "info", False)]
    assert told(outsider) == []


def test_nobody_available_is_said_once_an_hour(ticket, dispatcher, now):
    for minutes in (0, 1, 5, 61):
        announce(NobodyAvailable(**envelope(ticket), at=now + timedelta(minutes=minutes)))

    assert len(told(dispatcher)) == 2


def test_a_disabled_account_hears_nothing(ticket, dispatcher, now):
    dispatcher.is_active = False
    dispatcher.save()

    assert notify([dispatcher], template="nobody", subject="", at=now, dedup="x") == 0
    assert told(dispatcher) == []


def test_a_rolled_back_fact_tells_nobody(ticket, dispatcher, now):
    with transaction.atomic():
        publish(said.SlaBreached(**envelope(ticket), at=now, metric="arrival", due=now))
        transaction.set_rollback(True)

    assert told(dispatcher) == []


def test_messages_are_worded_when_read(ticket, engineer, dispatcher, now):
    lifecycle.assign(ticket, to=engineer, by=dispatcher, at=now)
    row = Notification.objects.get()

    with translation.override("zh-hans"):
        [shown] = queries.shown([row], engineer)

    assert shown.title == f"P1 派给你：{ticket.short_number}"
    assert "HV-300" in shown.body
    assert ticket.public_id in shown.url
    assert "李" not in str(row.params)


def test_the_ward_is_led_to_its_tracking_page(ticket, nurse, now):
    announce(said.VerificationRequested(**envelope(ticket), at=now))

    [shown] = queries.shown(Notification.objects.all(), nurse)

    assert shown.url == f"/t/{ticket.tracking_token}/"


def test_reading_up_to_a_message_leaves_newer_ones(dispatcher, now):
    for n in range(3):
        notify([dispatcher], template="nobody", subject="", at=now, dedup=str(n))
    rows = list(Notification.objects.order_by("pk"))

    assert mark_read(dispatcher, at=now, up_to=rows[1].pk) == 2
    assert list(queries.unread(dispatcher)) == [rows[2]]


def delivery(user, now):
    notify(
        [user],
        template="nobody",
        subject="",
        at=now,
        dedup="mail",
        email=True,
        params={"number": "WX-0031", "priority": 1},
    )
    return Delivery.objects.get()


def test_mail_goes_out_once(dispatcher, now):
    waiting = delivery(dispatcher, now)

    assert jobs.send_email(waiting.pk) == "sent"
    assert jobs.send_email(waiting.pk) == "nothing to do"

    assert [letter.to for letter in mail.outbox] == [["dispatcher@example.test"]]
    assert "0031" in mail.outbox[0].subject


def test_failed_mail_is_tried_again_and_then_kept_with_its_reason(dispatcher, now, monkeypatch):
    def refuse(*_args, **_more):
        raise SMTPException("no relay")

    monkeypatch.setattr(jobs, "send_mail", refuse)
    waiting = delivery(dispatcher, now)

    assert jobs.send_email(waiting.pk) == "failed"
    assert Timer.objects.filter(key=f"email:{waiting.pk}").exists()
    for _try in range(jobs.MOST_ATTEMPTS - 1):
        jobs.send_email(waiting.pk)

    waiting.refresh_from_db()
    assert (waiting.state, waiting.attempts, waiting.last_error) == (
        "failed",
        jobs.MOST_ATTEMPTS,
        "SMTPException: no relay",
    )


def test_a_message_without_a_subject_leads_nowhere(dispatcher, now):
    notify([dispatcher], template="nobody", subject="ticket:gone", at=now, dedup="gone")

    assert queries.shown(Notification.objects.all(), dispatcher)[0].url == ""


def test_wording_costs_two_queries_however_many(ticket, engineer, dispatcher, now, django_assert_num_queries):
    for n in range(10):
        notify([dispatcher], template="nobody", subject=f"ticket:{ticket.public_id}", at=now, dedup=str(n))
    rows = list(queries.own(dispatcher))

    with django_assert_num_queries(1):
        assert len(queries.shown(rows, dispatcher)) == 10


def test_accounts_without_an_address_get_no_mail(now, db):
    silent = factories.user("silent", "dispatcher")
    silent.email = ""
    silent.save()

    notify([silent], template="nobody", subject="", at=now, dedup="x", email=True)

    assert not Delivery.objects.exists()
