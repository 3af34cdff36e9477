"""A desk's screen from outside: a signed-in websocket that resumes by `seq` whenever it is cut, as the page does."""

from __future__ import annotations

import json
import threading
from typing import Any

from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect

from tests.faults.plant import Plant

SIGNED_IN = """
import json
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from assets.models import User
user = User.objects.filter(role="manager").order_by("pk")[0]
session = SessionStore()
session[SESSION_KEY] = str(user.pk)
session[BACKEND_SESSION_KEY] = "config.rights.RoleBackend"
session[HASH_SESSION_KEY] = user.get_session_auth_hash()
session.create()
print(json.dumps(session.session_key))
"""


class Screen:
    """Follows from the first fact on; `seqs` are the facts seen, `last` the latest number heard of."""

    def __init__(self, plant: Plant, name: str, session: str = "") -> None:
        self.plant, self.name = plant, name
        self.session = session or str(plant.ask(SIGNED_IN))
        self.seqs: set[int] = set()
        self.last, self.cuts = 0, 0
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()

    def _follow(self) -> None:
        while not self._ending.is_set():
            try:
                with dial(self.plant, self.name, self.session, self.last) as socket:
                    self._listen(socket)
            except (OSError, WebSocketException):
                self.cuts += 1
                self._ending.wait(0.2)

    def _listen(self, socket: ClientConnection) -> None:
        while not self._ending.is_set():
            try:
                fact: dict[str, Any] = json.loads(socket.recv(timeout=0.5))
            except TimeoutError:
                continue
            seq = fact.get("seq", 0)
            if "hash" in fact:
                self.seqs.add(seq)
            self.last = max(self.last, seq)

    def close(self) -> None:
        self._ending.set()
        self._thread.join(10)


def dial(plant: Plant, name: str, session: str, after: int = 0, **more: Any) -> ClientConnection:
    address = f"ws://127.0.0.1:{plant.ports[name]}/ws/desk/?after={after}"
    headers = {"Cookie": f"sessionid={session}"}
    return connect(address, origin="http://127.0.0.1", additional_headers=headers, proxy=None, **more)  # type: ignore[arg-type]  # a plain string is an origin
