"""What nginx and the production settings promise together, asked from outside: cookies, origins, addresses, limits, logs."""

import http.client
import json
import re
import socket
import threading
import time
from collections.abc import Callable
from http.cookies import SimpleCookie
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlencode

if TYPE_CHECKING:
    from production import Production

WRONG = "no-such-password"
TRIES = 5  # AXES_FAILURE_LIMIT


class Answer(NamedTuple):
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def cookies(self) -> SimpleCookie:
        return SimpleCookie("\n".join(self.headers.get_all("Set-Cookie", [])).replace("\n", "; "))


class Caller:
    """One client at one address of this machine's loopback; cookies are kept."""

    def __init__(self, place: "Production", address: str = "127.0.0.1") -> None:
        self.place, self.address, self.jar = place, address, dict[str, str]()

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.jar:
            named["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.jar.items())
        connection = http.client.HTTPSConnection(
            "localhost", self.place.port, timeout=20, context=self.place.tls, source_address=(self.address, 0)
        )
        try:
            connection.request(method, path, body, named)
            got = connection.getresponse()
            answer = Answer(got.status, got.headers, got.read())
        finally:
            connection.close()
        for line in answer.headers.get_all("Set-Cookie", []):
            for name, morsel in SimpleCookie(line).items():
                self.jar[name] = morsel.value
        return answer

    def sign_in(self, name: str, password: str, **headers: str) -> Answer:
        page = self("GET", "/accounts/login/").body.decode()
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
        form = {"login": name, "password": password, "csrfmiddlewaretoken": token[1] if token else ""}
        same = {"Origin": self.place.base_url, "Content_Type": "application/x-www-form-urlencoded"}
        return self("POST", "/accounts/login/", urlencode(form), **(same | headers))


def check(place: "Production") -> int:
    """Each promise with its answer; the number of broken ones."""
    slow = _Slow(place)
    broken = 0
    for promise in PROMISES:
        try:
            said = promise(place)
        except AssertionError as error:
            said, broken = f"BROKEN {error}", broken + 1
        print(f"  {(promise.__doc__ or '').rstrip('.'):<82}{said}", flush=True)
    said = slow.closed_after()
    broken += said > 15
    print(f"  {'Headers that come one byte a second end the connection':<82}after {said:.0f} s", flush=True)
    print(f"behind the proxy: {len(PROMISES) + 1} promises, {broken} broken", flush=True)
    return broken


def cookies(place: "Production") -> str:
    """Cookies are __Host-, Secure, HttpOnly, SameSite; signing in works over https."""
    caller, nurse = Caller(place), place.login("nurse")
    answer = caller.sign_in(nurse["username"], nurse["password"])
    lines = answer.headers.get_all("Set-Cookie", [])
    assert answer.status == 302, answer.status
    assert {"__Host-sid", "__Host-csrf"} <= set(caller.jar), list(caller.jar)
    for line in lines:
        low = line.lower()
        assert all(word in low for word in ("secure", "httponly", "samesite=lax", "path=/")), line
        assert "domain=" not in low, line
    return ", ".join(sorted(caller.jar))


def headers(place: "Production") -> str:
    """HSTS, nosniff and a policy on pages, refusals and static files."""
    caller = Caller(place)
    policies = set()
    for path in ("/accounts/login/", "/nothing-here/", "/static/css/tokens.css", "/api/v1/tickets/"):
        got = caller("GET", path).headers
        assert got["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains; preload", path
        assert got.get_all("X-Content-Type-Options") == ["nosniff"], path
        assert "uvicorn" not in str(got).lower(), path
        policies.add(frozenset((got["Content-Security-Policy"] or "").split("; ")))
    assert len(policies) == 1, policies
    return "4 paths, one policy"


def origins(place: "Production") -> str:
    """A form from another origin is refused; so is a socket."""
    nurse = place.login("nurse")
    assert Caller(place).sign_in(nurse["username"], nurse["password"], Origin="https://evil.example").status == 403
    dial = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec_WebSocket_Version": "13"}
    statuses = []
    for origin in ("https://evil.example", f"http://localhost:{place.port}", "https://localhost", place.base_url):
        key = {"Sec_WebSocket_Key": "d2FyZGxpbmUtd2FyZGxpbg=="}
        statuses.append(Caller(place)("GET", "/ws/desk/", **dial, **key, Origin=origin).status)
    assert statuses == [403, 403, 403, 101], statuses
    return str(statuses)


def hosts(place: "Production") -> str:
    """Another Host gets no answer from nginx, and 400 from a web process."""
    try:
        Caller(place)("GET", "/", Host="evil.example")
    except (http.client.HTTPException, OSError):
        pass
    else:
        raise AssertionError("nginx answered")
    direct = http.client.HTTPConnection("127.0.0.1", place.ports["web-1"], timeout=5)
    direct.request("GET", "/accounts/login/", headers={"Host": "evil.example", "X-Forwarded-Proto": "https"})
    assert direct.getresponse().status == 400
    return "no answer, 400"


def addresses(place: "Production") -> str:
    """Wrong passwords count against the real address, whatever X-Forwarded-For claims."""
    name = place.login("dispatcher")["username"]
    attacker, colleague = Caller(place, "127.0.0.2"), Caller(place, "127.0.0.3")
    forged = [
        {"X_Forwarded_For": f"10.9.8.{n}", "X_Real_IP": f"10.9.8.{n}", "Forwarded": f"for=10.9.8.{n}"}
        for n in range(TRIES)
    ]
    for claim in forged:
        attacker.sign_in(name, WRONG, **claim)
    shut = attacker.sign_in(name, place.login("dispatcher")["password"], X_Forwarded_For="10.9.8.77").status
    open_ = colleague.sign_in(name, place.login("dispatcher")["password"], X_Forwarded_For="127.0.0.2").status
    assert (shut, open_) == (429, 302), (shut, open_)
    return f"attacker {shut}, colleague {open_}"


def underscores(place: "Production") -> str:
    """Ten tokens a minute for one address, with a new forged header each time."""
    statuses = []
    for n in range(13):
        body = json.dumps({"username": f"nobody-{n}", "password": WRONG})
        claim = {"X-Forwarded-For": f"10.1.1.{n}", "X_Forwarded_For": f"10.1.2.{n}", "Content-Type": "application/json"}
        caller = http.client.HTTPSConnection(
            "localhost", place.port, context=place.tls, source_address=("127.0.0.4", 0)
        )
        caller.request("POST", "/api/v1/auth/token/", body, claim)
        statuses.append(caller.getresponse().status)
        caller.close()
    assert statuses.count(401) == 10, statuses
    assert statuses[-1] == 429, statuses
    return f"{statuses.count(401)} answered, {statuses.count(429)} refused"


def sizes(place: "Production") -> str:
    """Large bodies are refused by path, with a length or in chunks; large headers too."""
    caller, four = Caller(place), b"x" * (4 << 20)
    photo = (
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n' + four * 3 + b"\r\n--b--\r\n"
    )
    chunks = (four[at : at + 65536] for at in range(0, len(four), 65536))
    got = {
        "login 4 MB": caller("POST", "/accounts/login/", four).status,
        "in chunks": caller("POST", "/accounts/login/", chunks).status,
        "photo 12 MB": caller("POST", "/t/nothing/file/", photo, Content_Type="multipart/form-data; boundary=b").status,
        "photo 40 MB": caller("POST", "/t/nothing/file/", four * 10).status,
        "header 9 KB": caller("GET", "/", X_Long="x" * 9216).status,
        "path 9 KB": caller("GET", "/" + "x" * 9216).status,
    }
    wanted = {"login 4 MB": 413, "in chunks": 413, "photo 40 MB": 413, "header 9 KB": 400, "path 9 KB": 414}
    assert got | wanted == got, got
    assert got["photo 12 MB"] in {400, 404}, got
    return " ".join(f"{status}" for status in got.values())


def files(place: "Production") -> str:
    """Static files come from disk, compressed, named by hash and kept for a year."""
    caller = Caller(place)
    found = re.findall(r"/static/[^\"']+", caller("GET", "/accounts/login/").body.decode())
    for path in found:
        answer = caller("GET", path, Accept_Encoding="gzip")
        assert answer.status == 200, path
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable", path
        assert answer.headers["Content-Encoding"] == "gzip" or not path.endswith((".css", ".js", ".svg")), path
    assert caller("GET", "/static/../wardline.sqlite3").status in {400, 404}
    assert caller("GET", "/static/nothing.css").status == 404
    return f"{len(found)} files"


def logs(place: "Production") -> str:
    """No token of a report stands in a log of nginx, however it is spelled."""
    caller, link = Caller(place), place.facts["devices"][0]["report_url"].removeprefix(place.base_url)
    token = link.strip("/").split("/")[-1]
    for path in (
        link,
        f"/%71/{token}/",
        f"//q/{token}/",
        f"/q/{token}",
        f"/t/{token}/file/?x=1",
        f"/./t/{token}/confirm/",
    ):
        caller("GET", path, Referer=place.base_url + link)
    for name in ("web-1", "web-2"):
        place.end(name)
    page, api = caller("GET", link), caller("GET", "/api/v1/tickets/")
    place.start_web()
    assert (page.status, api.status) == (503, 503), (page.status, api.status)
    assert b"tel:8120" in page.body, "the page names no phone"
    assert api.headers["Content-Type"] == "application/problem+json", api.headers["Content-Type"]
    time.sleep(0.2)
    said = "".join((place.folder / "nginx" / name).read_text() for name in ("access.log", "error.log"))
    assert "/q/***/" in said, "nothing was logged"
    assert token not in said, [line for line in said.splitlines() if token in line][:2]
    return f"{len(said.splitlines())} lines; with no web process a page and a problem+json, both 503"


def log_of_processes(place: "Production") -> str:
    """Nor in the log of the web processes."""
    tokens = [device["report_url"].strip("/").split("/")[-1] for device in place.facts["devices"]]
    said = Path(place._log.name).read_text()
    told = [line for line in said.splitlines() if any(token in line for token in tokens)]
    assert not told, (len(told), told[0])
    return f"{len(said.splitlines())} lines"


class _Slow:
    """One header byte a second; measured beside the other checks."""

    def __init__(self, place: "Production") -> None:
        self._place, self._seconds = place, 99.0
        self._thread = threading.Thread(target=self._send)
        self._thread.start()

    def _send(self) -> None:
        begun = time.monotonic()
        plain = socket.create_connection(("127.0.0.1", self._place.port))
        with self._place.tls.wrap_socket(plain, server_hostname="localhost") as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
            connection.settimeout(1)
            while time.monotonic() - begun < 30:
                try:
                    connection.sendall(b"x")
                    if connection.recv(1000) is not None:
                        break
                except TimeoutError:
                    continue
                except OSError:
                    break
        self._seconds = time.monotonic() - begun

    def closed_after(self) -> float:
        self._thread.join()
        return self._seconds


PROMISES: list[Callable[["Production"], str]] = [
    cookies, headers, origins, hosts, addresses, underscores, sizes, files, logs, log_of_processes,
]  # fmt: skip
