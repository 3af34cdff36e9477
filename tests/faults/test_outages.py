"""PostgreSQL restarted and Redis gone under load: nothing acknowledged is lost, who asks is told when to come back."""

from __future__ import annotations

import signal
import time

import pytest

from tests.faults.conftest import Make
from tests.faults.ledger import count, note
from tests.faults.load import CUT, Load
from tests.faults.screen import Screen
from tests.faults.servers import Postgres, Redis, until

pytestmark = pytest.mark.faults
GRACE = 1.0  # seconds after PostgreSQL answers again in which an error is still forgiven
MANNERS = "a restart must be told as 503 with Retry-After"


@pytest.mark.parametrize(
    "how", [pytest.param(Postgres.FAST, marks=pytest.mark.lengthy), Postgres.IMMEDIATE], ids=["fast", "immediate"]
)
def test_a_restart_of_postgresql_loses_nothing_and_is_told(
    on_postgres: Make, postgres: Postgres, redis: Redis, how: signal.Signals
) -> None:
    plant, restarts = on_postgres(redis.url, JOB_TIMEOUT_SECONDS="20"), count(2, 20)
    plant.start("web-1", "web-2", "worker-1", "clock-1")
    load, spells, slowest = Load(plant, clients=6, pause=0.02), list[tuple[float, float]](), 0.0
    with load.running():
        for _turn in range(restarts):
            before = len(load.acknowledged)
            until(lambda before=before: len(load.acknowledged) > before + 10, "the flow of reports")
            down = time.monotonic()
            postgres.stop(how)
            load.wait(0.3)
            postgres.start()
            up = time.monotonic()
            spells.append((down, up))
            again = len(load.acknowledged)
            slowest = max(slowest, until(lambda again=again: len(load.acknowledged) > again, "the first report after"))
        load.wait(2)

    plant.all_numbered()
    counts = load.account()
    errors = [a for a in load.attempts if a.status != 201]
    # An error counts as late when its request was neither under way while the server was down nor sent within the grace.
    late = [a for a in errors if not any(a.at <= up + GRACE and a.at + a.seconds >= down for down, up in spells)]
    rude = [a for a in errors if not (a.status == 503 and a.retry_after)]
    waits = [a.seconds for a in errors] or [0.0]
    note(
        f"PostgreSQL restart, {'fast' if how == Postgres.FAST else 'immediate'}",
        restarts=restarts,
        **counts,
        told_503=len(errors) - len(rude),
        other_errors=len(rude),
        errors_after_1_s=len(late),
        longest_503_s=round(max(waits), 2),
        first_success_after_s=round(slowest, 2),
    )
    assert counts["acknowledged"] == counts["tried"]
    assert (counts["lost"], counts["doubled"], counts["without_event"]) == (0, 0, 0)
    assert not rude, (MANNERS, load.statuses())
    assert not late, [(a.status, round(a.at - spells[-1][1], 2)) for a in late][:5]
    until(
        lambda: plant.number("SELECT count(*) FROM django_q_ormq") == 0, "the end of the queue", within=180, every=0.2
    )
    assert plant.chain_is_whole()


@pytest.mark.parametrize("how", ["gone", pytest.param("hung", marks=pytest.mark.lengthy)])
def test_reports_and_alerts_go_on_without_redis(on_postgres: Make, redis: Redis, how: str) -> None:
    seconds, plant = count(4, 60), on_postgres(redis.url)
    plant.start("web-1", "web-2", "worker-1", "clock-1")
    load = Load(plant, clients=4, pause=0.05)
    screen = Screen(plant, "web-1")
    try:
        with load.running():
            until(lambda: len(load.acknowledged) > 5, "the flow of reports")
            if how == "gone":
                redis.stop(signal.SIGKILL)
            else:
                redis.process.send_signal(signal.SIGSTOP)
            load.wait(seconds)
            if how == "gone":
                redis.start()
            else:
                redis.process.send_signal(signal.SIGCONT)
            load.wait(2)
        plant.all_numbered()
        head = plant.number("SELECT max(seq) FROM kernel_eventrecord")
        behind = until(lambda: screen.last >= head, "the catching up of the screen", within=30)
        seen = set(screen.seqs)  # rounds of dispatch go on: facts after `head` may or may not be there yet
    finally:
        screen.close()
        if how == "gone" and redis.process is None:
            redis.start()

    counts, errors = load.account(), [a for a in load.attempts if a.status not in (201, 429)]
    note(
        f"Redis {how} for {seconds} s",
        **counts,
        failed=len(errors),
        slowest_create_s=round(max(a.seconds for a in load.attempts), 2),
        screen_behind_s=round(behind, 2),
        facts_missed_on_screen=len(set(range(1, head + 1)) - seen),
    )
    assert counts["acknowledged"] == counts["tried"]
    assert not errors, load.statuses(errors)
    assert (counts["lost"], counts["doubled"], counts["without_event"]) == (0, 0, 0)
    assert behind <= 5
    assert seen == set(range(1, max(seen) + 1))
    assert CUT not in load.statuses()
