"""Codes on a device, from plain data: the signed QR token, the typed short code, what a scanned text is.

A label can be photographed, so a token identifies a device and opens nothing but the report page (security.md X1, X9).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import biip

_TOKEN = re.compile(r"([A-Za-z0-9]{1,8})\.([A-Za-z0-9_-]{22})\.([1-9][0-9]{0,8})\.([A-Za-z0-9_-]{22})", re.ASCII)
_MAC_BYTES = 16

# 31 symbols, a prime: with distinct weights every single wrong symbol and every swap of neighbours changes the check.
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXY"
_WEIGHTS = (2, 3, 5, 7, 11)
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
    if len(text) > 40:
        return None
    plain = re.sub(r"[\s\-_.·]", "", unicodedata.normalize("NFKC", text)).upper().translate(_LOOKS_LIKE)
    if len(plain) != 6 or any(c not in ALPHABET for c in plain):
        return None
    return plain if check_symbol(plain[:5]) == plain[5] else None


def show_short_code(code: str) -> str:
    """As printed and said: `7K3-Q9F`."""
    return f"{code[:3]}-{code[3:]}" if len(code) == 6 else code


@dataclass(frozen=True)
class Scan:
    """What a scanned or typed text is. `kind`: token, short_code, udi, text. `serial`, `lot`: only from a UDI."""

    kind: str
    value: str
    agency: str = ""
    serial: str = ""
    lot: str = ""


def classify(text: str) -> Scan:
    """Own link, short code, UDI (GS1, MA, AHM), or else a serial or asset number: in that order. Never raises."""
    raw = text.strip()[:400]
    link = re.search(r"/q/([A-Za-z0-9_.\-]{40,80})/?(?:[?#].*)?$", raw)
    if link:
        return Scan("token", link[1])
    if _TOKEN.fullmatch(raw):
        return Scan("token", raw)
    if code := read_short_code(raw):
        return Scan("short_code", code)
    return _udi(raw) or Scan("text", " ".join(raw.split()))


def _udi(raw: str) -> Scan | None:
    if raw.upper().startswith("MA.156."):
        parts = raw.split(".")
        issued, production = ".".join(parts[:5]), parts[5:]
        named = {p[:1].upper(): p[1:] for p in production if len(p) > 1}
        return Scan("udi", issued, agency="MA", serial=named.get("S", ""), lot=named.get("L", ""))
    if found := re.fullmatch(r"(8[0-9]{19})", raw):
        return Scan("udi", found[1], agency="AHM")
    return _gs1(raw)


def _gs1(raw: str) -> Scan | None:
    bracketed = re.match(r"^\(\d{2,4}\)", raw)
    plain = re.match(r"^(\x1d|\]d2|\]C1|\]Q3)?01\d{14}", raw)
    if not (bracketed or plain or "/01/" in raw):
        return None
    if digital := re.search(r"/01/(\d{14})(?:/21/([^/?]{1,20}))?(?:/10/([^/?]{1,20}))?", raw):
        return Scan("udi", digital[1], agency="GS1", serial=digital[2] or "", lot=digital[3] or "")
    if bracketed:
        raw = re.sub(r"\((\d{2,4})\)", lambda m: f"\x1d{m[1]}", raw)
    try:
        message = biip.parse(raw.lstrip("\x1d")).gs1_message
    except (biip.ParseError, ValueError, binascii.Error):
        return None
    # A wrong check digit still parses, with no GTIN: such a code names no device.
    values = {e.ai.ai: e for e in message.element_strings} if message else {}
    gtin = values["01"].gtin if "01" in values else None
    if gtin is None:
        return None
    return Scan(
        "udi",
        gtin.as_gtin_14(),
        agency="GS1",
        serial=values["21"].value if "21" in values else "",
        lot=values["10"].value if "10" in values else "",
    )
