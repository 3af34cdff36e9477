"""Reads of matching: the moment to decide on, and decisions told in words."""

from dispatch.matching.queries.explained import (
    Explained,
    as_data,
    explain,
    latest,
    open_suggestions,
    reason,
    without_anybody,
    words_for,
)
from dispatch.matching.queries.situation import WAITING, Situation, active_weights, anything_waiting, load, settings_of
from dispatch.matching.queries.taking import accept_due, against_taking, reasons_against
from dispatch.matching.queries.what_if import WhatIf, what_if

__all__ = [
    "WAITING",
    "Explained",
    "Situation",
    "WhatIf",
    "accept_due",
    "active_weights",
    "against_taking",
    "anything_waiting",
    "as_data",
    "explain",
    "latest",
    "load",
    "open_suggestions",
    "reason",
    "reasons_against",
    "settings_of",
    "what_if",
    "without_anybody",
    "words_for",
]
