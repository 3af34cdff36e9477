"""The demo hospital: its places, people and devices, a simulated past, and a live present made through the services."""

from integrations.sandbox.services.hospital import is_empty, load
from integrations.sandbox.services.rehearsal import who_would_come
from integrations.sandbox.services.world import catalogue

__all__ = ["catalogue", "is_empty", "load", "who_would_come"]
