"""The event log: gapless numbers, a chain that shows every change, one leader."""

from dataclasses import dataclass
from datetime import timedelta

import pytest
from django.db import DatabaseError, transaction
from django.db.models.functions import Now

from config.kernel import log
from config.kernel.events import Event, publish, react, recording
from config.kernel.models import EventRecord, Lease


@dataclass(frozen=True, kw_only=True)
class DoorOpened(Event):
    about = "door"

    door: str
    width: int = 0


@pytest.fixture
def leader(db):
    assert log.lead("a")
    return "a"


def written(now, *doors):
    with transaction.atomic():
        for door in doors:
            publish(DoorOpened(at=now, door=door, width=3))


@pytest.mark.django_db(transaction=True)
def test_publishing_outside_a_transaction_is_refused(now):
    with pytest.raises(RuntimeError):
        publish(DoorOpened(at=now, door="1"))

    assert not EventRecord.objects.exists()


def test_sequencer_numbers_committed_facts_without_gaps(leader, now):
    written(now, "a", "b", "c")

    assert log.sequence(leader) == [1, 2, 3]
    assert [r.subject for r in log.after(1)] == ["door:b", "door:c"]
    assert log.as_object(log.after(0)[0]) == {
        "seq": 1,
        "type": "DoorOpened",
        "at": "2026-11-18T06:21:08.000000Z",
        "by": "system",
        "subject": "door:a",
        "data": {"width": 3},
        "hash": log.after(0)[0].hash,
    }


def test_a_fact_holds_no_number_that_only_one_database_keeps(now):
    assert str(DoorOpened(at=now, door="a", width=-0.0).data()["width"]) == "0.0"


def test_chain_verifies_and_shows_where_it_was_changed(leader, now):
    written(now, "a", "b", "c")
    log.sequence(leader)
    assert log.verify() is None

    # A row of a chain that never existed in this form, as an insider with table rights would leave it.
    forged = EventRecord.objects.get(seq=2)
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        EventRecord.objects.filter(pk=forged.pk).update(data={"width": 4})
    assert log.verify() is None
    assert (
        log.chain_hash(EventRecord.objects.get(seq=1).hash, log.as_object(forged) | {"data": {"width": 4}})
        != forged.hash
    )


def test_only_the_leader_gives_numbers(leader, now):
    written(now, "a")

    assert log.sequence("b") == []
    assert log.lead("b") is False
    assert log.sequence(leader) == [1]


def test_a_dead_leader_is_replaced_and_cannot_write_again(leader, now):
    written(now, "a")
    Lease.objects.update(beat_at=Now() - log.LEASE_TTL - timedelta(seconds=1))

    assert log.lead("b") is True
    assert log.sequence("a") == []
    assert log.sequence("b") == [1]


def test_reactions_run_once_in_the_same_transaction(db, now):
    seen = []
    react(DoorOpened)(seen.append)

    with recording() as facts:
        written(now, "a")

    assert [f.door for f in facts] == ["a"]
    assert [f.door for f in seen] == ["a"]
