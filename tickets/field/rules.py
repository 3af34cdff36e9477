"""What the engineer's next legal step is, and which tests a repair ends with: plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

# state -> the verb on the big button
NEXT_VERB: Final[Mapping[str, str]] = {
    "assigned": "accept",
    "triaged": "accept",
    "reopened": "accept",
    "accepted": "arrive",
    "arrived": "start",
    "working": "finish",
    "paused": "resume",
}
PAUSABLE: Final = frozenset({"accepted", "arrived", "working"})
GIVES_BACK: Final = frozenset({"assigned", "accepted"})


def machine_read(kind: str, *, serial: str) -> bool:
    """Domain 4: a scan is the proof of presence. A signed link, a short code with its check character and a UDI that
    names one machine stand on the machine itself; a serial or asset number also stands in every list."""
    return kind in ("token", "short_code") or (kind == "udi" and bool(serial))


@dataclass(frozen=True)
class SafetyTest:
    """One limit of IEC 62353 = YY/T 0841-2023; a value above `limit` fails."""

    code: str
    unit: str
    limit: float


PROTECTIVE_EARTH: Final = SafetyTest("protective_earth", "mΩ", 300)
EQUIPMENT_LEAKAGE: Final = {
    "I": SafetyTest("equipment_leakage", "µA", 500),
    "II": SafetyTest("equipment_leakage", "µA", 100),
}
APPLIED_PART_LEAKAGE: Final = {
    "BF": SafetyTest("applied_part_leakage", "µA", 5000),
    "CF": SafetyTest("applied_part_leakage", "µA", 50),
}


def tests_for(protection_class: str, applied_part: str) -> list[SafetyTest]:
    """The electrical safety tests that apply to a device, in the order of the standard."""
    tests = [PROTECTIVE_EARTH] if protection_class == "I" else []
    if protection_class in EQUIPMENT_LEAKAGE:
        tests.append(EQUIPMENT_LEAKAGE[protection_class])
    if applied_part in APPLIED_PART_LEAKAGE:
        tests.append(APPLIED_PART_LEAKAGE[applied_part])
    return tests


def judge(test: SafetyTest, value: float, name: str) -> dict[str, Any]:
    """The stored result: within the limit passes."""
    return {
        "code": test.code,
        "name": name,
        "value": value,
        "unit": test.unit,
        "limit": test.limit,
        "passed": value <= test.limit,
    }
