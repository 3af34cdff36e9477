"""What a manager may type wrongly in the admin: each gets a sentence at the field, and nothing is stored."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin import site
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from assets.models import Device, DeviceGroup, FaultPreset, Location, User
from assets.register import services as devices
from assets.register.admin import DeviceAdmin
from config.kernel.events import recording
from dispatch.models import Engineer, Leave, Shift
from tests import factories
from tickets.lifecycle import services as lifecycle
from tickets.models import Calendar, PriorityRule, Rung, SavedView, Target, Ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def calm(ventilator: Device) -> FaultPreset:
    return FaultPreset.objects.get(code="ventilator-other")


@pytest.fixture
def browser(manager: User, signed_in: Callable[[User], Client]) -> Client:
    return signed_in(manager)


def filled(browser: Client, address: str, **typed: Any) -> dict[str, Any]:
    """What the page's form sends when only `typed` is changed."""
    page = browser.get(address).context["adminform"].form
    sent = {name: page[name].value() for name in page.fields} | typed
    for formset in browser.get(address).context["inline_admin_formsets"]:
        sent |= {field.html_name: field.value() for field in formset.formset.management_form}
        for form in formset.formset.initial_forms:
            sent |= {field.html_name: field.value() for field in form}
    return {name: value for name, value in sent.items() if value is not None and value is not False}


def span(name: str, moment: Any) -> dict[str, str]:
    return {f"{name}_0": f"{moment:%Y-%m-%d}", f"{name}_1": f"{moment:%H:%M:%S}"}


def test_a_shift_ends_after_it_starts_and_nobody_has_two_at_once(browser: Client, now: Any) -> None:
    person = Engineer.objects.get(user=factories.engineer("e1", at=now))
    last = Shift.objects.filter(engineer=person).latest("ends_at")
    begins = timezone.localtime(last.starts_at)
    common = {"engineer": person.pk, "role": "primary", "presence": "on_site", "name": ""}
    later = last.ends_at + timedelta(hours=1)

    backwards = browser.post(
        "/admin/dispatch/shift/add/", common | span("starts_at", later) | span("ends_at", later - timedelta(hours=2))
    )
    twice = browser.post(
        "/admin/dispatch/shift/add/",
        common | span("starts_at", begins) | span("ends_at", begins + timedelta(hours=1)),
    )

    assert backwards.context["adminform"].form.errors == {"ends_at": ["结束要晚于开始。"]}
    assert twice.context["adminform"].form.errors == {"starts_at": ["这段时间已经排了班。"]}
    assert Shift.objects.filter(engineer=person).count() == 1


def test_leave_entered_in_the_admin_frees_what_was_not_begun(
    browser: Client, ventilator: Any, calm: FaultPreset, rules: None, now: Any
) -> None:
    user = factories.engineer("e1", at=now)
    ticket = lifecycle.submit(device=ventilator, preset=calm, by=None, at=now)
    lifecycle.assign(ticket, to=user, by=None, at=now)
    here = timezone.localtime()
    typed = {"engineer": user.engineer.pk, "kind": "ill", "note": ""}

    with recording() as told:
        answer = browser.post(
            "/admin/dispatch/leave/add/",
            typed | span("starts_at", here - timedelta(hours=1)) | span("ends_at", here + timedelta(hours=8)),
        )

    assert answer.status_code == 302
    assert Leave.objects.get().kind == "ill"
    assert "RosterChanged" in [type(event).__name__ for event in told]
    assert Ticket.objects.get(pk=ticket.pk).assignee is None


