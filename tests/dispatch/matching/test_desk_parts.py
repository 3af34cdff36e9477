"""Matching and roster on the desk's pages: why, whom, who is here; and who may see it."""

import re

import pytest
from django.contrib.auth.models import AnonymousUser
from django.template import RequestContext, Template
from django.utils import timezone

from dispatch.matching import services
from dispatch.matching.models import Decision, DepartmentMode
from tests import factories
from tickets.lifecycle import services as lifecycle
from tickets.models import Ticket


@pytest.fixture
def at():
    return timezone.now()


@pytest.fixture
def li(rules, at):
    return factories.engineer("li", at=at, name="李志远", skills={"respiratory": 3})


@pytest.fixture
def ticket(ventilator, calm, at):
    return lifecycle.submit(device=ventilator, preset=calm, by=None, at=at)


def part(ticket, name):
    return f"/desk/tickets/{ticket.public_id}/_{name}/"


@pytest.fixture
def suggested(ticket, li, at):
    DepartmentMode.objects.create(department=ticket.department, mode="suggest")
    services.dispatch(at=at)
    return Decision.objects.get(ticket=ticket, open=True)


def test_the_panel_names_the_chosen_and_the_rule_against_the_others(ticket, li, dispatcher, signed_in, at):
    factories.engineer("sun", at=at, name="孙立", on_shift=False)
    services.dispatch(at=at)

    page = signed_in(dispatcher).get(part(ticket, "assignment")).content.decode()

    assert "李工" in page
    assert "孙工" in page
    assert 'class="stack"' in page


def test_among_equals_on_screen_the_chosen_one_stands_first_and_leads_by_nothing(suggested, li, signed_in, dispatcher):
    told = suggested.explanation
    rival = {**told["candidates"][0], "engineer": factories.engineer("sun", at=suggested.at, name="孙立").pk}
    rival["terms"] = {**rival["terms"], "total": rival["terms"]["total"] - 0.001}
    Decision.objects.filter(pk=suggested.pk).update(explanation={**told, "candidates": [rival, *told["candidates"]]})

    page = signed_in(dispatcher).get(part(suggested.ticket, "assignment")).content.decode()

    assert page.index("<b>李工</b>") < page.index("<b>孙工</b>")
    assert "领先" not in page


def test_the_admin_tells_a_decision_in_words(ticket, li, manager, signed_in, at):
    factories.engineer("sun", at=at, name="孙立", on_shift=False)
    services.dispatch(at=at)
    decision = Decision.objects.get(ticket=ticket)

    page = signed_in(manager).get(f"/admin/dispatch/decision/{decision.pk}/change/").content.decode()

    assert "李工" in page
    assert "孙工：不在班" in page
    assert "off_shift" not in page
    assert decision.input_hash not in page


def test_a_ticket_without_a_decision_says_so(ticket, dispatcher, signed_in):
    assert signed_in(dispatcher).get(part(ticket, "assignment")).status_code == 200


def test_candidates_stand_best_first_and_leave_out_who_has_it(ticket, li, dispatcher, signed_in, at):
    factories.engineer("sun", at=at, name="孙立", on_shift=False)
    browser = signed_in(dispatcher)
    services.dispatch(at=at)
    ticket.refresh_from_db()
    assert ticket.assignee == li

    page = browser.get(part(ticket, "candidates")).content.decode()

    assert 'value="sun"' in page
    assert 'value="li"' not in page
    assert "checked" not in page


def test_a_suggestion_is_confirmed_once(suggested, ticket, li, dispatcher, signed_in):
    browser = signed_in(dispatcher)
    assert ticket.short_number in browser.get("/desk/_alerts/").content.decode()

    for _twice in range(2):
        assert browser.post(f"/desk/tickets/{ticket.public_id}/suggestion/", {"back": "board"}).url == "/desk/"

    ticket.refresh_from_db()
    assert (ticket.state, ticket.assignee) == ("assigned", li)
    assert ticket.short_number not in browser.get("/desk/_alerts/").content.decode()


def test_a_ticket_nobody_can_take_is_a_red_banner(ticket, dispatcher, signed_in, at):
    services.dispatch(at=at)

    page = signed_in(dispatcher).get("/desk/_alerts/").content.decode()

    assert ticket.short_number in page
    assert 'role="alert"' in page


def test_the_board_brings_its_banners_along(ticket, dispatcher, signed_in, at):
    services.dispatch(at=at)

    page = signed_in(dispatcher).get("/desk/").content.decode()

    assert re.search(r'<div id="alerts"[^>]*>\s*<div class="ban [^>]*>.*' + ticket.short_number, page)


