"""One JSON line per log entry, so that nothing a person typed can forge a line."""

import json
import logging
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final

_TOKEN: Final = re.compile(r"(/[qt]/)[^/\s?\"']+")  # who reads a log must not be able to open a report


class JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": _TOKEN.sub(r"\1***", record.getMessage()),
        }
        if record.exc_info:
            entry["trace"] = _TOKEN.sub(r"\1***", self.formatException(record.exc_info))
        return json.dumps(entry, ensure_ascii=True)


def without_trace(record: logging.LogRecord) -> bool:
    """Who was refused, or asked for what is not there, is told in one line; where in our code, only of our own errors."""
    if record.levelno < logging.ERROR:
        record.exc_info = None
    return True


# What Django itself refuses to read. It calls each an error and tells it with a trace, also of callers without an account.
UNREAD: Final = ("RequestDataTooBig", "TooManyFieldsSent", "TooManyFilesSent")


def as_a_warning(record: logging.LogRecord) -> bool:
    """Someone sent too much and was told so: one line, and no trace through our code."""
    record.levelno, record.levelname, record.exc_info = logging.WARNING, "WARNING", None
    return True


def to_stderr(*, level: str, quiet: Iterable[str]) -> dict[str, Any]:
    """Logging for a process whose output somebody else collects; the quiet loggers speak from WARNING on."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": "config.logs.JsonFormatter"}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            "django": {"handlers": []},  # its own console handler would say everything twice
            "django.request": {"filters": [without_trace]},
            **{f"django.security.{name}": {"filters": [as_a_warning]} for name in UNREAD},
            **{name: {"level": "WARNING"} for name in quiet},
        },
    }
