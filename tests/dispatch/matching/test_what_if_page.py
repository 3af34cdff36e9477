"""The page that tries other weights: it shows what past decisions would have become, and saves nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from assets.models import Device, FaultPreset, User
from dispatch.matching import queries, rules, services
from dispatch.matching.models import Decision, Weights
from tests import factories
from tickets.lifecycle import services as lifecycle
from tickets.models import Ticket


@pytest.fixture
def weights(rules: None) -> Weights:
    return services.dispatching.lock_weights()


@pytest.fixture
def decision(weights: Weights, ventilator: Device, calm: FaultPreset) -> Decision:
    """The surer of two was sent; the other, with less to do today, would be if load counted a lot."""
    at = timezone.now()
    for name in ("one", "two"):
        factories.engineer(name, at=at, skills={"respiratory": 3})
    lifecycle.submit(device=ventilator, preset=calm, by=None, at=at)
    services.dispatch(at=at)
    made = Decision.objects.get()
    first, second = made.explanation["candidates"]
    second["terms"] |= {"load": first["terms"]["load"] - 0.01, "total": first["terms"]["total"] + 0.09}
    second["terms"]["quality"] = first["terms"]["quality"] + 0.1
    second["terms"]["chance"]["p"] = first["terms"]["chance"]["p"] - 0.1 / 1.5
    made.save()
    return made


def page_of(weights: Weights) -> str:
    return f"/admin/dispatch/weights/{weights.pk}/what-if/"


def typed(client: Client, weights: Weights, **other: Any) -> dict[str, Any]:
    form = client.get(page_of(weights)).context["form"]
    return {field.name: field.value() for field in form} | {"days": 30} | other


def test_a_heavier_load_would_have_sent_the_other_and_nothing_is_saved(
    decision: Decision, weights: Weights, manager: User, signed_in: Callable[[User], Client]
) -> None:
    browser = signed_in(manager)
    kept = (list(Weights.objects.values()), Weights.history.count(), list(Decision.objects.values()))

    answer = browser.post(page_of(weights), typed(browser, weights, load=1))

    (row,) = answer.context["changes"]
    assert (row["one"].was, row["one"].why) == (decision.chosen_id, "load")
    text = answer.content.decode()
    assert decision.ticket.number in text
    assert answer.context["form"].moved() == [("负载", "0.01", "1")]
    assert "模拟数据" not in text
    assert (list(Weights.objects.values()), Weights.history.count(), list(Decision.objects.values())) == kept


def test_unchanged_numbers_change_nobody_and_the_demo_says_that_it_is_one(
    decision: Decision, weights: Weights, manager: User, signed_in: Callable[[User], Client]
) -> None:
    Ticket.objects.update(simulated=True)
    browser = signed_in(manager)

    answer = browser.post(page_of(weights), typed(browser, weights))

    assert (answer.context["found"].replay.replayable, answer.context["changes"]) == (1, [])
    assert answer.context["form"].moved() == []
    assert "模拟数据" in answer.content.decode()


@pytest.mark.parametrize(
    "wrong", [{"touch": "-1"}, {"fix": ""}, {"target_minutes_1": "0"}, {"load": "nan"}, {"days": 9}]
)
def test_a_number_that_cannot_be_used_is_asked_again(
    wrong: dict[str, str], weights: Weights, manager: User, signed_in: Callable[[User], Client]
) -> None:
    browser = signed_in(manager)

    answer = browser.post(page_of(weights), typed(browser, weights, **wrong))

    assert answer.status_code == 200
    assert 'role="alert"' in answer.content.decode()
    assert "found" not in answer.context


@pytest.mark.parametrize("role", ["nurse", "engineer", "dispatcher"])
def test_others_are_refused(
    role: str, decision: Decision, weights: Weights, signed_in: Callable[[User], Client], request: Any
) -> None:
    browser = signed_in(request.getfixturevalue(role))

    answers = [browser.get(page_of(weights)), browser.post(page_of(weights), {"load": 1})]

    assert all(answer.status_code in (302, 403) for answer in answers)
    assert Client().get(page_of(weights)).status_code == 302


def test_the_button_saves_through_the_change_page_and_only_what_was_tried(
    decision: Decision, weights: Weights, manager: User, signed_in: Callable[[User], Client]
) -> None:
    Weights.objects.update(values={"defer": 40})
    browser = signed_in(manager)
    tried = browser.post(page_of(weights), typed(browser, weights, touch=0.02))
    change = f"/admin/dispatch/weights/{weights.pk}/change/"
    assert f'action="{change}"' in tried.content.decode()

    numbers = dict(tried.context["numbers"])
    answer = browser.post(change, {"active": "on", "note": ""} | numbers)

    saved = Weights.objects.get()
    assert (answer.status_code, saved.active, saved.version) == (302, True, 1)
    assert saved.values == {"touch": 0.02, "defer": 40}


def test_every_number_of_a_version_is_a_field_and_what_is_as_usual_is_not_stored(
    weights: Weights, manager: User, signed_in: Callable[[User], Client]
) -> None:
    browser = signed_in(manager)
    page = browser.get("/admin/dispatch/weights/add/").context["adminform"].form
    typed_in = {name: page[name].value() for name in page.fields if name not in ("active", "note", "values")}

    answer = browser.post(
        "/admin/dispatch/weights/add/",
        typed_in | {"note": "夜里少叫人", "active": "on", "manner_accept_within_1": "3", "call_in_minutes_home": "60"},
    )

    assert answer.status_code == 302
    old, new = Weights.objects.order_by("version")
    assert (old.active, new.active, new.version) == (False, True, 2)
    assert new.values == {
        "manner": {"accept_within": {"1": 3.0, "2": 5.0, "3": 20.0, "4": 60.0}},
        "call_in_minutes": {"on_call": 20.0, "home": 60.0},
    }
    assert rules.settings_from(new.values).manner.accept_within[1] == 3.0


def test_the_version_in_use_cannot_be_switched_off(
    weights: Weights, manager: User, signed_in: Callable[[User], Client]
) -> None:
    browser, change = signed_in(manager), f"/admin/dispatch/weights/{weights.pk}/change/"
    page = browser.get(change).context["adminform"].form
    kept = {name: page[name].value() for name in page.fields if name != "active"}

    answer = browser.post(change, kept)

    assert "总要有一个版本在用" in answer.content.decode()
    assert Weights.objects.get().active


def test_the_change_page_leads_there(weights: Weights, manager: User, signed_in: Callable[[User], Client]) -> None:
    page = signed_in(manager).get(f"/admin/dispatch/weights/{weights.pk}/change/").content.decode()

    assert page_of(weights) in page


def test_a_decision_is_priced_by_what_its_version_said_then(decision: Decision, weights: Weights) -> None:
    weights.values = {"touch": 0.5, "fix": 9}
    weights.save()

    found = queries.what_if(rules.Weights(), days=1, at=timezone.now())

    assert (found.replay.replayable, found.replay.skipped, found.replay.changes) == (1, {}, ())


def test_older_ones_are_left_out_and_too_many_are_cut(decision: Decision) -> None:
    later = timezone.now() + timedelta(days=8)

    assert queries.what_if(rules.Weights(), days=7, at=later).replay.asked == 0
    assert queries.what_if(rules.Weights(), days=30, at=later, most=0).cut


@pytest.mark.parametrize("copies", [0, 9])
def test_one_and_ten_decisions_cost_the_same_queries(copies: int, decision: Decision) -> None:
    for _copy in range(copies):
        decision.pk = None
        decision.save(force_insert=True)

    with CaptureQueriesContext(
        connection,
    ) as seen:
        found = queries.what_if(rules.Weights(load=1), days=30, at=timezone.now())

    assert found.replay.asked == copies + 1
    assert len(seen) == 3
