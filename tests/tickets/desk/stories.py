"""Tickets in the states that desk tests look at, made by the services that make them in a hospital."""

from datetime import timedelta
from itertools import count

from tests import factories
from tickets.lifecycle import services as lifecycle
from tickets.models import HoldReason

_n = count(1)


def reported(device, preset, at, **more):
    return lifecycle.submit(device=device, preset=preset, by=None, at=at, **more)


def another(device, **more):
    """One more device of the same kind in the same ward."""
    return factories.device(device.department, device.type, model=device.model, short_code=f"Z{next(_n):05d}", **more)


def assigned(ticket, engineer, at):
    """Whoever dispatch chose by itself, `engineer` has it now."""
    ticket.refresh_from_db()
    if ticket.assignee_id != engineer.pk:
        lifecycle.assign(ticket, to=engineer, by=None, at=at, automatic=True)
    ticket.refresh_from_db()
    return ticket


def working(ticket, engineer, at):
    assigned(ticket, engineer, at)
    lifecycle.accept(ticket, by=engineer, at=at)
    lifecycle.arrive(ticket, by=engineer, at=at, scanned=True)
    lifecycle.start(ticket, by=engineer, at=at, decon="not_needed")
    ticket.refresh_from_db()
    return ticket


def paused(ticket, engineer, at):
    working(ticket, engineer, at)
    reason = HoldReason.objects.filter(stops_clock=True).first()
    lifecycle.pause(ticket, reason=reason, by=engineer, at=at, until=at + timedelta(days=1))
    ticket.refresh_from_db()
    return ticket
