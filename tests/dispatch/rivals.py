"""Several people at the same instant: threads on PostgreSQL, one after another on SQLite, which has one writer anyway."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable

from django.db import connection


def at_once(calls: Iterable[Callable[[], None]]) -> None:
    """Start all calls behind one gate, each on a connection of its own, and wait for them."""
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

    threads = [threading.Thread(target=run, args=(call,)) for call in waiting]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert not any(thread.is_alive() for thread in threads)
