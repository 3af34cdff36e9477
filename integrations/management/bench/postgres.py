"""A PostgreSQL of its own with Debian's defaults, fsync on: a bench on one that forgets would flatter itself."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import CommandError

SETTINGS = ("shared_buffers=512MB", "max_wal_size=4GB", "max_connections=200")


@contextlib.contextmanager
def durable_postgres() -> Iterator[str]:
    """Its URL; the server and its folder are gone afterwards. CommandError where PostgreSQL is not installed."""
    folder = str(Path(settings.BASE_DIR, ".ci"))
    sys.path.insert(0, folder)
    try:
        servers: Any = import_module("servers")
    finally:
        sys.path.remove(folder)
    if servers.postgres_bin() is None:
        raise CommandError("PostgreSQL is not installed: give --database-url, or install it.")
    with servers.postgres_alone(settings_given=SETTINGS) as url:
        yield str(url)
