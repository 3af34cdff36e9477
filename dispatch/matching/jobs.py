"""The round as a job of the worker: at least once, so it may run beside itself and twice."""

from __future__ import annotations

from django.utils import timezone

from dispatch.matching import services as matching


def dispatch() -> int:
    """Match what waits; how many tickets were given out or suggested."""
    outcome = matching.dispatch(at=timezone.now(), stands_in_line=False)
    return len(outcome.pairs) if outcome else 0
