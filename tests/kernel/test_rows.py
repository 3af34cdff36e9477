"""One spelling for both databases: what either driver hands out reads the same, and each gets back what it keeps."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from ipaddress import ip_address
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.kernel import rows

ID = UUID("0189fb3e-1f6a-7cc1-9d53-6f1f5a2f6b11")
NOON = datetime(2026, 11, 18, 4, 0, 0, tzinfo=UTC)

# kind, from SQLite, from PostgreSQL, in the file, back to SQLite
CASES: list[tuple[str, Any, Any, Any, Any]] = [
    ("DateTimeField", NOON.replace(tzinfo=None), NOON.astimezone(ZoneInfo("Asia/Shanghai")),
     "2026-11-18T04:00:00.000000Z", "2026-11-18 04:00:00"),
    ("DateTimeField", "2026-11-18 04:00:00.000012", NOON.replace(microsecond=12),
     "2026-11-18T04:00:00.000012Z", "2026-11-18 04:00:00.000012"),
    ("DateField", date(2026, 10, 10), date(2026, 10, 10), "2026-10-10", "2026-10-10"),
    ("TimeField", time(8, 30), time(8, 30), "08:30:00", "08:30:00"),
    ("BooleanField", 1, True, True, 1),
    ("DecimalField", 25760.5, Decimal("25760.50"), "25760.5", "25760.5"),
    ("DecimalField", 2785, Decimal("2785.00"), "2785", "2785"),
    ("DurationField", 1_500_000, timedelta(seconds=1.5), 1_500_000, 1_500_000),
    ("UUIDField", ID.hex, ID, str(ID), ID.hex),
    ("GenericIPAddressField", "10.0.0.7", ip_address("10.0.0.7"), "10.0.0.7", "10.0.0.7"),
    ("BinaryField", b"\x00\xff", memoryview(b"\x00\xff"), "AP8=", b"\x00\xff"),
    ("JSONField", '{"b": 1, "a": [1.0, null]}', '{"a": [1.0, null], "b": 1}', '{"a":[1.0,null],"b":1}', '{"a":[1.0,null],"b":1}'),
    ("JSONField", "null", "null", "null", "null"),
    ("CharField", "心电图", "心电图", "心电图", "心电图"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "lite", "postgres", "spelled", "back"), CASES)
def test_both_databases_spell_a_value_alike(kind: str, lite: Any, postgres: Any, spelled: Any, back: Any) -> None:
    assert rows.spoken([kind], (lite,)) == rows.spoken([kind], (postgres,)) == [spelled]
    assert rows.written("sqlite", [kind])([spelled]) == [back]


def test_postgresql_reads_the_spelling_as_it_is_but_for_two() -> None:
    turn = rows.written("postgresql", ["DurationField", "BinaryField", "DateTimeField", "BooleanField"])

    assert turn([7, "AP8=", "2026-11-18T04:00:00.000000Z", True]) == [
        "7 microseconds",
        b"\x00\xff",
        "2026-11-18T04:00:00.000000Z",
        True,
    ]


@given(st.sampled_from([kind for kind, *_rest in CASES]))
def test_nothing_stays_nothing(kind: str) -> None:
    assert rows.spoken([kind], (None,)) == rows.written("sqlite", [kind])([None]) == [None]


@given(st.datetimes(min_value=datetime(1900, 1, 1), max_value=datetime(2200, 1, 1)))  # noqa: DTZ001
def test_every_moment_survives_the_way_through_sqlite(moment: datetime) -> None:
    (spelled,) = rows.spoken(["DateTimeField"], (moment.replace(tzinfo=UTC),))
    (kept,) = rows.written("sqlite", ["DateTimeField"])([spelled])

    assert rows.spoken(["DateTimeField"], (kept,)) == [spelled]
    assert kept == str(moment)
