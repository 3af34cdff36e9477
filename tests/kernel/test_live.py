"""The hub: it follows the log also without its helper (Redis), misses nothing, and ends when nobody listens."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from dataclasses import dataclass
from datetime import datetime

import pytest
from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer
from channels_redis.pubsub import RedisPubSubChannelLayer
from django.db import transaction

from config.kernel import live, log
from config.kernel.events import Event, publish

LISTENERS = pytest.mark.django_db(transaction=True)


@dataclass(frozen=True, kw_only=True)
class BellRung(Event):
    about = "bell"

    bell: str


def ring(now: datetime) -> None:
    assert log.lead("test")
    with transaction.atomic():
        publish(BellRung(at=now, bell="b1"))
    log.sequence("test")


@pytest.fixture
def dead_redis(settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """A layer whose server does not answer."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"redis://127.0.0.1:{probe.getsockname()[1]}/0"
    settings.REDIS_URL = address
    monkeypatch.setattr(live, "get_channel_layer", lambda: RedisPubSubChannelLayer(hosts=[address]))
    assert get_channel_layer() is not None


@pytest.mark.usefixtures("dead_redis")
def test_a_nudge_into_nowhere_is_a_line_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    live.nudge()

    assert "channel layer is away" in caplog.text


@pytest.mark.usefixtures("dead_redis")
async def test_the_hub_waits_a_moment_and_reads_the_log_itself() -> None:
    nudges = live._Nudges()

    await asyncio.wait_for(nudges.wait(), timeout=10)

    assert nudges.channel is None


@LISTENERS
@pytest.mark.database
async def test_who_joins_in_the_moment_in_which_the_last_one_leaves_begins_at_the_head_of_the_log(
    now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def deaf(_nudges: live._Nudges) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(live._Nudges, "wait", deaf)
    hub = live.Hub()
    first = await hub.join(lambda _record: True)
    await sync_to_async(ring)(now)

    hub.leave(first)
    second = await hub.join(lambda _record: True)

    assert hub.seq == await sync_to_async(log.head)()
    assert not second.overrun
    hub.leave(second)


@LISTENERS
async def test_a_follower_whose_cancellation_got_lost_ends_at_the_next_nudge(
    now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def answered_in_the_same_instant(_nudges: live._Nudges) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(0.05)

    monkeypatch.setattr(live._Nudges, "wait", answered_in_the_same_instant)
    hub = live.Hub()
    listener = await hub.join(lambda _record: True)
    follower = hub._task

    hub.leave(listener)

    assert follower is not None
    await asyncio.wait_for(asyncio.shield(follower), timeout=5)
    assert follower.done()
