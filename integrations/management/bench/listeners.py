"""Many websockets in one process that speaks just enough of the protocol: run as a script by `fanout`.

Reads a JSON line (address, cookies, how many), says how many listen (each heard a first heartbeat), answers the line
`done` with when each fact reached each socket.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import re
import sys
import time
from collections import defaultdict
from functools import partial
from typing import Any
from urllib.parse import urlsplit

MARK = re.compile(rb'"subject":"bench:(\d+)"')
HEARTBEAT = b'"type":"heartbeat"'
PING = b"\x89\x04"  # and four bytes that must come back; never within our texts, which are JSON in UTF-8
PONG = b"\x8a\x84\0\0\0\0"  # masked by zeros
AT_ONCE = 100
PATIENCE = 20.0  # seconds for a hundred sockets to be let in


class Listener(asyncio.Protocol):
    """One socket: the handshake, then only a search for the mark in what comes; frames are not taken apart."""

    def __init__(self, hello: bytes, heard: dict[str, list[float]], opened: asyncio.Future[bool]) -> None:
        self.hello, self.heard, self.opened = hello, heard, opened
        self.rest = b""

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        transport.write(self.hello)

    def data_received(self, data: bytes) -> None:
        moment = time.perf_counter()
        found = None
        whole = self.rest + data
        if not self.opened.done() and HEARTBEAT in whole:  # it follows the facts from here on
            self.opened.set_result(True)
        for found in MARK.finditer(whole):
            self.heard[found.group(1).decode()].append(moment)
        if (ping := data.find(PING)) >= 0:  # who does not answer is taken for gone
            self.transport.write(PONG + data[ping + 2 : ping + 6])
        self.rest = whole[found.end() if found else 0 :][-600:]

    def connection_lost(self, error: Exception | None) -> None:
        if not self.opened.done():
            self.opened.set_result(False)


async def listen(url: str, cookies: list[str], count: int) -> None:
    parts = urlsplit(url)
    loop = asyncio.get_running_loop()
    heard: dict[str, list[float]] = defaultdict(list)
    opened: list[bool] = []
    for start in range(0, count, AT_ONCE):
        batch = []
        for n in range(start, min(start + AT_ONCE, count)):
            done = loop.create_future()
            hello = _hello(parts.netloc, f"{parts.path}?{parts.query}", cookies[n % len(cookies)] if cookies else "")
            listener = Listener(hello, heard, done)
            await loop.create_connection(partial(_same, listener), parts.hostname or "", parts.port or 0)
            batch.append(done)
        await asyncio.wait(batch, timeout=PATIENCE)
        opened += [one.done() and one.result() for one in batch]
    print(json.dumps({"open": sum(opened)}), flush=True)
    await loop.run_in_executor(None, sys.stdin.readline)
    print(json.dumps(heard), flush=True)


def _same(listener: Listener) -> Listener:
    return listener


def _hello(host: str, path: str, cookie: str) -> bytes:
    key = base64.b64encode(os.urandom(16)).decode()
    lines = [
        f"GET {path} HTTP/1.1", f"Host: {host}", "Upgrade: websocket", "Connection: Upgrade", f"Origin: http://{host}",
        f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Version: 13", *([f"Cookie: {cookie}"] if cookie else []),
    ]  # fmt: skip
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


if __name__ == "__main__":
    given = json.loads(sys.stdin.readline())
    asyncio.run(listen(given["url"], given["cookies"], given["count"]))
    os._exit(0)  # closing thousands of sockets politely measures nothing
