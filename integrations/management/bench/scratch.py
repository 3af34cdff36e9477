"""A database of its own for every bench, dropped afterwards: the configured one is never touched."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.db import connection
from django.test import Client
from django.utils import timezone

from assets.models import User
from integrations.identity.services import issue_token
from integrations.management.commands.demo import PASSWORDS
from integrations.sandbox import services as sandbox

HOUSE = 0.2  # of the demo hospital


@contextmanager
def scratch(*, scale: float = HOUSE) -> Iterator[None]:
    """A fresh, migrated database with this share of the demo hospital; empty at 0."""
    settings.ALLOWED_HOSTS = ["*"]
    settings.DEBUG = False  # with DEBUG every query is also written down
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # nobody signs in by one
    settings.REST_FRAMEWORK = settings.REST_FRAMEWORK | {"DEFAULT_THROTTLE_RATES": {}}
    with tempfile.TemporaryDirectory(prefix="wardline-bench-") as folder:
        if connection.vendor == "sqlite":
            connection.settings_dict["TEST"]["NAME"] = str(Path(folder, "bench.sqlite3"))
        else:
            connection.settings_dict["TEST"]["NAME"] = f"wardline_bench_{timezone.now():%H%M%S%f}"
        original = connection.settings_dict["NAME"]
        connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
        try:
            if scale:
                sandbox.load(now=timezone.now(), passwords=PASSWORDS, scale=scale)
            yield
        finally:
            connection.creation.destroy_test_db(original, verbosity=0)


def address() -> str:
    """The URL of the database in use now, for processes of their own."""
    given = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{given['NAME']}"
    return f"postgresql://{given['USER']}:{given['PASSWORD']}@{given['HOST']}:{given['PORT']}/{given['NAME']}"


def signed_in(role: str) -> tuple[Client, dict[str, str]]:
    """A client and the header that signs it in by a token."""
    user = User.objects.filter(role=role).order_by("pk")[0]
    _row, token = issue_token(user, at=timezone.now())
    return Client(), {"Authorization": f"Token {token}"}
