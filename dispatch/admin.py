"""Index of the admin pages of dispatch, one line per capability."""

from dispatch.engineers import admin as engineers
from dispatch.matching import admin as matching
from dispatch.roster import admin as roster

__all__ = ["engineers", "matching", "roster"]
