"""The live channel of the desk: nothing missed, nothing foreign, nobody unknown."""

import asyncio
import json
from dataclasses import dataclass
from datetime import timedelta

import pytest
from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator
from django.contrib.auth.models import AnonymousUser
from django.db import OperationalError, transaction

from assets.models import User
from config.kernel import live, log
from config.kernel.events import Event, publish
from tickets.desk import consumers
from tickets.desk.consumers import DeskConsumer

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]


@dataclass(frozen=True, kw_only=True)
class BellRung(Event):
    about = "bell"

    bell: str


def ring(now, *bells, scope=""):
    assert log.lead("test")
    with transaction.atomic():
        for bell in bells:
            publish(BellRung(at=now, bell=bell, scope=scope))
    log.sequence("test")


class Screen(ApplicationCommunicator):
    """One browser's end of the socket (channels.testing wants daphne, which we do not run)."""

    async def connect(self):
        await self.send_input({"type": "websocket.connect"})
        assert (await self.receive_output(timeout=5))["type"] == "websocket.accept"

    async def receive_json_from(self, timeout=5):
        said = await self.receive_output(timeout=timeout)
        assert said["type"] == "websocket.send", said
        return json.loads(said["text"])

    async def disconnect(self):
        await self.send_input({"type": "websocket.disconnect", "code": 1000})
        await self.wait(timeout=5)


def dial(user, after=0, session=None):
    scope = {
        "type": "websocket",
        "path": "/ws/desk/",
        "query_string": f"after={after}".encode(),
        "headers": [],
        "user": user,
    }
    if session is not None:
        scope["session"] = session
    return Screen(DeskConsumer.as_asgi(), scope)


async def facts(channel, count):
    found = []
    while len(found) < count:
        said = await channel.receive_json_from(timeout=5)
        if said["type"] != "heartbeat":
            found.append(said)
    return found


async def test_missed_facts_come_first_and_in_order(dispatcher, now):
    await sync_to_async(ring)(now, "a", "b", "c")
    channel = dial(dispatcher, after=1)
    await channel.connect()

    told = await facts(channel, 2)

    assert [fact["seq"] for fact in told] == [2, 3]
    assert told[0]["subject"] == "bell:b"
    assert told[0] == await sync_to_async(lambda: log.as_object(log.after(1)[0]))()
    await channel.disconnect()


async def test_a_fact_arrives_once_sequenced(dispatcher, now):
    channel = dial(dispatcher)
    await channel.connect()
    assert (await channel.receive_json_from(timeout=5))["type"] == "heartbeat"

    await sync_to_async(ring)(now, "a")

    assert [fact["subject"] for fact in await facts(channel, 1)] == ["bell:a"]
    assert await channel.receive_nothing(timeout=0.6)
    await channel.disconnect()


async def test_a_screen_that_dials_again_is_told_from_memory_and_an_old_one_from_the_log(dispatcher, now, monkeypatch):
    """A thousand screens dial at once after a restart; none of them costs a query, and all hear what they missed."""
    monkeypatch.setattr(live, "_REMEMBERED", 3)
    monkeypatch.setattr(live, "_hubs", {})
    await sync_to_async(ring)(now, "a", "b", "c", "d", "e")
    first = dial(dispatcher, after=5)
    await first.connect()
    await first.receive_json_from(timeout=5)
    asked, after = [], log.after
    monkeypatch.setattr(log, "after", lambda seq: asked.append(seq) or after(seq))

    again, old = dial(dispatcher, after=2), dial(dispatcher, after=1)
    await again.connect()
    told = await facts(again, 3)
    assert set(asked) <= {5}  # the hub itself looks on
    await old.connect()

    assert [fact["seq"] for fact in told] == [3, 4, 5]
    assert [fact["seq"] for fact in await facts(old, 4)] == [2, 3, 4, 5]
    assert 1 in asked
    for channel in (first, again, old):
        await channel.disconnect()


