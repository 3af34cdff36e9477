"""What people type, made safe before it is stored: control characters out, personal numbers masked.

Numbers are looked for in a shadow of the text (any script's digits as ASCII, one entry per character of the original), so
that no writing hides them and the words around them stay exactly as typed.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

MASK: Final = "＊＊＊"
LONGEST_HOLD: Final = timedelta(days=180)  # a repair waits no longer without somebody saying so again
_KEEP_FORMAT: Final = "\u200d"  # joins emoji; every other format character can reorder or hide text
_HAN_DIGITS: Final = str.maketrans("〇零○一幺二两三四五六七八九", "00011223456789")
_ID_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_PROVINCE: Final = re.compile(r"1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[1-3]")

_SEPARATOR: Final = r"[ \-‐‑‒–—−.·•・_~\u200d]"
_JOINT: Final = re.compile(_SEPARATOR + "{1,3}", re.ASCII)
_CHECK_X: Final = re.compile(_SEPARATOR + r"{0,3}[Xx×](?![0-9A-Za-z])", re.ASCII)
_MOBILE: Final = re.compile(r"1(?:3\d|4[5-9]|5[0-35-9]|6[2567]|7[0-8]|8\d|9\d)\d{8}", re.ASCII)
_PHONE_WORDS: Final = frozenset(("tel", "phone", "mobile", "mob", "cell", "call", "ph", "vx", "wx", "wechat"))
# Numbers of machines are often shaped like people's: words in front and GS1 brackets tell them apart.
_MACHINE_WORDS: Final = re.compile(
    r"(?:s/?n|p/?n|serial|ref|lot|gtin|udi(?:-?[dp]i)?|imei|asset|序列号|出厂号|出厂编号|设备编号|资产号|资产编号|资产|批号|条码|条形码"
    r"|合同号|合同|注册证号?|件号|单号|工单|固件|版本)\s*(?:no|number|code|号)?\s*[是为]?[\s:#=.]*$|\(\d{2,4}\)$",
    re.IGNORECASE | re.ASCII,
)
_MACHINE_CODES: Final = re.compile(
    r"\(01\)\d{14}(?:\(\d{2,4}\)[^\s()]{1,30})*|\bMA\.\d{3}\.[^\s,;]{6,}"
    r"|(?<![\d.])(?:10\.\d{1,3}|172\.(?:1[6-9]|2\d|3[01])|192\.168)\.\d{1,3}\.\d{1,3}(?![\d.])",
    re.ASCII,
)
_PATIENT_WORDS: Final = "|".join(
    r"\s?".join(word)
    for word in ("住院号", "住院编号", "住院流水号", "病案号", "病历号", "门诊号", "急诊号", "就诊号", "就诊卡", "诊疗卡", "医保卡",
                 "患者编号", "病人编号", "登记号", "床头卡", "腕带号")
)  # fmt: skip
_PATIENT_NUMBER: Final = re.compile(
    rf"(?:{_PATIENT_WORDS}|(?:患者|病人)\s?ID|(?<![A-Za-z0-9])(?:ZY|MRN|inpatient|admission|(?:hospital|patient)\s?(?=no|num|id)))"
    r"[\s:#=.\-]*(?:号码|号|是|为|number|no|id)?[\s:#=.\-]*"
    rf"((?:[A-Z]{{1,3}}{_SEPARATOR}{{0,2}})?\d(?:{_SEPARATOR}{{0,3}}\d){{4,13}})",
    re.IGNORECASE | re.ASCII,
)


def short_number(number: str, today: date) -> str:
    """What people say aloud: `0003`, and `1122-0003` when the ticket is not of today."""
    head, _dash, short = number.rpartition("-")
    return short if head[-8:] in ("", f"{today:%Y%m%d}") else f"{head[-4:]}-{short}"


@dataclass(frozen=True)
class _Group:
    """A run of digits in the shadow: `start` and `end`, and the `joint` that ties it to the run before ("" = none)."""

    digits: str
    start: int
    end: int
    joint: str


_Span = tuple[int, int, str]


def clean_text(text: str, limit: int = 500) -> tuple[str, list[str]]:
    """(text as it may be stored, what was hidden in order: `id_card`, `mobile`, `inpatient_no`).

    Control characters and bidirectional overrides go; line breaks stay. Masks first and cuts last, so that no half of a
    number is left at the end.
    """
    plain = _printable(text[: limit * 8])
    spans = _separate(_personal_numbers(plain))
    for start, end, _kind in reversed(spans):
        plain = plain[:start] + MASK + plain[end:]
    return plain[:limit].rstrip(), [kind for _start, _end, kind in spans]


def says_something(text: str) -> bool:
    """Whether anybody could read it once it is stored: a reason of zero-width characters is none."""
    return bool(_printable(text))


def clean_name(name: str, limit: int = 80) -> str:
    """A client's file name as a label: no folders, no line breaks, no quotes, personal numbers masked. Never a path."""
    last = re.split(r"[/\\]", _printable(name.partition("\0")[0]))[-1]
    return clean_text(re.sub(r"[\s\"'<>:|?*%]+", " ", last).strip(". "), limit)[0]


def _printable(text: str) -> str:
    text = unicodedata.normalize("NFC", re.sub(r"\r\n?|[\u2028\u2029\x85]", "\n", text)).replace("\t", " ")
    kept = (
        c for c in text if c in "\n" + _KEEP_FORMAT or unicodedata.category(c) not in ("Cc", "Cf", "Cn", "Co", "Cs")
    )
    plain = re.sub(r"\n{3,}", "\n\n", "".join(kept)).strip()
    return plain if plain.replace(_KEEP_FORMAT, "").strip() else ""


