"""Live updates; with config.asgi and the consumers the only module that knows the channel layer.

One hub per web process follows the log by `seq` and hands each fact to its local subscribers. Across processes the
sequencer only says "the log grew"; a lost nudge costs one poll interval, never a fact.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any

from asgiref.sync import async_to_sync, sync_to_async
from channels.layers import get_channel_layer
from django.conf import settings
from django.db import DatabaseError, close_old_connections
from redis.exceptions import RedisError

from config.kernel import log
from config.kernel.bell import LOG, AsyncBell
from config.kernel.models import EventRecord

logger = logging.getLogger(__name__)
GROUP = "log"
_AWAY = (OSError, RedisError)  # redis has its own ConnectionError, which is no OSError
_QUEUE_LIMIT = 1000
_NUDGE_WITHIN = 0.2
_QUIET = 1.0  # as often as hubs look by themselves
_AGAIN = 1.0  # seconds between two tries at a database that is away


class Subscription:
    """One local listener: a bounded queue of (record, wire object). A reader too slow to keep up is told to resume."""

    def __init__(self, wants: Callable[[EventRecord], bool]) -> None:
        self.wants = wants
        self.queue: asyncio.Queue[tuple[EventRecord, dict[str, Any]]] = asyncio.Queue(_QUEUE_LIMIT)
        self.overrun = False

    def offer(self, record: EventRecord, fact: dict[str, Any]) -> None:
        if self.wants(record):
            try:
                self.queue.put_nowait((record, fact))
            except asyncio.QueueFull:
                self.overrun = True


class Hub:
    """Follows the log once per event loop, whatever the number of sockets."""

    def __init__(self) -> None:
        self.subscriptions: set[Subscription] = set()
        self.seq = 0
        self._task: asyncio.Task[None] | None = None
        self._started = asyncio.Event()

    async def join(self, wants: Callable[[EventRecord], bool]) -> Subscription:
        """Listen from now on. After this returns, every fact with seq > `hub.seq` will be offered."""
        if self._task is None or self._task.done():
            self._started.clear()
            self._task = asyncio.create_task(self._follow())
        await self._started.wait()
        subscription = Subscription(wants)
        self.subscriptions.add(subscription)
        return subscription

    def leave(self, subscription: Subscription) -> None:
        """Stop listening; the last to leave lets the follower end."""
        self.subscriptions.discard(subscription)
        if not self.subscriptions and self._task is not None:
            self._task.cancel()
            self._task = None

    async def _follow(self) -> None:
        self.seq = await patiently(lambda: read(log.head))
        self._started.set()
        nudges = _Nudges()
        try:
            while True:
                await self._next(nudges)
        finally:
            # Whatever ended this, nobody may go on waiting for a follower that is gone: they resume at another one.
            for subscription in self.subscriptions:
                subscription.overrun = True
            await nudges.bell.close()

    async def _next(self, nudges: _Nudges) -> None:
        await nudges.wait()
        await patiently(self._deliver)

    async def _deliver(self) -> None:
        while records := await read(lambda: list(log.after(self.seq))):
            for record in records:
                fact = log.as_object(record)
                for subscription in self.subscriptions:
                    subscription.offer(record, fact)
                self.seq = record.seq or self.seq


class _Nudges:
    """Waits for "the log grew" from the layer or the database, or for the poll interval, whichever is first."""

    def __init__(self) -> None:
        self.layer = get_channel_layer() if settings.REDIS_URL else None
        self.channel: str | None = None
        self.bell = AsyncBell(LOG)

    async def wait(self) -> None:
        if self.layer is None:
            await self.bell.wait(settings.LIVE_POLL_SECONDS)
            return
        try:
            if self.channel is None:
                self.channel = await self.layer.new_channel()
                await self.layer.group_add(GROUP, self.channel)
            await asyncio.wait_for(self.layer.receive(self.channel), timeout=1)
        except TimeoutError:
            return
        except _AWAY:
            # Redis is away: the log is still there, poll it.
            self.channel = None
            await asyncio.sleep(1)


_quiet_until = 0.0


def nudge() -> None:
    """Tell the hubs of all processes that the log grew (a hint: losing it delays, never drops).

    The clock calls this between deadlines, so it never waits long for a Redis that is gone or hangs.
    """
    global _quiet_until
    layer = get_channel_layer() if settings.REDIS_URL else None
    if layer is None or time.monotonic() < _quiet_until:
        return

    async def send() -> None:
        await asyncio.wait_for(layer.group_send(GROUP, {"type": "log.grew"}), _NUDGE_WITHIN)

    try:
        async_to_sync(send)()
    except (TimeoutError, *_AWAY):
        _quiet_until = time.monotonic() + _QUIET
        logger.warning("channel layer is away; hubs fall back to polling")


async def read(query: Callable[..., Any], *args: Any) -> Any:
    """Ask the database from an event loop, in a thread of its own."""

    def run() -> Any:
        close_old_connections()
        return query(*args)

    return await sync_to_async(run, thread_sensitive=False)()


async def patiently(work: Callable[[], Awaitable[Any]]) -> Any:
    """Do it again until the database answers: sockets stay open meanwhile, their readers see the stale mark."""
    while True:
        try:
            return await work()
        except DatabaseError:
            logger.warning("live updates cannot read the database", exc_info=True)
            await asyncio.sleep(_AGAIN)


_hubs: dict[asyncio.AbstractEventLoop, Hub] = {}


def hub() -> Hub:
    """The hub of the running event loop."""
    loop = asyncio.get_running_loop()
    for other in [known for known in _hubs if known.is_closed()]:
        del _hubs[other]
    return _hubs.setdefault(loop, Hub())
