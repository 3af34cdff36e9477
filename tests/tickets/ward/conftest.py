"""What a nurse without an account does: she scans, posts the form, and follows the link she was sent to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from assets.models import Device, User
from assets.register.queries import token_of
from tickets.lifecycle import services as lifecycle
from tickets.lifecycle.services import FinishSheet
from tickets.models import Ticket
from tickets.record.models import Watcher


@dataclass
class Phone:
    """One browser without a session. `sent` is the answer to the last report, `page` the tracking page it led to."""

    client: Client

    def scan(self, device: Device, **query: str) -> HttpResponse:
        return self.client.get(f"/q/{token_of(device)}/", query)

    def send(self, device: Device, **fields: Any) -> HttpResponse:
        body = {"in_use": "yes", "symptom": "ventilator-stopped"} | fields
        return self.client.post(f"/q/{token_of(device)}/", {k: v for k, v in body.items() if v is not None})

    def report(self, device: Device, **fields: Any) -> str:
        """The tracking token that the report led to."""
        answer = self.send(device, **fields)
        assert answer.status_code == 303, answer.content.decode()
        return answer["Location"].split("/")[2]

    def do(self, token: str, verb: str, **fields: Any) -> HttpResponse:
        return self.client.post(f"/t/{token}/{verb}/", fields)

    def follow(self, token: str, **headers: str) -> HttpResponse:
        return self.client.get(f"/t/{token}/", headers=headers)


@pytest.fixture
def new_phone() -> Callable[[], Phone]:
    return lambda: Phone(Client(enforce_csrf_checks=True))


@pytest.fixture
def phone(new_phone: Callable[[], Phone]) -> Phone:
    return new_phone()


def ticket_of(token: str) -> Ticket:
    """The ticket behind a tracking or a watcher token."""
    watcher = Watcher.objects.filter(token=token).first()
    return watcher.ticket if watcher else Ticket.objects.get(tracking_token=token)


def accepted(ticket: Ticket, engineer: User) -> Ticket:
    now = timezone.now()
    lifecycle.assign(ticket, to=engineer, by=None, at=now, automatic=True)
    return lifecycle.accept(ticket, by=engineer, at=now)


def repaired(ticket: Ticket, engineer: User) -> Ticket:
    now = timezone.now()
    accepted(ticket, engineer)
    lifecycle.arrive(ticket, by=engineer, at=now, scanned=True)
    lifecycle.start(ticket, by=engineer, at=now, decon="cleaned")
    test = {"code": "function", "name": "功能检查", "value": 1, "unit": "", "limit": None, "passed": True}
    return lifecycle.resolve(
        ticket, sheet=FinishSheet(cause="part", action="replace", release="usable", tests=[test]), by=engineer, at=now
    )
