"""Counters of the anonymous door, in the cache. Forgetting them costs a call back at most; a report never waits for them."""

from __future__ import annotations

import logging
from datetime import timedelta

from django.core.cache import cache
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)


def count(key: str, window: timedelta) -> int:
    """How often `key` was counted before in this window; 0 when the cache is away, for a report must still come through."""
    try:
        cache.add(key, 0, timeout=int(window.total_seconds()))
        return int(cache.incr(key)) - 1
    except ValueError:  # it ran out between the two calls
        return 0
    except (OSError, RedisError):
        return _uncounted()


def counted(key: str) -> int:
    """How often `key` was counted in its window, without counting it."""
    try:
        return int(cache.get(key, 0))
    except (OSError, RedisError):
        return _uncounted()


def _uncounted() -> int:
    logger.warning("the limits of the ward's pages are not counted: the cache is away")
    return 0
