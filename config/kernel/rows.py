"""One spelling of a table's values that both databases read and write. Pure: values in, values out."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

import orjson

# The kinds are Django's internal types; what is not named here is a number or a text on both sides.
_MICROSECOND: Final = timedelta(microseconds=1)


def _moment(value: Any) -> str:
    """UTC with microseconds; SQLite keeps moments without their zone, which is UTC."""
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _json(text: str) -> str:
    """One text for one value: the databases space and order it each in their own way."""
    return orjson.dumps(orjson.loads(text), option=orjson.OPT_SORT_KEYS).decode()


def _iso(value: date | time | str) -> str:
    return value if isinstance(value, str) else value.isoformat()


def _microseconds(value: timedelta | int) -> int:
    return value // _MICROSECOND if isinstance(value, timedelta) else int(value)


def _decimal(value: Any) -> str:
    """Without trailing zeros, which only one of the databases keeps."""
    return format((value if isinstance(value, Decimal) else Decimal(repr(value))).normalize(), "f")


_SPOKEN: Final[dict[str, Callable[[Any], Any]]] = {
    "DateTimeField": _moment,
    "DateField": _iso,
    "TimeField": _iso,
    "JSONField": _json,  # a text in a text, so that a JSON null is not a missing value
    "BooleanField": bool,
    "DecimalField": _decimal,
    "DurationField": _microseconds,
    "UUIDField": lambda value: str(UUID(str(value))),
    "GenericIPAddressField": str,
    "BinaryField": lambda value: base64.b64encode(value).decode("ascii"),
}
# SQLite keeps these otherwise than text or number; PostgreSQL reads the common spelling as it is, but for two.
_FOR_SQLITE: Final[dict[str, Callable[[Any], Any]]] = {
    "DateTimeField": lambda value: value[:-1].replace("T", " ").removesuffix(".000000"),  # compared as text there
    "BooleanField": int,
    "UUIDField": lambda value: value.replace("-", ""),
    "BinaryField": base64.b64decode,
}
_FOR_POSTGRESQL: Final[dict[str, Callable[[Any], Any]]] = {
    "DurationField": lambda value: f"{value} microseconds",
    "BinaryField": base64.b64decode,
}


def as_is(value: Any) -> Any:
    return value


def spoken(kinds: list[str], row: tuple[Any, ...]) -> list[Any]:
    """A row of either driver in the common spelling."""
    return [value if value is None else _SPOKEN.get(kind, as_is)(value) for kind, value in zip(kinds, row, strict=True)]


def written(vendor: str, kinds: list[str]) -> Callable[[list[Any]], list[Any]]:
    """What turns a row of the common spelling into parameters for the database of that vendor."""
    table = _FOR_SQLITE if vendor == "sqlite" else _FOR_POSTGRESQL
    turns = [table.get(kind, as_is) for kind in kinds]
    return lambda row: [None if v is None else turn(v) for v, turn in zip(row, turns, strict=True)]
