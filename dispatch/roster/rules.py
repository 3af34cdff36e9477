"""Who is here, who can be called, until when, and which hours nobody covers. Pure: no clock, no database."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from enum import StrEnum


class Presence(StrEnum):
    """How fast a person can be at a bedside."""

    ON_SITE = "on_site"
    ON_CALL = "on_call"  # on the campus, asleep or elsewhere
    HOME = "home"
    LEAVE = "leave"
    OFF = "off"


NEARNESS = {Presence.ON_SITE: 0, Presence.ON_CALL: 1, Presence.HOME: 2}


@dataclass(frozen=True)
class Span:
    """One shift: start <= moment < end."""

    engineer: int
    start: datetime
    end: datetime
    presence: Presence = Presence.ON_SITE
    role: str = "primary"
    night: bool = False

    def covers(self, at: datetime) -> bool:
        return self.start <= at < self.end


@dataclass(frozen=True)
class Away:
    """Leave or illness: start <= moment < end. It always wins over a shift."""

    engineer: int
    start: datetime
    end: datetime
    reason: str = "leave"

    def covers(self, at: datetime) -> bool:
        return self.start <= at < self.end


@dataclass(frozen=True)
class Standing:
    """Where one engineer stands at one moment."""

    presence: Presence
    role: str = ""
    until: datetime | None = None
    rest_until: datetime | None = None
    reason: str = ""


OFF = Standing(Presence.OFF)


def standing(
    engineer: int, spans: Iterable[Span], away: Iterable[Away], at: datetime, *, rest_hours: float = 0
) -> Standing:
    """Leave beats every shift; of several shifts the nearest presence counts; back-to-back shifts join up."""
    gone = [leave for leave in away if leave.engineer == engineer and leave.covers(at)]
    if gone:
        return Standing(Presence.LEAVE, until=max(leave.end for leave in gone), reason=gone[0].reason)
    own = [span for span in spans if span.engineer == engineer]
    now = [span for span in own if span.covers(at)]
    rest = _rest_until(own, at, rest_hours)
    if not now:
        return Standing(Presence.OFF, rest_until=rest)
    best = min(now, key=lambda span: (NEARNESS[span.presence], -span.end.timestamp()))
    until = _joined_end(best, own)
    return Standing(best.presence, role=best.role, until=until, rest_until=rest)


def _joined_end(span: Span, own: list[Span]) -> datetime:
    """A shift that continues without a break at the same presence does not end at the seam."""
    end = span.end
    while True:
        later = [other.end for other in own if other.presence == span.presence and other.start <= end < other.end]
        if not later:
            return end
        end = max(later)


def _rest_until(own: list[Span], at: datetime, rest_hours: float) -> datetime | None:
    """After a night on site nobody is given work automatically for some hours (fatigue guard)."""
    rest = timedelta(hours=rest_hours)
    ends = [
        span.end + rest
        for span in own
        if span.night and span.presence == Presence.ON_SITE and span.end <= at < span.end + rest
    ]
    return max(ends, default=None)


def on_duty(people: Iterable[int], spans: list[Span], away: list[Away], at: datetime) -> dict[int, Standing]:
    """Everybody who is on site or can be called at this moment."""
    found = {person: standing(person, spans, away, at) for person in people}
    return {person: where for person, where in found.items() if where.presence in NEARNESS}


@dataclass(frozen=True)
class Need:
    """Something that must be covered: a skill or a qualification, in a daily window or round the clock."""

    code: str
    opens: time = time(0)
    closes: time = time(0)  # equal to opens: 24 hours
    on_site: bool = False

    def wanted_at(self, at: datetime) -> bool:
        """Judged on the wall clock of `at`, so pass local time. A window may cross midnight."""
        if self.opens == self.closes:
            return True
        moment = at.timetz().replace(tzinfo=None)
        if self.opens < self.closes:
            return self.opens <= moment < self.closes
        return moment >= self.opens or moment < self.closes


@dataclass(frozen=True)
class Holder:
    """An engineer and what they hold: code -> last valid moment, None when it does not lapse."""

    engineer: int
    holds: Mapping[str, datetime | None] = field(default_factory=dict)

    def has(self, code: str, at: datetime) -> bool:
        if code not in self.holds:
            return False
        until = self.holds[code]
        return until is None or until > at


@dataclass(frozen=True)
class Gap:
    """From start to end nobody who holds `code` is on duty. `lapsed` would cover it but for a card that ran out."""

    code: str
    start: datetime
    end: datetime
    lapsed: tuple[int, ...] = ()

    @property
    def hours(self) -> float:
        return (self.end - self.start) / timedelta(hours=1)


@dataclass(frozen=True)
class _Cover:
    """One need with only the people who hold it, each with only their own plan: the rest cannot matter."""

    need: Need
    holders: list[Holder]
    spans: Mapping[int, list[Span]]
    away: Mapping[int, list[Away]]

    def here(self, at: datetime) -> list[Holder]:
        return [holder for holder in self.holders if self._serves(holder.engineer, at)]

    def _serves(self, engineer: int, at: datetime) -> bool:
        presence = standing(engineer, self.spans.get(engineer, []), self.away.get(engineer, []), at).presence
        return presence == Presence.ON_SITE if self.need.on_site else presence in NEARNESS

    def edges(self, start: datetime, end: datetime) -> list[datetime]:
        """Moments at which coverage can change: a shift, a leave, a card or a daily window begins or ends."""
        moments = {start, end}
        for holder in self.holders:
            plan: list[Span | Away] = [*self.spans.get(holder.engineer, []), *self.away.get(holder.engineer, [])]
            moments |= {edge for stretch in plan for edge in (stretch.start, stretch.end)}
            until = holder.holds[self.need.code]
            moments |= {until} if until else set()
        moments |= self._daily(start, end)
        return sorted(moment.astimezone(start.tzinfo) for moment in moments if start <= moment <= end)

    def _daily(self, start: datetime, end: datetime) -> set[datetime]:
        if self.need.opens == self.need.closes:
            return set()
        day, found = start.replace(hour=0, minute=0, second=0, microsecond=0), set()
        while day <= end:
            for edge in (self.need.opens, self.need.closes):
                found.add(day.replace(hour=edge.hour, minute=edge.minute))
            day += timedelta(days=1)
        return found


def gaps(
    needs: Iterable[Need], holders: list[Holder], spans: list[Span], away: list[Away], start: datetime, end: datetime
) -> list[Gap]:
    """Every uncovered stretch between start and end, merged, in order of time.

    Coverage changes only at edges, so it is enough to look once between two of them. Pass local times: daily windows
    are read from the wall clock.
    """
    own_spans: dict[int, list[Span]] = defaultdict(list)
    own_away: dict[int, list[Away]] = defaultdict(list)
    for span in spans:
        own_spans[span.engineer].append(span)
    for leave in away:
        own_away[leave.engineer].append(leave)
    found: list[Gap] = []
    for need in needs:
        cover = _Cover(need, [holder for holder in holders if need.code in holder.holds], own_spans, own_away)
        stretch: list[Gap] = []
        for left, right in itertools.pairwise(cover.edges(start, end)):
            here = cover.here(left) if need.wanted_at(left) else None
            if here is not None and not any(holder.has(need.code, left) for holder in here):
                lapsed = tuple(sorted(holder.engineer for holder in here))
                stretch.append(Gap(need.code, left, right, lapsed))
        found += _merge(stretch)
    return sorted(found, key=lambda gap: (gap.start, gap.code))


def _merge(stretches: list[Gap]) -> list[Gap]:
    merged: list[Gap] = []
    for gap in stretches:
        if merged and merged[-1].end == gap.start and merged[-1].lapsed == gap.lapsed:
            merged[-1] = Gap(gap.code, merged[-1].start, gap.end, gap.lapsed)
        else:
            merged.append(gap)
    return merged
