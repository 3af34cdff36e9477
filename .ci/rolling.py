"""Every process restarted in turn while the hospital works: how many requests failed, how many facts a screen missed."""

import http.client
import json
import statistics
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import cycle
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from behind import Caller
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.sync.client import connect

if TYPE_CHECKING:
    from production import Production

ORDER = ("web-1", "web-2", "worker-1", "worker-2", "clock-1", "clock-2")
ROLES = ("dispatcher", "manager")  # they may report for every ward
PAUSE = 0.25  # seconds between two pages of one client
PAGES_A_TICKET = 8  # people look more often than they report
REDIAL = 0.3
CATCH_UP = 180.0  # seconds for the jobs that the load has left behind
DEVICES = """
from assets.models import Device, FaultPreset
from assets.register.queries import token_of
rows = list(Device.objects.filter(status="ready").select_related("type__group").order_by("pk")[:400])
preset = dict(FaultPreset.objects.filter(code__isnull=False).order_by("-pk").values_list("group_id", "code"))
rows = [(d.public_id, preset[d.type.group_id], token_of(d)) for d in rows if d.type.group_id in preset]
print(json.dumps(rows))
"""
TRUTH = """
from config.kernel.models import EventRecord
from config.kernel import log
from django_q.models import Failure, OrmQ
from tickets.models import Ticket
seqs = list(EventRecord.objects.filter(seq__gt=%d).order_by("seq").values_list("seq", flat=True))
print(json.dumps({"seqs": seqs, "waiting": EventRecord.objects.filter(seq__isnull=True).count(),
    "tickets": Ticket.objects.count(), "queue": OrmQ.objects.count(), "failures": Failure.objects.count(),
    "chain": log.verify(start=max(1, %d))}))
"""


class Client(threading.Thread):
    """One kept connection, one request after the other, each counted and none tried again."""

    def __init__(self, place: "Production", name: str, address: str, stop: threading.Event) -> None:
        super().__init__(name=name)
        self.place, self.address, self.stop = place, address, stop
        self.took: list[tuple[float, float]] = []
        self.failures: list[str] = []
        self.created: list[str] = []
        self.dials = 0
        self._connection: http.client.HTTPSConnection | None = None

    def ask(
        self, method: str, path: str, wanted: int, body: Any = None, **headers: str
    ) -> tuple[dict[str, str], bytes]:
        begun = time.monotonic()
        if self._connection is None:
            self.dials += 1
            self._connection = http.client.HTTPSConnection(
                "localhost", self.place.port, timeout=30, context=self.place.tls, source_address=(self.address, 0)
            )
        try:
            self._connection.request(method, path, body, {k.replace("_", "-"): v for k, v in headers.items()})
            answer = self._connection.getresponse()
            got, read = answer.status, answer.read()
            if answer.will_close:
                self._drop()
        except (OSError, http.client.HTTPException) as error:
            self.failures.append(f"{method} {path.split('?', maxsplit=1)[0][:12]} {type(error).__name__}")
            self._drop()
            return {}, b""
        self.took.append((begun, time.monotonic() - begun))
        if got != wanted:
            self.failures.append(f"{method} {path.split('?', maxsplit=1)[0][:12]} {got} {read[:120]!r}")
        return dict(answer.headers), read

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None


