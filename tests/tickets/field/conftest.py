"""An engineer's phone, and tickets at each step of their story."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from assets.models import Device, FaultPreset, User
from config.kernel.models import EventRecord
from tickets.lifecycle import services as lifecycle
from tickets.models import Ticket

STEPS = ("assigned", "accepted", "arrived", "working")


@dataclass
class Phone:
    """The signed-in browser of one person. Each `do` is a new operation unless `op_id` says otherwise."""

    client: Client

    def do(self, ticket: Ticket, verb: str, **fields: Any) -> HttpResponse:
        body = {"op_id": str(uuid.uuid4())} | fields
        return self.client.post(f"/field/{ticket.public_id}/do/{verb}/", body)

    def page(self, path: str = "") -> HttpResponse:
        return self.client.get(f"/field/{path}")


@pytest.fixture
def phone(signed_in: Callable[[User], Client], engineer: User) -> Phone:
    """李工's phone."""
    return Phone(signed_in(engineer))


def brought_to(
    state: str, device: Device, preset: FaultPreset, engineer: User, *, in_use: bool | None = False
) -> Ticket:
    """A ticket on `device` in the hands of `engineer`, `state` one of STEPS."""
    now = timezone.now()
    ticket = lifecycle.submit(device=device, preset=preset, in_use=in_use, by=None, at=now)
    wanted = STEPS.index(state)
    lifecycle.assign(ticket, to=engineer, by=None, at=now, automatic=True)
    if wanted >= 1:
        lifecycle.accept(ticket, by=engineer, at=now)
    if wanted >= 2:
        lifecycle.arrive(ticket, by=engineer, at=now, scanned=True)
    if wanted >= 3:
        lifecycle.start(ticket, by=engineer, at=now, decon="cleaned")
    return again(ticket)


def again(ticket: Ticket) -> Ticket:
    """The row as the database has it now."""
    return Ticket.objects.get(pk=ticket.pk)


def facts(kind: str) -> int:
    return EventRecord.objects.filter(type=kind).count()
