"""The append-only event log: rows in the caller's transaction; one sequencer gives them gapless `seq` and `hash`.

Ids handed out by a database do not commit in order, so readers follow `seq`, never `id`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import orjson
from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from config.kernel.models import EventRecord, Lease

if TYPE_CHECKING:
    from config.kernel.events import Event

GENESIS = "0" * 64
LEASE = "clock"
LEASE_TTL = timedelta(seconds=4)


def iso(moment: datetime) -> str:
    """UTC with microseconds and `Z`: one spelling, so that one fact has one hash."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def append(events: Sequence[Event]) -> None:
    """Write facts without `seq` in one statement; the caller's commit makes them visible to the sequencer."""
    EventRecord.objects.bulk_create([EventRecord(**row(event)) for event in events])


def row(event: Event) -> dict[str, Any]:
    """Column values of one fact."""
    return {
        "type": event.type,
        "at": event.at,
        "by": event.by,
        "subject": event.subject,
        "scope": event.scope,
        "data": event.data(),
    }


def as_object(record: EventRecord) -> dict[str, Any]:
    """The fact as every reader sees it: API, socket, webhook, verifier."""
    return {
        "seq": record.seq,
        "type": record.type,
        "at": iso(record.at),
        "by": record.by,
        "subject": record.subject,
        "data": record.data,
        "hash": record.hash,
    }


def chain_hash(previous: str, fact: dict[str, Any]) -> str:
    """SHA-256 over the previous hash and the canonical JSON (sorted keys, UTF-8) of the fact without its hash."""
    body = {key: value for key, value in fact.items() if key != "hash"}
    canonical = orjson.dumps(body, option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(previous.encode("ascii") + canonical).hexdigest()


def after(seq: int, *, limit: int = 500) -> QuerySet[EventRecord]:
    """Sequenced facts past `seq`, oldest first."""
    return EventRecord.objects.filter(seq__gt=seq).order_by("seq")[:limit]


def head() -> int:
    """The last given `seq`; 0 on an empty log."""
    return EventRecord.objects.filter(seq__isnull=False).order_by("-seq").values_list("seq", flat=True).first() or 0


def lead(holder: str) -> bool:
    """Take or renew the clock's lease against the database's own time. True while `holder` leads."""
    with transaction.atomic():
        mine = Lease.objects.filter(name=LEASE, holder=holder).update(beat_at=Now())
        if mine:
            return True
        stale = Lease.objects.filter(name=LEASE, beat_at__lt=Now() - LEASE_TTL).update(holder=holder, beat_at=Now())
        if stale:
            return True
        _row, created = Lease.objects.get_or_create(name=LEASE, defaults={"holder": holder, "beat_at": Now()})
        return created


def release_lead(holder: str) -> None:
    """Give the lease up at an orderly stop, so that the other clock need not wait for it to go stale."""
    Lease.objects.filter(name=LEASE, holder=holder).delete()


def sequence(holder: str, *, limit: int = 500) -> Sequence[int]:
    """Give committed facts their `seq` and `hash`. Returns the seqs given; none when `holder` does not lead.

    The guarded UPDATE locks the lease row, so a leader that was declared dead cannot write beside its successor.
    """
    if not EventRecord.objects.filter(seq__isnull=True).exists():
        return []
    with transaction.atomic():
        if not Lease.objects.filter(name=LEASE, holder=holder).update(beat_at=Now()):
            return []
        pending = list(EventRecord.objects.filter(seq__isnull=True).order_by("id")[:limit])
        last = EventRecord.objects.filter(seq__isnull=False).order_by("-seq").only("seq", "hash").first()
        seq, previous = (last.seq or 0, last.hash) if last else (0, GENESIS)
        for record in pending:
            seq += 1
            record.seq = seq
            record.hash = previous = chain_hash(previous, as_object(record))
        EventRecord.objects.bulk_update(pending, ["seq", "hash"], batch_size=100)
    return [r.seq for r in pending if r.seq is not None]


class Chain:
    """A walk along facts in their order. `broken` is the first seq whose hash or number is wrong; there it stops."""

    def __init__(self, seq: int = 0, last: str = GENESIS) -> None:
        self.seq, self.hash = seq, last
        self.broken: int | None = None

    def take(self, fact: dict[str, Any]) -> bool:
        """The next fact, as `as_object` tells it. False from the first that does not follow on."""
        if self.broken is None and fact["seq"] == self.seq + 1 and fact["hash"] == self._hash(fact):
            self.seq, self.hash = fact["seq"], fact["hash"]
            return True
        self.broken = self.broken or self.seq + 1
        return False

    def _hash(self, fact: dict[str, Any]) -> str | None:
        try:
            return chain_hash(self.hash, fact)
        except orjson.JSONEncodeError:
            return None  # data without a canonical spelling was never published


def walk(*, start: int = 1) -> Chain:
    """The chain from `start` to its end, or to where it breaks."""
    before = EventRecord.objects.filter(seq=start - 1).values_list("hash", flat=True).first()
    chain = Chain(start - 1, before or GENESIS)
    for record in EventRecord.objects.filter(seq__gte=start).order_by("seq").iterator(chunk_size=2000):
        if not chain.take(as_object(record)):
            break
    return chain


def verify(*, start: int = 1) -> int | None:
    """Walk the chain from `start`. Returns the first seq whose hash or number is wrong, or None when all is well."""
    return walk(start=start).broken


def load(events: Iterable[Event]) -> int:
    """Write past facts with their place in the chain at once; only into an empty log, inside a transaction."""
    if EventRecord.objects.exists():
        raise RuntimeError("facts can be loaded into an empty log only")
    previous, records = GENESIS, []
    for seq, event in enumerate(events, start=1):
        record = EventRecord(**row(event), seq=seq)
        record.hash = previous = chain_hash(previous, as_object(record))
        records.append(record)
    EventRecord.objects.bulk_create(records, batch_size=1000)
    return len(records)
