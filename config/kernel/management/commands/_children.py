"""Child processes that live exactly as long as their supervisor: started again when they die, gone when it is gone."""

import contextlib
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

MARK: Final = "WARDLINE_FAMILY"  # inherited by children and their forks, so that all of them can be found
CHILD_MARK: Final = "WARDLINE_CHILD"  # beside it, another for each life of each child
FIRST_PAUSE: Final = 1.0
LONGEST_PAUSE: Final = 30.0
STEADY_AFTER: Final = 60.0  # a child that lived this long starts again without waiting longer each time
GRACE: Final = 4.0  # django-q2 may hang while stopping


class Child:
    """One program and its history."""

    def __init__(self, name: str, command: Sequence[str]) -> None:
        self.name = name
        self.command = list(command)
        self.process: subprocess.Popen[bytes] | None = None
        self.mark = ""
        self.deaths = 0
        self.due = 0.0
        self._started = 0.0

    def start(self, environment: Mapping[str, str]) -> None:
        self.mark = uuid.uuid4().hex
        self.process = subprocess.Popen(  # noqa: S603 - fixed argument lists
            self.command,
            env={**environment, CHILD_MARK: self.mark},
            preexec_fn=_leave_ctrl_c_to_the_supervisor,  # noqa: PLW1509 - this process has one thread
        )
        self._started = time.monotonic()

    def died(self) -> int | None:
        """The exit code when it has just been found dead; then `due` says when it may start again.

        What it forked is ended too: django-q2's processes go on without their parent, beside those of the next life.
        """
        code = self.process.poll() if self.process else None
        if code is None:
            return None
        kill_marked(self.mark, CHILD_MARK)
        now = time.monotonic()
        self.deaths = 1 if now - self._started > STEADY_AFTER else self.deaths + 1
        self.due = now + self.pause
        self.process = None
        return code

    @property
    def pause(self) -> float:
        return float(min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (self.deaths - 1)))


class Family:
    """The children of one run, kept alive until `stop()`; a guard ends them if the supervisor is killed outright."""

    def __init__(self, environment: Mapping[str, str], say: Callable[[str], None]) -> None:
        self.children: list[Child] = []
        self.mark = uuid.uuid4().hex
        self._environment = {**environment, MARK: self.mark}
        self._say = say
        self._guard = _start_guard(self.mark)

    def start(self, *children: Child) -> None:
        for child in children:
            self.children.append(child)
            child.start(self._environment)

    def tend(self) -> None:
        """Start again what has died and has waited its pause."""
        for child in self.children:
            code = child.died()
            if code is not None:
                self._say(f"{child.name} stopped ({_describe(code)}); starting it again in {child.pause:.0f} s.")
            elif child.process is None and time.monotonic() >= child.due:
                child.start(self._environment)

    def stop(self) -> None:
        """Ask, wait a little, then end every process that carries our mark."""
        running = [child.process for child in self.children if child.process]
        for process in running:
            process.terminate()
        limit = time.monotonic() + GRACE
        for process in running:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(max(0.0, limit - time.monotonic()))
        kill_marked(self.mark)
        for process in running:
            process.wait()
        self._guard.communicate()  # ends its input, and with it the guard


def marked(mark: str, variable: str = MARK) -> Iterator[int]:
    """Processes whose environment carries the mark, this one excepted."""
    wanted = f"{variable}={mark}".encode()
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if int(folder.name) != os.getpid() and wanted in (folder / "environ").read_bytes().split(b"\0"):
                yield int(folder.name)


def kill_marked(mark: str, variable: str = MARK) -> None:
    """End all of them, and what they forked meanwhile."""
    while pids := list(marked(mark, variable)):
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.02)


def _start_guard(mark: str) -> subprocess.Popen[bytes]:
    """A process of its own session whose input ends only when the supervisor does, however it ends."""
    command = [sys.executable, "-S", __file__, mark]
    return subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)  # noqa: S603 - ourselves


def _leave_ctrl_c_to_the_supervisor() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _describe(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit {code}"


if __name__ == "__main__":
    sys.stdin.buffer.read()
    kill_marked(sys.argv[1])
