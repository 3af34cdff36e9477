"""From the scan to a ticket, without a script, an account or a CSRF cookie."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.conf import settings

from assets.models import Device, User
from assets.register import services as register
from assets.register.queries import token_of
from assets.register.rules import new_short_code
from config.kernel.models import EventRecord
from tests import factories
from tests.tickets.ward.conftest import Phone, ticket_of
from tickets.lifecycle import services as lifecycle
from tickets.models import Ticket
from tickets.record.models import Watcher
from tickets.ward.rules import WRONG_CODES

pytestmark = pytest.mark.django_db


def test_three_taps_make_a_classified_ticket(phone: Phone, ventilator: Device) -> None:
    client_id = uuid.uuid4()

    answer = phone.send(ventilator, client_id=str(client_id), danger=["smoke", "leak"], description="床旁")

    ticket = Ticket.objects.get()
    assert answer.status_code == 303
    assert answer["Location"] == f"/t/{ticket.watchers.get().token}/"
    assert (ticket.device, ticket.symptom, ticket.in_use, ticket.danger) == (
        ventilator, "ventilator-stopped", True, ["leak", "smoke"],
    )  # fmt: skip
    assert (ticket.state, ticket.priority, ticket.impact, ticket.source) == ("triaged", 1, "I1", "scan")
    assert (ticket.client_id, ticket.reporter, ticket.needs_callback) == (client_id, None, False)
    assert ticket.description == "床旁"


def test_a_danger_sign_stops_the_device_at_once(phone: Phone, ventilator: Device) -> None:
    phone.report(ventilator, in_use="no", danger=["shock"])

    ventilator = Device.objects.get(pk=ventilator.pk)
    page = phone.scan(ventilator).content.decode()
    assert ventilator.status == "fault"
    assert "停用，请勿使用" in page
    assert 'name="symptom"' in page  # reporting stays possible


def test_the_contracts_fields_are_enough(phone: Phone, ventilator: Device) -> None:
    answer = phone.client.post(
        f"/q/{token_of(ventilator)}/", {"in_use": "no", "symptom": "ventilator-stopped", "client_id": str(uuid.uuid4())}
    )

    assert answer.status_code == 303
    assert Ticket.objects.get().in_use is False


def test_the_same_client_id_twice_is_one_report(phone: Phone, ventilator: Device) -> None:
    client_id = str(uuid.uuid4())

    first = phone.report(ventilator, client_id=client_id)
    again = phone.report(ventilator, client_id=client_id)

    assert again == first
    assert (Ticket.objects.count(), Watcher.objects.count()) == (1, 1)
    assert EventRecord.objects.filter(type="TicketSubmitted").count() == 1


def test_answers_changed_after_a_lost_answer_count(phone: Phone, ventilator: Device) -> None:
    client_id = str(uuid.uuid4())
    first = phone.report(ventilator, client_id=client_id, in_use="no", symptom="ventilator-other")
    assert (ticket_of(first).priority, ventilator.usable) == (2, True)

    again = phone.report(ventilator, client_id=client_id, in_use="yes", danger=["smoke"], description="冒烟了")
    phone.report(ventilator, client_id=client_id, in_use="yes", danger=["smoke"], description="冒烟了")

    ticket = ticket_of(first)
    assert again == first
    assert (ticket.in_use, ticket.danger, ticket.impact, ticket.priority) == (True, ["smoke"], "I1", 1)
    assert Device.objects.get(pk=ventilator.pk).status == "fault"
    assert [row.text for row in ticket.comments.all()] == ["报修人改了回答：冒烟 / 焦味、正在用于患者、停机、冒烟了"]
    assert (Ticket.objects.count(), Watcher.objects.count()) == (1, 1)


def test_answers_changed_to_the_better_change_nothing(phone: Phone, ventilator: Device) -> None:
    client_id = str(uuid.uuid4())
    phone.report(ventilator, client_id=client_id, danger=["smoke"])

    phone.report(ventilator, client_id=client_id, in_use="no")

    ticket = Ticket.objects.get()
    assert (ticket.in_use, ticket.danger, ticket.priority) == (True, ["smoke"], 1)
    assert not ticket.comments.filter(text__startswith="报修人").exists()


def test_a_form_sent_again_after_its_report_has_ended_opens_another_ticket_once(
    phone: Phone, ventilator: Device, dispatcher: User, now: datetime
) -> None:
    client_id = str(uuid.uuid4())
    first = phone.report(ventilator, client_id=client_id, in_use="no", symptom="ventilator-other")
    phone.do(first, "withdraw")

    # she went back to the page that she had sent
    second = phone.report(ventilator, client_id=client_id, danger=["smoke"])
    again = phone.report(ventilator, client_id=client_id, danger=["smoke"])
    lifecycle.cancel(ticket_of(second), by=dispatcher, at=now, reason="误报")
    third = phone.report(ventilator, client_id=client_id, danger=["smoke"])

    assert again == second
    assert len({first, second, third}) == 3
    assert [(t.state, t.danger, t.priority) for t in Ticket.objects.order_by("pk")] == [
        ("cancelled", [], 2),
        ("cancelled", ["smoke"], 1),
        ("triaged", ["smoke"], 1),
    ]


def test_a_client_id_used_on_another_device_still_reports_this_one(
    phone: Phone, ventilator: Device, monitor: Device
) -> None:
    client_id = str(uuid.uuid4())

    first = phone.report(ventilator, client_id=client_id)
    second = phone.report(monitor, client_id=client_id, symptom="monitor-spo2")

    assert ticket_of(first).device == ventilator
    assert ticket_of(second).device == monitor
    assert phone.report(monitor, client_id=client_id, symptom="monitor-spo2") == second


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"in_use": None}, "还没选是否正在给患者使用"),
        ({"symptom": None}, "还没选哪里坏了。点一项，或点“其他”"),
        ({"symptom": "monitor-spo2"}, "还没选哪里坏了。点一项，或点“其他”"),
    ],
)
def test_what_is_missing_is_said_and_the_rest_is_kept(
    phone: Phone, ventilator: Device, monitor: Device, fields: dict[str, str | None], sentence: str
) -> None:
    answer = phone.send(ventilator, danger=["smoke"], **fields)

    page = answer.content.decode()
    assert answer.status_code == 422
    assert sentence in page
    assert 'value="smoke" checked' in page
    if "in_use" not in fields:
        assert 'value="yes" checked' in page
    assert (Ticket.objects.count(), EventRecord.objects.count()) == (0, 0)


def test_an_unknown_danger_is_refused(phone: Phone, ventilator: Device) -> None:
    assert phone.send(ventilator, danger=["aliens"]).status_code == 422
    assert Ticket.objects.count() == 0


def test_personal_numbers_are_masked_before_they_are_stored(phone: Phone, ventilator: Device) -> None:
    phone.report(ventilator, description="家属电话 13912345678")

    assert Ticket.objects.get().description == "家属电话 ＊＊＊"


@pytest.mark.parametrize("token", ["x", "t2.AAAAAAAAAAAAAAAAAAAAAA.1.AAAAAAAAAAAAAAAAAAAAAA", "a" * 300])
def test_a_forged_code_leads_on_kindly(phone: Phone, rules: None, token: str) -> None:
    answer = phone.client.get(f"/q/{token}/")

    page = answer.content.decode()
    assert answer.status_code == 404
    assert 'href="/q/"' in page
    assert f"tel:{settings.HOSPITAL_PHONE}" in page


def test_a_revoked_label_stops_working_and_the_short_code_does_not(
    phone: Phone, ventilator: Device, manager: User, now: object
) -> None:
    old = token_of(ventilator)

    register.rotate_qr(ventilator, by=manager, at=now)

    assert phone.client.get(f"/q/{old}/").status_code == 404
    assert phone.client.post(f"/q/{old}/", {"in_use": "yes", "symptom": "ventilator-stopped"}).status_code == 404
    assert Ticket.objects.count() == 0
    code = new_short_code(lambda symbols: symbols[3])
    Device.objects.filter(pk=ventilator.pk).update(short_code=code)
    answer = phone.client.post("/q/", {"code": f" {code[:3]}-{code[3:].lower()} "})
    assert answer.status_code == 303
    assert phone.client.get(answer["Location"]).status_code == 200


def test_a_mistyped_short_code_is_said_and_kept(phone: Phone, ventilator: Device) -> None:
    answer = phone.client.post("/q/", {"code": "7K3Q9Z"})

    assert answer.status_code == 422
    assert "没有这个短码" in answer.content.decode()
    assert 'value="7K3Q9Z"' in answer.content.decode()


def test_whoever_guesses_short_codes_is_stopped_before_a_right_one(phone: Phone, ventilator: Device) -> None:
    code = new_short_code(lambda symbols: symbols[3])
    Device.objects.filter(pk=ventilator.pk).update(short_code=code)
    wrong = [phone.client.post("/q/", {"code": "7K3Q9F"}).status_code for _n in range(WRONG_CODES)]

    stopped = phone.client.post("/q/", {"code": code})
    elsewhere = phone.client.post("/q/", {"code": code}, REMOTE_ADDR="10.0.0.9")

    assert wrong == [422] * WRONG_CODES
    assert (stopped.status_code, stopped["Retry-After"]) == (429, "600")
    assert f"tel:{settings.HOSPITAL_PHONE}" in stopped.content.decode()
    assert elsewhere.status_code == 303
    assert phone.scan(ventilator).status_code == 200


def test_right_codes_may_be_typed_all_day(phone: Phone, ventilator: Device) -> None:
    code = new_short_code(lambda symbols: symbols[3])
    Device.objects.filter(pk=ventilator.pk).update(short_code=code)

    answers = {phone.client.post("/q/", {"code": code}).status_code for _n in range(WRONG_CODES + 5)}

    assert answers == {303}


def test_a_retired_device_takes_no_report(phone: Phone, ventilator: Device) -> None:
    Device.objects.filter(pk=ventilator.pk).update(status="retired")

    answer = phone.send(ventilator)

    assert answer.status_code == 410
    assert "已报废" in answer.content.decode()
    assert Ticket.objects.count() == 0


def test_tiles_stand_in_the_order_of_the_wards_own_counts(
    phone: Phone, ventilator: Device, nurse: User, now: object
) -> None:
    group = ventilator.type.group
    leak = factories.preset(group, "ventilator-leak", "漏气", category="leak", order=5)
    factories.preset(group, "ventilator-other", "其他\n说不清")
    group.presets.filter(code="ventilator-other").update(category="other")
    other = factories.device(ventilator.department, ventilator.type)

    before = _tiles(phone, ventilator)
    lifecycle.submit(device=other, preset=leak, by=nurse, at=now - timedelta(days=1))

    assert before == ["ventilator-stopped", "ventilator-leak", "ventilator-other"]
    assert _tiles(phone, ventilator) == ["ventilator-leak", "ventilator-stopped", "ventilator-other"]


def _tiles(phone: Phone, device: Device) -> list[str]:
    page = phone.scan(device).content.decode()
    return [part.split('"')[0] for part in page.split('name="symptom" value="')[1:]]


def test_the_page_speaks_both_languages_and_remembers(phone: Phone, ventilator: Device) -> None:
    assert "发送报修" in phone.scan(ventilator).content.decode()

    english = phone.scan(ventilator, lang="en").content.decode()
    after = phone.scan(ventilator).content.decode()

    assert "Send report" in english
    assert "Send report" in after
    assert '<html lang="en"' in after


def test_no_page_of_the_ward_is_kept_indexed_or_told_on(new_phone: Callable[[], Phone], ventilator: Device) -> None:
    phone = new_phone()
    token = phone.report(ventilator)

    for answer in (phone.scan(ventilator), phone.follow(token), phone.client.get("/q/x/")):
        assert answer["Referrer-Policy"] == "no-referrer"
        assert answer["X-Robots-Tag"] == "noindex, nofollow"
        assert "no-store" in answer["Cache-Control"]
