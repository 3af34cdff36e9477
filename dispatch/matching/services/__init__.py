"""Giving out tickets: the round that matches and assigns, and the answers that follow."""

from dispatch.matching.services.answers import (
    check_may_take,
    confirm,
    free_tickets_of,
    grab,
    keep_out,
    keep_weights,
    look_again,
    mark_reviewed,
    not_accepted,
    note_by_hand,
    retry,
    stop_waiting,
    wait_again,
)
from dispatch.matching.services.dispatching import JOB, acceptance_key, dispatch, lock_weights

__all__ = [
    "JOB",
    "acceptance_key",
    "check_may_take",
    "confirm",
    "dispatch",
    "free_tickets_of",
    "grab",
    "keep_out",
    "keep_weights",
    "lock_weights",
    "look_again",
    "mark_reviewed",
    "not_accepted",
    "note_by_hand",
    "retry",
    "stop_waiting",
    "wait_again",
]
