"""`make production`: Wardline as in a hospital, on this machine: nginx with TLS, 2 web, 2 workers, 2 clocks, PostgreSQL, Redis."""

import argparse
import contextlib
import http.client
import json
import os
import secrets
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from string import Template
from typing import Any

import psycopg
import servers
import setup

sys.path.insert(0, setup.ROOT)
from tests.browser.hospital import Hospital
from tests.furnished import MANAGE, ROOT

DEPLOY = ROOT / "config" / "deploy"
WEB = ("web-1", "web-2")
REST = ("worker-1", "worker-2", "clock-1", "clock-2")
COMMANDS = {"web": "web", "worker": "qcluster", "clock": "clock"}
LONGEST_STOP = 60.0  # TimeoutStopSec of the worker unit


class Production(Hospital):
    """A Hospital behind the real nginx.conf: production settings from the environment alone, a database user of its own."""

    def __init__(self, folder: Path, outside: servers.Servers, *, port: int, scale: str) -> None:
        self.folder, self.scale, self.outside = folder, scale, outside
        self.port, self.http_port = port or servers.free_port(), servers.free_port()
        self.ports = {name: servers.free_port() for name in WEB}
        self.base_url = f"https://localhost:{self.port}"
        self.facts = {}
        self.hard_stops = 0
        log = ROOT / ".data" / "production.log"  # stays, for whoever asks why
        log.parent.mkdir(exist_ok=True)
        log.write_text("")
        self._log = log.open("a")
        self._processes = {}
        self.data = folder / "data"
        self.data.mkdir(mode=0o755)
        self._environment = self._variables(database=_own_database(outside.database_url))
        self.tls = ssl.create_default_context(cafile=self._certificate())

    def _variables(self, database: str) -> dict[str, str]:
        key = secrets.token_urlsafe
        return {
            **{name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ},
            "DJANGO_SETTINGS_MODULE": "config.settings.prod",
            "SECRET_KEY": key(48),
            "FIELD_KEYS": key(48),
            "QR_KEYS": f"k1:{key(48)}",
            "DATABASE_URL": database,
            "REDIS_URL": self.outside.redis_url,
            "PUBLIC_BASE_URL": self.base_url,
            "ALLOWED_HOSTS": "localhost",
            "HOSPITAL_PHONE": "8120",
            "DATA_DIR": str(self.data),
            "ADMIN_NEEDS_SECOND_FACTOR": "no",  # the journeys visit /admin/ with a password alone
            "WARDLINE_DEMO": "1",
        }

    # --- Starting ----------------------------------------------------------------
    def start(self) -> None:
        self.manage("migrate", "-v0")
        self.manage("collectstatic", "--no-input", "-v0")
        self.facts = json.loads(self.manage("demo", "--json", "--scale", self.scale))
        self._start_nginx()
        for name in (*WEB, *REST):
            self.start_one(name)
        for name in WEB:
            self.wait_for_web(name)
        self.wait_for("/readyz")

    def start_one(self, name: str) -> None:
        kind = name.split("-", maxsplit=1)[0]
        own = {"HOST": "127.0.0.1", "PORT": str(self.ports[name])} if kind == "web" else {}
        self._processes[name] = subprocess.Popen(
            [*MANAGE, COMMANDS[kind]],
            cwd=ROOT,
            env=self._environment | own,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C is ours to hand on
        )

    def wait_for_web(self, name: str) -> None:
        asked = f"http://127.0.0.1:{self.ports[name]}/healthz"
        probe = [sys.executable, str(DEPLOY / "probe.py"), asked, "60"]
        if subprocess.run(probe, check=False, env=self._environment).returncode:
            tail = Path(self._log.name).read_text()[-3000:]
            raise RuntimeError(f"{name} does not answer.\n{tail}")

    def _certificate(self) -> str:
        made = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-days", "2"]
        out = ["-keyout", str(self.folder / "tls.key"), "-out", str(self.folder / "tls.crt")]
        subprocess.run([*made, *names, *out], check=True, capture_output=True)
        return str(self.folder / "tls.crt")

    def _start_nginx(self) -> None:
        place = self.folder / "nginx"
        place.mkdir(mode=0o755)
        known = {
            "SITE": "localhost",
            "ORIGIN": self.base_url,
            "PHONE": "8120",
            "HTTP_PORT": f"127.0.0.1:{self.http_port}",
            "HTTPS_PORT": f"127.0.0.1:{self.port}",
            "WEB_1": f"127.0.0.1:{self.ports['web-1']}",
            "WEB_2": f"127.0.0.1:{self.ports['web-2']}",
            "TLS_CERTIFICATE": str(self.folder / "tls.crt"),
            "TLS_KEY": str(self.folder / "tls.key"),
            "STATIC_PARENT": str(self.data),
            "DEPLOY": str(DEPLOY),
            "LOG_TO": str(place),
        }
        (place / "site.conf").write_text(_Named((DEPLOY / "nginx.conf").read_text()).safe_substitute(known))
        temporary = "".join(
            f"{kind}_temp_path {place}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        (place / "nginx.conf").write_text(
            f"daemon off;\nworker_processes 2;\npid {place}/pid;\nerror_log {place}/error.log;\n"
            f"{'user www-data;' if os.geteuid() == 0 else ''}\nevents {{ worker_connections 4096; }}\n"
            f"http {{\ninclude /etc/nginx/mime.types;\ndefault_type application/octet-stream;\nsendfile on;\n{temporary}"
            f"include {place}/site.conf;\n}}\n"
        )
        self._processes["nginx"] = self._run(nginx() or "nginx", "-c", str(place / "nginx.conf"))

    # --- As the browser tests ask for it ------------------------------------------
    def start_web(self) -> None:
        for name in WEB:
            self.start_one(name)
        for name in WEB:
            self.wait_for_web(name)

    def kill(self, name: str) -> None:
        for one in WEB if name == "web" else (name,):
            super().kill(one)

    def answers(self, path: str) -> bool:
        connection = http.client.HTTPSConnection("localhost", self.port, timeout=5, context=self.tls)
        try:
            connection.request("GET", path)
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    # --- Stopping -------------------------------------------------------------------
    def restart(self, name: str) -> None:
        """As `systemctl restart` does it: SIGTERM to the main process, SIGKILL to what is left, start, wait for an answer."""
        self.end(name)
        self.start_one(name)
        if name in WEB:
            self.wait_for_web(name)

    def end(self, name: str) -> None:
        process = self._processes[name]
        process.terminate()
        try:
            process.wait(LONGEST_STOP)
        except subprocess.TimeoutExpired:
            self.hard_stops += 1
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # the main process and whatever it left behind
        process.wait()

    def stop(self) -> None:
        stopping = [threading.Thread(target=self.end, args=[name]) for name in self._processes if name != "nginx"]
        for thread in stopping:
            thread.start()
        for thread in stopping:
            thread.join()
        if "nginx" in self._processes:
            self._processes["nginx"].terminate()
            self._processes["nginx"].wait()
        self._log.close()


