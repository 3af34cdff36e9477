"""Codes on a device, from plain data: the signed QR token, the typed short code, what a scanned text is.

A label can be photographed, so a token identifies a device and opens nothing but the report page (security.md X1, X9).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import biip
from biip.gs1_messages import GS1Message

_TOKEN = re.compile(r"([A-Za-z0-9]{1,8})\.([A-Za-z0-9_-]{22})\.([1-9][0-9]{0,8})\.([A-Za-z0-9_-]{22})", re.ASCII)
_MAC_BYTES = 16
_GS = "\x1d"  # ends a GS1 field of variable length; scanners in keyboard mode show it in their own ways
_SHOWN_GS = re.compile(r"\u241d|\{GS\}|<GS>|[<\[]FNC1[>\]]", re.IGNORECASE)

# 31 symbols, a prime: with distinct weights every single wrong symbol and every swap of two changes the check.
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXY"
_WEIGHTS = (2, 7, 11, 3, 5)  # in this order the code on the design's label is a right one
_LOOKS_LIKE = str.maketrans({"O": "0", "I": "1", "L": "1", "U": "V", "Z": "2"})


@dataclass(frozen=True)
class Token:
    """The parts of a QR token whose signature was right."""

    kid: str
    public_id: str
    version: int


def sign_token(public_id: str, version: int, *, kid: str, keys: Mapping[str, str]) -> str:
    """`{kid}.{public_id}.{version}.{mac}`, mac = first 128 bits of HMAC-SHA256 in base64url."""
    return f"{kid}.{public_id}.{version}.{_mac(kid, public_id, version, keys[kid])}"


def read_token(text: str, *, keys: Mapping[str, str]) -> Token | None:
    """The token's parts, or None for anything that is not exactly a token signed by a key still accepted."""
    found = _TOKEN.fullmatch(text) if len(text) <= 80 else None
    if found is None or found[1] not in keys:
        return None
    kid, public_id, version = found[1], found[2], int(found[3])
    good = hmac.compare_digest(found[4], _mac(kid, public_id, version, keys[kid]))
    return Token(kid, public_id, version) if good else None


