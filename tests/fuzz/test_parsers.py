"""Every place that reads what somebody typed, scanned, pasted or forged: it says no with a sentence, or it says nothing.

`--full` tries 2,000 inputs a place; without it 200, fewer where one input is slow.
"""

from __future__ import annotations

import base64
import io
import json
import zipfile
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlencode, urljoin, urlsplit

import openpyxl
import pytest
from django.test import RequestFactory
from django.utils import timezone
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from rest_framework.request import Request

from assets.register import rules
from assets.register.adapters import tables
from assets.register.queries import token_of
from config.kernel import rest
from config.kernel.errors import DomainError
from tests.architecture.people import OWN, PRINCIPALS, House, Knocker, furnish, knocker, undone
from tests.fuzz.test_description import ROLES
from tickets.desk import queries as desk
from tickets.desk.consumers import _after
from tickets.record import rules as words
from tickets.record.models import Ticket
from tickets.record.queries import search

pytestmark = pytest.mark.django_db

# Text as strangers send it: any character, and the pieces that parsers trip over.
NASTY = st.sampled_from(
    ["\0", "\x1d", "{GS}", "\ud7ff", "\ufeff", "\u202e", "%00", "%2e%2e/", "../", "'", '"', "<script>", "＝1+1", "=1+1", "-", "0",
     "9" * 30, "1e999", "NaN", "0001-01-01", "9999-12-31", "2026-W53-7", "(01)", "(21)", "]d2", "MA.156.M0.", "t2.", "t1.", ".1.",
     "/q/", "//evil.example", "http:\\\\evil.example", "javascript:", "\r\nX: y", "W/\"", "*", ",", ";q=", "zh-hans", "ＡＢ", "é"]
)  # fmt: skip
TEXT = st.lists(st.one_of(NASTY, st.text(st.characters(exclude_categories=["Cs"]), max_size=12)), max_size=8).map(
    "".join
)
PAST_THE_DOOR = TEXT.filter(lambda s: "\0" not in s)  # config.methods lets no NUL of an address past
LATIN = (
    st.lists(
        st.one_of(
            NASTY.filter(lambda s: s.isascii() and s.isprintable()),
            st.text(st.characters(max_codepoint=255), max_size=9),
        )
    )
    .map("".join)
    .map(lambda text: text.replace("\r", "").replace("\n", "").replace("\0", ""))
)  # a server takes no others
Times = Callable[[int], Any]


