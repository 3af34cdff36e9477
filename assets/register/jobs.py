"""Timed forgetting of tables that were sent and never imported."""

from __future__ import annotations

import logging

from django.utils import timezone

from assets.register import services

logger = logging.getLogger(__name__)


def forget_staged() -> int:
    """Once an hour."""
    gone = services.forget_staged(at=timezone.now())
    logger.info("forgotten: staged tables %d", gone)
    return gone
