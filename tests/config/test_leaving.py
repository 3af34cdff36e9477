"""A web process that was told to stop drops nobody: not who waits at the door, not who is being served."""

import asyncio
import contextlib
import socket
import threading
from typing import Any

import pytest
import uvicorn
from django.http import HttpResponse

from config import proxy
from config.kernel import leaving
from config.kernel.management.commands._server import LeavingServer

GET = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


@pytest.fixture(autouse=True)
def only_for_this_test(monkeypatch):
    monkeypatch.setattr(leaving, "_leaving", threading.Event())


@contextlib.asynccontextmanager
async def serving(app: Any, **more: Any):
    config = uvicorn.Config(app, host="127.0.0.1", port=0, lifespan="off", log_config=None, **more)
    config.load()
    server = LeavingServer(config, notice=0)
    server.lifespan = config.lifespan_class(config)
    own = server.listen()
    await server.startup([own])
    yield server, own.getsockname(), own
    own.close()


async def answer(connection: socket.socket) -> bytes:
    reader, writer = await asyncio.open_connection(sock=connection)
    writer.write(GET)
    read = await asyncio.wait_for(reader.read(), 5)
    writer.close()
    return read


async def hello(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"hello"})


async def test_who_stands_at_the_door_when_it_closes_is_served():
    async with serving(hello) as (server, address, own):
        waiting = [socket.create_connection(address) for _ in range(5)]  # blocking: the loop has accepted none of them

        stopped = asyncio.create_task(server.shutdown([own]))
        answers = await asyncio.gather(*(answer(connection) for connection in waiting))
        await stopped

    assert [read.split(b"\r\n")[0] for read in answers] == [b"HTTP/1.1 200 OK"] * 5


async def test_afterwards_a_new_caller_is_refused_before_sending_anything():
    async with serving(hello) as (server, address, own):
        await server.shutdown([own])

        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(address)


async def test_an_answer_under_way_is_finished():
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow(scope: Any, receive: Any, send: Any) -> None:
        begun.set()
        await go_on.wait()
        await hello(scope, receive, send)

    async with serving(slow, timeout_graceful_shutdown=5) as (server, address, own):
        asked = asyncio.create_task(answer(await asyncio.to_thread(socket.create_connection, address)))
        await begun.wait()
        stopped = asyncio.create_task(server.shutdown([own]))
        await asyncio.sleep(0.5)  # longer than SETTLE
        go_on.set()

        assert b"hello" in await asked
        await stopped


def test_it_says_so_where_balancers_ask(client):
    leaving.begin()

    answer = client.get("/readyz")

    assert answer.status_code == 503
    assert list(answer.json()["problems"]) == ["web"]
    assert client.get("/healthz").status_code == 200


def test_each_answer_is_the_last_on_its_connection(rf):
    leaving.begin()

    answer = proxy.Farewell(lambda request: HttpResponse("kept"))(rf.get("/"))

    assert answer.headers["Connection"] == "close"
