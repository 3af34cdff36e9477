"""The engineer's phone over HTTP: every step once, stale steps say so, gates hold."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation

from assets.register.rules import read_short_code, show_short_code
from config.kernel.models import EventRecord
from config.kernel.templatetags.wardline import clock_time
from tests import factories
from tickets.field import queries
from tickets.lifecycle import services as lifecycle
from tickets.models import Comment, HoldReason, Ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def ticket(ventilator, stopped, engineer):
    made = lifecycle.submit(device=ventilator, preset=stopped, in_use=False, by=None, at=timezone.now())
    return lifecycle.assign(made, to=engineer, by=None, at=timezone.now(), automatic=True)


@pytest.fixture
def phone(signed_in, engineer):
    return signed_in(engineer)


def do(phone, ticket, verb, **body):
    return phone.post(f"/field/{ticket.public_id}/do/{verb}/", {"op_id": str(uuid.uuid4())} | body)


def begin(phone, ticket, device):
    do(phone, ticket, "accept")
    do(phone, ticket, "arrive", scan=device.short_code)
    do(phone, ticket, "start", decon="cleaned")


def state(ticket):
    return Ticket.objects.get(pk=ticket.pk).state


def test_from_accept_to_waiting_for_the_ward(phone, ticket, ventilator):
    do(phone, ticket, "accept")
    do(phone, ticket, "depart")
    do(phone, ticket, "arrive", scan=ventilator.short_code)
    do(phone, ticket, "start", decon="cleaned")
    done = do(
        phone, ticket, "finish", cause="part", action="replace", release="usable", function_ok="1",
        test_protective_earth="86", test_equipment_leakage="142", part_name="电源板", part_serial="7K2-0931",
    )  # fmt: skip

    row = Ticket.objects.get(pk=ticket.pk)
    assert done.status_code == 303
    assert (row.state, row.arrival_by_scan, row.decon) == ("verifying", True, "cleaned")
    report = row.repair_reports.get()
    assert [(t["code"], t["passed"]) for t in report.tests] == [
        ("protective_earth", True),
        ("equipment_leakage", True),
        ("function", True),
    ]
    assert row.parts.get().serial_no == "7K2-0931"


def test_the_same_operation_id_happens_once_and_another_body_is_refused(phone, ticket):
    key = str(uuid.uuid4())

    first = do(phone, ticket, "note", op_id=key, text="看过了", public="1")
    again = do(phone, ticket, "note", op_id=key, text="看过了", public="1")
    other = do(phone, ticket, "note", op_id=key, text="别的", public="1")

    assert (first.status_code, again.status_code, other.status_code) == (303, 303, 409)
    assert Comment.objects.filter(ticket=ticket).count() == 1


def test_work_cannot_begin_before_the_device_is_declared_clean(phone, ticket, ventilator):
    do(phone, ticket, "accept")
    do(phone, ticket, "arrive", scan=ventilator.short_code)

    answer = do(phone, ticket, "start")

    assert answer.status_code == 422
    assert "先确认消毒状态" in answer.content.decode()
    assert state(ticket) == "arrived"


def test_scanning_another_device_is_no_arrival(phone, ticket, monitor):
    do(phone, ticket, "accept")

    answer = do(phone, ticket, "arrive", scan=monitor.asset_no)

    assert answer.status_code == 422
    assert "不是这台设备" in answer.content.decode()
    assert state(ticket) == "accepted"


def test_arrival_by_hand_needs_a_reason_and_is_marked(phone, ticket):
    do(phone, ticket, "accept")

    assert do(phone, ticket, "arrive").status_code == 422
    assert do(phone, ticket, "arrive", reason="标签掉了").status_code == 303
    assert Ticket.objects.get(pk=ticket.pk).arrival_by_scan is False


def test_scanning_the_device_on_the_scan_page_is_arrival(phone, ticket, ventilator):
    do(phone, ticket, "accept")

    answer = phone.post("/field/scan/", {"scan": show_short_code(ventilator.short_code)})

    assert answer.status_code == 303
    assert state(ticket) == "arrived"


def test_a_typed_number_is_an_arrival_but_no_scan(phone, ticket, ventilator):
    do(phone, ticket, "accept")

    assert do(phone, ticket, "arrive", scan=ventilator.asset_no).status_code == 303

    assert Ticket.objects.get(pk=ticket.pk).arrival_by_scan is False
    said = EventRecord.objects.get(type="TicketArrived").data
    assert (said["scanned"], said["how"]) == (False, "typed")
    assert "没有扫码" in phone.get(f"/field/{ticket.public_id}/").content.decode()


def test_a_typed_number_on_the_scan_page_opens_the_ticket_and_says_nothing_of_presence(phone, ticket, ventilator):
    do(phone, ticket, "accept")

    answer = phone.post("/field/scan/", {"scan": ventilator.asset_no})

    assert answer["Location"] == f"/field/{ticket.public_id}/"
    assert state(ticket) == "accepted"


def test_a_mistyped_code_is_called_that(phone, ticket, ventilator):
    do(phone, ticket, "accept")
    code = ventilator.short_code
    wrong = code[:5] + next(c for c in "0123456789" if read_short_code(code[:5] + c) is None)

    page = phone.post("/field/scan/", {"scan": wrong})
    step = do(phone, ticket, "arrive", scan=wrong)
    udi = phone.post("/field/scan/", {"scan": "(01)06901234567891(21)A1"})

    assert (page.status_code, step.status_code, udi.status_code) == (422, 422, 422)
    assert "校验位对不上" in page.content.decode()
    assert "校验位对不上" in step.content.decode()
    assert "像 UDI" in udi.content.decode()
    assert state(ticket) == "accepted"


def test_a_value_above_its_limit_hides_usable(phone, ticket, ventilator):
    do(phone, ticket, "accept")
    do(phone, ticket, "arrive", scan=ventilator.short_code)
    do(phone, ticket, "start", decon="not_needed")

    answer = do(phone, ticket, "finish", cause="part", action="repair", release="usable", test_equipment_leakage="612")

    page = answer.content.decode()
    assert answer.status_code == 422
    assert "重测或停用" in page
    assert 'value="612"' in page
    assert state(ticket) == "working"


def test_a_ticket_that_moved_on_says_where_it_went(phone, ticket, colleague, dispatcher):
    lifecycle.assign(ticket, to=colleague, by=dispatcher, at=timezone.now(), reason="李工被叫走")

    answer = do(phone, ticket, "accept")

    assert answer.status_code == 409
    assert "王工" in answer.content.decode()
    assert state(ticket) == "assigned"


def test_pausing_names_a_reason_and_resumes_by_hand(phone, ticket, ventilator):
    begin(phone, ticket, ventilator)

    refused = do(phone, ticket, "pause")
    do(phone, ticket, "pause", reason="parts")
    paused = state(ticket)
    do(phone, ticket, "resume")

    assert refused.status_code == 422
    assert (paused, state(ticket)) == ("paused", "working")


def test_refusing_needs_a_reason_and_frees_the_ticket(phone, ticket, engineer):
    assert do(phone, ticket, "decline").status_code == 422
    do(phone, ticket, "decline", reason="在手术室")

    row = Ticket.objects.get(pk=ticket.pk)
    assert (row.state, row.assignee) == ("triaged", None)
    assert row.exclusions.get().user == engineer


def test_strangers_and_wards_do_not_get_in(client, signed_in, nurse, ticket):
    assert client.get("/field/").status_code == 302
    assert signed_in(nurse).get("/field/").status_code == 403
    assert signed_in(nurse).post(f"/field/{ticket.public_id}/do/accept/").status_code == 403
    assert state(ticket) == "assigned"


def test_every_page_opens(phone, ticket, dispatcher, signed_in):
    at = f"/field/{ticket.public_id}/"

    pages = [
        "/field/",
        "/field/waiting/",
        "/field/scan/",
        "/field/me/",
        "/field/_duty/",
        at,
        f"{at}finish/",
        f"{at}more/",
    ]
    assert [phone.get(page).status_code for page in pages] == [200] * len(pages)
    assert phone.get("/manifest.webmanifest").json()["start_url"] == "/field/"
    assert signed_in(dispatcher).get(at).status_code == 200


def test_todays_list_costs_the_same_for_one_and_for_ten(phone, engineer, icu, stopped, ventilator):
    def give(count):
        for _n in range(count):
            device = factories.device(icu, ventilator.type)
            made = lifecycle.submit(device=device, preset=stopped, in_use=False, by=None, at=timezone.now())
            lifecycle.assign(made, to=engineer, by=None, at=timezone.now(), automatic=True)

    def cost():
        phone.get("/field/")
        with CaptureQueriesContext(
            connection,
        ) as queries:
            phone.get("/field/")
        return len(queries)

    give(1)
    one = cost()
    give(9)

    assert cost() == one <= 12


@pytest.mark.parametrize(("verb", "page"), [("finish", "finish/"), ("pause", "more/"), ("start", "")])
def test_a_refused_step_opened_again_leads_to_its_page(verb, page, phone, ticket):
    answer = phone.get(f"/field/{ticket.public_id}/do/{verb}/")

    assert (answer.status_code, answer["Location"]) == (302, f"/field/{ticket.public_id}/{page}")


def test_a_sheet_that_cannot_be_read_says_which_field(phone, ticket, ventilator):
    begin(phone, ticket, ventilator)

    answer = do(
        phone, ticket, "finish", action="replace", release="usable", part_name="电源板", part_quantity="-1",
        test_protective_earth="abc",
    )  # fmt: skip

    text = answer.content.decode()
    assert answer.status_code in (400, 422)
    assert "选一个原因。" in text
    assert "配件数量：" in text
    assert "保护接地" in text.split('class="h">')[1].split("<")[0]
    assert state(ticket) == "working"


def test_a_dirty_device_asks_for_protection_only_where_that_is_allowed(phone, ticket, ventilator):
    do(phone, ticket, "accept")
    do(phone, ticket, "arrive", scan=ventilator.short_code)

    answer = do(phone, ticket, "start", decon="dirty").content.decode()

    assert ("写明防护措施" in answer) is (ticket.priority == 1)
    assert ("先请病区消毒" in answer) is (ticket.priority != 1)


def test_a_part_without_a_name_is_asked_for_before_the_signature(phone, ticket, ventilator):
    begin(phone, ticket, ventilator)

    answer = do(
        phone, ticket, "finish", cause="part", action="replace", release="usable", function_ok="1", part_quantity="3",
        part_serial="S1",
    )  # fmt: skip

    text = answer.content.decode()
    assert answer.status_code in (400, 422)
    assert "写配件名称，或清空数量、序列号和旧件。" in text
    assert 'name="part_serial" maxlength="60" value="S1"' in text
    assert '<details class="card padded" open>' in text
    assert (state(ticket), ticket.parts.count()) == ("working", 0)


def test_a_sheet_that_is_opened_too_early_says_so_at_once(phone, ticket):
    page = phone.get(f"/field/{ticket.public_id}/finish/").content.decode()

    assert "还不能完成" in page


def test_a_reason_cannot_make_a_pause_longer_than_it_may_be(phone, ticket):
    reason = HoldReason(code="ages", name="很久", default_hours=181 * 24)

    with pytest.raises(ValidationError, match="4320"):
        reason.full_clean()
    with pytest.raises(IntegrityError), transaction.atomic():
        reason.save()


def test_handing_over_names_nobody_by_itself(phone, ticket):
    page = phone.get(f"/field/{ticket.public_id}/more/").content.decode()

    assert '<select class="inp" name="to" required><option value="">选一位</option>' in page
    assert " selected" not in page


def test_the_list_says_how_long_the_shift_goes_on_and_how_much_is_in_hand(signed_in, rules):
    somebody = factories.engineer("wu", at=timezone.now(), name="吴敏", max_open=4)

    page = signed_in(somebody).get("/field/").content.decode()

    shift = somebody.engineer.shifts.get()
    assert f"{shift.label} 到 {clock_time(shift.ends_at)}" in page
    assert "手上 0 单 / 上限 4 单" in page


def test_the_desk_looks_at_the_engineers_pages_and_finds_no_button_that_refuses_it(
    client, dispatcher, ventilator, stopped
):
    lifecycle.submit(device=ventilator, preset=stopped, in_use=False, by=None, at=timezone.now())
    client.force_login(dispatcher)

    page = client.get("/field/").content.decode()

    assert "这里只能看" in page
    assert "看工单" in page
    assert "/do/accept/" not in page
    assert "/field/me/" not in page
    assert "上限" not in page


def test_a_warranty_ends_with_the_day_of_the_hospital(ventilator, stopped):
    ventilator.warranty_ends_on = date(2026, 11, 18)
    ventilator.save()
    ticket = lifecycle.submit(device=ventilator, preset=stopped, by=None, at=timezone.now())
    midnight = datetime(2026, 11, 18, 16, 0, tzinfo=UTC)  # in Shanghai

    with translation.override("zh-hans"):
        words = [queries.warranty(ticket, midnight + timedelta(seconds=seconds)) for seconds in (-1, 0)]

    assert words == ["保修到 2026-11-18", "已过保 2026-11-18"]
