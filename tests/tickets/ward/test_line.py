"""The line on the ward's page: what it says holds now, and a time stands only at a step that is still to come."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.utils import timezone

from assets.models import Device, FaultPreset, User
from tests import factories
from tests.tickets.ward.conftest import Phone, accepted, repaired, ticket_of
from tickets.lifecycle import services as lifecycle
from tickets.ward import queries


def _line(token: str) -> list[tuple[str, str, bool]]:
    """Of each stop: what it is called, how it stands, whether a time is promised."""
    shown = queries.tracking(queries.find(token), timezone.now(), token)
    return [(str(stop["label"]), stop["status"], stop["until"] is not None) for stop in shown["stops"]]


def test_with_a_backup_the_ward_still_waits_for_its_own_device(
    phone: Phone, ventilator: Device, icu: Any, engineer: User
) -> None:
    token, now = phone.report(ventilator), timezone.now()
    spare = factories.device(icu, ventilator.type, backup_group="vent", asset_no="ICU-0388", self_test_at=now)
    ticket = accepted(ticket_of(token), engineer)
    lifecycle.arrive(ticket, by=engineer, at=now, scanned=True)
    lifecycle.start(ticket, by=engineer, at=now, decon="cleaned")

    lifecycle.restore(ticket, backup=spare, by=engineer, at=now)

    assert _line(token) == [
        ("已送达", "met", False), ("已接单", "met", False), ("已到场", "met", False), ("原机修好", "now", True),
    ]  # fmt: skip
    shown = queries.tracking(queries.find(token), now, token)
    assert (shown["headline"], shown["latest"]) == ("李工正在维修", ticket.clocks.get(metric="fix").due_at)
    backup = phone.follow(token).content.decode().split("备用机已接上")[1].split("</section>")[0]
    assert re.search(r'<span class="t13 ink2 blk">\d\d:\d\d 自检合格', backup)


def test_with_every_stop_done_nothing_is_promised(phone: Phone, ventilator: Device, engineer: User) -> None:
    token = phone.report(ventilator)

    repaired(ticket_of(token), engineer)

    assert [status for _label, status, _until in _line(token)] == ["met"] * 4
    assert queries.tracking(queries.find(token), timezone.now(), token)["latest"] is None
    page = phone.follow(token).content.decode()
    assert "最晚" not in page
    assert page.count("李工说修好了") == 2  # the tab's title and the band, not once more below it


@pytest.mark.parametrize(
    ("lang", "head", "said"),
    [("zh-hans", "已退回重修", "重新打开，正在找工程师"), ("en", "Sent back for repair", "Reopened")],
)
def test_a_repair_sent_back_shows_what_holds_now(
    phone: Phone, monitor: Device, spo2: FaultPreset, engineer: User, lang: str, head: str, said: str
) -> None:
    token = phone.report(monitor, symptom="monitor-spo2")
    repaired(ticket_of(token), engineer)

    phone.do(token, "dispute")

    assert _line(token) == [
        ("已送达", "met", False), ("等接单", "now", False), ("赶来中", "todo", False), ("恢复使用", "todo", True),
    ]  # fmt: skip
    page = phone.client.get(f"/t/{token}/", {"lang": lang}).content.decode()
    assert f"<h1>{head}</h1>" in page
    assert said in page


def test_the_second_engineer_arrives_for_himself(
    phone: Phone, monitor: Device, spo2: FaultPreset, engineer: User
) -> None:
    token = phone.report(monitor, symptom="monitor-spo2")
    repaired(ticket_of(token), engineer)
    phone.do(token, "dispute")
    ticket = accepted(ticket_of(token), engineer)
    assert [status for _label, status, _until in _line(token)] == ["met", "met", "now", "todo"]

    lifecycle.arrive(ticket, by=engineer, at=timezone.now(), scanned=True)

    assert [status for _label, status, _until in _line(token)] == ["met", "met", "met", "now"]
    assert (
        queries.tracking(queries.find(token), timezone.now(), token)["stops"][2]["detail"] == ""
    )  # not the first one's time
