"""The story of a ticket, one function a step. Each locks the row, moves along one edge, keeps the clocks and announces.

Stale or illegal steps raise NotAllowedNow (409) and change nothing.
"""

from tickets.lifecycle.services.closing import (
    FinishSheet,
    cancel,
    close,
    confirm,
    dispute,
    rate,
    reject,
    reopen,
    resolve,
    restore,
)
from tickets.lifecycle.services.opening import assign, reprioritise, submit, triage, unassign
from tickets.lifecycle.services.undoing import undo
from tickets.lifecycle.services.working import TAKING_CHECKS, accept, arrive, decline, depart, pause, resume, start

__all__ = [
    "TAKING_CHECKS",
    "FinishSheet",
    "accept",
    "arrive",
    "assign",
    "cancel",
    "close",
    "confirm",
    "decline",
    "depart",
    "dispute",
    "pause",
    "rate",
    "reject",
    "reopen",
    "reprioritise",
    "resolve",
    "restore",
    "resume",
    "start",
    "submit",
    "triage",
    "unassign",
    "undo",
]
