"""The simulated past of the demo hospital: pure and seeded. Never hospital evidence."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

DUPLICATE_SHARE, REPEAT_SHARE, NOT_FOUND_SHARE, MIS_SCAN_SHARE = 0.06, 0.08, 0.10, 0.01
HOURS = (*[0.5] * 6, 0.7, 1.0, *[1.8] * 3, 1.0, 0.8, 1.0, *[1.4] * 3, 1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.5)
WEEKDAYS = (1.2, 1.0, 1.0, 1.0, 1.0, 0.8, 0.7)
BURSTS_A_YEAR = 4  # power dips: several devices within half an hour
UNIT_SPREAD = 0.3  # coefficient of variation between two units of one model
# Weibull mixture of failures: share and shape of infant, random and wear-out.
LIVES = ((0.05, 0.8), (0.70, 1.0), (0.25, 3.0))
# Minutes, log-normal (median, sigma) by priority: to accept, then to arrive.
ACCEPT = {1: (0.9, 0.6), 2: (3.5, 0.7), 3: (9, 0.7), 4: (50, 0.9)}
TRAVEL = {1: (4.5, 0.4), 2: (9, 0.45), 3: (40, 0.8), 4: (120, 0.8)}
WAITS = (("parts", 60 * 26, 0.62), ("vendor", 60 * 40, 0.16), ("in_use", 150, 0.14), ("approval", 60 * 18, 0.08))


@dataclass(frozen=True)
class SimDevice:
    """What the generator needs of a device: yearly repair rate, symptoms of its family with weights, how often it
    is on a patient when it fails."""

    index: int
    rate: float
    symptoms: Sequence[str]
    weights: Sequence[float]
    in_use_share: float


@dataclass(frozen=True)
class SimTicket:
    """One past report. `kind`: normal, not_found, mis_scan or duplicate (of the latest one on the same device)."""

    device: int
    symptom: str
    reported_at: datetime
    in_use: bool
    kind: str
    seed: int


@dataclass(frozen=True)
class Course:
    """How a repair went, in minutes after the report. A wait lies between `paused` and `resumed` when there is one."""

    assigned: float
    accepted: float
    departed: float
    arrived: float
    started: float
    paused: float
    resumed: float
    restored: float
    resolved: float
    closed: float
    hands_on: float
    hold: str
    automatic_close: bool
    rating: int | None


def dice(seed: int) -> Random:
    """The same seed tells the same story. For simulation only: nothing secret may come from it."""
    return Random(seed)  # noqa: S311


def ageing(age_years: float, life_years: float) -> float:
    """Failure rate at this age relative to the mean over the life: the Weibull mixture, 1 on average."""
    x = min(1.3, max(0.02, age_years / max(1.0, life_years)))
    return sum(share * shape * x ** (shape - 1) for share, shape in LIVES)


def unit_factor(rng: Random) -> float:
    """How much more or less than its model this one unit fails (gamma, mean 1)."""
    shape = 1 / UNIT_SPREAD**2
    return rng.gammavariate(shape, 1 / shape)


def arrivals(devices: Sequence[SimDevice], start: datetime, end: datetime, *, seed: int) -> list[SimTicket]:
    """Reports between `start` and `end`, oldest first: a non-homogeneous Poisson process by hour and weekday (local
    time of `start`), bursts after power dips, repeats of a symptom within 30 days, second reports of the same fault."""
    rng = dice(seed)
    years = (end - start) / timedelta(days=365.25)
    found = [
        _report(rng, device, _moment(rng, start, end))
        for device in devices
        for _n in range(_poisson(rng, device.rate * years))
    ]
    for _n in range(_poisson(rng, BURSTS_A_YEAR * years)):
        dip = _moment(rng, start, end)
        for device in rng.sample(list(devices), k=min(6, len(devices))):
            found.append(_report(rng, device, dip + timedelta(minutes=rng.uniform(0, 25))))
    originals = [t for t in found if t.kind == "normal"]
    for ticket in originals:
        device = devices[ticket.device]
        if rng.random() < REPEAT_SHARE:
            later = ticket.reported_at + timedelta(days=rng.uniform(3, 28))
            found.append(_report(rng, device, later, symptom=ticket.symptom))
        if rng.random() < DUPLICATE_SHARE:
            soon = ticket.reported_at + timedelta(minutes=rng.uniform(1, 12))
            found.append(_report(rng, device, soon, symptom=ticket.symptom, kind="duplicate"))
    return sorted((t for t in found if start <= t.reported_at < end), key=lambda t: (t.reported_at, t.device))


def _poisson(rng: Random, mean: float) -> int:
    """Count of unit-rate arrivals before `mean`."""
    count, passed = 0, rng.expovariate(1)
    while passed < mean:
        count, passed = count + 1, passed + rng.expovariate(1)
    return count


def _moment(rng: Random, start: datetime, end: datetime) -> datetime:
    """One arrival by thinning against the hour and weekday weights."""
    span, top = (end - start).total_seconds(), max(HOURS) * max(WEEKDAYS)
    while True:
        moment = start + timedelta(seconds=rng.uniform(0, span))
        if rng.random() * top < HOURS[moment.hour] * WEEKDAYS[moment.weekday()]:
            return moment


def _report(rng: Random, device: SimDevice, at: datetime, *, symptom: str = "", kind: str = "") -> SimTicket:
    draw = rng.random()
    drawn = "normal"
    if draw < MIS_SCAN_SHARE + NOT_FOUND_SHARE:
        drawn = "mis_scan" if draw < MIS_SCAN_SHARE else "not_found"
    return SimTicket(
        device=device.index,
        symptom=symptom or rng.choices(list(device.symptoms), weights=list(device.weights))[0],
        reported_at=at,
        in_use=rng.random() < device.in_use_share,
        kind=kind or drawn,
        seed=rng.getrandbits(31),
    )


def course(seed: int, *, priority: int, minutes: float, level: int, idle: float) -> Course:
    """A plausible course. `minutes`: usual repair time of the symptom; `level`: 1 to 3, the engineer's skill;
    `idle`: minutes until the next working hour, which a P3 or P4 reported at night waits for."""
    rng = dice(seed)

    def draw(median: float, sigma: float) -> float:
        return median * math.exp(rng.gauss(0, sigma))

    assigned = 0.02 if rng.random() < 0.9 else draw(0.8, 0.6)
    accepted = assigned + draw(*ACCEPT[priority]) + (idle if priority >= 3 else 0)
    departed = accepted + draw(0.5, 0.4)
    arrived = departed + draw(*TRAVEL[priority])
    started = arrived + draw(2, 0.5)
    hands_on = draw(minutes, 0.45) * (1.25, 1.0, 0.85)[level - 1]
    paused = started + hands_on * rng.uniform(0.2, 0.7)
    hold, wait = _wait(rng) if rng.random() < (0.05 if priority == 1 else 0.12) else ("", 0.0)
    resolved = started + hands_on + wait
    by_backup = priority <= 2 and rng.random() < 0.88
    silent = priority >= 3 and rng.random() < 0.12
    return Course(
        assigned=assigned,
        accepted=accepted,
        departed=departed,
        arrived=arrived,
        started=started,
        paused=paused,
        resumed=paused + wait,
        restored=min(resolved, arrived + draw(7, 0.5)) if by_backup else resolved,
        resolved=resolved,
        closed=resolved + (48 * 60 if silent else draw(45, 0.9)),
        hands_on=hands_on,
        hold=hold,
        automatic_close=silent,
        rating=None if silent or rng.random() < 0.5 else rng.choices((3, 2, 1), weights=(86, 10, 4))[0],
    )


def _wait(rng: Random) -> tuple[str, float]:
    code, median, _share = rng.choices(WAITS, weights=[w[2] for w in WAITS])[0]
    return code, median * math.exp(rng.gauss(0, 0.5))


def idle_until_work(hour: float) -> float:
    """Minutes from this hour of the day until day staff is in (8:00 to 17:30)."""
    if 8 <= hour < 17.5:
        return 0.0
    return ((8 - hour) % 24) * 60


def phrase(seed: int, *, label: str, signs: Sequence[str], words: Mapping[str, Sequence[str]]) -> str:
    """What a ward might have typed about this fault; often nothing. `label` is empty for "other".

    No personal data can come out of the fragments.
    """
    rng = dice(seed ^ 0x5EED)
    if rng.random() < 0.35:
        return ""
    sign, when, verb, more = (rng.choice(part) for part in (signs, words["when"], words["verb"], words["more"]))
    free = (f"{sign}，{more}", f"{when}{sign}", f"{when}{sign}，{more}")
    named = (
        f"{when}{verb}{label}，{sign}",
        f"{when}{verb}{label}，{more}",
        f"{label}，{sign}，{more}",
        f"{label}。{when}开始的，{sign}",
    )
    return rng.choice(named + free if label else free)
