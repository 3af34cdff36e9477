"""The desk's live channel: every fact a person may follow, in order, resumed by `seq`. Signed in only."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any
from urllib.parse import parse_qs

import orjson
from asgiref.sync import sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.contrib.auth import HASH_SESSION_KEY
from django.db import close_old_connections
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from assets.places.models import User
from config.kernel import live, log
from config.kernel.models import EventRecord
from tickets.policies import may_follow

HEARTBEAT_SECONDS = 5
LARGEST_MESSAGE = 64 * 1024
SIGNED_OUT, TOO_SLOW, TOO_LARGE = 4401, 4409, 1009


class DeskConsumer(AsyncWebsocketConsumer):
    """`/ws/desk/?after=<seq>`: first what was missed, then what happens. Clients send nothing."""

    _user: User | None = None
    _follower: asyncio.Task[None] | None = None

    async def connect(self) -> None:
        await self.accept()
        self._user = await _database(_current_user, self.scope)
        if self._user is None:
            await self.close(code=SIGNED_OUT)
            return
        self._sent = _after(self.scope)
        self._follower = asyncio.create_task(self._follow())

    async def disconnect(self, code: int) -> None:
        if self._follower is not None:
            self._follower.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._follower
            self._follower = None

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Nothing is asked over this channel; a flood ends it."""
        if len(text_data or bytes_data or "") > LARGEST_MESSAGE:
            await self.close(code=TOO_LARGE)

    async def _follow(self) -> None:
        # Joined before the backlog is read: a fact sequenced in between comes twice, never not at all.
        hub = live.hub()
        subscription = await hub.join(self._wants)
        try:
            await self._beat()
            await self._catch_up()
            await self._stay(subscription)
        finally:
            hub.leave(subscription)

    async def _catch_up(self) -> None:
        while records := await _database(lambda: list(log.after(self._sent))):
            for record in records:
                await self._tell(record, log.as_object(record))

    async def _stay(self, subscription: live.Subscription) -> None:
        clock = asyncio.get_running_loop().time
        next_beat = clock() + HEARTBEAT_SECONDS
        while True:
            if subscription.overrun:
                await self.send(text_data='{"type":"resume"}')
                await self.close(code=TOO_SLOW)
                return
            with contextlib.suppress(TimeoutError):
                record, fact = await asyncio.wait_for(subscription.queue.get(), max(next_beat - clock(), 0.01))
                await self._tell(record, fact)
            if clock() < next_beat:
                continue
            next_beat = clock() + HEARTBEAT_SECONDS
            self._user = await _database(_current_user, self.scope)
            if self._user is None:
                await self.close(code=SIGNED_OUT)
                return
            await self._beat()

    def _wants(self, record: EventRecord) -> bool:
        return self._user is not None and may_follow(self._user, record)

    async def _tell(self, record: EventRecord, fact: dict[str, Any]) -> None:
        seq = record.seq or 0
        if seq <= self._sent:
            return
        self._sent = seq
        if self._wants(record):
            await self.send(text_data=orjson.dumps(fact).decode())

    async def _beat(self) -> None:
        beat = {"type": "heartbeat", "seq": self._sent, "at": log.iso(timezone.now())}
        await self.send(text_data=orjson.dumps(beat).decode())


def _after(scope: Any) -> int:
    given = parse_qs(scope.get("query_string", b"").decode("ascii", "replace")).get("after", ["0"])[0]
    return int(given) if given.isascii() and given.isdigit() and len(given) < 19 else 0


def _current_user(scope: Any) -> User | None:
    """Who this socket belongs to now: a signed-out session, a new password or a closed account end it."""
    claimed = scope.get("user")
    if claimed is None or not claimed.is_authenticated:
        return None
    user = User.objects.select_related("department").filter(pk=claimed.pk, is_active=True).first()
    session = scope.get("session")
    if user is None or session is None or not session.session_key:
        return user
    if not session.exists(session.session_key):
        return None
    return user if constant_time_compare(session.get(HASH_SESSION_KEY, ""), user.get_session_auth_hash()) else None


async def _database(query: Any, *args: Any) -> Any:
    def run() -> Any:
        close_old_connections()
        return query(*args)

    return await sync_to_async(run, thread_sensitive=False)()
