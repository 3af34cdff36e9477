"""Several people at the same instant: threads on PostgreSQL, one after another on SQLite, which has one writer anyway."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest
from django.db import connection


def at_once(calls: Iterable[Callable[[], None]]) -> None:
    """Start all calls behind one gate, each on a connection of its own, and wait for them. What one raises is raised."""
    waiting = list(calls)
    if connection.vendor == "sqlite":  # threads would share one memory database, which refuses instead of waiting
        for call in waiting:
            call()
        return
    gate = threading.Barrier(len(waiting))

    def run(call: Callable[[], None]) -> None:
        gate.wait(timeout=20)
        try:
            call()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(waiting)) as pool:
        for done in [pool.submit(run, call) for call in waiting]:
            done.result(timeout=60)


def crossing(monkeypatch: pytest.MonkeyPatch, *places: tuple[Any, str]) -> None:
    """Whoever comes first out of one of these functions waits there for who comes out of each other one, so that all
    hold their first lock before any of them asks for the next. Who is kept from coming by a lock is not waited for."""
    if connection.vendor == "sqlite":
        return
    gate = threading.Barrier(len(places))
    for owner, name in places:
        monkeypatch.setattr(owner, name, _meeting(getattr(owner, name), gate))


def _meeting(function: Callable[..., Any], gate: threading.Barrier) -> Callable[..., Any]:
    first = iter([True])

    def call(*args: Any, **kwargs: Any) -> Any:
        result = function(*args, **kwargs)
        if next(first, False):
            with suppress(threading.BrokenBarrierError):
                gate.wait(timeout=1)
        return result

    return call
