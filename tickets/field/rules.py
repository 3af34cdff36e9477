"""What the engineer's next legal step is, which tests a repair ends with, and what a spoken sentence says: plain data."""

from __future__ import annotations

import re
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


# A sentence about a repair, spoken or typed, in Chinese or English: code -> words, the telling ones first.
_CAUSES: Final[Mapping[str, str]] = {
    "not_found": r"未见异常|没有?(?:发现)?异常|未发现故障|no fault found|nothing wrong",
    "damage": r"摔|人为|撞坏|碰坏|砸|dropped|knocked",
    "operation": r"操作(?:不当|错误|问题|失误)|误操作|设置错|user error|wrong setting",
    "software": r"软件|死机|网络|程序|software|network|crash",
    "environment": r"停电|插座|气源|电压|断电|mains|socket|gas supply",
    "ageing": r"老化|磨损|用久|aged|ageing|aging|worn",
    "accessory": r"探头|导联|袖带|电极|附件|耗材|管路|probe|lead|cuff|electrode|accessory|tubing",
    "part": r"板|电机|马达|阀|泵|屏|开关|部件|电池|board|motor|valve|pump|screen|switch|battery|part",
}
_ACTIONS: Final[Mapping[str, str]] = {
    "irreparable": r"无法修复|修不了|修不好|beyond repair|cannot be repaired",
    "send_out": r"送修|返厂|外送|sent out|sent to the (?:maker|vendor)",
    "replace": r"换|replac|swapped|fitted a new",
    "calibrate": r"校准|校正|标定|calibrat",
    "reset": r"重启|复位|恢复出厂|重新设置|restart|reboot|reset",
    "clean": r"清洁|清洗|除尘|cleaned",
    "train": r"培训|讲解|教会|trained|showed the staff",
    "repair": r"修|焊|紧固|repair|fixed|solder",
}
_RELEASES: Final[Mapping[str, str]] = {
    "out_of_use": r"停用|不能用|不可用|out of use",
    "restricted": r"限用|仅限|restricted",
    "usable": r"可用|可以用|能用|恢复使用|交回|usable|back in use|ready for use",
}
_READINGS: Final[Mapping[str, str]] = {
    "protective_earth": r"(?:接地(?:电阻)?|earth(?:\s+resistance)?)\D{0,8}?(\d+(?:\.\d+)?)",
    "applied_part_leakage": r"(?:应用部分(?:漏电流?)?|applied part(?:\s+leakage)?)\D{0,8}?(\d+(?:\.\d+)?)",
    "equipment_leakage": r"(?<!应用部分)(?<!part )(?:漏电流?|leakage)\D{0,8}?(\d+(?:\.\d+)?)",
}
_PART: Final = re.compile(
    r"(?:更换|换)(?:了|上|新的?|一?[个块根条只套]|\d+\s*[个块根条只套])*\s*(?P<zh>[^，,。；;、\n]{2,40}?)"
    r"(?=[，,。；;、\n]|序列号|旧件|$)"
    r"|(?:replaced|fitted a new)\s+(?:the\s+|a\s+|an\s+)?(?P<en>[^,.;\n]{3,60}?)(?=[,.;\n]|\s+serial|\s+and\s|$)",
    re.IGNORECASE,
)
_SERIAL: Final = re.compile(
    r"(?:序列号|serial(?:\s+(?:no|number))?)[是为:：.\s]*([A-Za-z0-9][A-Za-z0-9\-]{2,29})", re.IGNORECASE
)
_QUANTITY: Final = re.compile(r"换(?:了|上)?\s*(\d{1,3})\s*[个块根条只套]")
_KEPT: Final = re.compile(r"旧件(?:已)?(?:留存|保留|留下)|old part (?:was )?kept", re.IGNORECASE)
_WORKS: Final = re.compile(
    r"功能(?:检查)?(?:正常|合格|通过)|function(?:al)?(?:\s+(?:check|test))?\s+(?:ok|passed|good)", re.IGNORECASE
)


def read_sentence(text: str) -> dict[str, str]:
    """Fields of the finish sheet that a sentence names, by form name; what it does not name is left out.

    A proposal only: the engineer sees every field before the sheet is sent.
    """
    found = {"cause": _first(_CAUSES, text), "action": _first(_ACTIONS, text), "release": _first(_RELEASES, text)}
    if part := _PART.search(text):
        found["part_name"] = (part["zh"] or part["en"]).strip()[:80]
        found["part_serial"] = _group(_SERIAL, text)
        found["part_quantity"] = _group(_QUANTITY, text)
        found["old_part_kept"] = "1" if _KEPT.search(text) else ""
    for code, pattern in _READINGS.items():
        found[f"test_{code}"] = _group(re.compile(pattern, re.IGNORECASE), text)
    found["function_ok"] = "1" if _WORKS.search(text) else ""
    return {name: value for name, value in found.items() if value}


def _first(words: Mapping[str, str], text: str) -> str:
    return next((code for code, pattern in words.items() if re.search(pattern, text, re.IGNORECASE)), "")


def _group(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text)
    return found[1] if found else ""
