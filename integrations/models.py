"""Index of the app's tables."""

from integrations.identity.models import ApiToken
from integrations.notifications.models import Delivery, Notification

__all__ = ["ApiToken", "Delivery", "Notification"]
