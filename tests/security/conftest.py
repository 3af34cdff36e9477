"""What the proofs against strangers share: a ticket in an engineer's hands, and a media folder of their own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from assets.models import Device, FaultPreset, User
from tests.tickets.field.conftest import brought_to
from tickets.models import Ticket


@pytest.fixture
def media(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path / "media"
    return tmp_path / "media"


@pytest.fixture
def ticket(ventilator: Device, stopped: FaultPreset, engineer: User) -> Ticket:
    """At work, so that ward, engineer and desk may all send files."""
    return brought_to("working", ventilator, stopped, engineer)
