"""kill -9 of web processes under load: what was acknowledged is there once, with its fact."""

from __future__ import annotations

import random

import pytest

from tests.faults.conftest import Make
from tests.faults.ledger import count, note
from tests.faults.load import Load
from tests.faults.plant import Plant
from tests.faults.servers import Redis, until

pytestmark = pytest.mark.faults


def killed_under_load(plant: Plant, kills: int) -> dict[str, int]:
    chance = random.Random(kills)
    plant.start("web-1", "web-2", "clock-1")
    load = Load(plant, clients=6, pause=0.02)
    with load.running():
        for _turn in range(kills):
            before = len(load.acknowledged)
            until(lambda before=before: len(load.acknowledged) > before + 2, "the flow of reports")
            load.wait(chance.uniform(0, 0.3))
            name = chance.choice(["web-1", "web-2"])
            plant.await_web(name)
            plant.kill(name)
            plant.launch(name)
    plant.await_web("web-1")
    plant.all_numbered()
    return load.account() | {"cut": load.statuses().get(0, 0)}


def test_a_killed_web_process_loses_and_doubles_nothing(on_postgres: Make, redis: Redis) -> None:
    plant, kills = on_postgres(redis.url), count(4, 100)
    counts = killed_under_load(plant, kills)

    note("kill -9 of web, PostgreSQL", kills=kills, **counts)
    assert counts["acknowledged"] == counts["tried"] > kills
    assert (counts["lost"], counts["doubled"], counts["without_event"], counts["given_up"]) == (0, 0, 0, 0)
    assert plant.chain_is_whole()


@pytest.mark.lengthy
def test_a_killed_web_process_loses_and_doubles_nothing_on_sqlite(on_sqlite: Make) -> None:
    plant, kills = on_sqlite(), count(3, 100)
    counts = killed_under_load(plant, kills)

    note("kill -9 of web, SQLite", kills=kills, **counts)
    assert counts["acknowledged"] == counts["tried"] > kills
    assert (counts["lost"], counts["doubled"], counts["without_event"], counts["given_up"]) == (0, 0, 0, 0)
    assert plant.chain_is_whole()
