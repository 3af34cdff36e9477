"""What an engineer can be expected to do, from shrunk history, and how long a walk takes. Pure."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

PRIOR_FIXED = 6.4  # a class without history starts at 6.4 / 8 = 80 % first-time fixes
PRIOR_VISITS = 8.0
KAPPA_LEAST = 2.0
KAPPA_MOST = 200.0  # engineers that cannot be told apart: history then hardly moves the estimate
HALF_LIFE_DAYS = 180.0
Z_90 = 1.6449


@dataclass(frozen=True)
class Position:
    """Where someone or something stands. `site` is the campus; x and y are metres on the site plan."""

    site: str = ""
    building: str = ""
    floor: int = 1
    x: float = 0.0
    y: float = 0.0


@dataclass(frozen=True)
class Travel:
    """Minutes on foot. Defaults are proposals; a manager edits the row they come from."""

    same_floor: float = 1.0
    per_floor: float = 1.0
    between_buildings: float = 4.0  # two doors, a lift on each side
    per_100_metres: float = 1.25  # 80 m a minute
    detour: float = 1.3  # paths are longer than the straight line
    between_sites: float = 30.0
    unknown: float = 8.0  # nobody knows where the engineer is

    def minutes(self, start: Position | None, end: Position | None) -> float:
        """Walking minutes from start to end; never zero, because a ward is not a point."""
        if start is None or end is None:
            return self.unknown
        if start.site != end.site:
            return self.between_sites
        if start.building == end.building:
            return self.same_floor + self.per_floor * abs(start.floor - end.floor)
        outdoors = self.per_100_metres * self.detour * math.hypot(start.x - end.x, start.y - end.y) / 100
        stairs = self.per_floor * (abs(start.floor - 1) + abs(end.floor - 1))
        return self.between_buildings + outdoors + stairs


@dataclass(frozen=True)
class Visit:
    """One closed piece of work: who, which fault class, fixed at the first visit, hands-on minutes, age."""

    engineer: int
    fault_class: str
    fixed: bool
    minutes: float
    days_ago: float = 0.0


@dataclass(frozen=True)
class Record:
    """Counts of one engineer in one fault class; fractional, because old visits count less."""

    engineer: int
    fault_class: str
    visits: float
    fixed: float
    log_minutes: float = 0.0  # sum over the visits of ln(minutes)


@dataclass(frozen=True)
class Chance:
    """A shrunk first-fix probability with the visits behind it and its 90 % interval."""

    p: float
    n: float
    low: float
    high: float

    @property
    def spread(self) -> float:
        """One standard deviation, read back from the interval."""
        return (self.high - self.low) / (2 * Z_90)


UNKNOWN_CHANCE = Chance(p=PRIOR_FIXED / PRIOR_VISITS, n=0.0, low=0.53, high=0.93)


@dataclass(frozen=True)
class Skill:
    """All estimates of one fit. Ask it for any engineer and class: unknown ones fall back to engineer, then class."""

    mu: Mapping[str, float]
    kappa: float
    rho: Mapping[int, float]
    cells: Mapping[tuple[int, str], tuple[float, float]]

    def chance(self, engineer: int, fault_class: str) -> Chance:
        """p = (S_ek + kappa (mu_k + rho_e)) / (K_ek + kappa)."""
        fixed, visits = self.cells.get((engineer, fault_class), (0.0, 0.0))
        centre = self.mu.get(fault_class, PRIOR_FIXED / PRIOR_VISITS) + self.rho.get(engineer, 0.0)
        prior = min(max(centre, 0.02), 0.98)
        p = (fixed + self.kappa * prior) / (visits + self.kappa)
        low, high = wilson(p, visits + self.kappa)
        return Chance(p=p, n=visits, low=low, high=high)


def weight(days_ago: float, half_life: float = HALF_LIFE_DAYS) -> float:
    """A visit counts half after one half-life, a quarter after two."""
    return float(0.5 ** (max(days_ago, 0.0) / half_life))


def wilson(p: float, n: float, z: float = Z_90) -> tuple[float, float]:
    """Wilson score interval for a share p seen in n (also fractional) trials."""
    if n <= 0:
        return 0.0, 1.0
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return max(0.0, centre - half), min(1.0, centre + half)


def tally(visits: Iterable[Visit], half_life: float = HALF_LIFE_DAYS) -> list[Record]:
    """Visits added up per engineer and class, each weighted by its age."""
    sums: dict[tuple[int, str], list[float]] = defaultdict(lambda: [0.0, 0.0, 0.0])
    for visit in visits:
        counted = weight(visit.days_ago, half_life)
        row = sums[visit.engineer, visit.fault_class]
        row[0] += counted
        row[1] += counted * visit.fixed
        row[2] += counted * math.log(max(visit.minutes, 1.0))
    return [Record(engineer, code, *row) for (engineer, code), row in sums.items()]


def fit_skill(records: Iterable[Record]) -> Skill:
    """Empirical Bayes over engineer x class (algorithms.md section 1)."""
    cells = {(row.engineer, row.fault_class): (row.fixed, row.visits) for row in records if row.visits > 0}
    mu = _class_means(cells)
    kappa = _kappa(cells, mu)
    return Skill(mu=mu, kappa=kappa, rho=_residuals(cells, mu, kappa), cells=cells)


def _class_means(cells: Mapping[tuple[int, str], tuple[float, float]]) -> dict[str, float]:
    """mu_k = (S_k + 6.4) / (K_k + 8)."""
    totals: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for (_, fault_class), (fixed, seen) in cells.items():
        totals[fault_class][0] += fixed
        totals[fault_class][1] += seen
    return {key: (fixed + PRIOR_FIXED) / (seen + PRIOR_VISITS) for key, (fixed, seen) in totals.items()}


def _kappa(cells: Mapping[tuple[int, str], tuple[float, float]], mu: Mapping[str, float]) -> float:
    """kappa = max(mean[mu (1 - mu)] / tau^2 - 1, 2).

    tau^2 by the method of moments for a beta-binomial: E[n (f - mu)^2] = mu (1 - mu) + (n - 1) tau^2.
    """
    excess = freedom = 0.0
    for (_, fault_class), (fixed, seen) in cells.items():
        if seen <= 1:
            continue
        centre = mu[fault_class]
        excess += seen * (fixed / seen - centre) ** 2 - centre * (1 - centre)
        freedom += seen - 1
    if freedom <= 0 or excess <= 0:
        return KAPPA_MOST
    mean_variance = sum(centre * (1 - centre) for centre in mu.values()) / len(mu)
    return min(max(mean_variance / (excess / freedom) - 1, KAPPA_LEAST), KAPPA_MOST)


def _residuals(
    cells: Mapping[tuple[int, str], tuple[float, float]], mu: Mapping[str, float], kappa: float
) -> dict[int, float]:
    """rho_e = (S_e - sum_k K_ek mu_k) / (K_e + kappa)."""
    surplus: dict[int, float] = defaultdict(float)
    seen_by: dict[int, float] = defaultdict(float)
    for (engineer, fault_class), (fixed, seen) in cells.items():
        surplus[engineer] += fixed - seen * mu[fault_class]
        seen_by[engineer] += seen
    return {engineer: surplus[engineer] / (seen_by[engineer] + kappa) for engineer in surplus}


@dataclass(frozen=True)
class Pace:
    """Expected hands-on minutes: class median and each engineer's ratio to it."""

    median: Mapping[str, float]
    by_engineer: Mapping[int, float]
    by_cell: Mapping[tuple[int, str], float]

    def ratio(self, engineer: int, fault_class: str) -> float:
        """1.0 is as fast as the class; an unknown class falls back to the engineer, an unknown engineer to 1.0."""
        return self.by_cell.get((engineer, fault_class), self.by_engineer.get(engineer, 1.0))

    def minutes(self, fault_class: str, preset_minutes: float) -> float:
        """Class median where there is history, otherwise what the preset says."""
        return self.median.get(fault_class, preset_minutes)