class AtProduction:
    """Tells the browser tests which hospital they are in."""

    def __init__(self, place: Production) -> None:
        self._place = place

    def pytest_configure(self, config: Any) -> None:
        config.running_hospital = self._place


class _Named(Template):
    """`${NAME}` as envsubst reads it, and nginx's own `$name` left alone."""

    pattern = r"\$(?:(?P<escaped>(?!))|(?P<named>(?!))|\{(?P<braced>[A-Z_0-9]+)\}|(?P<invalid>(?!)))"  # type: ignore[assignment]


def _own_database(server: str) -> str:
    """A role that owns one database and nothing else."""
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("CREATE ROLE wardline LOGIN")
        connection.execute("CREATE DATABASE wardline OWNER wardline")
    return server.replace("postgres@", "wardline@").rsplit("/", 1)[0] + "/wardline"


def nginx() -> str | None:
    return shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin")


def provide() -> None:
    """Install what is missing if we may; otherwise say what is."""
    wanted = {
        "nginx-light": nginx(),
        "postgresql": servers.postgres_bin(),
        "redis-server": shutil.which("redis-server"),
        "openssl": shutil.which("openssl"),
    }
    missing = [package for package, there in wanted.items() if not there]
    if missing and not (setup.may_install() and setup.apt_install(missing)):
        setup.stop("Missing: " + ", ".join(missing) + ". Install these packages, then run this again.")


@contextlib.contextmanager
def running(*, port: int, scale: str) -> Iterator[Production]:
    with tempfile.TemporaryDirectory(prefix="wardline-production-") as folder, servers.running() as outside:
        os.chmod(folder, 0o755)  # noqa: S103 - nginx reads the static files as another user
        place = Production(Path(folder), outside, port=port, scale=scale)
        try:
            place.start()
            yield place
        finally:
            place.stop()


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--port", type=int, default=0, help="of https (a free one)")
    options.add_argument("--scale", default="0.2", help="size of the demo hospital")
    options.add_argument("--check", action="store_true", help="ask nginx and the headers what they promise, then stop")
    options.add_argument("--rolling", type=int, default=0, metavar="N", help="N rolling restarts under load, then stop")
    options.add_argument("--journeys", nargs="*", metavar="TEST", help="run the browser journeys against it, then stop")
    asked = options.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    provide()
    with running(port=asked.port, scale=asked.scale) as place, contextlib.suppress(KeyboardInterrupt):
        return act(place, asked)
    return 0


def act(place: Production, asked: argparse.Namespace) -> int:
    failed = 0
    if asked.check:
        import behind

        failed += behind.check(place)
    if asked.rolling:
        import rolling

        failed += rolling.run(place, asked.rolling)
    if asked.journeys is not None:
        import pytest

        os.chdir(ROOT)
        chosen = asked.journeys or ["tests/browser"]
        arguments = [*chosen, "-q", "-p", "no:randomly", "-p", "no:cacheprovider"]
        failed += bool(pytest.main(arguments, plugins=[AtProduction(place)]))
    if not (asked.check or asked.rolling or asked.journeys is not None):
        for login in place.facts["logins"]:
            print(f"  {login['role']:<12}{login['username']:<16}{login['password']}")
        print(f"\n  {place.base_url}   self-signed; files in {place.folder}\n  Ctrl-C stops everything.", flush=True)
        signal.pause()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
