"""The tracking page: what its token opens, what it does, and what it never shows."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from typing import Any
from uuid import uuid4

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from PIL import Image

from assets.models import Device, FaultPreset, User
from assets.register.queries import token_of
from config.kernel.models import EventRecord
from tests import factories
from tests.tickets.ward.conftest import Phone, accepted, repaired, ticket_of
from tickets.lifecycle import services as lifecycle
from tickets.models import Ticket
from tickets.record import services as record
from tickets.ward import queries
from tickets.ward.rules import NOTES

pytestmark = pytest.mark.django_db

SHOWN = {
    "number", "full_number", "device", "fault", "reported_at", "state", "open", "repaired", "closed", "ended_word",
    "withdrawable", "again", "named", "headline", "eta_minutes", "eta_at", "latest", "stops", "first_aid", "backup", "backup_running",
    "backup_minutes", "needs_callback", "life_support", "rating", "phone", "photos", "voices", "notes", "returned",
}  # fmt: skip
VERBS = ("add", "file", "nudge", "withdraw", "confirm", "dispute", "rate", "name")


def test_the_receipt_puts_the_patient_first(phone: Phone, ventilator: Device, icu: Any) -> None:
    Device.objects.filter(pk=ventilator.pk).update(backup_group="vent")
    spare = factories.device(icu, ventilator.type, backup_group="vent", asset_no="ICU-0388")

    page = phone.follow(phone.report(ventilator)).content.decode()

    order = [
        page.index(word) for word in ("已送达", "立即用简易呼吸器手动通气", spare.asset_no, "恢复使用", "方便时再补充")
    ]
    assert order == sorted(order)


def test_without_a_patient_there_is_no_first_aid_card(phone: Phone, ventilator: Device) -> None:
    page = phone.follow(phone.report(ventilator, in_use="no")).content.decode()

    assert "立即用简易呼吸器手动通气" not in page
    assert "恢复使用" in page


def test_it_shows_only_what_is_on_the_list(phone: Phone, ventilator: Device, engineer: User, nurse: User) -> None:
    engineer.extension = "6677"
    engineer.save()
    token = phone.report(ventilator)
    ticket = accepted(ticket_of(token), engineer)
    record.comment(ticket, text="内部：上次也是这块板", by=engineer, at=timezone.now(), public=False)

    page = phone.follow(token).content.decode()

    assert set(queries.tracking(queries.find(token), timezone.now(), token)) == SHOWN
    assert "李工" in page
    for secret in (
        "李志远",
        "6677",
        "上次也是这块板",
        ventilator.serial_no,
        ticket.public_id,
        engineer.person.public_id,
    ):
        assert secret not in page


def test_the_report_page_tells_nothing_about_the_past(
    phone: Phone, ventilator: Device, stopped: FaultPreset, nurse: User
) -> None:
    ticket = lifecycle.submit(device=ventilator, preset=stopped, description="旧的说明", by=nurse, at=timezone.now())
    lifecycle.cancel(ticket, by=nurse, at=timezone.now(), reason="误报")

    page = phone.scan(ventilator).content.decode()

    for secret in ("旧的说明", "误报", ticket.number, ticket.tracking_token, "陈护士", ventilator.serial_no):
        assert secret not in page


@pytest.mark.parametrize("verb", VERBS)
def test_a_foreign_token_does_nothing(phone: Phone, ventilator: Device, monitor: Device, verb: str) -> None:
    mine = ticket_of(phone.report(ventilator))
    rows, facts = _everything(), EventRecord.objects.count()

    answer = phone.do(mine.public_id, verb, text="x", rating="3", name="x")

    assert answer.status_code == 404
    assert (_everything(), EventRecord.objects.count()) == (rows, facts)


def _everything() -> list[dict[str, Any]]:
    return list(Ticket.objects.order_by("pk").values())


def test_an_unknown_verb_is_not_there(phone: Phone, ventilator: Device) -> None:
    assert phone.do(phone.report(ventilator), "reopen").status_code == 404


def test_withdrawn_before_anybody_accepted(phone: Phone, ventilator: Device) -> None:
    token = phone.report(ventilator)

    answer = phone.do(token, "withdraw")

    assert answer.status_code == 303
    assert ticket_of(token).state == "cancelled"
    assert "已撤销" in phone.follow(token).content.decode()


def test_a_report_that_is_taken_back_cancels_nothing_for_the_other(
    new_phone: Callable[[], Phone], ventilator: Device
) -> None:
    first, second = new_phone(), new_phone()
    own, joined = first.report(ventilator, in_use="yes"), second.report(ventilator, in_use="yes")

    answers = [second.do(joined, "withdraw"), second.do(joined, "withdraw")]

    assert [answer.status_code for answer in answers] == [303, 409]
    page = second.client.get(answers[0]["Location"]).content.decode()
    assert "工单继续" in page
    assert "确定撤销" not in page
    assert "确定撤销" in first.follow(own).content.decode()
    ticket = ticket_of(own)
    assert (ticket.state, ticket.comments.filter(text__startswith="一份报修撤回了").count()) == ("triaged", 1)


def test_with_the_last_report_taken_back_the_ticket_is_cancelled(phone: Phone, ventilator: Device) -> None:
    own = phone.report(ventilator)
    again = phone.report(ventilator, client_id=str(uuid4()), same="1")
    assert again != own

    answers = [phone.do(again, "withdraw"), phone.do(own, "withdraw")]

    assert [answer["Location"] for answer in answers] == [f"/t/{again}/?said=kept", f"/t/{own}/?said=withdraw"]
    assert ticket_of(own).state == "cancelled"


def test_a_report_that_is_sent_again_stands_again(new_phone: Callable[[], Phone], ventilator: Device) -> None:
    first, second, client_id = new_phone(), new_phone(), str(uuid4())
    own, joined = first.report(ventilator), second.report(ventilator, client_id=client_id)
    second.do(joined, "withdraw")

    assert second.report(ventilator, client_id=client_id) == joined
    first.do(own, "withdraw")

    assert ticket_of(own).state == "triaged"


def test_the_wards_own_link_takes_back_only_what_one_person_reported(
    new_phone: Callable[[], Phone], ventilator: Device
) -> None:
    first, second = new_phone(), new_phone()
    own, joined = first.report(ventilator), second.report(ventilator)
    link = ticket_of(own).tracking_token

    kept = [first.do(link, "withdraw") for _ in range(2)]
    second.do(joined, "withdraw")
    last = first.do(link, "withdraw")

    assert [answer["Location"] for answer in (*kept, last)] == [
        f"/t/{link}/?said=kept", f"/t/{link}/?said=kept", f"/t/{link}/?said=withdraw",
    ]  # fmt: skip
    ticket = ticket_of(own)
    assert (ticket.state, ticket.comments.filter(text__startswith="一份报修撤回了").count()) == ("cancelled", 2)


def test_a_second_press_within_a_minute_is_said_to_be_one(phone: Phone, ventilator: Device) -> None:
    token = phone.report(ventilator)

    answers = [phone.do(token, "nudge"), phone.do(token, "nudge")]

    assert [answer["Location"] for answer in answers] == [f"/t/{token}/?said=nudge", f"/t/{token}/?said=soon"]
    assert "刚催过" in phone.client.get(answers[1]["Location"]).content.decode()
    assert ticket_of(token).nudges == 1


def test_an_ended_report_leads_to_the_next_one(phone: Phone, ventilator: Device) -> None:
    token = phone.report(ventilator)
    assert "再报一次" not in phone.follow(token).content.decode()

    phone.do(token, "withdraw")

    assert f'href="/q/{token_of(ventilator)}/"' in phone.follow(token).content.decode()


@pytest.mark.parametrize("phone_typed", ["abc不是电话", "1", "--"])
def test_a_phone_without_digits_is_asked_again(phone_typed: str, phone: Phone, ventilator: Device) -> None:
    token = phone.report(ventilator)

    answer = phone.do(token, "name", name="陈", phone=phone_typed)

    assert answer.status_code == 400
    page = answer.content.decode()
    assert "写数字" in page
    assert f'value="{phone_typed}"' in page
    assert 'value="陈"' in page
    assert ticket_of(token).reporter is None


def test_a_refused_step_opened_again_leads_to_the_page(phone: Phone, ventilator: Device) -> None:
    token = phone.report(ventilator)

    answer = phone.client.get(f"/t/{token}/rate/")

    assert (answer.status_code, answer["Location"]) == (302, f"/t/{token}/")


def test_not_withdrawn_once_somebody_is_on_the_way(phone: Phone, ventilator: Device, engineer: User) -> None:
    token = phone.report(ventilator)
    accepted(ticket_of(token), engineer)
    facts = EventRecord.objects.count()

    answer = phone.do(token, "withdraw")

    assert answer.status_code == 409
    assert "已有人接单，不能撤销" in answer.content.decode()
    assert "撤销这次报修" not in answer.content.decode()
    assert ticket_of(token).state == "accepted"
    assert EventRecord.objects.count() == facts


def test_nudges_are_counted_and_end_with_the_repair(phone: Phone, ventilator: Device, engineer: User) -> None:
    token = phone.report(ventilator)

    phone.do(token, "nudge")
    cache.clear()  # a minute later
    phone.do(token, "nudge")
    repaired(ticket_of(token), engineer)
    cache.clear()
    late = phone.do(token, "nudge")

    assert late.status_code == 409
    assert ticket_of(token).nudges == 2


def test_pressing_without_end_is_one_press_and_leaves_the_version_alone(phone: Phone, ventilator: Device) -> None:
    token = phone.report(ventilator)
    before = ticket_of(token).version

    answers = [phone.do(token, "nudge").status_code for _ in range(20)]

    assert answers == [303] * 20
    assert (ticket_of(token).nudges, ticket_of(token).version) == (1, before + 1)
    assert EventRecord.objects.filter(type="TicketNudged").count() == 1


def test_two_phones_press_for_themselves(new_phone: Callable[[], Phone], ventilator: Device) -> None:
    one, other = new_phone(), new_phone()
    tokens = [one.report(ventilator), other.report(ventilator)]

    one.do(tokens[0], "nudge")
    other.do(tokens[1], "nudge")

    assert ticket_of(tokens[0]).nudges == 2


def test_notes_without_end_are_refused_and_the_text_is_kept(phone: Phone, ventilator: Device) -> None:
    token = phone.report(ventilator)
    for n in range(NOTES):
        assert phone.do(token, "add", text=f"补充 {n}").status_code == 303

    refused = phone.do(token, "add", text="第二十一条")

    assert refused.status_code == 409
    assert "有急事请打电话" in refused.content.decode()
    assert ">第二十一条</textarea>" in refused.content.decode()
    assert ticket_of(token).comments.count() == NOTES


@pytest.mark.parametrize(
    ("verb", "name", "most"), [("add", "text", 500), ("dispute", "text", 200), ("name", "name", 40)]
)
def test_what_is_too_long_is_refused_not_cut(
    phone: Phone, monitor: Device, spo2: FaultPreset, engineer: User, verb: str, name: str, most: int
) -> None:
    token = phone.report(monitor, symptom="monitor-spo2")
    if verb == "dispute":
        repaired(ticket_of(token), engineer)
    facts = EventRecord.objects.count()

    refused = phone.do(token, verb, **{name: "长" * (most + 1)})

    assert refused.status_code == 400
    assert f"最多写 {most} 个字，现在有 {most + 1} 个" in refused.content.decode()
    assert EventRecord.objects.count() == facts
    assert phone.do(token, verb, **{name: "长" * most}).status_code == 303


def test_life_support_is_released_by_name_only(phone: Phone, ventilator: Device, engineer: User) -> None:
    token = phone.report(ventilator)
    repaired(ticket_of(token), engineer)

    nameless = phone.do(token, "confirm")
    assert nameless.status_code == 400
    assert ticket_of(token).state == "verifying"

    named = phone.do(token, "confirm", name="陈护士")
    ticket = ticket_of(token)
    assert named.status_code == 303
    assert ticket.state == "closed"
    assert ticket.signatures.get(meaning="accept").signer.name == "陈护士"


def test_still_broken_opens_the_ticket_again(phone: Phone, monitor: Device, spo2: FaultPreset, engineer: User) -> None:
    token = phone.report(monitor, symptom="monitor-spo2")
    repaired(ticket_of(token), engineer)

    phone.do(token, "dispute", text="还是不准")

    ticket = ticket_of(token)
    assert (ticket.state, ticket.reopen_count, ticket.assignee) == ("reopened", 1, None)
    assert ticket.comments.get().text == "还是不准"


def test_one_tap_rates_and_only_after_the_repair(
    phone: Phone, monitor: Device, spo2: FaultPreset, engineer: User
) -> None:
    token = phone.report(monitor, symptom="monitor-spo2")

    assert phone.do(token, "rate", rating="3").status_code == 409
    repaired(ticket_of(token), engineer)
    assert phone.do(token, "rate", rating="9").status_code == 400
    assert ticket_of(token).rating is None
    assert phone.do(token, "rate", rating="2").status_code == 303

    assert ticket_of(token).rating == 2
    assert "已收到评价" in phone.follow(token).content.decode()


def test_a_rating_is_given_once(phone: Phone, monitor: Device, spo2: FaultPreset, engineer: User) -> None:
    token = phone.report(monitor, symptom="monitor-spo2")
    repaired(ticket_of(token), engineer)

    answers = [phone.do(token, "rate", rating=given).status_code for given in "33133"]

    assert answers == [303, 303, 409, 303, 303]
    assert ticket_of(token).rating == 3
    assert EventRecord.objects.filter(type="TicketRated").count() == 1


def test_a_repair_that_did_not_hold_is_rated_anew(
    phone: Phone, monitor: Device, spo2: FaultPreset, engineer: User
) -> None:
    token = phone.report(monitor, symptom="monitor-spo2")
    repaired(ticket_of(token), engineer)
    phone.do(token, "rate", rating="3")

    phone.do(token, "dispute")
    assert ticket_of(token).rating is None
    repaired(ticket_of(token), engineer)

    assert phone.do(token, "rate", rating="1").status_code == 303
    assert ticket_of(token).rating == 1


@pytest.mark.parametrize(("verb", "said"), [("confirm", {}), ("rate", {"rating": "3"})])
def test_an_engineer_does_not_speak_for_the_ward_on_his_own_phone(
    phone: Phone, monitor: Device, spo2: FaultPreset, engineer: User, verb: str, said: dict[str, str]
) -> None:
    token = phone.report(monitor, symptom="monitor-spo2")
    repaired(ticket_of(token), engineer)

    phone.client.force_login(engineer)
    refused = phone.do(token, verb, **said)

    assert refused.status_code == 403
    assert "验收和评价由报修的科室来做" in refused.content.decode()
    assert (ticket_of(token).state, ticket_of(token).rating) == ("verifying", None)


def test_a_note_is_masked_and_an_empty_one_is_refused(phone: Phone, ventilator: Device) -> None:
    token = phone.report(ventilator)

    assert phone.do(token, "add", text="患者身份证 11010519491231002X").status_code == 303
    assert phone.do(token, "add", text="   ").status_code == 400

    note = ticket_of(token).comments.get()
    assert (note.text, note.masked, note.public) == ("患者身份证 ＊＊＊", True, True)
    assert "11010519491231002X" not in phone.follow(token).content.decode()


def test_the_reporters_name_is_kept_apart_from_the_log(phone: Phone, ventilator: Device) -> None:
    token = phone.report(ventilator)

    phone.do(token, "name", name="陈护士", phone="8121; drop")

    reporter = ticket_of(token).reporter
    assert (reporter.name, reporter.phone.strip(), reporter.kind) == ("陈护士", "8121", "reporter")
    assert not any("陈护士" in str(row.data) for row in EventRecord.objects.all())


def _photo(name: str = "IMG_1.jpg", width: int = 64) -> SimpleUploadedFile:
    body = BytesIO()
    Image.new("RGB", (width, 48), "teal").save(body, "JPEG")
    return SimpleUploadedFile(name, body.getvalue(), content_type="image/jpeg")


def test_a_photo_is_painted_anew_and_a_page_is_refused(
    phone: Phone, ventilator: Device, settings: Any, tmp_path: Any
) -> None:
    settings.MEDIA_ROOT = tmp_path
    token = phone.report(ventilator)

    assert phone.do(token, "file", file=_photo()).status_code == 303
    bad = phone.do(token, "file", file=SimpleUploadedFile("a.jpg", b"<html><script>alert(1)</script>"))

    row = ticket_of(token).attachments.get()
    assert bad.status_code == 400
    assert (row.kind, row.content_type) == ("photo", "image/jpeg")
    assert "IMG_1" not in row.file.name


@pytest.mark.parametrize(
    ("chosen", "status", "kept", "said"),
    [
        (3, 303, 3, "已补充"),
        (4, 303, 3, "收下了 3 张。一次最多 3 张，其余请再发一次"),
        (20, 303, 3, "收下了 3 张"),
        (21, 400, 0, "一次最多 3 张照片，没有收下"),
    ],
)
def test_what_is_not_taken_of_many_photos_is_said(
    phone: Phone, ventilator: Device, settings: Any, tmp_path: Any, chosen: int, status: int, kept: int, said: str
) -> None:
    settings.MEDIA_ROOT = tmp_path
    token = phone.report(ventilator)

    answer = phone.do(token, "file", file=[_photo(f"{n}.jpg", 64 + n) for n in range(chosen)])

    page = phone.client.get(answer["Location"]) if status == 303 else answer
    assert (answer.status_code, ticket_of(token).attachments.count()) == (status, kept)
    assert said in page.content.decode()


def test_a_promise_of_another_day_says_its_day(phone: Phone, monitor: Device, spo2: FaultPreset) -> None:
    token = phone.report(monitor, symptom="monitor-spo2", in_use="no")
    due = timezone.now() + timedelta(days=2)
    ticket_of(token).clocks.update(due_at=due)

    page = phone.follow(token).content.decode()

    assert f"最晚 {timezone.localtime(due):%m-%d %H:%M}" in page


def test_the_page_dies_ninety_days_after_the_end(phone: Phone, ventilator: Device) -> None:
    token = phone.report(ventilator)
    phone.do(token, "withdraw")

    Ticket.objects.update(ended_at=timezone.now() - timedelta(days=89))
    assert phone.follow(token).status_code == 200
    Ticket.objects.update(ended_at=timezone.now() - timedelta(days=91))
    assert phone.follow(token).status_code == 404
    assert phone.do(token, "rate", rating="3").status_code == 404


def test_a_poll_that_brings_nothing_new_weighs_nothing(phone: Phone, ventilator: Device) -> None:
    token = phone.report(ventilator)
    first = phone.follow(token)

    again = phone.follow(token, **{"if-none-match": first["ETag"]})
    phone.do(token, "nudge")
    record.comment(ticket_of(token), text="带了备件", by=None, at=timezone.now())
    changed = phone.follow(token, **{"if-none-match": first["ETag"]})

    assert (again.status_code, again.content) == (304, b"")
    assert changed.status_code == 200
    assert "带了备件" in changed.content.decode()


def test_a_mark_in_the_address_claims_nothing_by_itself(phone: Phone, ventilator: Device) -> None:
    token = phone.report(ventilator)

    page = phone.client.get(f"/t/{token}/?said=anything").content.decode()

    assert not re.search(r'class="ban ok', page)


def test_both_languages_leave_no_word_untranslated(new_phone: Callable[[], Phone], ventilator: Device) -> None:
    phone = new_phone()
    phone.scan(ventilator, lang="en")
    token = phone.report(ventilator)

    page = phone.follow(token).content.decode()

    visible = re.sub(r"<[^>]+>", " ", page.partition("<body")[2])
    assert "Delivered" in visible
    assert not re.findall(r"[\u4e00-\u9fff]+", visible)
