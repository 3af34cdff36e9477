"""The ends of the calendar at every door that takes a moment: refused with a sentence or finding nothing, never a fault."""

from __future__ import annotations

from urllib.parse import urlencode
from uuid import uuid4

import pytest
from django.contrib import admin
from django.db import models
from django.utils import timezone

from assets.register.queries import token_of
from assets.register.services import preview_import
from config.kernel.moments import OUTSIDE
from dispatch.models import Leave, Shift
from integrations.identity.services import issue_token
from tests import factories
from tests.integrations.test_admin_forms import filled
from tickets.lifecycle import services as lifecycle
from tickets.models import CalendarDay, Ticket

pytestmark = pytest.mark.django_db
# A day more than the last, or in another zone, is no date any more.
OURS = {"assets", "tickets", "dispatch", "integrations", "config"}
DAYS = ["0001-01-01", "9999-12-31"]
MOMENTS = ["0001-01-01T00:00:00+14:00", "0001-01-01T00:00:00", "9999-12-31T23:59:59-12:00", "9999-12-31T23:59:59"]


@pytest.fixture
def key(manager):
    _row, token = issue_token(manager, at=timezone.now())
    return {"Authorization": f"Token {token}"}


@pytest.fixture
def in_repair(ventilator, stopped, engineer, dispatcher, now) -> Ticket:
    ticket = lifecycle.submit(device=ventilator, preset=stopped, by=None, at=now)
    lifecycle.assign(ticket, to=engineer, by=dispatcher, at=now)
    lifecycle.accept(ticket, by=engineer, at=now)
    lifecycle.arrive(ticket, by=engineer, at=now, scanned=True)
    return lifecycle.start(ticket, by=engineer, at=now, decon="cleaned")


@pytest.mark.parametrize("day", DAYS)
@pytest.mark.parametrize("name", ["from", "to"])
def test_a_day_of_the_list(name, day, signed_in, dispatcher):
    answer = signed_in(dispatcher).get("/desk/tickets/?" + urlencode({name: day}))

    assert answer.status_code == 200


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize(
    ("path", "name"),
    [("/api/v1/tickets/", "reported_after"), ("/api/v1/tickets/", "reported_before"), ("/api/v1/shifts/", "at")],
)
def test_a_moment_of_a_filter(path, name, moment, client, key):
    answer = client.get(f"{path}?{urlencode({name: moment})}", headers=key)

    assert answer.status_code in (200, 400), answer.content


@pytest.mark.parametrize("moment", MOMENTS)
def test_the_end_of_a_pause(moment, in_repair, engineer, client, signed_in):
    _row, token = issue_token(engineer, at=timezone.now())
    address = f"/api/v1/tickets/{in_repair.public_id}/pause/"
    told = {"reason": "awaiting_parts", "until": moment}

    by_api = client.post(address, told, content_type="application/json", headers={"Authorization": f"Token {token}"})
    by_phone = signed_in(engineer).post(f"/field/{in_repair.public_id}/do/pause/", told)

    assert by_api.status_code in (400, 409), by_api.content
    assert by_phone.status_code < 500
    assert Ticket.objects.get(pk=in_repair.pk).state == in_repair.state


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_phone_whose_clock_is_off_reports_all_the_same(moment, ventilator, stopped, client):
    told = {"symptom": stopped.code, "in_use": "no", "client_id": str(uuid4()), "client_at": moment}

    answer = client.post(f"/q/{token_of(ventilator)}/", told)

    assert answer.status_code == 303
    assert Ticket.objects.get().client_reported_at is None


@pytest.mark.parametrize("day", DAYS)
def test_the_days_of_a_device_in_the_admin(day, ventilator, manager, signed_in):
    browser, address = signed_in(manager), f"/admin/assets/device/{ventilator.pk}/change/"
    names = ["reg_cert_expires_on", "purchased_on", "accepted_on", "warranty_ends_on", "retain_until"]
    before = [getattr(ventilator, name) for name in names]

    sent = filled(browser, address, **dict.fromkeys(names, day)) | {"self_test_at_0": day, "self_test_at_1": "00:00:00"}
    answer = browser.post(address, sent)

    ventilator.refresh_from_db()
    assert answer.context["adminform"].form.errors == {name: [OUTSIDE] for name in [*names, "self_test_at"]}
    assert [getattr(ventilator, name) for name in names] == before


