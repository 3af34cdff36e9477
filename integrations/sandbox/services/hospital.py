"""Loads the demo hospital into an empty database: world, past, present. Everything in it is marked simulated."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from assets.models import Device, User
from config.kernel.errors import NotAllowedNow
from integrations.sandbox import rules
from integrations.sandbox.services import equipment, past, people, present, world
from tickets.models import Ticket
from tickets.sla import queries
from tickets.sla import services as sla

SEED = 20261122


def is_empty() -> bool:
    """True while there is nothing that a demo could get mixed up with."""
    return not (Device.objects.exists() or Ticket.objects.exists() or User.objects.exists())


@transaction.atomic
def load(*, now: datetime, passwords: dict[str, str], scale: float = 1.0) -> dict[str, int]:
    """All or nothing; the counts of what was made. NotAllowedNow on a database that holds anything."""
    if not is_empty():
        raise NotAllowedNow(_("数据库里已有数据，演示医院只能装进空库。"))
    sla.install_defaults()
    queries.forget_rulebook()
    world.catalogue()
    place = world.World(rng=rules.dice(SEED), now=now)
    world.build_places(place)
    people.hire(place, passwords=passwords)
    people.roster(place)
    equipment.equip(place, scale=scale)
    history = past.simulate(place, random_state=SEED)
    still_open = present.play(place)
    return {
        "devices": len(place.devices),
        "departments": len(place.departments),
        "engineers": len(place.engineers),
        "past_tickets": history,
        "open_tickets": still_open,
    }
