"""The demo hospital: its places, people and devices, a simulated past, and a live present made through the services."""

from integrations.sandbox.services.hospital import is_empty, load

__all__ = ["is_empty", "load"]