def _mac(kid: str, public_id: str, version: int, secret: str) -> str:
    mac = hmac.new(secret.encode(), f"wardline-qr|{kid}|{public_id}|{version}".encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(mac[:_MAC_BYTES]).rstrip(b"=").decode("ascii")


def check_symbol(five: str) -> str:
    """The sixth symbol of a short code: the weighted sum of the five, modulo 31."""
    return ALPHABET[sum(w * ALPHABET.index(c) for w, c in zip(_WEIGHTS, five, strict=True)) % len(ALPHABET)]


def new_short_code(choose: Callable[[Sequence[str]], str]) -> str:
    """Six symbols, the last one a check; `choose` picks one symbol at random, e.g. `secrets.choice`."""
    five = "".join(choose(ALPHABET) for _ in _WEIGHTS)
    return five + check_symbol(five)


def read_short_code(text: str) -> str | None:
    """A typed code as stored: any case, width, spaces and dashes; O I L Z as the digits they look like. None if wrong."""
    plain = _typed(text)
    return plain if _is_code_shaped(text) and check_symbol(plain[:5]) == plain[5] else None


def _typed(text: str) -> str:
    return re.sub(r"[\s\-_.·]", "", unicodedata.normalize("NFKC", text[:40])).upper().translate(_LOOKS_LIKE)


def _is_code_shaped(text: str) -> bool:
    plain = _typed(text)
    return len(text) <= 40 and len(plain) == 6 and all(c in ALPHABET for c in plain)


def show_short_code(code: str) -> str:
    """As printed and said: `7K3-Q9F`."""
    return f"{code[:3]}-{code[3:]}" if len(code) == 6 else code


@dataclass(frozen=True)
class Scan:
    """What a scanned or typed text is. `kind`: token, short_code, udi, text. `serial`, `lot`: only from a UDI.

    `problem` says why a text that looks like more is only text: `short_code_check` or `udi_check`, a mistyped character.
    """

    kind: str
    value: str
    agency: str = ""
    serial: str = ""
    lot: str = ""
    problem: str = ""


def classify(text: str) -> Scan:
    """Own link, short code, UDI (GS1, MA, AHM), or else a serial or asset number: in that order. Never raises."""
    raw = _scanned(text)
    if link := re.search(r"/q/([A-Za-z0-9_.\-]{40,80})/?(?:[?#].*)?$", raw):
        return Scan("token", link[1])
    if _TOKEN.fullmatch(raw):
        return Scan("token", raw)
    if code := read_short_code(raw):
        return Scan("short_code", code)
    plain = " ".join(raw.replace(_GS, " ").split())
    return (
        _ma(raw)
        or _ahm(raw)
        or _gs1(raw)
        or Scan("text", plain, problem="short_code_check" if _is_code_shaped(raw) else "")
    )


def _scanned(text: str) -> str:
    """At most 400 characters in plain width, without what a paste or a keyboard scanner adds; the GS separator stays."""
    plain = unicodedata.normalize("NFKC", _SHOWN_GS.sub(_GS, text[:2000]))
    return "".join(c for c in plain if c == _GS or unicodedata.category(c)[0] != "C").strip()[:400]


def _ma(raw: str) -> Scan | None:
    """IDcode: `MA.156.M0.registrant.product` and then production values by letter, S serial and L lot; alone or in a link."""
    found = re.search(
        r"(?:^|/)(MA\.[0-9]{3}\.[A-Z][0-9]\.[0-9A-Z]{6}\.[0-9A-Z]{1,20})((?:\.[0-9A-Z\-]+)*)", raw.upper()
    )
    if found is None:
        return None
    named = {part[0]: part[1:] for part in found[2].split(".") if part}
    return Scan("udi", found[1], agency="MA", serial=named.get("S", ""), lot=named.get("L", ""))


def _ahm(raw: str) -> Scan | None:
    return Scan("udi", raw, agency="AHM") if re.fullmatch(r"8[0-9]{19}", raw) else None


def _gs1(raw: str) -> Scan | None:
    elements = _gs1_elements(raw)
    if "01" not in elements:
        gtin = re.fullmatch(r"(?=[0-9]{13,14}$)0*([0-9]{8,14})", raw) and _gtin(raw)
        return Scan("udi", gtin, agency="GS1") if gtin else None
    # A wrong check digit still parses, with no GTIN: such a code names no device.
    if elements["01"].gtin is None:
        return Scan("text", raw.replace(_GS, " "), problem="udi_check")
    serial, lot = (elements[ai].value if ai in elements else "" for ai in ("21", "10"))
    return Scan("udi", elements["01"].gtin.as_gtin_14(), agency="GS1", serial=serial, lot=lot)


def _gs1_elements(raw: str) -> dict[str, Any]:
    """By application identifier, from brackets, a digital link, or an element string with or without its symbology mark."""
    try:
        if re.match(r"\([0-9]{2,4}\)", raw):
            bracketed = GS1Message.parse_hri(re.sub(r"\s+(?=\()", "", raw))
            return {element.ai.ai: element for element in bracketed.element_strings}
        if raw.isdigit() and len(raw) < 16:
            return {}
        found = biip.parse(raw.lstrip(_GS))
    except (biip.ParseError, ValueError, ArithmeticError, LookupError):  # biip indexes into what is not there
        return {}
    message = found.gs1_message or found.gs1_digital_link_uri
    return {element.ai.ai: element for element in message.element_strings} if message else {}


def _gtin(digits: str) -> str:
    try:
        gtin = biip.parse(digits).gtin
    except (biip.ParseError, ValueError, LookupError):
        return ""
    return gtin.as_gtin_14() if gtin else ""
