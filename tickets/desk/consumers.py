"""The desk's live channel: every fact a person may follow, in order, resumed by `seq`. Signed in only."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple
from urllib.parse import parse_qs

import orjson
from channels.generic.websocket import AsyncWebsocketConsumer
from django.contrib.auth import HASH_SESSION_KEY
from django.contrib.sessions.models import Session
from django.db import DatabaseError
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from assets.places.models import User
from config.kernel import live, log
from config.kernel.models import EventRecord
from tickets.policies import may_follow

logger = logging.getLogger(__name__)
HEARTBEAT_SECONDS = 5
CHECK_SECONDS = 1.5  # a signed-out or closed account hears nothing after this
SOCKETS_PER_USER = 5
LARGEST_MESSAGE = 64 * 1024
MALFORMED, SIGNED_OUT, TOO_MANY, OTHER_RIGHTS, TOO_SLOW, TOO_LARGE, BROKEN = 4400, 4401, 4403, 4408, 4409, 1009, 1011


class DeskConsumer(AsyncWebsocketConsumer):
    """`/ws/desk/?after=<seq>`: first what was missed, then what happens; without `after` only what happens. Clients send
    nothing. A `seq` that the log has not reached was read before a restore: such a client is told the log's own in the first
    heartbeat, and follows from there."""

    channel_layer_alias = ""  # the hub hears for all of them: a channel of its own would cost each socket a task
    _user: User | None = None
    _asked: int | None = None
    _follower: asyncio.Task[None] | None = None
    _farewell: asyncio.Task[None] | None = None

    async def connect(self) -> None:
        await self.accept()
        self._user = await live.patiently(lambda: live.read(_current_user, self.scope))
        if self._user is None:
            await self.close(code=SIGNED_OUT)
            return
        try:
            self._asked = _after(self.scope)
        except ValueError:
            # Taken for the beginning, a slip of the pen would be answered with all facts there ever were.
            await self.close(code=MALFORMED)
            return
        if not _guard().admit(self, self._user):
            await self.close(code=TOO_MANY)
            return
        self._follower = asyncio.create_task(self._follow())
        self._follower.add_done_callback(self._gone)

    async def disconnect(self, code: int) -> None:
        _guard().forget(self)
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
        self._sent = hub.seq if self._asked is None else self._asked
        try:
            if self._sent > hub.seq:  # of another process that reads faster, or of a log that is gone
                self._sent = min(self._sent, await live.patiently(lambda: live.read(log.head)))
            await self._beat()
            if (missed := hub.since(self._sent)) is None:
                await live.patiently(self._catch_up)
            for fact in missed or ():
                await self._tell(*fact)
            await self._stay(subscription)
        finally:
            hub.leave(subscription)

    def _gone(self, follower: asyncio.Task[None]) -> None:
        """A defect must not leave a screen that looks alive and hears nothing: it dials again."""
        if follower.cancelled() or not (defect := follower.exception()):
            return
        if _is_gone(defect):  # a phone that lost its network: nothing for the people who read the log
            logger.info("a live channel was cut: %r", defect)
        else:
            logger.error("a live channel broke", exc_info=defect)
        self._farewell = asyncio.create_task(self._part())

    async def _part(self) -> None:
        with contextlib.suppress(OSError, RuntimeError):  # where nobody listens any more
            await self.close(code=BROKEN)

    async def _catch_up(self) -> None:
        while records := await live.read(lambda: list(log.after(self._sent))):
            for record in records:
                await self._tell(*live.told(record))

    async def _stay(self, subscription: live.Subscription) -> None:
        subscription.remind_every(HEARTBEAT_SECONDS)
        while not subscription.overrun:
            fact = await subscription.queue.get()
            if fact is None:
                await self._beat()
            else:
                await self._tell(*fact, chosen=True)
        await self.send(text_data='{"type":"resume"}')
        await self.close(code=TOO_SLOW)

    def _wants(self, record: EventRecord) -> bool:
        return self._user is not None and may_follow(self._user, record)

    async def _tell(self, record: EventRecord, text: str, *, chosen: bool = False) -> None:
        """`chosen` when the hub has already asked whether it is wanted."""
        seq = record.seq or 0
        if seq <= self._sent:
            return
        self._sent = seq
        if chosen or self._wants(record):
            await self.base_send({"type": "websocket.send", "text": text})

    async def _beat(self) -> None:
        beat = {"type": "heartbeat", "seq": self._sent, "at": log.iso(timezone.now())}
        await self.send(text_data=orjson.dumps(beat).decode())


def _is_gone(defect: BaseException) -> bool:
    """Nobody at the other end: the first send says so by an OSError, uvicorn at the next one like this."""
    return isinstance(defect, OSError) or str(defect).startswith("Unexpected ASGI message")


class _Guard:
    """Looks at all sockets of this process at once, so that a thousand screens cost two queries a look, not a thousand."""

    def __init__(self) -> None:
        self.holders: dict[DeskConsumer, _Standing] = {}
        self.held: Counter[int] = Counter()
        self._task: asyncio.Task[None] | None = None

    def admit(self, socket: DeskConsumer, user: User) -> bool:
        """False when this person already holds as many sockets as one may."""
        if self.held[user.pk] >= SOCKETS_PER_USER:
            return False
        self.holders[socket] = _Standing(user.pk, user.password, user.role, user.department_id)
        self.held[user.pk] += 1
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._watch())
        return True

    def forget(self, socket: DeskConsumer) -> None:
        if standing := self.holders.pop(socket, None):
            self.held[standing.user] -= 1

    async def _watch(self) -> None:
        while self.holders:
            await asyncio.sleep(CHECK_SECONDS)
            try:
                now = await live.read(_standings, [socket.scope for socket in self.holders])
            except DatabaseError:
                # Not knowing is no reason to let everybody go: nothing is sent while the log cannot be read either.
                continue
            for socket, before in list(self.holders.items()):
                code = _verdict(before, now.get(id(socket.scope), before))
                if code:
                    self.forget(socket)
                    await socket.close(code=code)


class _Standing(NamedTuple):
    """What a socket was let in by. Flat, because all of them are read every moment."""

    user: int
    password: str
    role: str
    department: int | None


def _verdict(before: _Standing, now: _Standing | None) -> int:
    """Why a socket must end: nobody there any more, or somebody with other rights, who dials again. 0 = stay."""
    if now is None or now.password != before.password:
        return SIGNED_OUT
    return 0 if now == before else OTHER_RIGHTS


_guards: dict[asyncio.AbstractEventLoop, _Guard] = {}


def _guard() -> _Guard:
    loop = asyncio.get_running_loop()
    for other in [known for known in _guards if known.is_closed()]:
        del _guards[other]
    return _guards.setdefault(loop, _Guard())


def _after(scope: Any) -> int | None:
    """The place in the log that a client names, None where it names none. ValueError when that is no `seq`."""
    query = parse_qs(scope.get("query_string", b"").decode("ascii", "replace"), keep_blank_values=True)
    given = query.get("after")
    if given is None:
        return None
    if len(given) > 1 or not re.fullmatch("[0-9]{1,18}", given[0]):
        raise ValueError("`after` is no seq")
    return int(given[0])


def _current_user(scope: Any) -> User | None:
    """Whose socket this is: a signed-out session, a new password or a closed account open none."""
    standing = _standings([scope])[id(scope)]
    user = User.objects.select_related("department").filter(pk=standing.user).first() if standing else None
    if user is None or not _session_key(scope):
        return user
    known = scope["session"].get(HASH_SESSION_KEY, "")
    return user if constant_time_compare(known, user.get_session_auth_hash()) else None


def _standings(scopes: Sequence[Any]) -> dict[int, _Standing | None]:
    """What each socket's account is now, by the scope's id; None where it is closed or the session has ended. Two queries
    for any number."""
    claimed = {scope["user"].pk for scope in scopes if "user" in scope and scope["user"].is_authenticated}
    keys = {key for scope in scopes if (key := _session_key(scope))}
    rows = User.objects.filter(is_active=True, pk__in=claimed).values_list("pk", "password", "role", "department_id")
    accounts = {row[0]: _Standing(*row) for row in rows}
    alive = set(Session.objects.filter(pk__in=keys, expire_date__gt=timezone.now()).values_list("pk", flat=True))
    return {
        id(scope): accounts.get(getattr(scope.get("user"), "pk", None) or 0)
        if (key := _session_key(scope)) in alive or not key
        else None
        for scope in scopes
    }


def _session_key(scope: Any) -> str:
    session = scope.get("session")
    return (session.session_key or "") if session is not None else ""
