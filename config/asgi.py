"""Composition of one web process: HTTP by Django, websockets by Channels behind an exact origin check."""

import gc
import os
import warnings
from typing import Any, cast

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.prod")
os.environ.setdefault("WARDLINE_PROCESS", "web")

from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import OriginValidator
from channels.sessions import CookieMiddleware
from django.core.asgi import get_asgi_application

# WhiteNoise hands over plain files; Django reads them in a thread, which is what small files need.
warnings.filterwarnings("ignore", message="StreamingHttpResponse must consume synchronous iterators")
pages = get_asgi_application()

from django.conf import settings
from django.urls import re_path

from assets import urls as assets
from config.body import BodyLimit
from config.sockets import KnownBySession
from dispatch import urls as dispatch
from integrations import urls as integrations
from tickets import urls as tickets


async def nowhere(scope: Any, receive: Any, send: Any) -> None:
    """A websocket address that nobody has: refused before it opens."""
    await send({"type": "websocket.close"})


sockets = [route for app in (assets, tickets, dispatch, integrations) for route in app.sockets]

application = ProtocolTypeRouter(
    {
        "http": BodyLimit(pages),
        "websocket": OriginValidator(
            CookieMiddleware(KnownBySession(URLRouter([*sockets, re_path("", cast(Any, nowhere))]))),
            settings.WEBSOCKET_ORIGINS,
        ),
    }
)

# All of this stays for the life of the process: collecting garbage around it costs a screen half a second now and then.
# One fact for 5,000 screens makes as many short-lived objects at once; seldom enough, they are gone before anybody looks.
gc.collect()
gc.freeze()
gc.set_threshold(20_000, 10, 10)
