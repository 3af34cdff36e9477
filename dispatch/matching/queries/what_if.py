"""Stored decisions of the last days, with the weights each was made with, for trying out other weights."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from assets.places.models import User
from dispatch.matching import rules
from dispatch.matching.models import Decision, Weights
from dispatch.matching.queries.situation import settings_of

MOST = 3000  # decisions priced in one request, newest first
SENT = (Decision.Outcome.ASSIGNED, Decision.Outcome.SUGGESTED)

OF_TICKET = ("ticket__number", "ticket__public_id", "ticket__simulated")


@dataclass(frozen=True)
class WhatIf:
    """A replay ready to be shown: names behind ids, and what the figures rest on."""

    replay: rules.Replay
    names: dict[int, str]
    tickets: dict[str, str]  # number -> public id
    simulated: bool  # at least one of the tickets is of the demo
    cut: bool  # there were more decisions than one request prices


def what_if(new: rules.Weights, *, days: int, at: datetime, most: int = MOST) -> WhatIf:
    """Every machine decision of the last days under other weights. Three queries; writes nothing."""
    rows = list(
        Decision.objects.filter(outcome__in=SENT, at__gte=at - timedelta(days=days))
        .order_by("-pk")
        .values("at", "input_hash", "chosen_id", "weights_version", "explanation", *OF_TICKET)[: most + 1]
    )
    replayed = rules.replay(_past(rows[:most]), new)
    people = {one for change in replayed.changes for one in (change.was, change.would)}
    return WhatIf(
        replay=replayed,
        names={user.pk: user.short_name for user in User.objects.filter(pk__in=people)},
        tickets={row["ticket__number"]: row["ticket__public_id"] for row in rows},
        simulated=any(row["ticket__simulated"] for row in rows[:most]),
        cut=len(rows) > most,
    )


def _past(rows: Sequence[dict[str, Any]]) -> list[rules.Past]:
    rounds: dict[str, list[int | None]] = defaultdict(list)  # decisions of one round were made from one input
    for row in rows:
        rounds[row["input_hash"]].append(row["chosen_id"])
    used = _Versions()
    return [
        rules.Past(
            number=row["ticket__number"],
            explanation=row["explanation"],
            weights=used.at(row["weights_version"], row["at"]),
            taken=frozenset(one for one in rounds[row["input_hash"]] if one and one != row["chosen_id"])
            if row["input_hash"]
            else frozenset(),
        )
        for row in rows
    ]


class _Versions:
    """What a version said at a moment: a version may be edited in place, its history keeps every text."""

    def __init__(self) -> None:
        self._texts: dict[int, list[tuple[datetime, rules.Weights]]] = defaultdict(list)
        for kept in Weights.history.order_by("history_date", "history_id"):
            self._texts[kept.version].append((kept.history_date, settings_of(kept).weights))

    def at(self, version: int, moment: datetime) -> rules.Weights:
        texts = self._texts.get(version)
        if not texts:
            return rules.Weights()
        valid = [weights for changed, weights in texts if changed <= moment]
        return valid[-1] if valid else texts[0][1]
