"""From a tapped fault tile to fault category, skill, minutes and confidence, by rules and counts. Pure.

Free text is not read here: a model may replace the posterior later, the answer keeps its form.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

OTHER = "other"
UNKNOWN_MINUTES = 45.0


@dataclass(frozen=True)
class Preset:
    """One fault tile of a device group, as data."""

    code: str
    group: str
    category: str
    skill: str = ""
    qualification: str = ""
    minutes: float = UNKNOWN_MINUTES


@dataclass(frozen=True)
class Trust:
    """How far a tap is believed before history speaks. A manager edits the row these come from."""

    tile: float = 0.9  # share of the prior on the tapped tile's own category
    visits: float = 20.0  # the prior counts as so many closed tickets
    confident: float = 0.6  # below this a human looks at the category


@dataclass(frozen=True)
class ClassGuess:
    """One possible fault category with its probability and the minutes it usually takes."""

    code: str
    probability: float
    minutes: float = UNKNOWN_MINUTES


@dataclass(frozen=True)
class Classification:
    """What is probably wrong, who it takes, how long. `reasons` are codes that templates put into words."""

    category: str
    classes: tuple[ClassGuess, ...]
    confidence: float
    skill: str = ""
    qualification: str = ""
    minutes: float = UNKNOWN_MINUTES
    source: str = "preset"
    reasons: tuple[str, ...] = field(default=())


def classify(
    group: str,
    symptom: str,
    presets: Iterable[Preset],
    history: Mapping[str, Mapping[str, float]] | None = None,
    *,
    device_skill: str = "",
    device_qualification: str = "",
    trust: Trust | None = None,
) -> Classification:
    """Posterior over the group's fault categories: Dirichlet prior from the tile, counts from closed tickets.

    `history` is symptom code -> category -> closed tickets. A device's own demands win over the tile's, because the
    law binds the machine, not the complaint.
    """
    trust = trust or Trust()
    own = sorted((preset for preset in presets if preset.group == group), key=lambda preset: preset.code)
    tapped = next((preset for preset in own if preset.code == symptom), None)
    minutes = _minutes_by_category(own)
    seen = dict((history or {}).get(symptom, {}))
    prior = _prior(tapped, {*minutes, *seen, OTHER}, trust.tile)
    total = sum(seen.values()) + trust.visits
    posterior = {key: (seen.get(key, 0.0) + trust.visits * share) / total for key, share in prior.items()}
    ranked = sorted(posterior.items(), key=lambda item: (-item[1], item[0]))
    classes = tuple(ClassGuess(key, share, minutes.get(key, UNKNOWN_MINUTES)) for key, share in ranked)
    best, confidence = ranked[0]
    return Classification(
        category=best,
        classes=classes,
        confidence=confidence,
        skill=device_skill or (tapped.skill if tapped else ""),
        qualification=device_qualification or (tapped.qualification if tapped else ""),
        minutes=sum(guess.probability * guess.minutes for guess in classes),
        source="history" if sum(seen.values()) > trust.visits else "preset" if tapped else "unknown",
        reasons=_reasons(tapped, best, confidence, trust),
    )


def _minutes_by_category(presets: list[Preset]) -> dict[str, float]:
    """Mean over the tiles of a category: a category is what a tile says in an engineer's terms."""
    grouped: dict[str, list[float]] = {}
    for preset in presets:
        grouped.setdefault(preset.category or OTHER, []).append(preset.minutes)
    return {category: sum(values) / len(values) for category, values in grouped.items()}


def _prior(tapped: Preset | None, categories: set[str], tile: float) -> dict[str, float]:
    """Even when nothing useful was tapped; otherwise most of it on the tapped tile's category."""
    if tapped is None or tapped.category in ("", OTHER) or len(categories) == 1:
        return {category: 1 / len(categories) for category in categories}
    rest = (1 - tile) / (len(categories) - 1)
    return {category: tile if category == tapped.category else rest for category in categories}


def _reasons(tapped: Preset | None, best: str, confidence: float, trust: Trust) -> tuple[str, ...]:
    found = []
    if tapped is None:
        found.append("no_tile")
    elif tapped.category != best:
        found.append("history_disagrees")
    if confidence < trust.confident:
        found.append("low_confidence")
    return tuple(found)
