"""Index of the admin pages of integrations, one line per capability."""

from integrations.audit import admin as audit
from integrations.identity import admin as identity
from integrations.notifications import admin as notifications

__all__ = ["audit", "identity", "notifications"]