def _personal_numbers(text: str) -> list[_Span]:
    shadow, origin = _shadow(text)
    spoken = re.sub("[0-9]", "#", shadow).translate(_HAN_DIGITS)
    found = [
        *_inpatient_numbers(shadow),
        *_numbered(shadow),
        *_numbered(spoken),
    ]
    return [(origin[start], origin[end - 1] + 1, kind) for start, end, kind in found]


def _shadow(text: str) -> tuple[str, list[int]]:
    """The text with every digit and letter in its plain form, and for each place the index it came from."""
    shadow, origin = [], []
    for index, character in enumerate(text):
        if character.isdecimal():
            plain = str(unicodedata.decimal(character))
        else:
            plain = unicodedata.normalize("NFKC", character).replace("\n", "\f")
        shadow.append(plain)
        origin += [index] * len(plain)
    return "".join(shadow).replace("\f", "\n").replace("\u3000", " "), origin


def _separate(spans: list[_Span]) -> list[_Span]:
    """In order, without overlaps: the one that starts first, then the longer, wins."""
    kept: list[_Span] = []
    for span in sorted(spans, key=lambda s: (s[0], -s[1])):
        if not kept or span[0] >= kept[-1][1]:
            kept.append(span)
    return kept


def _inpatient_numbers(shadow: str) -> Iterator[_Span]:
    for found in _PATIENT_NUMBER.finditer(shadow):
        yield found.start(1), found.end(1), "inpatient_no"


def _numbered(shadow: str) -> Iterator[_Span]:
    codes = [found.span() for found in _MACHINE_CODES.finditer(shadow)]
    groups = list(_groups(shadow))
    for first in range(len(groups)):
        yield from _id_cards_from(groups, first, shadow)
        if not any(start <= groups[first].start < end for start, end in codes):
            yield from _plain_numbers_from(groups, first, shadow)


def _groups(shadow: str) -> Iterator[_Group]:
    end = -1
    for found in re.finditer(r"[0-9]+", shadow):
        between = shadow[end : found.start()] if end >= 0 else ""
        yield _Group(found[0], found.start(), found.end(), between if _JOINT.fullmatch(between) else "")
        end = found.end()


def _chain(groups: list[_Group], first: int, most: int) -> Iterator[tuple[str, _Group]]:
    """Growing numbers made of joined groups, with the group each ends in, while they have at most `most` digits."""
    digits = ""
    for group in groups[first:]:
        if digits and not group.joint:
            return
        digits += group.digits
        if len(digits) > most:
            return
        yield digits, group


def _id_cards_from(groups: list[_Group], first: int, shadow: str) -> Iterator[_Span]:
    """18 characters with a real province, birthday and check character: sure enough to be found inside longer runs."""
    start = groups[first].start
    for digits, last in _chain(groups, first, 18):
        tail = _CHECK_X.match(shadow, last.end) if len(digits) == 17 else None
        if tail and _is_id_card(digits + "X"):
            yield start, tail.end(), "id_card"
        elif _is_id_card(digits):
            yield start, last.end, "id_card"
    long = groups[first].digits
    for offset in range(len(long) - 16):
        window = long[offset : offset + 18]
        tail = _CHECK_X.match(shadow, start + offset + 17) if len(window) == 17 else None
        if _is_id_card(window) or (tail and _is_id_card(window + "X")):
            yield start + offset, tail.end() if tail else start + offset + 18, "id_card"


def _plain_numbers_from(groups: list[_Group], first: int, shadow: str) -> Iterator[_Span]:
    """Mobile numbers and old 15-digit cards: only whole numbers, and not what the words in front call a machine's."""
    start = groups[first].start
    if not _starts_number(groups[first], shadow) or _MACHINE_WORDS.search(shadow, max(0, start - 24), start):
        return
    for digits, last in _chain(groups, first, 15):
        following = groups[groups.index(last, first) + 1 :][:1]
        if not _ends_number(last, following, shadow):
            continue
        kind = "mobile" if _is_mobile(digits) else "id_card" if _is_old_id_card(digits) else ""
        if kind:
            yield start, last.end, kind


def _starts_number(group: _Group, shadow: str) -> bool:
    if group.joint:
        return " " in group.joint
    word = re.search(r"[A-Za-z#]+$", shadow[max(0, group.start - 12) : group.start])
    return word is None or word[0].lower() in _PHONE_WORDS


def _ends_number(last: _Group, following: list[_Group], shadow: str) -> bool:
    if following and following[0].joint:
        return " " in following[0].joint
    return not re.match(r"[A-Za-z#]", shadow[last.end : last.end + 1])


def _is_mobile(digits: str) -> bool:
    return bool(_MOBILE.fullmatch(re.sub(r"^(?:00)?86(?=\d{11}$)", "", digits)))


def _is_id_card(digits: str) -> bool:
    """GB 11643: province, a plausible birth date and the check character (ISO 7064 MOD 11-2)."""
    if len(digits) != 18 or not _PROVINCE.match(digits) or not _is_birthday(digits[6:14]):
        return False
    total = sum(w * int(d) for w, d in zip(_ID_WEIGHTS, digits[:17], strict=True))
    return "10X98765432"[total % 11] == digits[17]


def _is_old_id_card(digits: str) -> bool:
    return (
        len(digits) == 15
        and bool(_PROVINCE.match(digits))
        and digits[2:4] <= "90"
        and _is_birthday("19" + digits[6:12])
    )


def _is_birthday(eight: str) -> bool:
    year, month, day = int(eight[:4]), int(eight[4:6]), int(eight[6:8])
    return 1900 <= year <= 2100 and 1 <= month <= 12 and 1 <= day <= 31