class Account(Client):
    """Creates tickets over the API without an idempotency key, and reads each of them back, and the facts."""

    def __init__(
        self, place: "Production", role: str, number: int, devices: list[list[str]], stop: threading.Event
    ) -> None:
        super().__init__(place, role, f"127.0.1.{number + 1}", stop)
        self.login, self.devices = place.login(role), devices

    def run(self) -> None:
        body = json.dumps({"username": self.login["username"], "password": self.login["password"]})
        _headers, read = self.ask("POST", "/api/v1/auth/token/", 200, body, Content_Type="application/json")
        token = {"Authorization": f"Token {json.loads(read)['token']}"}
        pages = cycle(("/api/v1/tickets/?page_size=20", "/api/v1/events/?limit=50", "/api/v1/devices/?page_size=20"))
        while not self.stop.wait(PAUSE):
            self.ask("GET", next(pages), 200, **token)
            if len(self.took) % PAGES_A_TICKET:
                continue
            device, symptom, _qr = self.devices[len(self.created) % len(self.devices)]
            report = json.dumps({"device": device, "symptom": symptom, "in_use": False, "danger": []})
            _headers, read = self.ask("POST", "/api/v1/tickets/", 201, report, Content_Type="application/json", **token)
            made = json.loads(read or b"{}").get("id")
            if made:
                self.created.append(made)
                self.ask("GET", f"/api/v1/tickets/{made}/", 200, **token)


class Ward(Client):
    """Scans, reports by the form, reads the receipt: no account, no second try."""

    def __init__(self, place: "Production", number: int, devices: list[list[str]], stop: threading.Event) -> None:
        super().__init__(place, "ward", f"127.0.2.{number + 1}", stop)
        self.devices = devices

    def run(self) -> None:
        for _device, symptom, token in self.devices:
            if self.stop.wait(2.0):
                return
            self.ask("GET", f"/q/{token}/", 200)
            form = {"in_use": "no", "symptom": symptom, "client_id": str(uuid.uuid4()), "separate": "on"}
            kind = "application/x-www-form-urlencoded"
            headers, _read = self.ask("POST", f"/q/{token}/", 303, urlencode(form), Content_Type=kind)
            if "Location" in headers or "location" in headers:
                where = headers.get("Location") or headers["location"]
                self.created.append(where)
                self.ask("GET", where, 200)


class Screen(threading.Thread):
    """A page's live channel: dials again when it is closed, from the last seq it saw."""

    def __init__(self, place: "Production", role: str, number: int, after: int, stop: threading.Event) -> None:
        super().__init__(name=role)
        self.place, self.stop, self.seq = place, stop, after
        self.seen: list[int] = []
        self.codes: Counter[int] = Counter()
        self.refused = self.redials = self.silent = 0
        self.gap = 0.0
        caller, login = Caller(place, f"127.0.3.{number + 1}"), place.login(role)
        caller.sign_in(login["username"], login["password"])
        self.cookie = "; ".join(f"{name}={value}" for name, value in caller.jar.items())

    def run(self) -> None:
        lost = 0.0
        while not self.stop.is_set():
            try:
                address = f"wss://localhost:{self.place.port}/ws/desk/?after={self.seq}"
                cookie = {"Cookie": self.cookie}
                with connect(
                    address, ssl=self.place.tls, origin=self.place.base_url, additional_headers=cookie, proxy=None
                ) as socket:  # type: ignore[arg-type]
                    if lost:
                        self.redials += 1
                    self._listen(socket, lost)
            except ConnectionClosed as closed:
                self.codes[closed.rcvd.code if closed.rcvd else 1006] += 1
            except (OSError, InvalidHandshake):
                self.refused += 1
            lost = time.monotonic()
            self.stop.wait(REDIAL)

    def _listen(self, socket: Any, lost: float) -> None:
        while not self.stop.is_set():
            try:
                fact = json.loads(socket.recv(timeout=1))
            except TimeoutError:
                continue
            if lost:
                self.gap, lost = max(self.gap, time.monotonic() - lost), 0.0
            if "subject" in fact:
                self.seen.append(fact["seq"])
                self.seq = max(self.seq, fact["seq"])


