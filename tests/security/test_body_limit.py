"""A body nobody asked for is not read to its end, whatever it says about its length."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from asgiref.testing import ApplicationCommunicator

from config import asgi, body

NGINX = Path(__file__).resolve().parents[2] / "config" / "deploy" / "nginx.conf"
CHUNK = b"a" * 65_536
FORM = b"application/x-www-form-urlencoded"
FILES = b"multipart/form-data; boundary=x"


async def post(content_type: bytes, *, length: bytes | None = None, chunks: int = 0) -> tuple[int, int, bytes]:
    """(status, bytes that the application took, answer) of one POST that would go on for ever."""
    headers = [(b"host", b"testserver"), (b"content-type", content_type)]
    headers += [(b"content-length", length)] if length else [(b"transfer-encoding", b"chunked")]
    scope: dict[str, Any] = {
        "type": "http", "method": "POST", "path": "/q/", "raw_path": b"/q/", "query_string": b"", "headers": headers,
        "http_version": "1.1", "scheme": "http", "client": ("10.0.0.9", 5), "server": ("testserver", 80),
    }  # fmt: skip
    taken, said = 0, []

    async def receive() -> dict[str, Any]:
        nonlocal taken, chunks
        chunks -= 1
        taken += len(CHUNK) if chunks >= 0 else 0
        return {"type": "http.request", "body": CHUNK if chunks >= 0 else b"", "more_body": chunks > 0}

    async def send(message: Any) -> None:
        said.append(message)

    await asgi.application(scope, receive, send)
    content = b"".join(message.get("body", b"") for message in said[1:])
    return said[0]["status"], taken, content


@pytest.mark.parametrize(
    ("content_type", "most"), [(FORM, body.MOST_WITHOUT_FILES), (FILES, body.MOST)], ids=["form", "files"]
)
async def test_200_megabytes_without_a_length_are_cut_off_at_the_limit(content_type: bytes, most: int) -> None:
    status, taken, said = await post(content_type, chunks=200 * 16)

    assert status == 413
    assert "太大" in said.decode()
    assert most < taken <= most + len(CHUNK)


@pytest.mark.parametrize("length", [b"200000000", b"-1", b"1e9", b"12, 12", b"\xb2"])
async def test_a_length_too_large_or_no_number_is_refused_unread(length: bytes) -> None:
    status, taken, _said = await post(FORM, length=length)

    assert (status, taken) == (413, 0)


@pytest.mark.django_db(transaction=True)
async def test_an_ordinary_form_passes() -> None:
    scope_headers = [(b"host", b"testserver"), (b"content-type", FORM), (b"content-length", b"11")]
    scope: dict[str, Any] = {
        "type": "http", "method": "POST", "path": "/q/", "raw_path": b"/q/", "query_string": b"",
        "headers": scope_headers, "http_version": "1.1", "scheme": "http", "client": ("10.0.0.9", 5),
        "server": ("testserver", 80),
    }  # fmt: skip
    browser = ApplicationCommunicator(asgi.application, scope)
    await browser.send_input({"type": "http.request", "body": b"code=ABC123", "more_body": False})

    assert (await browser.receive_output(timeout=10))["status"] == 422


# Doors that take files, and the megabytes that they take.
FILE_DOORS = {
    "/t/abc/file/": 30,
    "/field/abc/do/photo/": 40,
    "/field/abc/do/finish/": 40,
    "/desk/tickets/abc/comment/": 40,
    "/api/v1/tickets/abc/attachments/": 10,
    "/admin/assets/device/import/": 10,
}


@pytest.mark.parametrize("path", FILE_DOORS)
def test_the_proxy_lets_through_what_a_door_takes_and_no_more_than_we_read(path: str) -> None:
    rules = re.findall(r"location ~ (\S+) \{.*?client_max_body_size (\d+)m", NGINX.read_text())

    allowed = next(int(most) for pattern, most in rules if re.search(pattern, path))

    assert FILE_DOORS[path] < allowed <= body.MOST // body.MEGABYTE


def test_the_proxy_takes_little_elsewhere() -> None:
    [general] = re.findall(r"^    client_max_body_size (\d+)m", NGINX.read_text(), re.MULTILINE)

    assert int(general) == body.MOST_WITHOUT_FILES // body.MEGABYTE
