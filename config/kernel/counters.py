"""The shared cache, which holds counters of limits. While Redis is away each process counts for itself: nobody is refused
because of that, and guesses are still few."""

from __future__ import annotations

import logging
import time
from typing import Any

from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)
LOOK_AGAIN = 1.0  # seconds; until then no request waits for a Redis that did not answer
_away_until = 0.0  # of the process: Django makes one cache object for each request


def _steady(verb: str) -> Any:
    """The same call on Redis, or on this process's memory while Redis does not answer."""

    def call(self: SteadyCache, *args: Any, **kwargs: Any) -> Any:
        global _away_until
        if time.monotonic() >= _away_until:
            try:
                return getattr(RedisCache, verb)(self, *args, **kwargs)
            except (RedisError, OSError):
                _away_until = time.monotonic() + LOOK_AGAIN
                logger.warning("Redis is away; this process counts for itself")
        return getattr(self.own, verb)(*args, **kwargs)

    return call


class SteadyCache(RedisCache):
    """Redis with a memory of its own to fall back on."""

    def __init__(self, server: Any, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self.own = LocMemCache("wardline-steady", {key: value for key, value in params.items() if key != "OPTIONS"})

    add = _steady("add")
    get = _steady("get")
    set = _steady("set")
    touch = _steady("touch")
    delete = _steady("delete")
    incr = _steady("incr")
    has_key = _steady("has_key")
    get_many = _steady("get_many")
    set_many = _steady("set_many")
    delete_many = _steady("delete_many")
    clear = _steady("clear")
