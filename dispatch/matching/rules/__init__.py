"""Who may go, what it costs, and why: hard constraints, cost terms, human review. Pure: no clock, no database.

`at` and `now` are local times, because a card is valid on a calendar day.
"""

from dispatch.matching.rules.constraints import (
    ALL,
    call_in,
    free_minutes,
    minutes,
    reject_reason,
    travel_minutes,
)
from dispatch.matching.rules.costs import (
    answer_due,
    arrival_due,
    cannot_wait,
    cost,
    defer_cost,
    eta,
    marginal_rate,
    mean_busy,
)
from dispatch.matching.rules.facts import CostTerms, Engineer, Job, Rejection, Work
from dispatch.matching.rules.replay import READ, Change, Mean, Past, Replay, replay
from dispatch.matching.rules.review import Choice, compare, review_reasons, terms_as_data
from dispatch.matching.rules.weights import Manner, Settings, Weights, settings_from

VERSION = "rules-1"

__all__ = [
    "ALL",
    "READ",
    "VERSION",
    "Change",
    "Choice",
    "CostTerms",
    "Engineer",
    "Job",
    "Manner",
    "Mean",
    "Past",
    "Rejection",
    "Replay",
    "Settings",
    "Weights",
    "Work",
    "answer_due",
    "arrival_due",
    "call_in",
    "cannot_wait",
    "compare",
    "cost",
    "defer_cost",
    "eta",
    "free_minutes",
    "marginal_rate",
    "mean_busy",
    "minutes",
    "reject_reason",
    "replay",
    "review_reasons",
    "settings_from",
    "terms_as_data",
    "travel_minutes",
]