async def test_a_screen_from_before_a_restore_is_told_where_the_log_is_and_hears_what_comes(dispatcher, now):
    await sync_to_async(ring)(now, "a", "b")
    channel = dial(dispatcher, after=999_999)
    await channel.connect()
    beat = await channel.receive_json_from(timeout=5)

    await sync_to_async(ring)(now, "c")

    assert (beat["type"], beat["seq"]) == ("heartbeat", 2)
    assert [fact["subject"] for fact in await facts(channel, 1)] == ["bell:c"]
    await channel.disconnect()


async def test_a_follower_that_cannot_begin_makes_the_screen_resume(dispatcher, monkeypatch):
    monkeypatch.setattr(live, "_hubs", {})
    monkeypatch.setattr(consumers, "HEARTBEAT_SECONDS", 0.1)
    monkeypatch.setattr(log, "head", nobody_foresaw)
    channel = dial(dispatcher)
    await channel.connect()

    assert await hangs_up(channel) == 4409


@pytest.mark.parametrize("reading", ["head", "after"])
async def test_a_screen_that_dials_while_the_database_is_away_hears_all_once_it_is_back(
    dispatcher, now, monkeypatch, reading
):
    await sync_to_async(ring)(now, "a")
    answers, tries = getattr(log, reading), []

    def away_at_first(*given):
        tries.append(given)
        if len(tries) == 1:
            raise OperationalError("database table is locked")
        return answers(*given)

    monkeypatch.setattr(log, reading, away_at_first)
    channel = dial(dispatcher)
    await channel.connect()

    assert [fact["subject"] for fact in await facts(channel, 1)] == ["bell:a"]
    await channel.disconnect()


def nobody_foresaw(*_given):
    raise ValueError("a fact nobody foresaw")


async def test_a_defect_in_reading_what_was_missed_ends_the_socket(dispatcher, now, monkeypatch):
    await sync_to_async(ring)(now, "a")
    monkeypatch.setattr(consumers, "may_follow", nobody_foresaw)
    channel = dial(dispatcher)
    await channel.connect()

    assert await hangs_up(channel) == 1011


async def test_a_defect_in_following_the_log_makes_every_screen_resume(dispatcher, now, monkeypatch):
    monkeypatch.setattr(consumers, "HEARTBEAT_SECONDS", 0.1)
    channel = dial(dispatcher)
    await channel.connect()
    for _beat in range(2):  # the first comes before what was missed is read, the second after
        assert (await channel.receive_json_from(timeout=5))["type"] == "heartbeat"
    monkeypatch.setattr(consumers, "may_follow", nobody_foresaw)

    await sync_to_async(ring)(now, "a")

    assert await hangs_up(channel) == 4409


async def test_a_ward_hears_its_own_department_only(nurse, surgery, now):
    await sync_to_async(ring)(now, "theirs", scope=surgery.code)
    await sync_to_async(ring)(now, "ours", scope=nurse.department.code)
    channel = dial(nurse)
    await channel.connect()

    assert [fact["subject"] for fact in await facts(channel, 1)] == ["bell:ours"]
    await channel.disconnect()


async def test_strangers_are_refused(rules):
    channel = dial(AnonymousUser())
    await channel.connect()

    assert (await channel.receive_output(timeout=5)) == {"type": "websocket.close", "code": 4401}


def session_of(client):
    session = client.session
    session.get("_auth_user_hash")  # read from the database now, as the middleware does
    return session


async def hangs_up(channel, within=2):
    """The code the server closed with; facts before it are read over."""
    said = await channel.receive_output(timeout=within)
    while said["type"] != "websocket.close":
        said = await channel.receive_output(timeout=within)
    return said["code"]


async def test_a_closed_account_is_cut_off_within_two_seconds(dispatcher):
    channel = dial(dispatcher)
    await channel.connect()
    assert (await channel.receive_json_from(timeout=5))["type"] == "heartbeat"

    await sync_to_async(User.objects.filter(pk=dispatcher.pk).update)(is_active=False)

    assert await hangs_up(channel) == 4401