@pytest.fixture(scope="module")
def tries(request: pytest.FixtureRequest) -> Times:
    """Settings for as many inputs as this run has time for."""
    full = request.config.getoption("--full")

    def times(few: int = 200) -> Any:
        return settings(
            max_examples=few * 10 if full else few, database=None, deadline=None, phases=(Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip

    return times


@pytest.fixture
def house(icu: Any, surgery: Any, ventilator: Any, now: Any, settings: Any, tmp_path: Any) -> House:
    settings.MEDIA_ROOT = tmp_path
    return furnish(icu, surgery, ventilator, now)


def allowed_to_refuse(parse: Callable[[], Any]) -> Any:
    """What the parser said; a refusal of the house is an answer, any other exception is a hole."""
    try:
        return parse()
    except DomainError:
        return None


def place_in_the_log(text: str) -> int | None:
    """The socket's `after`: its refusal is a ValueError, and what it takes fits a seq on both databases."""
    try:
        seq = _after({"query_string": b"after=" + text.encode()})
    except ValueError:
        return None
    assert seq is None or 0 <= seq < 2**63
    return seq


PURE: dict[str, Callable[[str], Any]] = {
    "QR token": lambda text: rules.read_token(text, keys={"t1": "a", "t2": "b"}),
    "scan": rules.classify,
    "short code": rules.read_short_code,
    "free text": lambda text: words.clean_text(text, limit=500),
    "socket's after": place_in_the_log,
    "list filters": lambda text: desk.read_filters(
        dict.fromkeys(("q", "from", "to", "state", "priority", "mine"), text)
    ),
}


@pytest.mark.parametrize("parser", PURE)
def test_text_from_anywhere(parser: str, tries: Times, figures: Any) -> None:
    tried = [0]

    @tries(200)
    @given(text=TEXT)
    def once(text: str) -> None:
        tried[0] += 1
        allowed_to_refuse(lambda: PURE[parser](text))

    once()
    figures("parsers", inputs=tried[0])


@pytest.mark.parametrize("signed", [rules.sign_token("A" * 22, 7, kid="t1", keys={"t1": "a"})])
def test_no_change_of_a_token_is_a_token(signed: str, tries: Times) -> None:
    @tries(200)
    @given(at=st.integers(0, len(signed) - 1), with_=st.text(max_size=2))
    def once(at: int, with_: str) -> None:
        forged = signed[:at] + with_ + signed[at + 1 :]
        assert forged == signed or rules.read_token(forged, keys={"t1": "a"}) is None

    once()


def test_conditions_in_headers(tries: Times) -> None:
    @tries(200)
    @given(text=LATIN)
    def once(text: str) -> None:
        request = Request(RequestFactory().get("/", headers={"if-match": text, "if-none-match": text}))
        allowed_to_refuse(lambda: rest.expected_version(request))
        rest.matches(request, 3)

    once()


def test_the_list_finds_or_finds_nothing(house: House, tries: Times) -> None:
    by, now = house.people["manager"], timezone.now()

    @tries(100)
    @given(
        values=st.dictionaries(
            st.sampled_from(["q", "from", "to", "department", "engineer", "group", "state"]), PAST_THE_DOOR
        )
    )
    def once(values: dict[str, str]) -> None:
        with undone():
            list(desk.filtered(by, desk.read_filters(values), now)[:2])
            list(search(Ticket.objects.all(), values.get("q", ""))[:2])

    once()


def test_tables_that_are_none(tries: Times) -> None:
    @tries(200)
    @given(
        content=st.one_of(st.binary(max_size=400), TEXT.map(str.encode), st.lists(TEXT).map(",".join).map(str.encode))
    )
    def once(content: bytes) -> None:
        allowed_to_refuse(lambda: tables.read_table("register.csv", content))

    once()


def test_workbooks_that_are_broken(tries: Times) -> None:
    """A right workbook with bytes changed, entries left out or named otherwise; each is read in a child process."""
    book = openpyxl.Workbook()
    book.active.append(["资产编号", "名称"])
    held = io.BytesIO()
    book.save(held)
    whole = held.getvalue()

    @tries(8)
    @given(at=st.integers(4, len(whole) - 1), byte=st.integers(0, 255), part=TEXT, keep=st.integers(0, 9))
    def once(at: int, byte: int, part: str, keep: int) -> None:
        allowed_to_refuse(lambda: tables.read_table("a.xlsx", whole[:at] + bytes([byte]) + whole[at + 1 :]))
        allowed_to_refuse(lambda: tables.read_table("a.xlsx", _with_part(whole, part, keep)))

    once()


def _with_part(whole: bytes, text: str, keep: int) -> bytes:
    """The workbook with only its first entries, and its sheet replaced by `text`."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(whole)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist()[:keep]:
            new.writestr(name, text if name.endswith("sheet1.xml") else old.read(name))
    return out.getvalue()


# --- through the doors: whatever is asked, nobody hears of a fault -----------------------------------------------------

QUERIES = {
    "/accounts/login/": ["next"],
    "/login/": ["next"],
    "/desk/tickets/": ["q", "from", "to", "state", "priority", "department", "engineer", "group", "after", "before", "mine"],
    "/desk/tickets/export.csv": ["q", "from", "to", "department", "engineer"],
    "/desk/tickets/new/": ["device", "q", "code"],
    "/desk/": ["wall", "campus", "mode"],
    "/notifications/": ["before"],
    "/notifications/call/": ["ticket", "who"],
    "/field/": ["said", "tab"],
    "/field/scan/": ["code", "q"],
    "/q/": ["lang", "code"],
    "/api/v1/tickets/": ["cursor", "page_size", "state", "priority", "open", "department", "device", "assignee",
                         "reported_after", "reported_before"],
    "/api/v1/devices/": ["cursor", "page_size", "status", "group", "asset_no"],
    "/api/v1/engineers/": ["cursor", "page_size"],
    "/api/v1/shifts/": ["cursor", "engineer", "at"],
    "/api/v1/events/": ["after", "limit"],
    "/api/v1/schema/": ["format", "lang", "version"],
    "/admin/tickets/ticket/": ["q", "p", "o", "state__exact", "password__startswith", "all", "e"],
    "/admin/assets/device/": ["q", "p", "status", "department", "type__group__id__exact"],
    "/admin/search/": ["s"],
    "/admin/autocomplete/": ["app_label", "model_name", "field_name", "term"],
}  # fmt: skip
CURSOR = st.builds(
    lambda text: base64.b64encode(text.encode()).decode(),
    st.one_of(TEXT, TEXT.map("p={}".format), TEXT.map("r=1&o=9&p={}".format)),
)
HEADERS = ("accept-language", "if-none-match", "accept", "range", "x-forwarded-for", "cookie", "referer", "user-agent")


def member(house: House, name: str, headers: dict[str, str] | None = None) -> Knocker:
    one = knocker(next(one for one in PRINCIPALS if one.name == name), house)
    return Knocker(headers, one.cookies) if headers else one


@pytest.mark.parametrize("path", QUERIES)
def test_addresses_with_any_query(path: str, house: House, tries: Times, figures: Any) -> None:
    who, tried = member(house, "manager"), [0]

    @tries(12)
    @given(values=st.dictionaries(st.sampled_from(QUERIES[path]), st.one_of(TEXT, CURSOR), min_size=1, max_size=3))
    def once(values: dict[str, str]) -> None:
        tried[0] += 1
        with undone():
            answer = who.ask("GET", f"{path}?{urlencode(values)}")
        assert answer.status_code < 500
        assert not _leads_away(answer)

    once()
    figures("queries", requests=tried[0])


def _query(values: dict[str, str]) -> str:
    return urlencode(values)


def _leads_away(answer: Any) -> bool:
    """Whether a browser would follow a redirect to anywhere but this house."""
    target = answer.get("Location", "/").replace("\\", "/")  # browsers take one for the other
    return urlsplit(urljoin("http://testserver/here/", target)).netloc != "testserver"


def test_names_in_addresses(house: House, tries: Times) -> None:
    who = member(house, "manager")
    roots = ["/q/{}/", "/t/{}/", "/t/{}/nudge/", "/api/v1/tickets/{}/", "/api/v1/devices/{}/", "/files/{}/", "/desk/tickets/{}/",
             "/field/{}/", "/admin/tickets/ticket/{}/change/", "/notifications/{}/", "/desk/views/{}/delete/"]  # fmt: skip

    @tries(150)
    @given(root=st.sampled_from(roots), text=TEXT.filter(bool), method=st.sampled_from(["GET", "POST"]))
    def once(root: str, text: str, method: str) -> None:
        with undone():
            answer = who.ask(method, root.format(quote(text, safe="")), kind="application/json")
        assert answer.status_code < 500

    once()


def test_headers_of_any_kind(house: House, tries: Times) -> None:
    paths = [
        "/desk/tickets/",
        f"/api/v1/tickets/{house.tickets[OWN].public_id}/",
        f"/t/{house.tickets[OWN].tracking_token}/",
        "/healthz",
    ]

    @tries(100)
    @given(path=st.sampled_from(paths), headers=st.dictionaries(st.sampled_from(HEADERS), LATIN, max_size=3))
    def once(path: str, headers: dict[str, str]) -> None:
        with undone():
            answer = member(house, "dispatcher", headers or {"accept": "*/*"}).ask("GET", path)
        assert answer.status_code < 500

    once()


FORMS = {
    "/accounts/login/": ["login", "password", "next", "remember"],
    "/q/{qr}/": ["symptom", "in_use", "danger", "description", "client_id", "client_at", "separate", "same", "lang"],
    "/q/": ["code"],
    "/t/{tracking}/add/": ["text"],
    "/t/{tracking}/rate/": ["rating"],
    "/t/{tracking}/name/": ["name", "phone"],
    "/t/{tracking}/dispute/": ["text"],
    "/desk/views/": ["query", "name", "shared"],
    "/desk/tickets/new/": ["device", "symptom", "in_use", "danger", "description", "caller", "extension"],
    "/desk/tickets/{ticket}/comment/": ["text", "public"],
    "/desk/tickets/{ticket}/assign/": ["to", "reason", "version"],
    "/desk/tickets/{ticket}/reprioritise/": ["priority", "reason", "version"],
    "/notifications/read/": ["up_to"],
    "/notifications/call/": ["who", "text", "ticket"],
    "/i18n/setlang/": ["language", "next"],
    "/field/scan/": ["code", "q", "text"],
}


@pytest.mark.parametrize("path", FORMS)
def test_forms_with_anything_in_them(path: str, house: House, tries: Times, figures: Any) -> None:
    who, ticket, tried = member(house, "manager"), house.tickets[OWN], [0]
    to = path.format(qr=token_of(ticket.device), tracking=ticket.tracking_token, ticket=ticket.public_id)

    @tries(12)
    @given(values=st.dictionaries(st.sampled_from(FORMS[path]), TEXT, max_size=4))
    def once(values: dict[str, str]) -> None:
        tried[0] += 1
        with undone():
            answer = who.ask("POST", to, urlencode(values).encode())
        assert answer.status_code < 500
        assert not _leads_away(answer)

    once()
    figures("forms", requests=tried[0])


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.integers(2**62, 2**80), st.floats(), TEXT, st.just("\ud800")),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXT, inner, max_size=3)),
    max_leaves=6,
)


@pytest.mark.parametrize("role", ROLES[:3])
def test_bodies_and_keys_of_the_api(role: str, house: House, tries: Times, figures: Any) -> None:
    tried, ticket = [0], house.tickets[OWN]
    base = f"/api/v1/tickets/{ticket.public_id}"
    paths = [
        "/api/v1/tickets/",
        "/api/v1/auth/token/",
        *(f"{base}/{verb}/" for verb in ("comments", "costs", "triage", "assign", "pause", "resolve", "arrive")),
    ]
    names = ["text", "public", "device", "symptom", "in_use", "danger", "description", "client_id", "amount", "kind", "to",
             "reason", "until", "tests", "parts", "minutes", "cause", "username", "password"]  # fmt: skip

    @tries(60)
    @given(
        path=st.sampled_from(paths),
        body=st.one_of(JSON, st.dictionaries(st.sampled_from(names), JSON, max_size=4)),
        key=LATIN,
        version=LATIN,
    )
    def once(path: str, body: Any, key: str, version: str) -> None:
        tried[0] += 1
        who = member(house, role, {"idempotency-key": key, "if-match": version})
        with undone():
            answer = who.ask("POST", path, json.dumps(body).encode(), kind="application/json")
        assert answer.status_code < 500

    once()
    figures("bodies", requests=tried[0])
