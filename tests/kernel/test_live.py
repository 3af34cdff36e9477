"""The hub without its helper: when Redis is away the clock lives on and the hub reads the log by itself."""

from __future__ import annotations

import asyncio
import socket

import pytest
from channels.layers import get_channel_layer
from channels_redis.pubsub import RedisPubSubChannelLayer

from config.kernel import live


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
