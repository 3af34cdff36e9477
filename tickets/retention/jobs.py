"""Timed forgetting. What went is counted in the log of the process, never named."""

from __future__ import annotations

import logging

from django.utils import timezone

from tickets.retention import services as retention

logger = logging.getLogger(__name__)


def forget() -> dict[str, int]:
    """Every six hours; what does not fit into one run goes in the next."""
    now = timezone.now()
    gone = {
        "contacts": retention.forget_contacts(at=now),
        **retention.forget_files(at=now),
        "stray": retention.forget_stray_files(at=now),
    }
    logger.info(
        "forgotten: contacts %(contacts)d, photos %(photo)d, voice notes %(audio)d, stray files %(stray)d", gone
    )
    return gone
