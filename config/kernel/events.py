"""Facts: frozen dataclasses in the past tense, written to the log in the caller's transaction, then reacted to."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date, datetime, timedelta
from typing import Any, ClassVar, TypeVar

from django.db import transaction

from config.kernel import log

_MAX_DEPTH = 2  # a reaction may publish; what it published is logged, but reacts no further

_reactions: dict[type[Event], list[Callable[[Any], None]]] = defaultdict(list)
_registry: dict[str, type[Event]] = {}
_depth: ContextVar[int] = ContextVar("event_depth", default=0)
_recorders: ContextVar[tuple[list[Event], ...]] = ContextVar("event_recorders", default=())


@dataclasses.dataclass(frozen=True, kw_only=True)
class Event:
    """A fact. `about` names the field that holds the subject's public id; no field holds personal data in clear.

    `by` is a person's random id, or `system`, or `qr` for an anonymous scan. `scope` is the department code that
    row policies filter by.
    """

    about: ClassVar[str] = "ticket"

    at: datetime
    by: str = "system"
    scope: str = ""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        _registry[cls.__name__] = cls

    @property
    def type(self) -> str:
        return type(self).__name__

    @property
    def subject(self) -> str:
        return f"{self.about}:{getattr(self, self.about)}"

    def data(self) -> dict[str, Any]:
        """All fields but the envelope, as JSON values."""
        envelope = {"at", "by", "scope", self.about}
        return {f.name: _plain(getattr(self, f.name)) for f in dataclasses.fields(self) if f.name not in envelope}


E = TypeVar("E", bound=Event)


def publish(*events: Event) -> None:
    """Write facts to the log in the caller's transaction, then run their reactions there. Refuses outside one."""
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError(f"{events[0].type} was published outside a transaction")
    log.append(events)
    for recorder in _recorders.get():
        recorder.extend(events)
    depth = _depth.get()
    if depth >= _MAX_DEPTH:
        return
    token = _depth.set(depth + 1)
    try:
        for event in events:
            for handler in _reactions[type(event)]:
                handler(event)
    finally:
        _depth.reset(token)


def react(*kinds: type[E]) -> Callable[[Callable[[E], None]], Callable[[E], None]]:
    """Register a handler that runs in the publisher's transaction: database only, slow work goes to `enqueue`."""

    def register(handler: Callable[[E], None]) -> Callable[[E], None]:
        for kind in kinds:
            if handler not in _reactions[kind]:
                _reactions[kind].append(handler)
        return handler

    return register


@contextmanager
def recording() -> Iterator[list[Event]]:
    """For tests: the events published inside the block, in order."""
    seen: list[Event] = []
    token = _recorders.set((*_recorders.get(), seen))
    try:
        yield seen
    finally:
        _recorders.reset(token)


def known_types() -> dict[str, type[Event]]:
    """Every fact the house can announce, by name."""
    return dict(_registry)


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return value + 0.0  # PostgreSQL has no -0.0: a log moved there would break its chain at this fact
    if isinstance(value, datetime):
        return log.iso(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(v) for v in value]
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    return value