def run(place: "Production", rounds: int) -> int:
    devices = place.ask(DEVICES)
    before = place.ask(TRUTH % (0, 1))
    after = before["seqs"][-1]
    stop, done = threading.Event(), threading.Event()
    cut = len(devices) // 2
    clients: list[Client] = [Account(place, role, n, devices[n:cut:4], stop) for n, role in enumerate(ROLES * 2)]
    clients += [Ward(place, n, devices[cut + n :: 2], stop) for n in range(2)]
    screens = [Screen(place, role, n, after, done) for n, role in enumerate(ROLES * 2)]
    with _running(screens, done), _running(clients, stop):
        time.sleep(3)
        spans = [_round(place, number) for number in range(1, rounds + 1)]
        stop.set()
        truth = _settled(place, after)
        _until(lambda: all(screen.seq >= truth["seqs"][-1] for screen in screens), 10)
    return _report(place, clients, screens, before, truth, spans)


@contextmanager
def _running(threads: Sequence[threading.Thread], stop: threading.Event) -> Iterator[None]:
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def _settled(place: "Production", after: int) -> Any:
    """What the database holds once nothing is under way any more."""
    limit = time.monotonic() + CATCH_UP
    while (truth := place.ask(TRUTH % (after, after)))["waiting"] + truth["queue"] and time.monotonic() < limit:
        time.sleep(2)
    return truth


def _round(place: "Production", number: int) -> float:
    begun = time.monotonic()
    parts = []
    for name in ORDER:
        start = time.monotonic()
        place.restart(name)
        parts.append(f"{name} {time.monotonic() - start:.1f} s")
        time.sleep(2)
    print(f"  round {number}: {', '.join(parts)}", flush=True)
    return time.monotonic() - begun


def _report(
    place: "Production", clients: list[Client], screens: list[Screen], before: Any, truth: Any, spans: list[float]
) -> int:
    took = sorted(seconds for client in clients for _at, seconds in client.took)
    failures = Counter(failure for client in clients for failure in client.failures)
    created = sum(len(client.created) for client in clients)
    facts = set(truth["seqs"])
    missed = sum(len(facts - set(screen.seen)) for screen in screens)
    doubled = sum(len(screen.seen) - len(set(screen.seen)) for screen in screens)
    codes = sum((screen.codes for screen in screens), Counter[int]())
    lost = created - (truth["tickets"] - before["tickets"])
    redials, refused = sum(screen.redials for screen in screens), sum(screen.refused for screen in screens)
    gap, chain = (
        max(screen.gap for screen in screens),
        "whole" if truth["chain"] is None else f"broken at {truth['chain']}",
    )
    dialled = sum(client.dials for client in clients)
    lines = {
        "rounds": f"{len(spans)}, {statistics.mean(spans):.0f} s each, {place.hard_stops} processes had to be killed",
        "requests": f"{len(took)}, failed {sum(failures.values())}; {len(clients)} clients dialled {dialled} times",
        "seconds": f"median {took[len(took) // 2]:.3f}, p99 {took[int(len(took) * 0.99)]:.3f}, longest {took[-1]:.3f}",
        "tickets": f"acknowledged {created}, lost or doubled {lost}",
        "websockets": f"{len(screens)}, dialled again {redials}, refused {refused}, closed with {dict(codes)}, longest gap {gap:.1f} s",
        "facts": f"{len(facts)} x {len(screens)} screens, missed {missed}, doubled {doubled}, chain {chain}",
        "jobs": f"left in the queue {truth['queue']}, failed {truth['failures'] - before['failures']}",
    }
    for name, said in lines.items():
        print(f"  {name:<12}{said}", flush=True)
    for failure, times in failures.most_common(12):
        print(f"    {times} x {failure}", flush=True)
    # Jobs that still wait are a matter of speed, not of restarts: they are told, not counted as broken.
    broken = truth["waiting"] + truth["failures"] - before["failures"] + place.hard_stops + (truth["chain"] is not None)
    return sum(failures.values()) + missed + doubled + abs(lost) + broken


def _until(happened: Callable[[], bool], seconds: float = 60) -> None:
    limit = time.monotonic() + seconds
    while not happened() and time.monotonic() < limit:
        time.sleep(1)
