"""Every number of the cost and of dispatching, as data that a manager edits and a version pins."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from dispatch.engineers.rules import Travel


def _targets() -> dict[int, float]:
    return {1: 15.0, 2: 60.0, 3: 240.0, 4: 480.0}


def _urgency() -> dict[int, float]:
    return {1: 20.0, 2: 6.0, 3: 1.0, 4: 0.4}


def _respond() -> dict[int, float]:
    return {1: 3.0, 2: 10.0, 3: 30.0, 4: 240.0}


@dataclass(frozen=True)
class Weights:
    """Every number of the cost, as data that a manager edits. Defaults were measured in the simulator."""

    target_minutes: Mapping[int, float] = field(default_factory=_targets)
    urgency: Mapping[int, float] = field(default_factory=_urgency)
    respond_minutes: Mapping[int, float] = field(default_factory=_respond)  # a human has accepted by then
    fix: float = 1.5
    rework: float = 1.5
    touch: float = 0.01  # per minute of work and walking
    load: float = 0.01  # per hour more than the others today
    fail_again: float = 0.3
    continuity: float = 0.15
    defer: float = 50.0
    horizon_minutes: float = 30.0
    call_in_minutes: Mapping[str, float] = field(default_factory=lambda: {"on_call": 20.0, "home": 45.0})
    travel: Travel = field(default_factory=Travel)
    accept_minutes: float = 1.0
    travel_sigma: float = 0.35  # log-normal spread of a walk
    busy_sigma: float = 0.5  # and of the rest of the work in hand
    box_ms: float = 200.0
    confident: float = 0.6
    best_least: float = 0.6
    regret_most: float = 0.15
    breach_most: float = 0.5


def _accept() -> dict[int, float]:
    return {1: 2.0, 2: 5.0, 3: 20.0, 4: 60.0}


def _grab() -> dict[int, float]:
    return {1: 0.0, 2: 5.0, 3: 30.0, 4: 60.0}


@dataclass(frozen=True)
class Manner:
    """How long people are given, in minutes by priority, before the machine goes on."""

    accept_within: Mapping[int, float] = field(default_factory=_accept)  # then the next one is asked
    open_to_take: Mapping[int, float] = field(default_factory=_grab)  # 抢单 first; then it is given out
    no_answer: float = 30.0  # who did not answer is asked again after this
    retry_p1: float = 2.0
    retry: float = 10.0
    rest_hours: float = 4.0  # after a night on site


@dataclass(frozen=True)
class Settings:
    """One version of all of it."""

    weights: Weights = field(default_factory=Weights)
    manner: Manner = field(default_factory=Manner)


def settings_from(values: Mapping[str, Any]) -> Settings:
    """Read a stored version: `{"fix": 1.5, "travel": {...}, "manner": {...}}`; what is missing keeps its default.

    Raises ValueError with the name of the first value that cannot be used.
    """
    own = dict(values)
    manner, travel = own.pop("manner", {}), own.pop("travel", {})
    weights = Weights(**_checked(Weights, own), travel=Travel(**_checked(Travel, travel)))
    if any(value <= 0 for value in weights.target_minutes.values()):
        raise ValueError("target_minutes")
    return Settings(weights=weights, manner=Manner(**_checked(Manner, manner)))


def _checked(kind: type, values: Mapping[str, Any]) -> dict[str, Any]:
    known = {one.name: one for one in fields(kind)}
    read: dict[str, Any] = {}
    for name, value in values.items():
        if name not in known:
            raise ValueError(name)
        read[name] = _table(name, value) if isinstance(value, Mapping) else _number(name, value)
    return read


def _table(name: str, values: Mapping[str, Any]) -> dict[Any, float]:
    """By priority (all four) or by presence; JSON writes numbers as text in keys."""
    table = {int(key) if str(key).isdigit() else key: _number(name, value) for key, value in values.items()}
    if name != "call_in_minutes" and set(table) != {1, 2, 3, 4}:
        raise ValueError(name)
    return table


def _number(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value) or value < 0:
        raise ValueError(name)
    return float(value)