def test_a_part_is_nothing_to_whom_its_view_refuses(ticket, nurse, dispatcher, rf, at):
    services.dispatch(at=at)
    page = Template("{% load wardline %}{% part 'matching-alerts' %}")

    shown = {}
    for who in (nurse, dispatcher, AnonymousUser()):
        request = rf.get("/desk/")
        request.user = who
        shown[str(who)] = page.render(RequestContext(request)).strip()

    assert [bool(text) for text in shown.values()] == [False, True, False]


def test_the_most_urgent_banners_stand_first_and_the_rest_is_counted(ticket, calm, stopped, dispatcher, signed_in, at):
    others = [factories.device(ticket.department, ticket.device.type) for _ in range(6)]
    for device in others[:5]:
        lifecycle.submit(device=device, preset=calm, by=None, at=at)
    urgent = lifecycle.submit(device=others[5], preset=stopped, in_use=True, by=None, at=at)
    services.dispatch(at=at)

    page = signed_in(dispatcher).get("/desk/_alerts/").content.decode()

    assert page.index(urgent.short_number) < page.index(ticket.short_number)
    assert page.count("，没有人能去") == 5
    assert "还有 2 张没有人能去" in page


def test_a_ticket_that_waits_for_somebody_busy_is_not_called_one_that_nobody_can_go_to(
    ticket, li, dispatcher, signed_in, at
):
    other = factories.device(ticket.department, ticket.device.type)
    lifecycle.submit(device=other, preset=ticket.preset, by=None, at=at)
    services.dispatch(at=at)  # he gets one, the other waits for him
    waiting = Ticket.objects.get(assignee=None)

    page = signed_in(dispatcher).get(part(waiting, "assignment")).content.decode()

    assert "等合适的人" in page
    assert "没有人能去" not in page


def test_who_was_sent_by_hand_when_nobody_could_go_is_named(ticket, dispatcher, signed_in, at):
    services.dispatch(at=at)
    assert "<h2>没有人能去</h2>" in signed_in(dispatcher).get(part(ticket, "assignment")).content.decode()
    ticket.refresh_from_db()
    lifecycle.assign(ticket, to=factories.engineer("zhao", at=at, name="赵强"), by=dispatcher, at=at)

    page = signed_in(dispatcher).get(part(ticket, "assignment")).content.decode()

    assert "<h2>由赵工去，当时没有合适的人</h2>" in page


def test_another_choice_by_hand_is_not_explained_as_if_it_were_the_systems(ticket, li, dispatcher, signed_in, at):
    services.dispatch(at=at)
    ticket.refresh_from_db()
    zhao = factories.engineer("zhao", at=at, name="赵强")
    lifecycle.assign(ticket, to=zhao, by=dispatcher, at=at, reason="就在隔壁")

    page = signed_in(dispatcher).get(part(ticket, "assignment")).content.decode()

    assert "<h2>改由赵工去</h2>" in page
    assert "原来选的" in page
    assert "为什么派给" not in page


def test_who_is_in_the_house_stands_before_who_is_not(ticket, dispatcher, signed_in, at):
    for name, here in (("a", False), ("b", True), ("c", False), ("d", True)):
        factories.engineer(name, at=at, name=f"{name.upper()}某", on_shift=here, skills={})
    services.dispatch(at=at)

    page = signed_in(dispatcher).get(part(ticket, "candidates")).content.decode()

    assert re.findall(r'name="to" value="(\w)"', page) == ["b", "d", "a", "c"]


def test_the_card_says_who_is_here_with_how_much(ticket, li, dispatcher, signed_in, at):
    factories.engineer("sun", at=at, name="孙立", on_shift=False)
    lifecycle.assign(ticket, to=li, by=dispatcher, at=at)

    page = signed_in(dispatcher).get("/desk/_roster/").content.decode()

    assert "李工" in page
    assert "1 / 5" in page
    assert "孙工" not in page


def test_wards_see_none_of_it_and_engineers_decide_nothing(suggested, ticket, nurse, li, signed_in, client):
    for path in ("/desk/_roster/", "/desk/_alerts/", part(ticket, "assignment"), part(ticket, "candidates")):
        assert signed_in(nurse).get(path).status_code == 403
        assert client.get(path).status_code == 302
    assert signed_in(li).get("/desk/_alerts/").status_code == 403
    assert signed_in(li).post(f"/desk/tickets/{ticket.public_id}/suggestion/").status_code == 403
    suggested.refresh_from_db()
    assert suggested.open


def test_an_unknown_ticket_has_no_parts(dispatcher, signed_in):
    assert signed_in(dispatcher).get("/desk/tickets/nothing/_assignment/").status_code == 404
