"""The guards of `make check` find what they are for: a refused word, a secret in history, a package with a known hole."""

from __future__ import annotations

import http.server
import json
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

CI = Path(__file__).resolve().parents[2] / ".ci"


@pytest.fixture
def guard(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, ModuleType]]:
    monkeypatch.syspath_prepend(str(CI))
    import audit
    import leaks
    import refused

    yield {"audit": audit, "leaks": leaks, "refused": refused}
    for name in ("audit", "leaks", "refused", "setup"):
        sys.modules.pop(name, None)


PLANTED = [
    "-----BEGIN " + "RSA PRIVATE KEY-----",
    "key = AKIA" + "IOSFODNN7EXAMPLE",
    "LTAI" + "4GJ7xTfVvv9mQ2cKp1aB",
    "ghp_" + "a8Kz" * 9,
    "https://user:" + "hunter22@db.hospital.cn/x",
    'SECRET_KEY = "' + "kq8Zx1vB7nM4tR9wY2pL" + '"',
    "eyJhbGciOiJIUzI1NiJ9." + "eyJzdWIiOiIxMjM0In0." + "c2lnbmF0dXJlMTIz",
]


@pytest.mark.parametrize("line", PLANTED)
def test_a_planted_secret_is_found(guard: dict[str, ModuleType], line: str) -> None:
    assert list(guard["leaks"].found_in(line))


@pytest.mark.parametrize(
    "line",
    ['password = "correct-horse"', 'SECRET_KEY = env.text("SECRET_KEY")', "postgresql://wardline@db/line",
     'name="password" autocomplete="current-password"', '"token": "<token>"'],
)  # fmt: skip
def test_ordinary_lines_are_no_secrets(guard: dict[str, ModuleType], line: str) -> None:
    assert list(guard["leaks"].found_in(line)) == []


@pytest.mark.parametrize(
    ("suffix", "line"),
    [
        (".py", "x = mark_safe(text)"), (".py", "rows.extra(where=[w])"), (".py", "rows.filter(**request.GET)"),
        (".py", "requests.get(u, verify=False)"), (".py", 'fields = "__all__"'), (".py", "@csrf_exempt"),
        (".py", "import pickle"), (".py", "permission_classes = (AllowAny,)"), (".py", "eval(text)"),
        (".py", "run(c, shell=True)"), (".html", "{{ text|safe }}"), (".html", "{% autoescape off %}"),
        (".html", "<script>go()</script>"), (".html", '<b onclick="x">'), (".js", "node.innerHTML = text"),
    ],
)  # fmt: skip
def test_a_refused_word_is_found(guard: dict[str, ModuleType], tmp_path: Path, suffix: str, line: str) -> None:
    (tmp_path / f"bad{suffix}").write_text(f"\n{line}\n")
    guard["refused"].ROOT = tmp_path

    assert [number for _rule, number in guard["refused"].hits(f"bad{suffix}")] == [2]


def test_a_pin_below_its_floor_is_found(guard: dict[str, ModuleType], tmp_path: Path) -> None:
    lock = tmp_path / "lock.txt"
    lock.write_text("django==5.2.18 \\\n    --hash=sha256:0\npillow==13.0.0\n")

    assert guard["audit"].below_floor(guard["audit"].locked([lock])) == [
        "django 5.2.18 is below 5.2.19, which closes known holes"
    ]
    assert guard["audit"].below_floor(guard["audit"].locked(guard["audit"].LOCKS)) == []


class Database(http.server.BaseHTTPRequestHandler):
    """An OSV that knows one hole."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["queries"]
        bad = {"vulns": [{"id": "GHSA-seeded"}]}
        answer = json.dumps({"results": [bad if q["package"]["name"] == "seeded" else {} for q in asked]}).encode()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *args: object) -> None:
        """Quiet."""


def test_a_seeded_vulnerable_pin_is_named(guard: dict[str, ModuleType]) -> None:
    with http.server.HTTPServer(("127.0.0.1", 0), Database) as osv:
        threading.Thread(target=osv.handle_request).start()
        found = guard["audit"].ask({"good": "1.0", "seeded": "2.0"}, f"http://127.0.0.1:{osv.server_port}/")

    assert found == ["seeded 2.0: GHSA-seeded"]


def test_no_network_is_said_and_only_fails_where_an_answer_is_required(
    guard: dict[str, ModuleType], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_network(packages: object) -> list[str]:
        raise OSError

    monkeypatch.setattr(guard["audit"], "ask", no_network)

    assert guard["audit"].main() == 0
    assert "NOT CHECKED" in capsys.readouterr().out
    monkeypatch.setattr(guard["audit"], "MUST_ANSWER", True)
    assert guard["audit"].main() == 1
