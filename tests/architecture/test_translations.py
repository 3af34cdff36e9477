"""Every page, refusal and API answer in both languages: no sentence of the other one, except what a row holds.

The catalogue itself is checked by `.ci/translations.py`; this sees what a reader sees, f-strings and early `gettext` included.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from html.parser import HTMLParser
from typing import Any

import pytest
from django import forms
from django.apps import apps
from django.contrib.auth.password_validation import MinimumLengthValidator
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import F
from django.http import HttpResponse
from django.test import Client
from django.utils import translation

from assets.models import Device, FaultPreset, User
from assets.register.queries import token_of
from tests import factories
from tests.architecture.addresses import Address, every_address
from tickets.lifecycle import services as lifecycle
from tickets.models import Attachment, HoldReason, Ticket

pytestmark = pytest.mark.django_db

CHINESE = re.compile(r"[\u3400-\u9fff，。：；！？、（）]")
LATIN = re.compile(r"[A-Za-z]{3,}")
# Names and codes that both languages share. The switch names each language in itself.
SHARED = re.compile(
    r"[\w-]{22}|\w+\*+|简体中文|中文|English|Wardline( API)?|zh-hans|Excel|CSV|XLSX|JPEG|PNG|WebP|UDI(-[DP]I)?|FDA|API|Email|TOTP|ETag"
    r"|Idempotency-Key|If-Match|GB18030|UTF-8|MB|esc|GET|POST|[A-Z]+-?[0-9A-Z-]+|[\w.-]+@[\w.]+"
)
READ_ALOUD = {"aria-label", "aria-description", "title", "alt", "placeholder"}
POSTS = 2  # of the tickets that are asked for, how many also get an empty form
UNREAD = {"script", "style", "pre", "code", "kbd"}
VOID = {"br", "img", "input", "meta", "link", "hr", "source", "use", "path", "rect", "circle", "line", "wbr", "col"}
FOREIGN = ("account_", "mfa_")  # allauth brings its own words
OF_ADMIN = "admin:"
OF_A_TICKET = {"ward:report", "ward:track", "desk:ticket", "desk:act", "field:ticket", "field:finish", "field:more"}
NOT_PAGES = {
    "admin:jsi18n", "admin:None", "admin:view_on_site", "admin:autocomplete", "api-schema",
    "admin:kernel_eventrecord_change",  # an event is codes and ids, in both languages
}  # fmt: skip


class Reading(HTMLParser):
    """The text and the spoken attributes of a page, without scripts, icon ligatures and what is marked as foreign."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[tuple[str, bool]] = []
        self.said: list[str] = []
        self.feed(page)

    @property
    def muted(self) -> bool:
        return bool(self.open) and self.open[-1][1]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        symbol = "material-symbols" in (given.get("class") or "")
        muted = self.muted or symbol or tag in UNREAD or ("lang" in given and tag != "html")
        if not muted:
            self.said += [value for name, value in attrs if value and name in READ_ALOUD]
        if tag not in VOID:
            self.open.append((tag, muted))

    def handle_endtag(self, tag: str) -> None:
        for position in range(len(self.open) - 1, -1, -1):
            if self.open[position][0] == tag:
                del self.open[position:]
                return

    def handle_data(self, data: str) -> None:
        if not self.muted and (text := " ".join(data.split())):
            self.said.append(text)


