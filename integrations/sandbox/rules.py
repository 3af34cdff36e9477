"""The simulated past of the demo hospital: pure, seeded, after domain.md 10.5. Never hospital evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np

DUPLICATE_SHARE, REPEAT_SHARE, NOT_FOUND_SHARE, MIS_SCAN_SHARE = 0.06, 0.08, 0.10, 0.01
_HOUR = np.array([0.5] * 6 + [0.7, 1.0] + [1.8] * 3 + [1.0, 0.8, 1.0] + [1.4] * 3 + [1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.5])
_WEEKDAY = np.array([1.2, 1.0, 1.0, 1.0, 1.0, 0.8, 0.7])
_BURSTS_A_YEAR = 4
# Minutes, log-normal (median, sigma) by priority: to accept, to arrive after that, to start.
_ACCEPT = {1: (0.9, 0.6), 2: (3.5, 0.7), 3: (12, 0.9), 4: (60, 1.0)}
_TRAVEL = {1: (5, 0.4), 2: (10, 0.5), 3: (45, 0.9), 4: (130, 0.9)}


@dataclass(frozen=True)
class SimDevice:
    """What the generator needs of a device: yearly repair rate and the symptoms of its family with weights."""

    index: int
    rate: float
    symptoms: Sequence[str]
    weights: Sequence[float]
    in_use_share: float


@dataclass(frozen=True)
class SimTicket:
    """One past ticket. Durations in minutes; `kind`: normal, not_found, duplicate, mis_scan."""

    device: int
    symptom: str
    reported_at: datetime
    in_use: bool
    kind: str
    repeat: bool
    luck: float
    seed: int


def arrivals(devices: Sequence[SimDevice], start: datetime, end: datetime, *, seed: int) -> list[SimTicket]:
    """Reports between `start` and `end`, oldest first: a non-homogeneous Poisson process by hour and weekday, with
    repeats of the same symptom within 30 days and bursts after power dips."""
    rng = np.random.default_rng(seed)
    years = (end - start) / timedelta(days=365.25)
    counts = rng.poisson([d.rate * years for d in devices])
    found: list[SimTicket] = []
    for device, count in zip(devices, counts, strict=True):
        for _n in range(int(count)):
            found.append(_report(rng, device, _moment(rng, start, end)))
    for _n in range(rng.poisson(_BURSTS_A_YEAR * years)):
        dip = _moment(rng, start, end)
        for chosen in rng.choice(len(devices), size=6, replace=False):
            found.append(_report(rng, devices[int(chosen)], dip + timedelta(minutes=float(rng.uniform(0, 25)))))
    repeats = [
        _report(rng, devices[t.device], t.reported_at + timedelta(days=float(rng.uniform(2, 29))), symptom=t.symptom)
        for t in found
        if t.kind == "normal" and rng.random() < REPEAT_SHARE
    ]
    everything = [t for t in [*found, *repeats] if start <= t.reported_at < end]
    return sorted(everything, key=lambda t: (t.reported_at, t.device))


def _moment(rng: np.random.Generator, start: datetime, end: datetime) -> datetime:
    """One arrival by thinning against the hour and weekday weights (local time of `start`)."""
    span = (end - start).total_seconds()
    top = float(_HOUR.max() * _WEEKDAY.max())
    while True:
        moment = start + timedelta(seconds=float(rng.uniform(0, span)))
        if rng.random() * top < _HOUR[moment.hour] * _WEEKDAY[moment.weekday()]:
            return moment


def _report(
    rng: np.random.Generator, device: SimDevice, at: datetime, *, symptom: str = ""
) -> SimTicket:
    weights = np.array(device.weights, dtype=float)
    draw = rng.random()
    kind = (
        "mis_scan"
        if draw < MIS_SCAN_SHARE
        else "duplicate"
        if draw < MIS_SCAN_SHARE + DUPLICATE_SHARE
        else "not_found"
        if draw < MIS_SCAN_SHARE + DUPLICATE_SHARE + NOT_FOUND_SHARE
        else "normal"
    )
    return SimTicket(
        device=device.index,
        symptom=symptom or str(rng.choice(np.array(device.symptoms), p=weights / weights.sum())),
        reported_at=at.replace(microsecond=int(rng.integers(0, 1_000_000))),
        in_use=bool(rng.random() < device.in_use_share),
        kind=kind,
        repeat=bool(symptom),
        luck=float(rng.random()),
        seed=int(rng.integers(0, 2**31)),
    )


def course(ticket: SimTicket, *, priority: int, minutes: float, level: int) -> Mapping[str, Any]:
    """Minutes after the report of each step, a wait for parts where one happens, and the verdict.

    `minutes`: usual repair time of the symptom; `level`: 1 to 3, the engineer's skill.
    """
    rng = np.random.default_rng(ticket.seed)

    def draw(median: float, sigma: float) -> float:
        return float(median * np.exp(sigma * rng.standard_normal()))

    assigned = 0.02 if rng.random() < 0.9 else draw(3, 0.8)
    accepted = assigned + draw(*_ACCEPT[priority])
    arrived = accepted + draw(*_TRAVEL[priority])
    started = arrived + draw(3, 0.5)
    hands_on = draw(minutes, 0.45) * (1.25, 1.0, 0.85)[level - 1]
    wait = draw(60 * 30, 0.6) if rng.random() < (0.12 if priority > 1 else 0.05) else 0.0
    resolved = started + hands_on + wait
    restored = arrived + draw(8, 0.5) if priority <= 2 and rng.random() < 0.7 else resolved
    return {
        "assigned": assigned,
        "accepted": accepted,
        "arrived": arrived,
        "started": started,
        "restored": min(restored, resolved),
        "resolved": resolved,
        "closed": resolved + draw(90, 1.0),
        "wait": wait,
        "hands_on": hands_on,
        "rating": (3 if rng.random() < 0.86 else 2 if rng.random() < 0.75 else 1) if rng.random() < 0.45 else None,
        "pick": rng,
    }
