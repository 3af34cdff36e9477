"""The same thing asked many times at one moment: one ticket for one key, one engineer for one ticket."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from tests.faults.conftest import Make
from tests.faults.ledger import count, note
from tests.faults.load import Attempt, post
from tests.faults.plant import Plant
from tests.faults.servers import Redis

pytestmark = pytest.mark.faults
TICKETS = "/api/v1/tickets/"
ROLES = """
import json
from django.utils import timezone
from assets.models import User
from dispatch.models import Engineer
from integrations.identity.services import issue_token
now = timezone.now()
desk = list(User.objects.filter(role__in=["dispatcher", "manager"], is_active=True).order_by("role", "pk"))
print(json.dumps({"desk": [issue_token(desk[n % len(desk)], at=now)[1] for n in range(20)],
  "engineers": list(Engineer.objects.order_by("pk").values_list("user__username", flat=True)[:20])}))
"""


def at_once(calls: list[Callable[[], tuple[Attempt, Any]]]) -> list[tuple[Attempt, Any]]:
    """All calls behind one gate, each in its own thread."""
    gate, answers = threading.Barrier(len(calls)), list[tuple[Attempt, Any]]()

    def run(call: Callable[[], tuple[Attempt, Any]]) -> None:
        gate.wait(30)
        answers.append(call())

    threads = [threading.Thread(target=run, args=(call,), daemon=True) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(90)
    return answers


def one_key_many_times(plant: Plant, rounds: int) -> dict[str, int]:
    plant.start("web-1", "web-2")
    passes, ports = plant.passes(), list(plant.ports.values())
    doubled = differing = unfit = conflicts = 0
    for turn in range(rounds):
        device, symptom = passes["devices"][turn % len(passes["devices"])]
        key, token = f"same-{uuid4()}", passes["tokens"][0]
        body = {"device": device, "symptom": symptom, "in_use": True, "danger": [], "description": f"turn {turn}"}
        before = plant.number("SELECT count(*) FROM tickets_ticket")
        answers = at_once(
            [lambda n=n, b=body, k=key, t=token: post(ports[n % 2], TICKETS, b, t, k, timeout=60) for n in range(50)]
        )
        unfit += sum(attempt.status != 201 for attempt, _body in answers)
        differing += len({json.dumps(said, sort_keys=True) for attempt, said in answers if attempt.status == 201}) - 1
        doubled += plant.number("SELECT count(*) FROM tickets_ticket") - before - 1
        changed, _said = post(ports[0], TICKETS, body | {"description": "changed"}, token, key)
        conflicts += changed.status == 409
        assert plant.number("SELECT count(*) FROM tickets_ticket") == before + 1 + max(0, doubled)
    return {
        "tried": rounds * 50,
        "acknowledged": rounds * 50 - unfit,
        "lost": 0,
        "doubled": doubled,
        "other_answers": differing,
        "conflicts_on_changed_body": conflicts,
    }


def test_fifty_equal_requests_at_once_make_one_ticket(on_postgres: Make, redis: Redis) -> None:
    rounds = count(1, 20)
    counts = one_key_many_times(on_postgres(redis.url), rounds)

    note(
        "same POST x50 at once, then changed, PostgreSQL",
        rounds=rounds,
        **counts,
    )
    assert (counts["acknowledged"], counts["doubled"], counts["other_answers"]) == (rounds * 50, 0, 0)
    assert counts["conflicts_on_changed_body"] == rounds


@pytest.mark.lengthy
def test_fifty_equal_requests_at_once_make_one_ticket_on_sqlite(on_sqlite: Make) -> None:
    rounds = count(1, 20)
    counts = one_key_many_times(on_sqlite(), rounds)

    note(
        "same POST x50 at once, then changed, SQLite",
        rounds=rounds,
        **counts,
    )
    assert (counts["acknowledged"], counts["doubled"], counts["other_answers"]) == (rounds * 50, 0, 0)
    assert counts["conflicts_on_changed_body"] == rounds


def test_twenty_dispatchers_at_once_send_one_engineer(on_postgres: Make, redis: Redis) -> None:
    """Each has read the same version of the ticket and sends somebody else; one is right, the others are told."""
    rounds, plant = count(2, 50), on_postgres(redis.url)
    plant.start("web-1", "web-2", "clock-1")
    cast, passes, ports = plant.ask(ROLES), plant.passes(), list(plant.ports.values())
    sent = refused = other = doubled = 0
    for turn in range(rounds):
        device, symptom = passes["devices"][turn % len(passes["devices"])]
        body = {"device": device, "symptom": symptom, "in_use": False, "danger": [], "description": f"rivals {turn}"}
        made, ticket = post(ports[0], TICKETS, body, passes["tokens"][0])
        assert made.status == 201, ticket
        public_id = ticket["id"]
        version = plant.number(f"SELECT version FROM tickets_ticket WHERE public_id = '{public_id}'")  # noqa: S608
        answers = at_once(
            [
                lambda n=n, i=public_id, v=version: post(
                    ports[n % 2],
                    f"{TICKETS}{i}/assign/",
                    {"to": cast["engineers"][n % len(cast["engineers"])], "reason": "rivals"},
                    cast["desk"][n],
                    timeout=60,
                    if_match=f'W/"{v}"',
                )
                for n in range(20)
            ]
        )
        statuses = [attempt.status for attempt, _said in answers]
        sent += statuses.count(200)
        refused += statuses.count(409)
        other += len(statuses) - statuses.count(200) - statuses.count(409)
        subject = f"ticket:{public_id}"
        told = "SELECT count(*) FROM kernel_eventrecord WHERE type = 'TicketAssigned' AND subject = "
        doubled += plant.number(f"{told}'{subject}'") - 1
    plant.all_numbered()

    note(
        "20 dispatchers at once, PostgreSQL",
        tried=rounds * 20,
        acknowledged=sent,
        lost=rounds - sent,
        doubled=doubled,
        told_409=refused,
        other=other,
    )
    assert (sent, refused, other, doubled) == (rounds, rounds * 19, 0, 0)
