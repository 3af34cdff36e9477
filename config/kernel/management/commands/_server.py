"""How a web process goes away without dropping anything: first it says so, then it stops listening, then it finishes."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import Final

import uvicorn

from config.kernel import leaving

SETTLE: Final = 0.3  # seconds in which a connection that was just accepted sends its request


class LeavingServer(uvicorn.Server):
    """Listens on one socket and stops in this order: `/readyz` says 503 for `notice` seconds; nobody new gets in, and a
    proxy's next attempt is refused before it has sent anything; what got in is answered; websockets are closed with 1012.
    """

    def __init__(self, config: uvicorn.Config, *, notice: float) -> None:
        super().__init__(config)
        self.notice = notice
        self._spare: socket.socket | None = None

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        super().run([self.listen()])

    def listen(self) -> socket.socket:
        """A bound socket for the loop, and a second hand on it: the loop closes its own with those who still wait behind it."""
        own = self.config.bind_socket()
        self._spare = own.dup()
        return own

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        leaving.begin()
        await self._pause(self.notice)
        await self._stop_listening()
        await self._pause(SETTLE)
        await super().shutdown(sockets)

    async def _pause(self, seconds: float) -> None:
        """Wait, unless somebody at the keyboard presses Ctrl-C again."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        while loop.time() < until and not self.force_exit:
            await asyncio.sleep(0.05)

    async def _stop_listening(self) -> None:
        """Close the door, and serve those who stood in it: the kernel would reset them, and a lost POST is never retried."""
        for server in self.servers:
            server.close()
        await asyncio.sleep(0)
        if self._spare is None:
            return
        let_in = []
        self._spare.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:
                let_in.append(self._spare.accept()[0])
        self._spare.close()
        loop = asyncio.get_running_loop()
        for connection in let_in:
            await loop.connect_accepted_socket(self._protocol, connection)

    def _protocol(self) -> asyncio.Protocol:
        made: asyncio.Protocol = self.config.http_protocol_class(  # type: ignore[call-arg]  # as Server.startup does
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )
        return made
