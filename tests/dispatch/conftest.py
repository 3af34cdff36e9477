"""What the dispatch tests share: a report from the ward, and a symptom that is not urgent."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from assets.models import Device, FaultPreset
from tickets.lifecycle import services as lifecycle
from tickets.models import Ticket

Report = Callable[..., Ticket]


@pytest.fixture
def report(now: datetime) -> Report:
    """A report from the ward at `now`: plain reports are P2 (C1, with a substitute), in use is P1."""

    def submit(device: Device, preset: FaultPreset | None = None, *, at: datetime = now, **more: Any) -> Ticket:
        return lifecycle.submit(device=device, preset=preset, by=None, at=at, **more)

    return submit


@pytest.fixture
def calm(ventilator: Device) -> FaultPreset:
    return FaultPreset.objects.get(code="ventilator-other")
