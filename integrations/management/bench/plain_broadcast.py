"""The floor of the fan-out: a bare ASGI app that keeps a set of sockets and sends one text to each. No Django, no rights."""

from __future__ import annotations

import asyncio
from typing import Any

sockets: set[Any] = set()


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    if scope["type"] == "websocket":
        await _hold(receive, send)
    elif scope["path"] == "/healthz":
        await _answer(send, b"ok")
    else:
        text = scope["query_string"].decode()
        fact = '{"seq":%s,"type":"Bench","at":"2026-11-22T00:00:00.000000Z","by":"bench","subject":"bench:%s","data":{},"hash":"%s"}'
        await asyncio.gather(
            *(one({"type": "websocket.send", "text": fact % (text, text, "0" * 64)}) for one in sockets)
        )
        await _answer(send, b"sent")


async def _hold(receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    sockets.add(send)
    await send({"type": "websocket.send", "text": '{"type":"heartbeat"}'})
    while (await receive())["type"] != "websocket.disconnect":
        pass
    sockets.discard(send)


async def _answer(send: Any, body: bytes) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": body})
