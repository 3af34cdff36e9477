"""Requests that no browser sends, written byte by byte to a real uvicorn: it refuses or answers, and lives on."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HOST = b"Host: 127.0.0.1\r\n"
END = b"Connection: close\r\n\r\n"
FORM = b"Content-Type: application/x-www-form-urlencoded\r\n"
PATIENCE = 6  # seconds until a connection that says nothing counts as hanging

# What is sent, and the codes that will do; CLOSED: the line is cut without a word.
CLOSED = 0
REFUSED = {400, CLOSED}
SET: dict[str, tuple[bytes, set[int]]] = {
    "doubled Content-Length": (
        b"POST /q/ HTTP/1.1\r\n" + HOST + FORM + b"Content-Length: 5\r\nContent-Length: 6\r\n" + END + b"code=1", REFUSED),
    "Content-Length and chunked": (
        b"POST /q/ HTTP/1.1\r\n" + HOST + FORM + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n" + END + b"0\r\n\r\n",
        REFUSED | {411, 422}),
    "chunked twice": (
        b"POST /q/ HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked, chunked\r\n" + END + b"0\r\n\r\n", REFUSED | {411, 422}),
    "disguised chunked": (
        b"POST /q/ HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: xchunked\r\n" + END + b"0\r\n\r\n", REFUSED | {411, 422, 501}),
    "a size that is none": (b"POST /q/ HTTP/1.1\r\n" + HOST + b"Content-Length: -5\r\n" + END, REFUSED),
    "a size in hexadecimal": (b"POST /q/ HTTP/1.1\r\n" + HOST + b"Content-Length: 0x5\r\n" + END + b"code=", REFUSED),
    "a size beyond all sizes": (b"POST /q/ HTTP/1.1\r\n" + HOST + b"Content-Length: " + b"9" * 40 + b"\r\n" + END, REFUSED | {413}),
    "bare line feeds": (b"GET /healthz HTTP/1.1\nHost: 127.0.0.1\nConnection: close\n\n", REFUSED | {200}),
    "a header without colon": (b"GET /healthz HTTP/1.1\r\n" + HOST + b"nonsense\r\n" + END, REFUSED),
    "a space before the colon": (b"GET /healthz HTTP/1.1\r\n" + HOST + b"X-A : b\r\n" + END, REFUSED | {200}),
    "a folded header": (b"GET /healthz HTTP/1.1\r\n" + HOST + b"X-A: b\r\n c\r\n" + END, REFUSED | {200}),
    "no host": (b"GET /healthz HTTP/1.1\r\n" + END, REFUSED | {200}),
    "two hosts": (b"GET /accounts/login/ HTTP/1.1\r\n" + HOST + b"Host: evil.example\r\n" + END, REFUSED),
    "another host": (b"GET /healthz HTTP/1.1\r\nHost: evil.example\r\n" + END, {200, 400}),
    "200 headers": (
        b"GET /healthz HTTP/1.1\r\n" + HOST + b"".join(b"X-%d: y\r\n" % n for n in range(200)) + END, REFUSED | {200, 431}),
    "a header of 64 KB": (b"GET /healthz HTTP/1.1\r\n" + HOST + b"X-A: " + b"y" * 65536 + b"\r\n" + END, REFUSED | {200, 431}),
    "a cookie of 60 KB": (b"GET /accounts/login/ HTTP/1.1\r\n" + HOST + b"Cookie: a=" + b"y" * 60000 + b"\r\n" + END, REFUSED | {200, 431}),
    "NUL in the path": (b"GET /q/%00/ HTTP/1.1\r\n" + HOST + END, {404}),
    "a raw NUL in the path": (b"GET /q/\x00/ HTTP/1.1\r\n" + HOST + END, REFUSED | {404}),
    "dots in disguise": (b"GET /static/%2e%2e/%2e%2e/manage.py HTTP/1.1\r\n" + HOST + END, {404}),
    "dots doubly in disguise": (b"GET /static/%252e%252e/manage.py HTTP/1.1\r\n" + HOST + END, {404}),
    "an absolute form": (b"GET http://evil.example/healthz HTTP/1.1\r\n" + HOST + END, REFUSED | {200, 404}),
    "a line of nothing": (b"\r\n\r\n\r\n", REFUSED),
    "a method of 10 KB": (b"A" * 10_000 + b" / HTTP/1.1\r\n" + HOST + END, REFUSED | {405, 431}),
    "a method nobody speaks": (b"TRACE /healthz HTTP/1.1\r\n" + HOST + END, {405}),
    "another protocol": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", REFUSED),
    "HTTP 9": (b"GET /healthz HTTP/9.9\r\n" + HOST + END, REFUSED | {200, 505}),
    "chunked without an end of sizes": (
        b"POST /q/ HTTP/1.1\r\n" + HOST + FORM + b"Transfer-Encoding: chunked\r\n" + END + b"zz\r\ncode=1\r\n0\r\n\r\n", REFUSED),
    "chunked without length": (
        b"POST /q/ HTTP/1.1\r\n" + HOST + FORM + b"Transfer-Encoding: chunked\r\n" + END + b"6\r\ncode=1\r\n0\r\n\r\n", {422, 411}),
}  # fmt: skip


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A migrated, empty house as `manage.py run` starts it; the port."""
    folder = tmp_path_factory.mktemp("raw")
    port = free_port()
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "config.settings.dev", "WARDLINE_PROCESS": "web", "DATA_DIR": str(folder),
        "DATABASE_URL": f"sqlite:///{folder}/raw.sqlite3", "HOST": "127.0.0.1", "PORT": str(port), "REDIS_URL": "",
    }  # fmt: skip
    subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], cwd=ROOT, env=environment, check=True)
    command = [sys.executable, "manage.py", "web"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
        try:
            wait_for(port, process)
            yield port
        finally:
            process.terminate()
            process.wait(timeout=20)


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 120
    while time.monotonic() < until and process.poll() is None:
        if said(port, b"GET /healthz HTTP/1.1\r\n" + HOST + END) == 200:
            return
    raise AssertionError("the server did not start")


def said(port: int, request: bytes, *, pieces: int = 0) -> int:
    """The status code of the answer; CLOSED where the line was cut, or where the server still waits for the rest and
    cuts the line once it hears that none will come."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as line:
            for piece in [request[i : i + pieces] for i in range(0, len(request), pieces)] if pieces else [request]:
                line.sendall(piece)
            answer = heard(line)
    except (ConnectionError, BrokenPipeError):
        return CLOSED
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/") else CLOSED


def heard(line: socket.socket) -> bytes:
    try:
        return line.recv(4096)
    except TimeoutError:
        line.shutdown(socket.SHUT_WR)
        return line.recv(4096)


@pytest.mark.parametrize("name", SET)
def test_an_odd_request_is_refused_or_answered(name: str, server: int) -> None:
    request, good = SET[name]

    code = said(server, request)

    assert code in good
    assert said(server, b"GET /healthz HTTP/1.1\r\n" + HOST + END) == 200  # and it lives


def test_a_body_that_never_comes_holds_nobody_up(server: int) -> None:
    """Twenty lines promise a body and fall silent; the next visitor is served at once."""
    promise = b"POST /q/ HTTP/1.1\r\n" + HOST + FORM + b"Content-Length: 1000\r\n\r\ncode="
    lines = [socket.create_connection(("127.0.0.1", server), timeout=PATIENCE) for _n in range(20)]
    try:
        for line in lines:
            line.sendall(promise)
        assert said(server, b"GET /healthz HTTP/1.1\r\n" + HOST + END) == 200
    finally:
        for line in lines:
            line.close()


def test_a_request_in_single_bytes_is_still_one(server: int) -> None:
    assert said(server, b"GET /healthz HTTP/1.1\r\n" + HOST + END, pieces=1) == 200