@pytest.mark.parametrize(
    ("typed", "at"),
    [
        ({"minutes": "0"}, "minutes"),
        ({"minutes": "-5"}, "minutes"),
        ({"metric": "arrival", "pausable": "on"}, "pausable"),
        ({"off_hours_minutes": "30", "office_calendar": ""}, "off_hours_minutes"),
    ],
)
def test_a_time_limit_that_cannot_hold_is_refused_at_its_field(
    typed: dict[str, str], at: str, browser: Client, rules: None
) -> None:
    target = Target.objects.get(priority=4, metric="arrival")
    address = f"/admin/tickets/target/{target.pk}/change/"

    answer = browser.post(address, filled(browser, address, **typed))

    assert list(answer.context["adminform"].form.errors) == [at]
    assert Target.objects.get(pk=target.pk).minutes == target.minutes


@pytest.mark.parametrize(
    ("typed", "at"),
    [
        ({"after_minutes": "", "at_percent": "", "past_due_minutes": ""}, "after_minutes"),
        ({"after_minutes": "5", "at_percent": "50", "past_due_minutes": ""}, "after_minutes"),
        ({"after_minutes": "", "at_percent": "500", "past_due_minutes": ""}, "at_percent"),
    ],
)
def test_a_rung_has_one_time_that_can_come(typed: dict[str, str], at: str, browser: Client, rules: None) -> None:
    rung = Rung.objects.first()
    assert rung is not None
    address = f"/admin/tickets/rung/{rung.pk}/change/"

    answer = browser.post(address, filled(browser, address) | typed)

    errors = answer.context["adminform"].form.errors
    assert at in errors
    assert not any("rung_has_one_time" in str(error) for error in errors.values())


def test_working_hours_neither_overlap_nor_vanish(browser: Client, rules: None) -> None:
    calendar = Calendar.objects.filter(always=False, windows__isnull=False).first()
    assert calendar is not None
    address = f"/admin/tickets/calendar/{calendar.pk}/change/"
    sent = filled(browser, address)
    prefix, count = "windows", int(sent["windows-TOTAL_FORMS"])
    before = list(calendar.windows.values_list("weekday", "starts", "ends"))

    overlapping = browser.post(
        address,
        sent
        | {"windows-TOTAL_FORMS": count + 1, f"{prefix}-{count}-weekday": "0"}
        | {f"{prefix}-{count}-starts": "08:30", f"{prefix}-{count}-ends": "17:30"},
    )
    empty = browser.post(address, sent | {f"{prefix}-{n}-DELETE": "on" for n in range(count)})

    assert "重叠" in overlapping.content.decode()
    assert "时限永远不会到" in empty.content.decode()
    assert list(calendar.windows.values_list("weekday", "starts", "ends")) == before


