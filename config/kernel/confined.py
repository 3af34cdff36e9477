"""Parsers of strangers' files run alone: a child process with little memory, little time, no environment and no secrets.

The script gets the bytes on stdin and answers on stdout. It is started through this very file, which sets the limits before
any decoder is imported; so everything above `run` uses the standard library only.
"""

from __future__ import annotations

import resource
import runpy
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Final

MEGABYTE: Final = 1024 * 1024
_PLACES: Final = threading.BoundedSemaphore(2)  # a process with forty threads must not start forty decoders


class DiedError(Exception):
    """The child refused the file, ran out of memory or time, or crashed: the file is not to be trusted."""


def run(script: Path, content: bytes, *, seconds: int = 10, memory: int = 512, output: int = 32) -> bytes:
    """What `script` wrote for `content`, within `seconds` and `memory` and `output` megabytes. DiedError otherwise."""
    command = [sys.executable, "-I", "-B", __file__, str(script), str(seconds), str(memory), str(output)]
    if not _PLACES.acquire(timeout=2 * seconds):
        raise DiedError("no place to run in")
    try:
        with tempfile.TemporaryFile() as answer:
            done = subprocess.run(  # noqa: S603 - our own interpreter and files, no shell
                command, input=content, stdout=answer, stderr=subprocess.DEVNULL, timeout=seconds, env={}, check=False
            )
            answer.seek(0)
            written = answer.read()
    except (subprocess.TimeoutExpired, BrokenPipeError) as error:
        raise DiedError(str(error)) from error
    finally:
        _PLACES.release()
    if done.returncode != 0:
        raise DiedError(f"exit {done.returncode}")
    return written


def _confine(seconds: int, memory: int, output: int) -> None:
    limits = (
        (resource.RLIMIT_AS, memory * MEGABYTE),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_FSIZE, output * MEGABYTE),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 64),
    )
    for what, most in limits:
        resource.setrlimit(what, (most, most))


if __name__ == "__main__":
    _confine(*(int(number) for number in sys.argv[2:5]))
    runpy.run_path(sys.argv[1], run_name="__main__")
