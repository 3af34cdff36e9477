"""Reads of the SLA room: the rules in force, a ticket's clocks as people see them, why a time is due."""

from tickets.sla.queries.answers import answer_for, answer_of, answers, rows_for
from tickets.sla.queries.display import (
    clocks_of,
    lead_clock,
    ring_for,
    share_left,
    status_of,
    stops_for,
    time_used,
)
from tickets.sla.queries.explanation import explanation, explanation_lines, pauses_of
from tickets.sla.queries.rulebook import Rulebook, forget_rulebook, missing_years, rulebook

__all__ = [
    "Rulebook",
    "answer_for",
    "answer_of",
    "answers",
    "clocks_of",
    "explanation",
    "explanation_lines",
    "forget_rulebook",
    "lead_clock",
    "missing_years",
    "pauses_of",
    "ring_for",
    "rows_for",
    "rulebook",
    "share_left",
    "status_of",
    "stops_for",
    "time_used",
]
