"""The engineer's story over HTTP: each step once, refusals change nothing, entries are kept."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from assets.models import Device, FaultPreset, User
from assets.register.queries import report_url
from config.kernel.models import EventRecord, IdempotencyRecord
from tests import factories
from tests.tickets.field.conftest import Phone, again, brought_to, facts
from tickets.lifecycle import services as lifecycle
from tickets.models import Ticket
from tickets.record import services as record

pytestmark = pytest.mark.django_db


def test_the_whole_story_on_one_phone(phone: Phone, ventilator: Device, stopped: FaultPreset, engineer: User) -> None:
    ticket = brought_to("assigned", ventilator, stopped, engineer)

    assert phone.do(ticket, "accept").status_code == 303
    assert phone.do(ticket, "depart").status_code == 303
    assert phone.do(ticket, "arrive", scan=report_url(ventilator)).status_code == 303
    assert phone.do(ticket, "start", decon="cleaned").status_code == 303
    finished = phone.do(
        ticket, "finish", cause="part", action="replace", release="usable", diagnosis="电源板损坏", part_name="电源板 PB-12",
        part_serial="7K2-0931", old_part_kept="1", function_ok="1",
    )  # fmt: skip

    ticket = again(ticket)
    assert (finished.status_code, finished["Location"]) == (303, "/field/")
    assert (ticket.state, ticket.arrival_by_scan) == ("verifying", True)
    sheet = ticket.repair_reports.get()
    assert (sheet.cause, sheet.action, sheet.release, sheet.diagnosis) == ("part", "replace", "usable", "电源板损坏")
    part = ticket.parts.get()
    assert (part.name, part.serial_no, part.quantity, part.old_part_kept) == ("电源板 PB-12", "7K2-0931", 1, True)
    kinds = ("TicketAccepted", "TicketDeparted", "TicketArrived", "WorkStarted", "TicketResolved")
    assert [facts(kind) for kind in kinds] == [1] * 5


def test_the_same_operation_twice_happens_once(
    phone: Phone, ventilator: Device, stopped: FaultPreset, engineer: User
) -> None:
    ticket = brought_to("assigned", ventilator, stopped, engineer)
    op_id = str(uuid.uuid4())

    first = phone.do(ticket, "accept", op_id=op_id)
    replay = phone.do(ticket, "accept", op_id=op_id)

    assert (first.status_code, replay.status_code) == (303, 303)
    assert first["Location"] == replay["Location"]
    assert facts("TicketAccepted") == 1
    assert IdempotencyRecord.objects.get(key=op_id).scope == f"field:{engineer.pk}"


def test_the_same_operation_id_with_another_body_is_refused(
    phone: Phone, ventilator: Device, stopped: FaultPreset, engineer: User
) -> None:
    ticket = brought_to("accepted", ventilator, stopped, engineer)
    op_id = str(uuid.uuid4())
    phone.do(ticket, "note", op_id=op_id, text="第一句")

    answer = phone.do(ticket, "note", op_id=op_id, text="第二句")

    assert answer.status_code == 409
    assert "这一步已经做过" in answer.content.decode()
    assert [c.text for c in ticket.comments.all()] == ["第一句"]


def test_a_refused_operation_may_be_tried_again_with_its_id(
    phone: Phone, ventilator: Device, stopped: FaultPreset, engineer: User
) -> None:
    ticket = brought_to("arrived", ventilator, stopped, engineer)
    op_id = str(uuid.uuid4())

    refused = phone.do(ticket, "start", op_id=op_id)
    allowed = phone.do(ticket, "start", op_id=op_id, decon="cleaned")

    assert (refused.status_code, allowed.status_code) == (422, 303)
    assert again(ticket).state == "working"


def test_a_stale_page_changes_nothing_and_says_so(
    phone: Phone, ventilator: Device, stopped: FaultPreset, engineer: User
) -> None:
    ticket = brought_to("assigned", ventilator, stopped, engineer)
    before = EventRecord.objects.count()

    answer = phone.do(ticket, "accept", version=ticket.version - 1)

    assert answer.status_code == 409
    assert "你的操作没有生效" in answer.content.decode()
    assert again(ticket).state == "assigned"
    assert EventRecord.objects.count() == before


def test_reassigned_meanwhile_says_to_whom(
    phone: Phone, ventilator: Device, stopped: FaultPreset, engineer: User, colleague: User, dispatcher: User
) -> None:
    ticket = brought_to("accepted", ventilator, stopped, engineer)
    lifecycle.assign(ticket, to=colleague, by=dispatcher, at=timezone.now(), reason="更近")

    answer = phone.do(ticket, "arrive", reason="到了")

    assert answer.status_code == 409
    assert "这张单已转给王工，你的操作没有生效" in answer.content.decode()
    assert again(ticket).state == "assigned"


def test_arriving_needs_the_scan_of_this_device_or_a_reason(
    phone: Phone, ventilator: Device, monitor: Device, stopped: FaultPreset, engineer: User
) -> None:
    ticket = brought_to("accepted", ventilator, stopped, engineer)

    nothing = phone.do(ticket, "arrive")
    foreign = phone.do(ticket, "arrive", scan=report_url(monitor))
    assert (nothing.status_code, foreign.status_code) == (422, 422)
    assert "扫到的不是这台设备" in foreign.content.decode()
    assert again(ticket).state == "accepted"

    by_hand = phone.do(ticket, "arrive", reason="标签掉了")
    assert by_hand.status_code == 303
    assert (again(ticket).state, again(ticket).arrival_by_scan) == ("arrived", False)
    assert ticket.comments.get().public is False


def test_scanning_the_device_of_my_ticket_is_the_arrival(
    phone: Phone, ventilator: Device, stopped: FaultPreset, engineer: User
) -> None:
    ticket = brought_to("accepted", ventilator, stopped, engineer)

    answer = phone.client.post("/field/scan/", {"scan": report_url(ventilator)})

    assert (answer.status_code, answer["Location"]) == (303, f"/field/{ticket.public_id}/")
    assert (again(ticket).state, again(ticket).arrival_by_scan) == ("arrived", True)


def test_a_scan_of_nothing_keeps_what_was_typed(phone: Phone) -> None:
    answer = phone.client.post("/field/scan/", {"scan": "NOPE-42"})

    assert answer.status_code == 422
    assert 'value="NOPE-42"' in answer.content.decode()


def test_an_uncleaned_device_is_opened_for_a_p1_with_protection_only(
    phone: Phone, ventilator: Device, stopped: FaultPreset, engineer: User
) -> None:
    urgent = brought_to("arrived", ventilator, stopped, engineer, in_use=True)

    bare = phone.do(urgent, "start", decon="dirty")
    assert bare.status_code == 422
    assert "这台还没消毒" in bare.content.decode()
    assert again(urgent).state == "arrived"

    phone.do(urgent, "start", decon="dirty", decon_note="N95、手套、护目镜")
    assert (again(urgent).state, again(urgent).decon_note) == ("working", "N95、手套、护目镜")


def test_a_protection_named_later_joins_the_state_declared_before(
    phone: Phone, ventilator: Device, stopped: FaultPreset, engineer: User
) -> None:
    urgent = brought_to("arrived", ventilator, stopped, engineer, in_use=True)
    record.declare_decon(urgent, decon="dirty", by=engineer, at=timezone.now())

    phone.do(urgent, "start", decon="dirty", decon_note="N95、手套")

    assert (again(urgent).state, again(urgent).decon_note) == ("working", "N95、手套")


def test_what_cannot_be_cleaned_names_its_danger_and_keeps_the_choice(
    phone: Phone, ventilator: Device, stopped: FaultPreset, engineer: User
) -> None:
    ticket = brought_to("arrived", ventilator, stopped, engineer)

    bare = phone.do(ticket, "start", decon="impossible")

    page = bare.content.decode()
    assert bare.status_code == 422
    assert "无法消毒的，写明有什么危险" in page
    assert 'value="impossible" form="step" checked' in page
    assert 'name="decon_note"' in page
    assert again(ticket).state == "arrived"

    phone.do(ticket, "start", decon="impossible", decon_note="内部有血，戴手套和面屏")
    assert (again(ticket).state, again(ticket).decon_note) == ("working", "内部有血，戴手套和面屏")


def test_the_backup_that_was_named_stands_in(
    phone: Phone, ventilator: Device, stopped: FaultPreset, engineer: User, icu: Any
) -> None:
    Device.objects.filter(pk=ventilator.pk).update(backup_group="vent")
    far = factories.device(icu, ventilator.type, backup_group="vent", location=factories.location("库房", x=90))
    near = factories.device(icu, ventilator.type, backup_group="vent")
    ticket = brought_to("accepted", ventilator, stopped, engineer, in_use=True)
    assert near.public_id in phone.page(f"{ticket.public_id}/").content.decode()

    phone.do(ticket, "restore", backup=far.public_id)

    ticket = again(ticket)
    assert ticket.backup_device == far
    assert ticket.restored_at is not None
    assert Device.objects.get(pk=far.pk).status == "in_use"
    assert Device.objects.get(pk=near.pk).status == "ready"


def test_a_device_of_another_group_is_no_backup(
    phone: Phone, ventilator: Device, monitor: Device, stopped: FaultPreset, engineer: User
) -> None:
    Device.objects.filter(pk=ventilator.pk).update(backup_group="vent")
    ticket = brought_to("accepted", ventilator, stopped, engineer, in_use=True)

    phone.do(ticket, "restore", backup=monitor.public_id)

    assert again(ticket).backup_device is None
    assert Device.objects.get(pk=monitor.pk).status == "ready"


def test_the_headings_of_each_page_go_down_one_step_at_a_time(
    phone: Phone, ventilator: Device, stopped: FaultPreset, engineer: User
) -> None:
    ticket = brought_to("working", ventilator, stopped, engineer)

    def headings(*paths: str) -> dict[str, list[int]]:
        pages = {path: phone.page(path).content.decode() for path in paths}
        return {path: [int(level) for level in re.findall(r"<h([1-6])", page)] for path, page in pages.items()}

    found = headings("", f"{ticket.public_id}/", f"{ticket.public_id}/more/", f"{ticket.public_id}/finish/", "me/")
    until = timezone.localtime(timezone.now() + timedelta(days=2))
    phone.do(ticket, "pause", reason=_hold_reason(), until=until.strftime("%Y-%m-%dT%H:%M"))
    found |= {f"{path} paused": levels for path, levels in headings("", "waiting/").items()}

    assert again(ticket).state == "paused"
    assert found["waiting/ paused"] == [1, 2]
    assert {path: levels for path, levels in found.items() if levels[:1] != [1]} == {}
    assert {path: levels for path, levels in found.items() for a, b in pairwise(levels) if b > a + 1} == {}


def test_a_pause_needs_its_reason_and_goes_on_by_itself(
    phone: Phone, ventilator: Device, stopped: FaultPreset, engineer: User
) -> None:
    ticket = brought_to("working", ventilator, stopped, engineer)
    code = _hold_reason()

    wordless = phone.do(ticket, "pause")
    past = phone.do(ticket, "pause", reason=code, until="2020-01-01T09:00")
    assert (wordless.status_code, past.status_code) == (422, 422)
    assert again(ticket).state == "working"

    until = timezone.localtime(timezone.now() + timedelta(days=2)).replace(second=0, microsecond=0)
    phone.do(ticket, "pause", reason=code, until=until.strftime("%Y-%m-%dT%H:%M"))
    assert (again(ticket).state, again(ticket).hold_until) == ("paused", until)
    assert ticket.short_number in phone.page("waiting/").content.decode()

    phone.do(ticket, "resume")
    assert (again(ticket).state, again(ticket).hold_until) == ("working", None)


def _hold_reason() -> str:
    from tickets.models import HoldReason

    return str(HoldReason.objects.order_by("pk").values_list("code", flat=True)[0])


def test_refusing_and_handing_over_need_a_reason(
    phone: Phone, ventilator: Device, stopped: FaultPreset, engineer: User, colleague: User
) -> None:
    ticket = brought_to("accepted", ventilator, stopped, engineer)

    assert phone.do(ticket, "decline", reason=" ").status_code == 422
    assert phone.do(ticket, "handover", to=colleague.username).status_code == 422
    assert phone.do(ticket, "handover", to="nobody", reason="x").status_code == 422
    assert again(ticket).assignee == engineer

    assert phone.do(ticket, "handover", to=colleague.username, reason="手上有 P1").status_code == 303
    assert (again(ticket).assignee, again(ticket).state) == (colleague, "assigned")


def test_a_refusal_frees_the_ticket(phone: Phone, ventilator: Device, stopped: FaultPreset, engineer: User) -> None:
    ticket = brought_to("assigned", ventilator, stopped, engineer)

    phone.do(ticket, "decline", reason="不会修这个型号")

    assert EventRecord.objects.get(type="TicketUnassigned").data["reason"] == "refused"
    assert ticket.comments.get().text == "不会修这个型号"


def test_a_failed_test_stops_the_release_and_keeps_the_sheet(
    phone: Phone, ventilator: Device, stopped: FaultPreset, engineer: User
) -> None:
    ventilator.type.protection_class, ventilator.type.high_risk = "I", True
    ventilator.type.save()
    ticket = brought_to("working", ventilator, stopped, engineer)
    sheet = {"cause": "part", "action": "replace", "release": "usable", "diagnosis": "换了电源板"}

    untested = phone.do(ticket, "finish", **sheet, test_protective_earth="86")
    failed = phone.do(ticket, "finish", **sheet, test_protective_earth="86", test_equipment_leakage="501")

    page = failed.content.decode()
    assert (untested.status_code, failed.status_code) == (422, 422)
    assert "高风险设备要做功能检查，合格才可用" in untested.content.decode()
    assert "设备漏电流没有通过。重测或停用" in page
    assert "换了电源板" in page
    assert 'value="501"' in page
    assert again(ticket).state == "working"
    assert not ticket.repair_reports.exists()

    phone.do(ticket, "finish", **sheet, test_protective_earth="86", test_equipment_leakage="500", function_ok="1")
    tests = ticket.repair_reports.get().tests
    assert [(t["code"], t["value"], t["limit"], t["passed"]) for t in tests] == [
        ("protective_earth", 86, 300, True),
        ("equipment_leakage", 500, 500, True),
        ("function", 1, None, True),
    ]


@pytest.mark.parametrize("release", ["usable", "restricted"])
def test_what_is_beyond_repair_only_goes_out_of_use(
    phone: Phone, ventilator: Device, stopped: FaultPreset, engineer: User, release: str
) -> None:
    ticket = brought_to("working", ventilator, stopped, engineer)
    sheet = {"cause": "part", "action": "irreparable", "release_note": "主板烧毁", "function_ok": "1"}

    refused = phone.do(ticket, "finish", **sheet, release=release)

    assert refused.status_code == 422
    assert "无法修复的设备只能停用" in refused.content.decode()
    assert again(ticket).state == "working"

    phone.do(ticket, "finish", **sheet, release="out_of_use")
    assert again(ticket).state == "verifying"
    assert Device.objects.get(pk=ventilator.pk).status == "fault"


@pytest.mark.parametrize(
    ("release", "sentence"), [("restricted", "写明限制"), ("out_of_use", "写明停用原因"), ("", "可用、限用还是停用")]
)
def test_a_release_with_a_condition_needs_its_words(
    phone: Phone, ventilator: Device, stopped: FaultPreset, engineer: User, release: str, sentence: str
) -> None:
    ticket = brought_to("working", ventilator, stopped, engineer)

    answer = phone.do(ticket, "finish", cause="part", action="repair", release=release)

    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert again(ticket).state == "working"


def test_strangers_and_onlookers_change_nothing(
    signed_in: Callable[[User], Client], ventilator: Device, stopped: FaultPreset, engineer: User, colleague: User,
    nurse: User, dispatcher: User, client: Client,
) -> None:  # fmt: skip
    ticket = brought_to("accepted", ventilator, stopped, engineer)
    before = (again(ticket).version, EventRecord.objects.count())

    assert Phone(client).do(ticket, "arrive", reason="x").status_code == 302  # to the sign-in
    assert Phone(signed_in(nurse)).do(ticket, "arrive", reason="x").status_code == 403
    assert Phone(signed_in(nurse)).page().status_code == 403
    assert Phone(signed_in(dispatcher)).page(f"{ticket.public_id}/").status_code == 200  # the desk may look
    assert Phone(signed_in(dispatcher)).do(ticket, "arrive", reason="x").status_code == 403
    assert Phone(signed_in(colleague)).do(ticket, "arrive", reason="x").status_code == 409

    assert (again(ticket).version, EventRecord.objects.count()) == before


def test_unknown_verbs_and_tickets_are_not_there(
    phone: Phone, ventilator: Device, stopped: FaultPreset, engineer: User
) -> None:
    ticket = brought_to("accepted", ventilator, stopped, engineer)

    assert phone.do(ticket, "close").status_code == 404
    assert phone.do(Ticket(public_id="A" * 22), "arrive").status_code == 404


def test_an_old_replay_after_the_ticket_moved_on_stays_harmless(
    phone: Phone, ventilator: Device, stopped: FaultPreset, engineer: User, colleague: User, dispatcher: User
) -> None:
    ticket = brought_to("assigned", ventilator, stopped, engineer)
    op_id = str(uuid.uuid4())
    phone.do(ticket, "accept", op_id=op_id)
    lifecycle.assign(ticket, to=colleague, by=dispatcher, at=timezone.now(), reason="更近")

    answer = phone.do(ticket, "accept", op_id=op_id)

    assert answer.status_code == 303
    assert again(ticket).assignee == colleague
    assert facts("TicketAccepted") == 1