@pytest.mark.parametrize("day", DAYS)
@pytest.mark.parametrize("kind", ["shift", "leave"])
def test_a_span_of_the_roster_in_the_admin(kind, day, now, manager, signed_in):
    person = factories.engineer("e1", at=now).engineer
    kept = Shift.objects.count(), Leave.objects.count()
    whole = {"starts_at_0": day, "starts_at_1": "00:00:00", "ends_at_0": day, "ends_at_1": "23:59:59"}
    sent = {"engineer": person.pk, "role": "primary", "presence": "on_site", "name": "", "kind": "ill"} | whole

    answer = signed_in(manager).post(f"/admin/dispatch/{kind}/add/", sent)

    assert answer.context["adminform"].form.errors == {"starts_at": [OUTSIDE], "ends_at": [OUTSIDE]}
    assert (Shift.objects.count(), Leave.objects.count()) == kept


@pytest.mark.parametrize("day", DAYS)
def test_a_line_beneath_a_page_of_the_admin(day, now, manager, signed_in):
    person = factories.engineer("e1", at=now, cards={"radiation": now.date()}).engineer
    holiday = CalendarDay.objects.first()
    browser = signed_in(manager)
    engineer, calendar = (
        f"/admin/dispatch/engineer/{person.pk}/change/",
        f"/admin/tickets/calendar/{holiday.calendar_id}/change/",
    )

    with_card = browser.post(engineer, filled(browser, engineer) | {"qualifications-0-valid_until": day})
    with_day = browser.post(calendar, filled(browser, calendar) | {"days-0-day": day})

    assert str(OUTSIDE) in with_card.content.decode()
    assert str(OUTSIDE) in with_day.content.decode()


@pytest.mark.parametrize(
    "asked",
    [
        *({"": moment} for moment in MOMENTS),
        *({"__year": year} for year in ("1", "0", "-3", "9999", "10000", "x")),
        {"__gte": MOMENTS[0]},
        {"__year__gte": "0"},
        {"__year": "1", "__month": "1", "__day": "1"},
        {"__year": "9999", "__month": "12"},
        {"__year": "9999", "__month": "12", "__day": "31"},
        {"__year": "2026", "__month": "13"},
        {"__year": "2026", "__month": "2", "__day": "31"},
    ],
    ids=str,
)
@pytest.mark.parametrize(("path", "name"), [("tickets/calendarday", "day"), ("dispatch/shift", "starts_at")])
def test_a_list_of_the_admin_by_its_calendar(path, name, asked, manager, signed_in):
    query = urlencode({name + lookup: value for lookup, value in asked.items()})

    answer = signed_in(manager).get(f"/admin/{path}/?{query}", follow=True)

    assert answer.status_code == 200


def test_every_list_of_the_admin_by_its_moments(admin_user, signed_in):
    browser = signed_in(admin_user)
    lists = {
        f"/admin/{model._meta.app_label}/{model._meta.model_name}/": field.name
        for model in admin.site._registry
        for field in model._meta.concrete_fields
        if isinstance(field, models.DateTimeField) and model._meta.app_label in OURS
    }

    answers = [browser.get(f"{path}?{urlencode({name: MOMENTS[0]})}", follow=True) for path, name in lists.items()]

    assert len(lists) > 12
    assert {answer.status_code for answer in answers} == {200}


@pytest.mark.parametrize("day", DAYS)
@pytest.mark.parametrize("name", ["purchased_on", "warranty_ends_on"])
def test_a_day_of_an_imported_register(name, day, ventilator):
    row = {"asset_no": "HV-1", "name": "呼吸机", "type": ventilator.type.name, "department": ventilator.department.code}
    row |= {"location": ventilator.location.code, name: day}

    preview = preview_import("register.csv", f"{','.join(row)}\n{','.join(row.values())}\n".encode())

    assert [line.change for line in preview.lines] == ["wrong"]
    assert len(preview.lines[0].errors) == 1
