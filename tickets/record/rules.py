"""What people type, made safe before it is stored: control characters out, personal numbers masked."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

MASK = "＊＊＊"
_SEP = r"[ \t\-–—.·_/]?"
_GAP = r"(?<![0-9A-Za-z])"
_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)

_ID_CARD = re.compile(_GAP + _SEP.join([r"[1-9]", *[r"\d"] * 16, r"[\dXx]"]) + r"(?![0-9A-Za-z])")
_OLD_ID_CARD = re.compile(_GAP + _SEP.join([r"[1-9]", *[r"\d"] * 14]) + r"(?![0-9A-Za-z])")
_MOBILE = re.compile(
    r"(?<![0-9A-Za-z])(?:\+?86" + _SEP + r")?1" + _SEP + r"[3-9]" + (_SEP + r"\d") * 9 + r"(?![0-9A-Za-z])"
)
_INPATIENT = re.compile(
    r"(?:住院号|病案号|门诊号|就诊卡号?|床头卡|ZY\s*号?|MRN|inpatient(?:\s+(?:no|number|id))?)\s*(?:是|为|[:#.=])?\s*"
    r"([A-Za-z]{0,3}[\- ]?\d(?:[ \-]?\d){4,11})",
    re.IGNORECASE,
)


def clean_text(text: str, limit: int = 500) -> tuple[str, list[str]]:
    """(text as it may be stored, what was hidden: `id_card`, `mobile`, `inpatient_no`).

    NFKC first, so that full-width digits hide nothing; bidirectional overrides and control characters go.
    """
    plain = unicodedata.normalize("NFKC", text[: limit * 4])
    plain = "".join(c for c in plain if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cf", "Co", "Cs"))
    plain = plain.strip()[:limit]
    found: list[str] = []
    for name, pattern, is_real in _PATTERNS:
        plain = pattern.sub(_hide(name, is_real, found), plain)
    return plain[:limit], found


def _hide(name: str, is_real: Callable[[str], bool], found: list[str]) -> Callable[[re.Match[str]], str]:
    def replace(match: re.Match[str]) -> str:
        number = match[match.lastindex or 0]
        if not is_real(re.sub(r"[^0-9Xx]", "", number)):
            return match[0]
        found.append(name)
        return match[0].replace(number, MASK)

    return replace


def _is_id_card(digits: str) -> bool:
    """GB 11643: a plausible birth date and the check character (ISO 7064 MOD 11-2)."""
    if len(digits) != 18 or not _is_birthday(digits[6:14]):
        return False
    total = sum(w * int(d) for w, d in zip(_ID_WEIGHTS, digits[:17], strict=True))
    return "10X98765432"[total % 11] == digits[17].upper()


def _is_old_id_card(digits: str) -> bool:
    return len(digits) == 15 and _is_birthday("19" + digits[6:12])


def _is_birthday(eight: str) -> bool:
    year, month, day = int(eight[:4]), int(eight[4:6]), int(eight[6:8])
    return 1900 <= year <= 2100 and 1 <= month <= 12 and 1 <= day <= 31


def _is_mobile(digits: str) -> bool:
    number = digits[-11:]
    return len(digits) in (11, 13) and number[0] == "1" and number[1] in "3456789"


_PATTERNS: tuple[tuple[str, re.Pattern[str], Callable[[str], bool]], ...] = (
    ("inpatient_no", _INPATIENT, lambda digits: 5 <= len(digits) <= 12),
    ("id_card", _ID_CARD, _is_id_card),
    ("id_card", _OLD_ID_CARD, _is_old_id_card),
    ("mobile", _MOBILE, _is_mobile),
)
