"""Clients that report broken devices and do not give up: each report has its key, and is sent until it is acknowledged."""

from __future__ import annotations

import http.client
import itertools
import json
import random
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from tests.faults.plant import Plant

CUT = 0  # no answer: the connection was refused or cut
PATIENCE = 120.0


@dataclass
class Attempt:
    at: float
    status: int
    seconds: float
    retry_after: str = ""


@dataclass
class Load:
    """What the clients did and were told."""

    plant: Plant
    clients: int = 4
    pause: float = 0.05
    tried: set[str] = field(default_factory=set)
    acknowledged: dict[str, str] = field(default_factory=dict)
    attempts: list[Attempt] = field(default_factory=list)
    given_up: int = 0

    @contextmanager
    def running(self) -> Iterator[Load]:
        """Reports flow inside; at the end each client finishes the one that it is at."""
        passes = self.plant.passes()
        self._ending = threading.Event()
        threads = [threading.Thread(target=self._work, args=(n, passes), daemon=True) for n in range(self.clients)]
        for thread in threads:
            thread.start()
        try:
            yield self
        finally:
            self._ending.set()
            for thread in threads:
                thread.join(PATIENCE + 30)
            assert not any(thread.is_alive() for thread in threads), "a client hangs"

    def wait(self, seconds: float) -> None:
        self._ending.wait(seconds)

    def _work(self, number: int, passes: dict[str, Any]) -> None:
        chance = random.Random(number)
        ports = itertools.cycle(sorted(self.plant.ports.values(), key=lambda _port: chance.random()))
        token = passes["tokens"][number % len(passes["tokens"])]
        while not self._ending.is_set():
            device, symptom = chance.choice(passes["devices"])
            key = uuid4().hex.translate(str.maketrans("0123456789", "ghijklmnop"))  # digits in a row would be masked
            self.tried.add(key)
            body = {"device": device, "symptom": symptom, "in_use": False, "danger": [], "description": key}
            self._report(key, body, token, ports)
            self._ending.wait(self.pause)

    def _report(self, key: str, body: dict[str, Any], token: str, ports: Iterator[int]) -> None:
        limit = time.monotonic() + PATIENCE
        while time.monotonic() < limit:
            attempt, answer = post(next(ports), "/api/v1/tickets/", body, token, key)
            self.attempts.append(attempt)
            if attempt.status == 201:
                self.acknowledged[key] = answer["id"]
                return
            threading.Event().wait(0.2)  # a client that is told nothing asks again soon, not at once
        self.given_up += 1

    # --- The account ---------------------------------------------------------------
    def account(self) -> dict[str, int]:
        """Counts from the database itself against what the clients were told."""
        found = self.plant.rows("SELECT description, public_id FROM tickets_ticket WHERE length(description) = 32")
        rows = [(key, public_id) for key, public_id in found if key in self.tried]
        told = self.plant.rows("SELECT subject FROM kernel_eventrecord WHERE type = 'TicketSubmitted'")
        subjects = {subject for (subject,) in told}
        stored = {public_id for _key, public_id in rows}
        return {
            "tried": len(self.tried),
            "acknowledged": len(self.acknowledged),
            "lost": sum(public_id not in stored for public_id in self.acknowledged.values()),
            "doubled": len(rows) - len({key for key, _public_id in rows}),
            "without_event": sum(f"ticket:{public_id}" not in subjects for public_id in stored),
            "given_up": self.given_up,
        }

    def statuses(self, attempts: Iterable[Attempt] | None = None) -> dict[int, int]:
        counted: dict[int, int] = {}
        for attempt in self.attempts if attempts is None else attempts:
            counted[attempt.status] = counted.get(attempt.status, 0) + 1
        return dict(sorted(counted.items()))


def post(
    port: int, path: str, body: dict[str, Any], token: str, key: str = "", timeout: float = 15, if_match: str = ""
) -> tuple[Attempt, Any]:
    """One attempt, whatever comes of it."""
    headers = {"Content-Type": "application/json", "Authorization": f"Token {token}"}
    if key:
        headers["Idempotency-Key"] = key
    if if_match:
        headers["If-Match"] = if_match
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    begun = time.monotonic()
    try:
        connection.request("POST", path, json.dumps(body), headers)
        got = connection.getresponse()
        content = got.read()
        attempt = Attempt(begun, got.status, time.monotonic() - begun, got.headers.get("Retry-After", ""))
        return attempt, json.loads(content) if content[:1] in (b"{", b"[") else content
    except (OSError, http.client.HTTPException):
        return Attempt(begun, CUT, time.monotonic() - begun), None
    finally:
        connection.close()
