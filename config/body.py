"""How much a request may send. Django writes an upload to disk before any view can refuse it, so the limit stands in front."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

Scope = dict[str, Any]
Message = Mapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

MEGABYTE: Final = 1024 * 1024
MOST: Final = 42 * MEGABYTE  # four files of 10 MB and their form
MOST_WITHOUT_FILES: Final = 3 * MEGABYTE
_SENTENCE: Final = "发来的内容太大。 Too much was sent.".encode()
_HEADERS: Final = [
    (b"content-type", b"text/plain; charset=utf-8"),
    (b"content-length", str(len(_SENTENCE)).encode()),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"strict-transport-security", b"max-age=31536000; includeSubDomains"),
    (b"permissions-policy", b"geolocation=(), microphone=(), camera=()"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store, private"),
    (b"connection", b"close"),
]


class BodyLimit:
    """Answers 413 to a body that says it is too large, and stops reading one that becomes too large without saying so."""

    def __init__(self, application: Application) -> None:
        self.application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"])
        most = MOST if headers.get(b"content-type", b"").startswith(b"multipart/form-data") else MOST_WITHOUT_FILES
        said = headers.get(b"content-length", b"0")
        if not said.isdigit() or int(said) > most:
            await _refuse(send)
            return
        body = _Counted(receive, most)
        await self.application(scope, body, send)
        if body.too_large:  # Django took it for a client that hung up, and answered nothing
            await _refuse(send)


class _Counted:
    def __init__(self, receive: Receive, most: int) -> None:
        self.receive, self.left, self.too_large = receive, most, False

    async def __call__(self) -> Message:
        message = await self.receive()
        self.left -= len(message.get("body", b""))
        self.too_large = self.too_large or self.left < 0
        return {"type": "http.disconnect"} if self.too_large else message


async def _refuse(send: Send) -> None:
    await send({"type": "http.response.start", "status": 413, "headers": _HEADERS})
    await send({"type": "http.response.body", "body": _SENTENCE})
