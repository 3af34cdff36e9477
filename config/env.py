"""Typed readers of environment variables. A missing or malformed value stops the start with one sentence."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

_TRUE: Final = frozenset({"1", "true", "yes", "on"})
_FALSE: Final = frozenset({"0", "false", "no", "off"})


class Unset:
    """Marks a variable that has no default: reading it unset is an error."""


REQUIRED: Final = Unset()


def text(name: str, default: str | Unset = REQUIRED) -> str:
    value = os.environ.get(name, "").strip()
    if value:
        return value
    if isinstance(default, Unset):
        raise ImproperlyConfigured(_unset([name]))
    return default


def require(*names: str) -> None:
    """Stop unless all of them are set; the sentence names every one that is not, so that one look is enough."""
    if missing := [name for name in names if not text(name, "")]:
        raise ImproperlyConfigured(_unset(missing))


def _unset(names: list[str]) -> str:
    *others, last = names
    if not others:
        return f"Set the environment variable {last}: Wardline does not start without it."
    return f"Set the environment variables {', '.join(others)} and {last}: Wardline does not start without them."


def flag(name: str, default: bool) -> bool:
    value = text(name, "").lower()
    if not value:
        return default
    if value in _TRUE | _FALSE:
        return value in _TRUE
    raise ImproperlyConfigured(f"{name}={value!r} is neither yes nor no.")


def number(name: str, default: int, *, at_least: int = 0) -> int:
    value = text(name, str(default))
    if not value.isdecimal() or int(value) < at_least:
        raise ImproperlyConfigured(f"{name}={value!r} is not a whole number of at least {at_least}.")
    return int(value)


def listing(name: str, default: Iterable[str] | Unset = REQUIRED) -> list[str]:
    """A comma-separated list without empty items."""
    fallback = default if isinstance(default, Unset) else ",".join(default)
    return [item.strip() for item in text(name, fallback).split(",") if item.strip()]


def folder(name: str, default: Path) -> Path:
    return Path(text(name, str(default))).resolve()


def keyring(name: str, default: str | Unset = REQUIRED) -> dict[str, str]:
    """`kid:secret,kid:secret`, newest first; a secret has at least 32 characters."""
    keys: dict[str, str] = {}
    for item in text(name, default).split(","):
        kid, colon, secret = item.strip().partition(":")
        if not colon or not kid or len(secret) < 32:
            raise ImproperlyConfigured(f"{name} must read kid:secret,kid:secret with secrets of 32 characters or more.")
        keys[kid] = secret
    return keys


def database(name: str, default: str | Unset = REQUIRED) -> dict[str, Any]:
    """A database URL as Django's dictionary, without options that depend on the process."""
    url = urlsplit(text(name, default))
    if url.scheme == "sqlite":
        path = unquote(url.path)[1:]
        if not path:
            raise ImproperlyConfigured(f"{name} names no file; write sqlite:////absolute/path.sqlite3.")
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": path}
    if url.scheme not in {"postgres", "postgresql"}:
        raise ImproperlyConfigured(f"{name} must start with sqlite:// or postgresql://, not {url.scheme!r}.")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(url.path.lstrip("/")),
        "USER": unquote(url.username or ""),
        "PASSWORD": unquote(url.password or ""),
        "HOST": unquote(url.hostname or ""),
        "PORT": str(url.port or ""),
        "OPTIONS": dict(parse_qsl(url.query)),
    }
