"""A report taken by phone, and the ward's own page."""

import re
import uuid

import pytest
from django.utils.html import escape

from assets.models import FaultPreset
from tests.tickets.desk import stories
from tickets.models import Ticket


def test_the_caller_reads_out_a_code_or_says_what_it_is(ventilator, monitor, dispatcher, signed_in):
    client = signed_in(dispatcher)

    def found(text):
        return [row.pk for row in client.get("/desk/tickets/new/", {"q": text}).context["devices"]]

    assert found(ventilator.asset_no) == [ventilator.pk]
    assert found("呼吸机") == [ventilator.pk]
    assert found("重症 HV") == [ventilator.pk]
    assert found("普外 HV") == []
    assert "没有找到这台设备" in client.get("/desk/tickets/new/", {"q": "zzz"}).content.decode()


def test_a_report_by_phone_is_one_ticket_however_often_sent(ventilator, stopped, dispatcher, signed_in):
    client, key = signed_in(dispatcher), str(uuid.uuid4())
    body = {
        "device": ventilator.public_id,
        "in_use": "yes",
        "preset": stopped.pk,
        "client_id": key,
        "contact_ext": "8121",
    }

    answers = [client.post("/desk/tickets/new/", body) for _n in range(2)]

    ticket = Ticket.objects.get()
    assert [answer["Location"] for answer in answers] == [f"/desk/tickets/{ticket.public_id}/"] * 2
    assert (ticket.source, ticket.priority, ticket.reporter, ticket.contact_ext) == (
        "phone",
        1,
        dispatcher.person,
        "8121",
    )


def test_another_report_with_a_used_form_is_refused_and_kept(ventilator, stopped, dispatcher, signed_in):
    client = signed_in(dispatcher)
    body = {"device": ventilator.public_id, "in_use": "no", "preset": stopped.pk, "client_id": str(uuid.uuid4())}
    client.post("/desk/tickets/new/", body)

    refused = client.post("/desk/tickets/new/", body | {"in_use": "yes", "description": "现在冒烟"})

    page = refused.content.decode()
    assert refused.status_code == 409
    assert "这张表已经登记过一张单" in page
    assert "现在冒烟" in page
    assert (Ticket.objects.get().in_use, Ticket.objects.get().description) == (False, "")
    fresh = re.search(r'name="client_id" value="([^"]+)"', page)[1]
    client.post("/desk/tickets/new/", body | {"in_use": "yes", "description": "现在冒烟", "client_id": fresh})
    assert [t.description for t in Ticket.objects.order_by("pk")] == ["", "现在冒烟"]


def test_what_is_missing_is_said_and_nothing_is_made(ventilator, dispatcher, signed_in):
    body = {"device": ventilator.public_id, "client_id": str(uuid.uuid4()), "description": "冒烟"}

    answer = signed_in(dispatcher).post("/desk/tickets/new/", body)

    assert answer.status_code == 422
    assert "冒烟" in answer.content.decode()
    assert not Ticket.objects.exists()


def test_the_fault_is_asked_for_where_there_are_faults_to_choose_from(ventilator, stopped, dispatcher, signed_in):
    client, body = signed_in(dispatcher), {"device": ventilator.public_id, "in_use": "yes"}

    refused = client.post("/desk/tickets/new/", body | {"client_id": str(uuid.uuid4())})

    assert refused.status_code == 422
    assert refused.context["form"].errors == {"preset": ["还没选哪里坏了。点一项，或点“其他”"]}
    assert 'class="errt" id="id_preset"' in refused.content.decode()
    assert not Ticket.objects.exists()
    FaultPreset.objects.filter(group=ventilator.type.group).update(active=False)
    assert client.post("/desk/tickets/new/", body | {"client_id": str(uuid.uuid4())}).status_code == 302


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("not a phone <b>", "只收数字、空格和 + - # *"),
        ("--", "只收数字、空格和 + - # *"),
        ("8120，张", "只收数字、空格和 + - # *"),
        ("+86 10 8120 8120", "分机最多 13 位，现在有 16 位"),
    ],
)
def test_an_extension_that_nobody_can_dial_is_refused_and_kept(typed, said, ventilator, stopped, dispatcher, signed_in):
    body = {"device": ventilator.public_id, "in_use": "no", "preset": stopped.pk, "client_id": str(uuid.uuid4())}

    refused = signed_in(dispatcher).post("/desk/tickets/new/", body | {"contact_ext": typed})

    assert refused.status_code == 422
    assert said in " ".join(refused.context["form"].errors["contact_ext"])
    assert f'value="{escape(typed)}"' in refused.content.decode()
    assert not Ticket.objects.exists()


@pytest.mark.parametrize("typed", ["", "8120", "+86 1012#45*", "0571-8720 11"])
def test_an_extension_that_can_be_dialled_is_kept_as_it_is(typed, ventilator, stopped, dispatcher, signed_in):
    body = {"device": ventilator.public_id, "in_use": "no", "preset": stopped.pk, "client_id": str(uuid.uuid4())}

    signed_in(dispatcher).post("/desk/tickets/new/", body | {"contact_ext": typed})

    assert Ticket.objects.get().contact_ext == typed or not typed


@pytest.mark.parametrize("who", ["nurse", "engineer"])
def test_only_the_desk_takes_reports_by_phone(who, request, signed_in, ventilator):
    user = request.getfixturevalue(who)

    assert signed_in(user).post("/desk/tickets/new/", {"device": ventilator.public_id}).status_code == 403
    assert not Ticket.objects.exists()


def test_a_ward_sees_its_own_tickets_and_devices(ventilator, stopped, monitor, spo2, nurse, dispatcher, signed_in, now):
    ours, theirs = stories.reported(ventilator, stopped, now), stories.reported(monitor, spo2, now)

    page = signed_in(nurse).get("/ward/").content.decode()

    assert f"/t/{ours.tracking_token}/" in page
    assert theirs.tracking_token not in page
    assert monitor.asset_no not in page
    assert signed_in(dispatcher).get("/ward/").status_code == 403


def test_home_is_where_each_role_works(nurse, engineer, dispatcher, signed_in, client):
    homes = [signed_in(user).get("/")["Location"] for user in (nurse, engineer, dispatcher)]

    assert homes == ["/ward/", "/field/", "/desk/"]
    assert client.get("/")["Location"].startswith("/accounts/login/")


def test_a_ward_finds_its_device_by_a_word(ventilator, nurse, signed_in):
    stories.another(ventilator, asset_no="ICU-9999")

    found = signed_in(nurse).get("/ward/", {"q": "icu-9999 呼吸"}).context["devices"]

    assert [row["device"].asset_no for row in found] == ["ICU-9999"]
