"""One fact to many real websockets of one real web process; the listeners live in a process of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from django.conf import settings
from django.core.management import CommandError
from django.db import transaction
from django.utils import timezone

from assets.models import Person, User
from config.kernel import live, log
from config.kernel.events import Event, publish
from integrations.management.bench import listeners, plain_broadcast
from integrations.management.bench.figures import Figures, goal, share, spread
from integrations.management.bench.house import free_port, house, running, session_of, wait_for
from tickets.desk.consumers import SOCKETS_PER_USER

GOALS = {1000: 60, 5000: 200}


@dataclass(frozen=True, kw_only=True)
class Bench(Event):
    """A fact that means nothing."""

    about: ClassVar[str] = "bench"

    bench: str


def bench_fanout(runs: int) -> Figures:
    """Commit of the sequencer to each socket, 1,000 and 5,000 sockets; floor: plain broadcast by the same server."""
    facts = max(3, min(runs, 40))
    sizes = (20,) if runs < 20 else tuple(GOALS)
    return {"parts": [_measured(size, facts) for size in sizes]}


def _measured(sockets: int, facts: int) -> Figures:
    cookies = _cookies(-(-sockets // SOCKETS_PER_USER))
    log.lead("bench")
    while log.sequence("bench"):  # what the demo left unnumbered would go out with the first fact
        pass
    with house("web") as home:
        ours, reached = _told(home.sockets + str(log.head()), cookies, sockets, facts, _by_the_log)
    least, _all = _plainly(sockets, facts)
    figures = {"part": f"{sockets} sockets", "n": facts, "reached": reached, **spread(ours)}
    figures |= {f"floor_{name}": value for name, value in spread(least).items()}
    limit = GOALS.get(sockets)
    met = share(ours, 0.99) <= limit and reached == 1.0 if limit else None
    return figures | ({"goal": f"p99 <= {limit} ms", "met": met} if limit else goal("", met=True))


def _by_the_log(n: int) -> float:
    with transaction.atomic():
        publish(Bench(at=timezone.now(), by="bench", bench=str(n)))
    log.lead("bench")
    moment = time.perf_counter()
    log.sequence("bench")
    live.nudge()  # as the clock does; where Redis is configured the hubs wait for it
    return moment


def _plainly(sockets: int, facts: int) -> tuple[list[float], float]:
    port = free_port()
    command = [
        *(
            sys.executable,
            "-m",
            "uvicorn",
            "plain_broadcast:app",
            "--host",
            "127.0.0.1",
            "--port",
            str(port),
        ),
        *("--lifespan", "off", "--log-level", "warning", "--no-access-log", "--backlog", "4096"),
        *("--app-dir", str(Path(plain_broadcast.__file__).parent)),
    ]

    def ring(n: int) -> float:
        moment = time.perf_counter()
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/?{n}", timeout=30) as answer:
            answer.read()
        return moment

    with running("plain", command, dict(os.environ)) as child:
        wait_for(f"http://127.0.0.1:{port}/healthz", child)
        return _told(f"ws://127.0.0.1:{port}/?after=0", [], sockets, facts, ring)


def _told(
    url: str, cookies: list[str], sockets: int, facts: int, tell: Callable[[int], float]
) -> tuple[list[float], float]:
    """Milliseconds of every delivery after a first fact that does not count, and the share of deliveries that came."""
    command = [sys.executable, "-I", listeners.__file__]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=settings.BASE_DIR
    ) as ears:
        assert ears.stdin is not None
        assert ears.stdout is not None
        print(json.dumps({"url": url, "cookies": cookies, "count": sockets}), file=ears.stdin, flush=True)
        opened = json.loads(ears.stdout.readline())["open"]
        if opened != sockets:
            raise CommandError(f"{opened} of {sockets} sockets opened")
        time.sleep(sockets / 1000)  # the last ones read their backlog
        told = {}
        for n in range(facts + 1):
            told[str(n)] = tell(n)
            time.sleep(0.3 + sockets / 10_000)
        time.sleep(1 + sockets / 2000)
        print("done", file=ears.stdin, flush=True)
        heard: dict[str, list[float]] = json.loads(ears.stdout.readline())
    times = [(moment - told[n]) * 1000 for n, moments in heard.items() if n != "0" for moment in moments]
    if not times:
        raise CommandError("no fact reached a socket")
    return times, round(len(times) / (facts * sockets), 4)


def _cookies(people: int) -> list[str]:
    """Sessions of engineers made for this bench: one person may hold only so many sockets."""
    names = [f"ear{n:05d}" for n in range(people)]
    known = set(User.objects.filter(username__in=names).values_list("username", flat=True))
    fresh = [name for name in names if name not in known]
    persons = Person.objects.bulk_create(Person(name=name) for name in fresh)
    User.objects.bulk_create(
        User(username=name, role="engineer", person=person) for name, person in zip(fresh, persons, strict=True)
    )
    return [session_of(user) for user in User.objects.filter(username__in=names)]
