"""Who a websocket belongs to: read once, when it opens."""

from importlib import import_module
from typing import Any

from channels.auth import get_user
from django.conf import settings

_Session = import_module(settings.SESSION_ENGINE).SessionStore


class KnownBySession:
    """Puts session and user into the scope of a socket that has its cookies. Channels' own middleware would look at the
    session again with every message sent, to save what no socket here changes."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> Any:
        known = scope | {"session": _Session(scope["cookies"].get(settings.SESSION_COOKIE_NAME))}
        known["user"] = await get_user(known)
        return await self.inner(known, receive, send)