def fit_pace(
    records: Iterable[Record], preset_minutes: Mapping[str, float] | None = None, *, pull: float = 8.0
) -> Pace:
    """Log-normal duration ratios, shrunk in two levels: cell towards engineer, engineer towards the class.

    `pull` is the number of visits at which a person's own history weighs as much as the level above.
    """
    rows = [row for row in records if row.visits > 0]
    log_median = _log_medians(rows, preset_minutes or {}, pull)
    surplus: dict[int, float] = defaultdict(float)
    seen_by: dict[int, float] = defaultdict(float)
    cells: dict[tuple[int, str], tuple[float, float]] = {}
    for row in rows:
        residual = row.log_minutes - row.visits * log_median[row.fault_class]
        surplus[row.engineer] += residual
        seen_by[row.engineer] += row.visits
        cells[row.engineer, row.fault_class] = (residual, row.visits)
    own = {engineer: total / (seen_by[engineer] + pull) for engineer, total in surplus.items()}
    return Pace(
        median={key: math.exp(value) for key, value in log_median.items()},
        by_engineer={engineer: math.exp(value) for engineer, value in own.items()},
        by_cell={key: math.exp((total + pull * own[key[0]]) / (seen + pull)) for key, (total, seen) in cells.items()},
    )


def _log_medians(rows: list[Record], preset_minutes: Mapping[str, float], pull: float) -> dict[str, float]:
    """A log-normal's median is the exponent of the mean log; where there is a preset it counts as `pull` visits."""
    sums: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for row in rows:
        sums[row.fault_class][0] += row.log_minutes
        sums[row.fault_class][1] += row.visits
    for fault_class, minutes in preset_minutes.items():
        if fault_class in sums and minutes > 0:
            sums[fault_class][0] += pull * math.log(minutes)
            sums[fault_class][1] += pull
    return {key: total / seen for key, (total, seen) in sums.items()}
