"""The desk calls people together: those who are here, at once, and only the desk may."""

import pytest
from django.utils import timezone, translation

from integrations.models import Notification
from integrations.notifications import queries
from tests import factories
from tickets.lifecycle import services as lifecycle


@pytest.fixture
def on_shift(rules):
    return factories.engineer("sun", at=timezone.now(), name="孙立")


@pytest.fixture
def ticket(ventilator, stopped):
    return lifecycle.submit(device=ventilator, preset=stopped, by=None, at=timezone.now())


def test_everybody_on_shift_hears_the_sentence(dispatcher, on_shift, signed_in):
    factories.engineer("off", at=timezone.now(), on_shift=False)

    answer = signed_in(dispatcher).post("/notifications/call/", {"who": "shift", "text": "手术楼停电，到设备科集合"})

    assert answer.status_code == 302
    [row] = Notification.objects.all()
    assert (row.user, row.sound, row.level) == (on_shift, True, "urgent")
    with translation.override("zh-hans"):
        [shown] = queries.shown([row], on_shift)
    assert shown.title == "周敏 通知"
    assert shown.body == "手术楼停电，到设备科集合"


def test_the_lead_is_called_about_a_ticket_and_the_log_holds_no_name(dispatcher, on_shift, ticket, signed_in):
    on_shift.engineer.is_lead = True
    on_shift.engineer.save()

    answer = signed_in(dispatcher).post("/notifications/call/", {"who": "lead", "ticket": ticket.public_id})

    assert ticket.public_id in answer.url
    row = Notification.objects.get(user=on_shift)
    assert "周敏" not in str(row.params)
    with translation.override("zh-hans"):
        assert queries.shown([row], on_shift)[0].title == f"周敏 叫你：P{ticket.priority} {ticket.short_number}"


def test_personal_numbers_are_masked(dispatcher, on_shift, signed_in):
    signed_in(dispatcher).post("/notifications/call/", {"who": "shift", "text": "患者 13812345678 找你"})

    assert "13812345678" not in str(Notification.objects.get().params)


@pytest.mark.parametrize(
    "given",
    [{"who": "shift"}, {"who": "everybody", "text": "来"}, {"text": "来"}, {"who": "shift", "text": "长" * 101}],
)
def test_what_cannot_be_sent_stays_on_the_page(dispatcher, on_shift, signed_in, given):
    answer = signed_in(dispatcher).post("/notifications/call/", given)

    assert answer.status_code == 400
    assert given.get("text", "")[:100] in answer.content.decode()
    assert not Notification.objects.exists()


def test_an_empty_shift_is_said(dispatcher, signed_in):
    answer = signed_in(dispatcher).post(
        "/notifications/call/", {"who": "shift", "text": "来"}, headers={"accept-language": "zh"}
    )

    assert answer.status_code == 400
    assert "现在没有可通知的人" in answer.content.decode()


def test_only_the_desk_may_call(nurse, on_shift, signed_in, client):
    for user in (nurse, on_shift):
        assert signed_in(user).post("/notifications/call/", {"who": "shift", "text": "来"}).status_code == 403
    assert client.get("/notifications/call/").status_code == 302