async def test_signing_out_ends_the_socket_within_two_seconds(dispatcher, signed_in):
    client = await sync_to_async(signed_in)(dispatcher)
    channel = dial(dispatcher, session=await sync_to_async(session_of)(client))
    await channel.connect()
    assert (await channel.receive_json_from(timeout=5))["type"] == "heartbeat"

    await sync_to_async(client.logout)()

    assert await hangs_up(channel) == 4401


async def test_a_new_password_ends_the_socket(dispatcher, signed_in):
    client = await sync_to_async(signed_in)(dispatcher)
    channel = dial(dispatcher, session=await sync_to_async(session_of)(client))
    await channel.connect()
    await channel.receive_json_from(timeout=5)

    dispatcher.set_password("another-long-password-8")
    await sync_to_async(dispatcher.save)()

    assert await hangs_up(channel) == 4401


async def test_other_rights_make_the_screen_dial_again(dispatcher, icu):
    channel = dial(dispatcher)
    await channel.connect()
    await channel.receive_json_from(timeout=5)

    await sync_to_async(User.objects.filter(pk=dispatcher.pk).update)(role="nurse", department=icu)

    assert await hangs_up(channel) == 4408


async def test_a_sixth_socket_of_one_person_is_refused(dispatcher, manager):
    held = [dial(dispatcher) for _n in range(5)]
    for channel in held:
        await channel.connect()
        await channel.receive_json_from(timeout=5)
    sixth, another = dial(dispatcher), dial(manager)
    await sixth.connect()
    await another.connect()

    assert await hangs_up(sixth) == 4403
    assert (await another.receive_json_from(timeout=5))["type"] == "heartbeat"
    for channel in (*held, another):
        await channel.disconnect()


async def test_a_screen_too_slow_is_told_to_resume(dispatcher, now, monkeypatch):
    monkeypatch.setattr(live.Subscription, "offer", lambda self, fact: setattr(self, "overrun", True))
    monkeypatch.setattr(consumers, "HEARTBEAT_SECONDS", 0.1)
    channel = dial(dispatcher)
    await channel.connect()
    await channel.receive_json_from(timeout=5)

    await sync_to_async(ring)(now + timedelta(seconds=1), "a")

    said = await channel.receive_output(timeout=5)
    while said["type"] != "websocket.close":
        last, said = said, await channel.receive_output(timeout=5)
    assert last["text"] == '{"type":"resume"}'
    assert said["code"] == 4409


async def test_a_place_written_in_percents_is_the_place(dispatcher, now):
    """What is no place at all stands in tests/architecture/test_sockets.py."""
    await sync_to_async(ring)(now, "a", "b")
    channel = dial(dispatcher, after="%31")
    await channel.connect()

    assert [fact["seq"] for fact in await facts(channel, 1)] == [2]
    await channel.disconnect()


@pytest.mark.parametrize(
    ("defect", "told"),
    [
        (OSError("gone"), 0),
        (RuntimeError("Unexpected ASGI message 'websocket.send', after sending 'websocket.close'."), 0),
        (RuntimeError("a defect"), 1),
        (ValueError("a defect"), 1),
    ],
)
async def test_a_lost_phone_is_no_error_and_a_defect_is_and_both_are_closed(defect, told, caplog, monkeypatch):
    consumer, closed = DeskConsumer(), []

    async def follow():
        raise defect

    async def close(code):
        closed.append(code)
        raise OSError("nobody listens")

    monkeypatch.setattr(consumer, "_follow", follow)
    monkeypatch.setattr(consumer, "close", close)
    follower = asyncio.create_task(consumer._follow())
    follower.add_done_callback(consumer._gone)

    await asyncio.wait([follower])
    await asyncio.sleep(0)
    await consumer._farewell

    assert closed == [1011]
    assert len([one for one in caplog.records if one.levelname == "ERROR"]) == told