def strings_in(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield " ".join(value.split())
    elif isinstance(value, dict):
        for key, one in value.items():
            yield from strings_in(key)
            yield from strings_in(one)
    elif isinstance(value, list):
        for one in value:
            yield from strings_in(one)


def rows_say(language: str, *, admin: bool = False) -> re.Pattern[str]:
    """What people typed or imported. Elsewhere than in the admin, Chinese with an English column beside it is no excuse."""
    twins = admin or language != "en"
    found: set[str] = set()
    for model in apps.get_models():
        names = {field.name for field in model._meta.concrete_fields}
        fields = [
            field.name
            for field in model._meta.concrete_fields
            if isinstance(field, models.CharField | models.TextField | models.JSONField)
            and not field.choices
            and (twins or not {f"{field.name}_en", field.name.replace("_zh", "_en")} & (names - {field.name}))
            and (twins or not isinstance(field, models.JSONField))
        ]
        for row in model._base_manager.values_list(*fields) if fields else ():
            found |= {text for value in row for text in strings_in(value) if len(text) > 1}
    longest_first = "|".join(map(re.escape, sorted(found, key=len, reverse=True)))
    return re.compile(longest_first if language == "en" else rf"\b(?:{longest_first})\b")


def strays(said: Iterable[str], language: str, rows: re.Pattern[str]) -> set[str]:
    """The texts that are not in `language` once the contents of rows and shared names are taken out."""
    ours, theirs = (CHINESE, None) if language == "en" else (LATIN, CHINESE)
    return {
        text
        for text in set(said)
        if ours.search(text)
        and not (theirs and theirs.search(text))
        and not rows.fullmatch(text)
        and ours.search(rows.sub(" ", SHARED.sub(" ", text)))
    }


@pytest.fixture
def tickets(
    ventilator: Device,
    stopped: FaultPreset,
    nurse: User,
    engineer: User,
    colleague: User,
    dispatcher: User,
    manager: User,
    admin_user: User,
    now: datetime,
) -> list[Ticket]:
    """One ticket in each state a page speaks about; everybody has an English name."""
    made = []
    with translation.override("zh-hans"):
        for number, steps in enumerate(["", "a", "ac", "acr", "acrs", "acrsp", "acrsf", "x"]):
            at = now - timedelta(minutes=5 * number)
            device = factories.device(ventilator.department, ventilator.type, model="HV-300", manufacturer="明康医疗")
            ticket = lifecycle.submit(device=device, preset=stopped, by=nurse, at=at)
            for step in steps:
                ticket = STEPS[step](ticket, engineer, dispatcher, at)
            made.append(ticket)
    User.objects.update(display_name_en=F("username"))
    return made


def _finish(ticket: Ticket, engineer: User, dispatcher: User, at: datetime) -> Ticket:
    sheet = lifecycle.FinishSheet(cause="part", action="replace", release="usable", diagnosis="电机老化")
    return lifecycle.resolve(ticket, sheet=sheet, by=engineer, at=at)


STEPS: dict[str, Callable[[Ticket, User, User, datetime], Ticket]] = {
    "a": lambda ticket, engineer, dispatcher, at: lifecycle.assign(ticket, to=engineer, by=dispatcher, at=at),
    "c": lambda ticket, engineer, dispatcher, at: lifecycle.accept(ticket, by=engineer, at=at),
    "r": lambda ticket, engineer, dispatcher, at: lifecycle.arrive(ticket, by=engineer, at=at, scanned=True),
    "s": lambda ticket, engineer, dispatcher, at: lifecycle.start(ticket, by=engineer, at=at, decon="cleaned"),
    "p": lambda ticket, engineer, dispatcher, at: lifecycle.pause(
        ticket, reason=HoldReason.objects.order_by("code")[0], by=engineer, at=at
    ),
    "f": _finish,
    "x": lambda ticket, engineer, dispatcher, at: lifecycle.cancel(ticket, by=dispatcher, at=at, reason="误报"),
}


def paths_of(address: Address, tickets: list[Ticket]) -> list[str]:
    """Where an address leads in this house; an admin page of an empty table leads nowhere."""
    if address.name.startswith(OF_ADMIN):
        for model in apps.get_models():
            label = f"{model._meta.app_label}_{model._meta.model_name}"
            if address.name.startswith(f"admin:{label}_") and "object_id" in address.parameters:
                first = model._base_manager.values_list("pk", flat=True).first()
                return [address.filled({"object_id": str(first)})] if first is not None else []
        return [address.filled({"id": "1", "app_label": "tickets", "object_id": "1", "url": ""})]
    some = tickets if address.name in OF_A_TICKET else tickets[:1]
    photo = Attachment.objects.values_list("public_id", flat=True).first() or "none"
    paths = []
    for ticket in some:
        values = {
            "public_id": ticket.public_id,
            "token": ticket.tracking_token,
            "verb": "nudge",
            "form": "csv",
            "pk": "1",
        }
        if address.name == "ward:report":
            values["token"] = token_of(ticket.device)
        if address.name == "api-device":
            values["public_id"] = ticket.device.public_id
        if address.name == "file":
            values["public_id"] = photo
        paths.append(address.filled(values))
    return paths


def answers(client: Client, path: str, language: str, *, post: bool) -> Iterator[HttpResponse]:
    """What a GET says, and an empty POST; its effects are undone."""
    header = {"accept-language": language}
    yield client.get(path, headers=header)
    if post:
        with transaction.atomic():
            yield client.post(path, headers=header)
            transaction.set_rollback(True)


def heard(answer: HttpResponse, language: str) -> list[str]:
    kind = answer.headers.get("content-type", "")
    if "html" in kind:
        return Reading(answer.content.decode()).said
    if "json" in kind and answer.content.startswith((b"{", b"[")) and language == "en":  # its keys are English in both
        return list(strings_in(json.loads(answer.content)))
    return []


@pytest.mark.parametrize("language", ["en", "zh-CN"])
@pytest.mark.parametrize("role", ["stranger", "nurse", "engineer", "dispatcher"])
def test_nothing_is_said_in_the_other_language(
    request: pytest.FixtureRequest, tickets: list[Ticket], signed_in: Callable[[User], Client], role: str, language: str
) -> None:
    client = Client() if role == "stranger" else signed_in(request.getfixturevalue(role))
    rows = rows_say(language)
    found: dict[str, set[str]] = {}
    for address in every_address():
        if address.name in NOT_PAGES or address.name.startswith((*FOREIGN, OF_ADMIN)):
            continue
        for number, path in enumerate(paths_of(address, tickets)):
            for answer in answers(client, path, language, post=number < POSTS):
                if stray := strays(heard(answer, language), language, rows):
                    found.setdefault(address.name, set()).update(stray)

    assert found == {}


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_the_admin_is_in_one_language(
    tickets: list[Ticket], admin_user: User, signed_in: Callable[[User], Client], language: str
) -> None:
    client = signed_in(admin_user)
    rows = rows_say(language, admin=True)
    found: dict[str, set[str]] = {}
    for address in every_address():
        if not address.name.startswith(OF_ADMIN) or address.name in NOT_PAGES or "history" in address.name:
            continue
        for path in paths_of(address, tickets):
            answer = client.get(path, headers={"accept-language": language})
            if stray := strays(heard(answer, language), language, rows):
                found.setdefault(address.name, set()).update(stray)

    assert found == {}


@pytest.mark.parametrize(
    ("refuse", "sentence"),
    [
        (lambda: MinimumLengthValidator(12).validate("kurz"), "密码太短，至少 12 个字符。"),
        (lambda: forms.IntegerField(min_value=0).clean("-1"), "不能小于 0。"),
        (lambda: forms.IntegerField(max_value=9).clean("10"), "不能大于 9。"),
        (lambda: forms.CharField(max_length=3).clean("四个字啊"), "最多 3 个字，现在有 4 个。"),
        (lambda: forms.CharField().clean("a\0"), "不能含空字符（NUL）。"),
    ],
)
def test_what_a_library_refuses_is_said_in_plain_chinese(refuse: Callable[[], object], sentence: str) -> None:
    with translation.override("zh-hans"), pytest.raises(ValidationError) as refused:
        refuse()

    with translation.override("zh-hans"):
        assert refused.value.messages == [sentence]
