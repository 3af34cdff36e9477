"""Live updates; with config.asgi and the consumers the only module that knows the channel layer.

One hub per web process follows the log by `seq` and hands each fact to its local subscribers. Across processes the
sequencer only says "the log grew"; a lost nudge costs one poll interval, never a fact. The hub remembers the latest
facts and reads in a thread of its own: a thousand screens that dial again after a restart neither ask the database each
nor keep the facts of now waiting.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import orjson
from asgiref.sync import async_to_sync, sync_to_async
from channels.layers import get_channel_layer
from django.conf import settings
from django.db import DatabaseError, close_old_connections, connections
from redis.exceptions import RedisError

from config.kernel import log
from config.kernel.bell import LOG, AsyncBell
from config.kernel.models import EventRecord

logger = logging.getLogger(__name__)
GROUP = "log"
_AWAY = (OSError, RedisError)  # redis has its own ConnectionError, which is no OSError
_QUEUE_LIMIT = 1000
_REMEMBERED = 500  # what `log.after` gives at once
_NUDGE_WITHIN = 0.2
_QUIET = 1.0  # as often as hubs look by themselves
_AGAIN = 1.0  # seconds between two tries at a database that is away


Told = tuple[EventRecord, str]


def told(record: EventRecord) -> Told:
    """A fact and its JSON, made once for all who hear it."""
    return record, orjson.dumps(log.as_object(record)).decode()


class Subscription:
    """One local listener: a bounded queue of what is told, None to remind. A reader too slow to keep up must resume."""

    def __init__(self, wants: Callable[[EventRecord], bool]) -> None:
        self.wants = wants
        self.queue: asyncio.Queue[Told | None] = asyncio.Queue(_QUEUE_LIMIT)
        self.overrun = False
        self._reminder: asyncio.TimerHandle | None = None

    def offer(self, fact: Told) -> None:
        if self.wants(fact[0]):
            try:
                self.queue.put_nowait(fact)
            except asyncio.QueueFull:
                self.overrun = True

    def remind_every(self, seconds: float) -> None:
        """None comes every so often until the hub lets this listener go: one timer for a while, not one for a fact."""
        self._reminder = asyncio.get_running_loop().call_later(seconds, self._remind, seconds)

    def _remind(self, seconds: float) -> None:
        if not self.queue.full():  # a full one wakes its reader anyway
            self.queue.put_nowait(None)
        self.remind_every(seconds)

    def end(self) -> None:
        if self._reminder is not None:
            self._reminder.cancel()


class Hub:
    """Follows the log once per event loop, whatever the number of sockets."""

    def __init__(self) -> None:
        self.subscriptions: set[Subscription] = set()
        self.seq = 0
        self._latest: deque[Told] = deque(maxlen=_REMEMBERED)
        self._task: asyncio.Task[None] | None = None
        self._started = asyncio.Event()

    async def join(self, wants: Callable[[EventRecord], bool]) -> Subscription:
        """Listen from now on. After this returns, every fact with seq > `hub.seq` will be offered."""
        while True:
            if self._task is None or self._task.done():
                self._started = asyncio.Event()
                self._task = asyncio.create_task(self._follow(self._started))
            task = self._task
            await self._started.wait()
            if self._task is task:
                break  # else: begun for somebody who left before this one was asked
        subscription = Subscription(wants)
        subscription.overrun = task.done()  # the follower could not even begin
        self.subscriptions.add(subscription)
        return subscription

    def leave(self, subscription: Subscription) -> None:
        """Stop listening; the last to leave lets the follower end."""
        self.subscriptions.discard(subscription)
        subscription.end()
        if not self.subscriptions and self._task is not None:
            self._task.cancel()
            self._task = None

    def since(self, seq: int) -> list[Told] | None:
        """The facts after `seq` up to `hub.seq`, from memory; None when that is longer ago than it reaches."""
        if seq >= self.seq:
            return []
        if not self._latest or (self._latest[0][0].seq or 0) > seq + 1:
            return None
        return [fact for fact in self._latest if (fact[0].seq or 0) > seq]

    async def _follow(self, started: asyncio.Event) -> None:
        thread = ThreadPoolExecutor(1, "hub")
        nudges = _Nudges()
        me = asyncio.current_task()
        try:
            self.seq = await patiently(lambda: read(log.head, thread=thread))
            await patiently(lambda: self._remember(thread))
            started.set()
            while not _unwanted():
                await nudges.wait()
                await patiently(lambda: self._deliver(thread))
        finally:
            thread.submit(connections.close_all)
            thread.shutdown(wait=False)
            # Whatever ended this, nobody may go on waiting for a follower that is gone: they resume at another one.
            started.set()
            if self._task is me:
                for subscription in self.subscriptions:
                    subscription.overrun = True
            await nudges.close()

    async def _remember(self, thread: ThreadPoolExecutor) -> None:
        self._latest.clear()
        start, end = max(0, self.seq - _REMEMBERED), self.seq
        for record in await read(lambda: list(log.after(start)), thread=thread):
            if (record.seq or 0) <= end:  # what came meanwhile is delivered like everything later
                self._latest.append(told(record))

    async def _deliver(self, thread: ThreadPoolExecutor) -> None:
        while records := await read(lambda: list(log.after(self.seq)), thread=thread):
            for record in records:
                fact = told(record)
                for subscription in self.subscriptions:
                    subscription.offer(fact)
                self._latest.append(fact)
                self.seq = record.seq or self.seq


def _unwanted() -> bool:
    """Somebody cancelled this task. A cancellation that meets an answer in the same instant gets lost in the libraries
    below (on Python 3.11 in `asyncio.wait_for` too); its count stays."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


class _Nudges:
    """Waits for "the log grew" from the layer or the database, or for the poll interval, whichever is first."""

    def __init__(self) -> None:
        self.layer = get_channel_layer() if settings.REDIS_URL else None
        self.channel: str | None = None
        self.bell = AsyncBell(LOG)
        # Kept from one wait to the next: a `receive` that is cancelled leaves the channel, with two commands to Redis.
        self._next: asyncio.Task[Any] | None = None

    async def wait(self) -> None:
        if self.layer is None:
            await self.bell.wait(settings.LIVE_POLL_SECONDS)
            return
        try:
            if self._next is None:
                self._next = asyncio.create_task(self._hear(self.layer))
            heard, _waiting = await asyncio.wait({self._next}, timeout=_QUIET)
            if heard:
                self._next = None
                heard.pop().result()
        except _AWAY:
            # Redis is away: the log is still there, poll it.
            await asyncio.sleep(_QUIET)

    async def _hear(self, layer: Any) -> None:
        if self.channel is None:
            channel = await layer.new_channel()
            await layer.group_add(GROUP, channel)
            self.channel = channel
        if not _unwanted():  # a connection that is being made loses a cancellation
            await layer.receive(self.channel)

    async def close(self) -> None:
        if self._next is not None:
            self._next.cancel()
        await self.bell.close()


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


async def read(query: Callable[..., Any], *args: Any, thread: ThreadPoolExecutor | None = None) -> Any:
    """Ask the database from an event loop, in `thread` or one of a few that all share."""

    def run() -> Any:
        close_old_connections()
        return query(*args)

    return await sync_to_async(run, thread_sensitive=False, executor=thread)()


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