def test_what_happens_to_a_device_while_its_form_is_saved_stays(
    browser: Client, ventilator: Device, manager: User, now: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = f"/admin/assets/device/{ventilator.pk}/change/"
    sent = filled(browser, address, name="呼吸机 2")
    read = DeviceAdmin.save_form

    def meanwhile(page: Any, request: Any, form: Any, change: bool) -> Any:
        devices.rotate_qr(ventilator, by=manager, at=now)
        devices.put_out_of_use(ventilator, reason="冒烟", by=manager, at=now)
        return read(page, request, form, change)

    monkeypatch.setattr(DeviceAdmin, "save_form", meanwhile)

    assert browser.post(address, sent).status_code == 302

    stored, kept = Device.objects.get(pk=ventilator.pk), Device.history.latest()
    for row in (stored, kept):
        assert (row.name, row.qr_version, row.status) == ("呼吸机 2", 2, "fault")
    assert kept.history_user == manager


def test_danger_flags_and_first_aid_steps_are_fields(browser: Client, calm: FaultPreset) -> None:
    fault = f"/admin/assets/faultpreset/{calm.pk}/change/"
    family = f"/admin/assets/devicegroup/{calm.group_id}/change/"

    name = "停机或\r\n不送气 "
    flags = browser.post(fault, filled(browser, fault, name=name, default_danger=["smoke", "leak"]))
    steps = "换备用机\n\n 给患者吸氧 "
    card = browser.post(family, filled(browser, family, aid_title_zh="先做这两件", aid_steps_zh=steps))
    many = browser.post(family, filled(browser, family, aid_title_zh="太长", aid_steps_zh="\n".join("一二三四五六七")))

    assert (flags.status_code, card.status_code, many.status_code) == (302, 302, 200)
    stored = FaultPreset.objects.get(pk=calm.pk)
    assert (stored.name, stored.default_danger) == ("停机或\n不送气", ["smoke", "leak"])
    group = DeviceGroup.objects.get(pk=calm.group_id)
    assert group.first_aid["zh"] == {"title": "先做这两件", "steps": ["换备用机", "给患者吸氧"]}


def test_a_place_is_named_after_what_it_is_in_and_never_inside_itself(browser: Client) -> None:
    tower = Location.objects.create(code="T", kind="building", name="新楼", name_en="New Tower", path_zh="新楼")
    floor = Location.objects.create(code="T-1", kind="floor", parent=tower, name="1 层", name_en="Floor 1")
    room = Location.objects.create(code="T-101", kind="room", parent=floor, name="101 室", name_en="Room 101")
    address = f"/admin/assets/location/{tower.pk}/change/"

    renamed = browser.post(address, filled(browser, address, name="东楼", name_en="East Tower"))
    looped = browser.post(address, filled(browser, address, parent=room.pk))

    room.refresh_from_db()
    assert (renamed.status_code, looped.status_code) == (302, 200)
    assert (room.path_zh, room.path_en, room.building_code) == ("东楼 1 层 101 室", "East Tower floor 1 Room 101", "T")
    assert list(looped.context["adminform"].form.errors) == ["parent"]


def test_a_saved_view_leads_to_its_list_and_keeps_its_conditions(browser: Client, manager: User) -> None:
    view = SavedView.objects.create(owner=manager, name="急的", query={"open": "1", "priority": ["1", "2"]})
    address = f"/admin/tickets/savedview/{view.pk}/change/"

    page = browser.get(address).content.decode()
    browser.post(address, filled(browser, address, name="很急的"))

    view.refresh_from_db()
    assert "/desk/tickets/?open=1&amp;priority=1&amp;priority=2" in page
    assert (view.name, view.query) == ("很急的", {"open": "1", "priority": ["1", "2"]})


def test_a_new_hospital_starts_with_rules_and_a_catalogue_and_what_it_changed_stays() -> None:
    call_command("starter", verbosity=0)
    FaultPreset.objects.filter(code="pump-occlusion").update(minutes=7)
    counts = (PriorityRule.objects.count(), Target.objects.count(), FaultPreset.objects.count())

    call_command("starter", verbosity=0)

    assert counts[:2] == (16, 15)  # P4 promises no restoration
    assert counts == (PriorityRule.objects.count(), Target.objects.count(), FaultPreset.objects.count())
    assert FaultPreset.objects.get(code="pump-occlusion").minutes == 7
    assert Ticket.objects.count() == 0


NONSENSE = ("abc", "99999999999999999999999", "2026-13-45T99:99", "é,1,", "[]")


@pytest.mark.parametrize("model", list(site._registry), ids=lambda model: model.__name__)
def test_nonsense_in_the_address_of_an_add_page_is_left_out(
    model: Any, ventilator: Device, admin_user: User, signed_in: Callable[[User], Client]
) -> None:
    address = f"/admin/{model._meta.app_label}/{model._meta.model_name}/add/"
    fields = [field.name for field in (*model._meta.fields, *model._meta.many_to_many)]

    browser = signed_in(admin_user)

    for word in NONSENSE if browser.get(address).status_code == 200 else ():
        assert browser.get(address, dict.fromkeys([*fields, "nobody_knows_this"], word)).status_code == 200, word


def test_an_address_fills_in_what_its_fields_can_read(ventilator: Device, browser: Client) -> None:
    page = browser.get("/admin/assets/device/add/", {"department": ventilator.department_id, "price": "dear"})

    assert page.context["adminform"].form.initial == {"department": ventilator.department_id}
