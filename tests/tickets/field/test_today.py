"""The list of a day: grouped, by time to breach, live, and no dearer for ten tickets than for one."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from assets.models import Department, Device, FaultPreset, User
from dispatch.models import EngineerSkill
from tests import factories
from tests.tickets.field.conftest import Phone, brought_to
from tickets.field import queries, rules
from tickets.lifecycle import services as lifecycle

pytestmark = pytest.mark.django_db
BUDGET = (
    26  # nine of them for the page, three of these the line about duty; the rest for whether he may take what is free
)


def _fill(n: int, home: Department, kind: Any, preset: FaultPreset, engineer: User) -> None:
    for i in range(n):
        device = factories.device(home, kind, backup_group="vent")
        if i % 3 == 2:
            lifecycle.submit(device=device, preset=preset, in_use=False, by=None, at=timezone.now())
        else:
            brought_to(("assigned", "accepted")[i % 2], device, preset, engineer, in_use=i % 2 == 0)


def _queries_of_today(phone: Phone) -> int:
    phone.page()  # warm: rulebook, session
    with CaptureQueriesContext(
        connection,
    ) as caught:
        assert phone.page().status_code == 200
    return len(caught)


def test_ten_tickets_cost_what_one_costs(
    phone: Phone, icu: Department, ventilator: Device, stopped: FaultPreset, engineer: User
) -> None:
    _fill(3, icu, ventilator.type, stopped, engineer)
    one = _queries_of_today(phone)

    _fill(10, icu, ventilator.type, stopped, engineer)
    ten = _queries_of_today(phone)

    assert ten == one
    assert one <= BUDGET


def test_groups_and_order(
    phone: Phone, ventilator: Device, monitor: Device, stopped: FaultPreset, spo2: FaultPreset, engineer: User, icu: Any
) -> None:
    mine = brought_to("accepted", monitor, spo2, engineer)
    urgent = brought_to("accepted", ventilator, stopped, engineer, in_use=True)
    free = lifecycle.submit(
        device=factories.device(icu, ventilator.type), preset=stopped, in_use=False, by=None, at=timezone.now()
    )

    groups = queries.today(engineer, timezone.now())
    page = phone.page().content.decode()

    assert [c["ticket"] for c in groups["urgent"]] == [urgent]
    assert [c["ticket"] for c in groups["mine"]] == [mine]
    assert [c["ticket"] for c in groups["open_to_take"]] == [free]
    order = [page.index(f'data-key="{t.public_id}"') for t in (urgent, mine, free)]
    assert order == sorted(order)


def test_another_engineers_work_is_not_on_my_phone(
    phone: Phone, ventilator: Device, stopped: FaultPreset, colleague: User, engineer: User
) -> None:
    theirs = brought_to("accepted", ventilator, stopped, colleague)

    assert theirs.public_id not in phone.page().content.decode()


def test_an_empty_day_says_why_and_what_next(phone: Phone) -> None:
    assert "手上没有工单" in phone.page().content.decode()


@pytest.mark.parametrize("state", ["assigned", "accepted", "arrived", "working"])
def test_the_dock_carries_the_next_legal_verb(
    phone: Phone, ventilator: Device, stopped: FaultPreset, engineer: User, state: str
) -> None:
    ticket = brought_to(state, ventilator, stopped, engineer)

    page = phone.page(f"{ticket.public_id}/").content.decode()

    verb = rules.NEXT_VERB[state]
    assert (f"/do/{verb}/" in page) or (f"/{verb}/" in page)
    assert queries.verb_label(verb) in page


def test_limits_of_the_electrical_safety_tests() -> None:
    found = {
        (protection, part): [(t.code, t.limit) for t in rules.tests_for(protection, part)]
        for protection, part in (("I", "CF"), ("II", "BF"), ("", ""))
    }

    assert found == {
        ("I", "CF"): [("protective_earth", 300), ("equipment_leakage", 500), ("applied_part_leakage", 50)],
        ("II", "BF"): [("equipment_leakage", 100), ("applied_part_leakage", 5000)],
        ("", ""): [],
    }


def test_the_field_is_installable_in_both_languages(phone: Phone) -> None:
    chinese = phone.client.get("/manifest.webmanifest")
    english = phone.client.get("/manifest.webmanifest", headers={"accept-language": "en"})

    assert chinese["Content-Type"] == "application/manifest+json"
    manifest = json.loads(chinese.content)
    assert (manifest["start_url"], manifest["display"], manifest["lang"]) == ("/field/", "standalone", "zh-CN")
    assert {icon["sizes"] for icon in manifest["icons"]} == {"192x192", "512x512"}
    assert json.loads(english.content)["lang"] == "en"
    assert '<link rel="manifest"' in phone.page().content.decode()


def test_english_leaves_no_word_untranslated(
    phone: Phone, ventilator: Device, stopped: FaultPreset, engineer: User
) -> None:
    import re

    ticket = brought_to("working", ventilator, stopped, engineer, in_use=True)
    phone.client.cookies["django_language"] = "en"

    for path in ("", "waiting/", "scan/", f"{ticket.public_id}/", f"{ticket.public_id}/finish/"):
        page = re.sub(r"<(script|title)[^>]*>.*?</\1>", " ", phone.page(path).content.decode(), flags=re.DOTALL)
        words = re.findall(r"[\u4e00-\u9fff]+", re.sub(r"<[^>]+>", " ", page.partition("<body")[2]))
        assert not words, (path, words)


def test_what_i_may_not_take_comes_last_and_says_why_without_a_button(
    phone: Phone, icu: Department, ventilator: Device, monitor: Device, stopped: FaultPreset, spo2: FaultPreset,
    engineer: User,
) -> None:  # fmt: skip
    EngineerSkill.objects.filter(engineer__user=engineer, skill__code="respiratory").delete()
    now = timezone.now()
    factories.shift(engineer, now - timedelta(hours=1), now + timedelta(hours=8))
    theirs = lifecycle.submit(device=ventilator, preset=stopped, in_use=True, by=None, at=now)
    mine = lifecycle.submit(device=monitor, preset=spo2, in_use=False, by=None, at=now)

    cards = phone.page().context["groups"]["open_to_take"]
    list_page, page = phone.page().content.decode(), phone.page(f"{theirs.public_id}/").content.decode()

    assert [(card["ticket"], card["against"]) for card in cards] == [(mine, ""), (theirs, "没有呼吸与麻醉技能")]
    assert list_page.count("你不能接：没有呼吸与麻醉技能") == 1
    assert reverse("field:act", args=[mine.public_id, "accept"]) in list_page
    assert reverse("field:act", args=[theirs.public_id, "accept"]) not in list_page + page
    assert "你不能接：没有呼吸与麻醉技能" in page
    assert phone.do(theirs, "accept").status_code == 409


def test_the_desk_looks_on_without_being_told_what_it_may_not_take(
    dispatcher: User, monitor: Device, spo2: FaultPreset, signed_in: Any
) -> None:
    ticket = lifecycle.submit(device=monitor, preset=spo2, in_use=False, by=None, at=timezone.now())

    for address in ("/field/", f"/field/{ticket.public_id}/"):
        assert "你不能接" not in signed_in(dispatcher).get(address).content.decode()
