"""Timed forgetting of sign-ins."""

from __future__ import annotations

import logging

from django.utils import timezone

from integrations.identity import services as identity

logger = logging.getLogger(__name__)


def forget() -> dict[str, int]:
    """Once a day."""
    gone = identity.forget_sign_ins(at=timezone.now())
    logger.info("forgotten: sign-ins %(sign_ins)d, tokens %(tokens)d, sessions %(sessions)d", gone)
    return gone
