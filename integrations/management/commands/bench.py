"""Measures Wardline against floors of the same run, on scratch databases; writes one table of everything."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection

from integrations.management.bench import BENCHES, figures, seed
from integrations.management.bench.peer import bench_peer
from integrations.management.bench.postgres import durable_postgres
from integrations.management.bench.scratch import HOUSE, scratch

TABLE = "bench.md"
FEW = 20  # runs that try a bench rather than measure: a smaller house does
# What `all` runs, with how many runs each; `growth` brings its own seed.
WHOLE = {"list": 300, "detail": 300, "create": 300, "due": 1000, "alerts": 200, "report": 200, "fanout": 30,
         "processes": 100, "pages": 60, "growth": 100}  # fmt: skip


class Command(BaseCommand):
    help = "Measure one bench, `all` (one table, both databases), `seed` a database of its own, or the `peer`."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", choices=[*BENCHES, "all", "peer"])
        parser.add_argument("--json", action="store_true", help="one JSON object instead of lines")
        parser.add_argument("--runs", type=int, default=100, help="repetitions of each measured call")
        parser.add_argument("--database-url", help="server or file beside which the scratch database is made")
        parser.add_argument("--tickets", type=int, help="seed, peer: how many tickets")
        parser.add_argument("--into", help="seed: URL of the database to fill; it must not be the configured one")
        parser.add_argument(
            "--into-configured", action="store_true", help="seed: fill the configured database after all"
        )
        parser.add_argument("--quick", action="store_true", help="all: a tenth of the rows and runs")
        parser.add_argument("--only", help="all: names, with commas")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["name"] == "all":
            self._all(options)
        elif options["name"] == "peer":
            self._say(
                {"bench": "peer", "machine": figures.machine(), "figures": bench_peer(options["tickets"] or 10_000)},
                options,
            )
        elif options["database_url"]:
            self._elsewhere(options["name"], options["database_url"], options)
        elif options["name"] == "seed" and (options["into"] or options["into_configured"]):
            self._fill(options)
        else:
            runs = (options["tickets"] or 0) // 1000 or max(2, options["runs"])
            with scratch(scale=HOUSE if runs >= FEW else HOUSE / 4):
                found = BENCHES[options["name"]][0](runs)
                self._say(_result(options["name"], found), options)

    def _fill(self, options: dict[str, Any]) -> None:
        """Rows into a database that stays: one of its own, migrated and given the demo first where it is empty."""
        if options["into"] and not options["into_configured"]:
            if options["into"] == os.environ.get("DATABASE_URL"):
                raise CommandError("that is the configured database; --into-configured if you mean it.")
            count = str(options["tickets"] or 100_000)
            for words in (
                ["migrate", "-v0"],
                ["demo", "--json"],
                ["bench", "seed", "--into-configured", "--tickets", count],
            ):
                done = _manage(words, options["into"])
            self.stdout.write(done.stdout)
            return
        found = seed.seed(options["tickets"] or 100_000)
        seed.check()
        self._say(_result("seed", found), options)

    def _all(self, options: dict[str, Any]) -> None:
        wanted = (options["only"] or ",".join(WHOLE)).split(",")
        results, failed = [], []
        with _databases(options["database_url"]) as urls:
            for url in urls:
                for name in wanted:
                    runs = max(2, WHOLE[name] // 10 if options["quick"] else WHOLE[name])
                    try:
                        result = _measure(name, url, runs)
                    except CommandError as error:  # the others are worth having all the same
                        failed.append(f"{name} on {url.split(':')[0]}: {error}")
                        continue
                    results.append(result)
                    self.stderr.write(
                        f"{name} on {result['machine']['database']}: {json.dumps(result.get('figures') or result['parts'])[:300]}"
                    )
        if not results:
            raise CommandError("\n".join(["not measured:", *failed]))
        text = figures.table(results)
        head = f"{results[0]['machine']['machine']}, Python {results[0]['machine']['python']}, {results[0]['machine']['at'][:16]}\n\n"
        Path(settings.DATA_DIR, TABLE).write_text(head + text + "\n")
        self.stdout.write(json.dumps(results) if options["json"] else head + text)
        if failed:
            raise CommandError("\n".join(["not measured:", *failed]))

    def _elsewhere(self, name: str, url: str, options: dict[str, Any]) -> None:
        self._say(_measure(name, url, max(2, options["runs"])), options)

    def _say(self, result: dict[str, Any], options: dict[str, Any]) -> None:
        if options["json"]:
            self.stdout.write(json.dumps(result, ensure_ascii=False))
            return
        where = result["machine"]
        self.stdout.write(f"{where['at']}  {where['machine']}  {where['database']}  load {where['load']}")
        for part in result.get("parts") or [result["figures"]]:
            self.stdout.write(f"{result['bench']:9} " + "  ".join(f"{key}={value}" for key, value in part.items()))


def _result(name: str, found: dict[str, Any]) -> dict[str, Any]:
    body = found if "parts" in found else {"figures": found}
    return {"bench": name, "machine": figures.machine(), **body}


def _measure(name: str, url: str, runs: int) -> dict[str, Any]:
    """One bench in a process of its own, so that no bench measures what another one left in memory."""
    done = _manage(["bench", name, "--json", "--runs", str(runs)], url)
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def _manage(words: list[str], url: str) -> subprocess.CompletedProcess[str]:
    # No debugging while measuring; the demo hospital is meant to be there all the same.
    environment = os.environ | {"DATABASE_URL": url, "DEBUG": "false", "WARDLINE_DEMO": "1"}
    command = [sys.executable, "manage.py", *words]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, cwd=settings.BASE_DIR)
    if done.returncode:
        raise CommandError(f"{' '.join(words)} failed:\n{done.stderr[-2000:]}")
    return done


@contextlib.contextmanager
def _databases(given: str | None) -> Iterator[list[str]]:
    """Both databases: SQLite in .data, and the PostgreSQL that was given, is configured, or is started for this."""
    sqlite = f"sqlite:///{Path(settings.DATA_DIR, 'bench.sqlite3')}"
    if given:
        yield [given]
    elif connection.vendor == "postgresql":
        yield [sqlite, os.environ["DATABASE_URL"]]
    else:
        with durable_postgres() as url:
            yield [sqlite, url]
