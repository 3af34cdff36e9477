"""Sleep until the database may have something new: PostgreSQL rings (NOTIFY), SQLite's file is seen to change.

A ring is a hint. Whoever waits looks for itself, also when nothing rang for as long as it was willing to wait.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sqlite3
import time
from typing import Any

import psycopg
from django.db import connection

logger = logging.getLogger(__name__)
FACTS, LOG, JOBS = "wardline_facts", "wardline_log", "wardline_jobs"  # rung by triggers, see migration 0003
_GLANCE = 0.01  # seconds between two looks at a number in SQLite's shared memory; no lock, no query
_AWAY = (psycopg.Error, sqlite3.Error, OSError)


class Bell:
    """One waiter's own connection, opened at its first wait; without one it waits the whole time, as a poll would."""

    def __init__(self, channel: str) -> None:
        self.channel = channel
        self._line: psycopg.Connection[Any] | None = None
        self._file: _WatchedFile | None = None

    def wait(self, seconds: float) -> None:
        """Return when it rang since the last wait began, at the latest after `seconds`."""
        began = time.monotonic()
        try:
            if connection.vendor == "postgresql":
                self._listen(seconds)
            elif connection.vendor == "sqlite":
                self._watch(began + seconds)
        except _AWAY:
            logger.debug("the bell %s is away", self.channel, exc_info=True)
            self.close()
            time.sleep(max(0.0, seconds - (time.monotonic() - began)))

    def close(self) -> None:
        with contextlib.suppress(*_AWAY):
            if self._line is not None:
                self._line.close()
        self._line = self._file = None

    def _listen(self, seconds: float) -> None:
        if self._line is None:
            self._line = psycopg.connect(**_parameters(), autocommit=True)
            self._line.execute(f"LISTEN {self.channel}")
            return  # what came before nobody heard: look once
        for _ring in self._line.notifies(timeout=seconds, stop_after=1):
            pass

    def _watch(self, until: float) -> None:
        if self._file is None:
            self._file = _WatchedFile()
            return
        while not self._file.changed() and (left := until - time.monotonic()) > 0:
            time.sleep(min(_GLANCE, left))


class AsyncBell:
    """The same for an event loop."""

    def __init__(self, channel: str) -> None:
        self.channel = channel
        self._line: psycopg.AsyncConnection[Any] | None = None
        self._file: _WatchedFile | None = None

    async def wait(self, seconds: float) -> None:
        """Return when it rang since the last wait began, at the latest after `seconds`."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        try:
            if connection.vendor == "postgresql":
                await self._listen(seconds)
            elif connection.vendor == "sqlite":
                await self._watch(until)
        except _AWAY:
            logger.debug("the bell %s is away", self.channel, exc_info=True)
            await self.close()
            await asyncio.sleep(max(0.0, until - loop.time()))

    async def close(self) -> None:
        with contextlib.suppress(*_AWAY):
            if self._line is not None:
                await self._line.close()
        self._line = self._file = None

    async def _listen(self, seconds: float) -> None:
        if self._line is None:
            self._line = await psycopg.AsyncConnection.connect(**_parameters(), autocommit=True)
            await self._line.execute(f"LISTEN {self.channel}")
            return
        async for _ring in self._line.notifies(timeout=seconds, stop_after=1):
            pass

    async def _watch(self, until: float) -> None:
        if self._file is None:
            self._file = _WatchedFile()
            return
        while not self._file.changed() and (left := until - asyncio.get_running_loop().time()) > 0:
            await asyncio.sleep(min(_GLANCE, left))


class _WatchedFile:
    """SQLite counts the commits of other connections in `data_version`."""

    def __init__(self) -> None:
        name = str(connection.settings_dict["NAME"])
        # Autocommit and no statement left open: the look holds nothing that a checkpoint would wait for.
        self._link = sqlite3.connect(name, uri=name.startswith("file:"), check_same_thread=False, isolation_level=None)
        self._seen = self._version()

    def changed(self) -> bool:
        before, self._seen = self._seen, self._version()
        return self._seen != before

    def _version(self) -> int:
        return int(self._link.execute("PRAGMA data_version").fetchone()[0])


def _parameters() -> dict[str, Any]:
    """How Django connects, without what belongs to its own cursors."""
    wrapper: Any = connection
    given: dict[str, Any] = wrapper.get_connection_params()
    return {k: v for k, v in given.items() if k not in {"cursor_factory", "context", "prepare_threshold"}}
