"""Index of the admin pages of tickets, one line per capability."""

from tickets.record import admin as record
from tickets.sla import admin as sla

__all__ = ["record", "sla"]
