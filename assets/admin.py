"""Index of the admin pages of assets, one line per capability."""

from assets.places import admin as places
from assets.register import admin as register

__all__ = ["places", "register"]
