"""The supervisor's family: one that dies comes back, and none outlives the supervisor, however it ends."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from config.kernel.management.commands import run
from config.kernel.management.commands._children import CHILD_MARK, MARK, Child, Family, kill_marked, marked

ROOT = Path(__file__).resolve().parents[2]
FOREVER = [sys.executable, "-S", "-c", "import signal; signal.pause()"]
WITH_A_FORK = [
    sys.executable,
    "-S",
    "-c",
    "import os, signal; os.fork(); signal.signal(15, signal.SIG_IGN); signal.pause()",
]
SUPERVISOR = """
import os, signal, sys
from config.kernel.management.commands._children import Child, Family
family = Family(dict(os.environ), print)
family.start(Child("worker", [sys.executable, "-S", "-c", "import os, signal; os.fork(); signal.pause()"]))
print(family.mark, flush=True)
signal.pause()
"""


def until(happens, seconds=10.0):
    limit = time.monotonic() + seconds
    while not happens():
        assert time.monotonic() < limit, "it did not happen in time"
        os.sched_yield()


@pytest.fixture
def family():
    said = []
    members = Family(dict(os.environ), said.append)
    members.said = said
    yield members
    members.stop()


def test_a_child_that_dies_is_started_again_after_a_pause_and_it_is_said(family):
    child = Child("worker", FOREVER)
    family.start(child)
    first = child.process.pid

    child.process.kill()
    child.process.wait()
    family.tend()
    child.due = 0.0
    family.tend()

    assert family.said == ["worker stopped (signal SIGKILL); starting it again in 1 s."]
    assert child.process.pid != first


def test_what_a_dead_child_leaves_is_ended_and_its_sister_is_not_touched(family):
    worker, clock = Child("worker", WITH_A_FORK), Child("clock", WITH_A_FORK)
    family.start(worker, clock)
    until(lambda: len(list(marked(family.mark))) == 4)
    sisters = set(marked(clock.mark, CHILD_MARK))

    worker.process.kill()
    worker.process.wait()
    family.tend()

    assert len(sisters) == 2
    assert set(marked(family.mark)) == sisters


def test_a_child_that_starts_again_is_not_taken_for_what_its_last_life_left(family):
    child = Child("worker", WITH_A_FORK)
    family.start(child)
    first = child.mark
    child.process.kill()
    child.process.wait()
    family.tend()
    child.due = 0.0
    family.tend()
    until(lambda: len(list(marked(child.mark, CHILD_MARK))) == 2)

    kill_marked(first, CHILD_MARK)

    assert len(list(marked(child.mark, CHILD_MARK))) == 2


def test_each_early_death_doubles_the_pause_up_to_half_a_minute():
    child = Child("web", FOREVER)
    pauses = []
    for deaths in range(1, 8):
        child.deaths = deaths
        pauses.append(child.pause)
    assert pauses == [1, 2, 4, 8, 16, 30, 30]


def test_stopping_ends_also_what_ignores_it_and_what_was_forked(monkeypatch):
    monkeypatch.setattr("config.kernel.management.commands._children.GRACE", 0.2)
    family = Family(dict(os.environ), print)
    family.start(Child("worker", WITH_A_FORK))
    until(lambda: len(list(marked(family.mark))) == 2)

    family.stop()

    assert list(marked(family.mark)) == []


def test_nothing_is_left_when_the_supervisor_is_killed_outright():
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    supervisor = subprocess.Popen(
        [sys.executable, "-c", SUPERVISOR], env=environment, stdout=subprocess.PIPE, text=True
    )
    mark = supervisor.stdout.readline().strip()
    until(lambda: len(list(marked(mark))) == 2)

    supervisor.send_signal(signal.SIGKILL)
    supervisor.wait()
    supervisor.stdout.close()

    until(lambda: list(marked(mark)) == [])
    assert MARK not in os.environ


HOLDER = """
import os, signal, sys
os.environ["DATA_DIR"] = sys.argv[1]
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.dev")
import django
django.setup()
from config.kernel.management.commands import run
with run._alone():
    print("alone", flush=True)
    signal.pause()
"""


def test_a_second_family_on_the_same_data_is_refused_until_the_first_is_gone(tmp_path, settings, monkeypatch):
    settings.DATA_DIR, starts = tmp_path, []
    monkeypatch.setattr(run, "_require_free_port", lambda: None)
    monkeypatch.setattr(run, "_behind", lambda: False)
    monkeypatch.setattr(run.Command, "_supervise", lambda self, *, with_demo: starts.append(with_demo))
    command = [sys.executable, "-c", HOLDER, str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as first:
        assert first.stdout.readline() == "alone\n"
        with pytest.raises(CommandError, match=r"is running on .* already"):
            call_command("run")
        assert starts == []
        first.kill()
        first.wait()

    call_command("run")

    assert starts == [True]


def test_the_banner_shows_logins_links_and_a_code_to_scan():
    shown = run.banner(
        {
            "base_url": "http://127.0.0.1:8000",
            "logins": [{"role": "engineer", "username": "li", "password": "pw"}],
            "devices": [
                {
                    "name": "呼吸机",
                    "public_id": "x",
                    "report_url": "http://127.0.0.1:8000/q/abc/",
                    "short_code": "A1B2C3",
                }
            ],
        }
    )
    for part in ("http://127.0.0.1:8000/desk/", "engineer", "li", "pw", "http://127.0.0.1:8000/q/abc/", "A1B2C3", "▀"):
        assert part in shown
