"""The people of the authorisation matrix, the three places they knock at, and a lean way to knock."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.handlers.base import BaseHandler
from django.core.signals import request_finished
from django.db import close_old_connections, connection, transaction
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.utils import timezone

from assets.models import Department, Device, Location, User
from assets.register.queries import token_of
from config.kernel.models import EventRecord
from dispatch.models import DepartmentMode, Leave, Weights
from integrations.identity import services as identity
from integrations.models import Delivery, Notification
from tests import factories
from tests.architecture.addresses import Address
from tests.architecture.rights import STRANGER
from tickets.lifecycle import services as lifecycle
from tickets.models import Attachment, Calendar, PriorityRule, Rung, SavedView, Target, Ticket

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
OWN, OTHER, FAR = "own", "other department", "other campus"
PLACES = (OWN, OTHER, FAR)
SIGN_IN = ("/accounts/login/", "/admin/login/")


@dataclass(frozen=True)
class Principal:
    """Somebody at the door. `column` is the person of WHO whose letters hold, by place; STRANGER where none does."""

    name: str
    own: str
    other: str
    far: str
    api_only: bool = False

    def column(self, place: str, address: Address) -> str:
        # The API lists the addresses of files: whoever reads the list by token opens them by token.
        if self.api_only and not address.name.startswith("api-") and address.name != "file":
            return STRANGER
        return {OWN: self.own, OTHER: self.other, FAR: self.far}[place]


def _same(name: str, column: str, **more: Any) -> Principal:
    return Principal(name, column, column, column, **more)


PRINCIPALS = (
    _same("anonymous", STRANGER),
    _same("QR holder", STRANGER),
    _same("tracking holder", STRANGER),
    Principal("ward", "nurse", "outsider", "outsider"),
    Principal("ward of another department", "outsider", "nurse", "outsider"),
    _same("ward account without a department", "outsider"),
    Principal("engineer", "engineer", "colleague", "colleague"),
    Principal("engineer, another's job", "colleague", "engineer", "colleague"),
    Principal("engineer of another campus", "colleague", "colleague", "engineer"),
    _same("dispatcher", "dispatcher"),
    _same("manager", "manager"),
    _same("manager of another department", "manager"),
    _same("administrator", "admin_user"),
    Principal("token of an engineer", "engineer", "colleague", "colleague", api_only=True),
    Principal("token of a ward", "nurse", "outsider", "outsider", api_only=True),
    _same("revoked token", STRANGER),
    _same("expired token", STRANGER),
    _same("disabled user", STRANGER),
    _same("token of a disabled user", STRANGER),
    _same("expired session", STRANGER),
)


@dataclass
class House:
    """Three departments, each with a device, a ticket in an engineer's hands and all that hangs on it."""

    people: dict[str, User]
    tickets: dict[str, Ticket]
    special: dict[str, dict[str, dict[str, str]]] = field(default_factory=dict)
    _paths: dict[tuple[str, str], str] = field(default_factory=dict)

    def path(self, address: Address, place: str = OWN) -> str:
        key = (address.pattern, place)
        return self._paths.get(key) or self._paths.setdefault(key, self._path(address, place))

    def _path(self, address: Address, place: str) -> str:
        common = {"public_id": self.tickets[place].public_id, "token": token_of(self.tickets[place].device),
                  "verb": "accept", "form": "csv", "key": "x", "uidb36": "1", "id": "1", "pk": "1",
                  "object_id": "1", "history_id": "1", "content_type_id": "1", "app_label": "tickets", "url": "nowhere/"}  # fmt: skip
        if address.name.startswith("admin:"):
            common |= _first_row(address)
        return address.filled(common | self.special[place].get(address.name, {}))

    @staticmethod
    def knows_places(address: Address) -> bool:
        """Whether the address names something that belongs to a place."""
        return bool({"public_id", "token"} & set(address.parameters)) or address.name == "notifications-follow"


def _first_row(address: Address) -> dict[str, str]:
    """Keys of a real row, and of its first change, for the admin's pages about one row."""
    known = {(m._meta.app_label, m._meta.model_name): m for m in apps.get_models()}
    of = known.get(tuple(address.pattern.split("/")[1:3]))
    row = of._default_manager.order_by("pk").last() if of else None
    if row is None:
        return {}
    change = row.log.order_by("history_id").first() if hasattr(row, "log") else None
    # Django's page for somebody's password calls the key `id`.
    return {"object_id": str(row.pk), "id": str(row.pk), "history_id": str(change.history_id) if change else "1"}


def furnish(icu: Department, surgery: Department, ventilator: Device, at: datetime) -> House:
    """The house of the matrix; rules, two wards and one device exist already."""
    for model in (Calendar, PriorityRule, Rung, Target):
        model.objects.latest("pk").save()  # a change for the pages that show one
    campus = Location.objects.create(code="EAST", name="东院区", name_en="East campus", kind=Location.Kind.CAMPUS)
    base = factories.location("东院 1 层", code="EAST-1", parent=campus, kind=Location.Kind.FLOOR)
    east = factories.department("EAST", "东院急诊", location=base)
    homes = {OWN: icu, OTHER: surgery, FAR: east}
    people = {
        "ward": factories.user("nurse", "nurse", home=icu, name="陈护士"),
        "ward of another department": factories.user("outsider", "nurse", home=surgery, name="吴护士"),
        "ward account without a department": factories.user("unplaced", "nurse"),
        "engineer": factories.engineer("li", at=at, name="李志远", cards={"r1": at.date()}),
        "engineer, another's job": factories.engineer("wang", at=at, name="王建国"),
        "engineer of another campus": factories.engineer("zhao", at=at, name="赵东", base=base),
        "dispatcher": factories.user("dispatcher", "dispatcher", name="周敏"),
        "manager": factories.user("manager", "manager", home=icu, name="何军"),
        "manager of another department": factories.user("manager2", "manager", home=surgery, name="孙丽"),
        "administrator": factories.user("admin", "admin", name="系统管理员"),
        "disabled user": factories.user("gone", "admin", name="前管理员"),
        "expired session": factories.user("late", "admin", name="迟到者"),
    }
    hands = {OWN: "engineer", OTHER: "engineer, another's job", FAR: "engineer of another campus"}
    house = House(people, {})
    for place, home in homes.items():
        device = ventilator if place == OWN else factories.device(home, ventilator.type)
        ticket = lifecycle.submit(device=device, by=people["dispatcher"], at=at)
        lifecycle.assign(ticket, to=people[hands[place]], by=people["dispatcher"], at=at)
        ticket.refresh_from_db()
        house.tickets[place] = ticket
        house.special[place] = _special(ticket, device, people[hands[place]], at)
    _papers(house, at)
    return house


def _papers(house: House, at: datetime) -> None:
    """A row for each page of the admin whose table nothing else has filled: a missing row says nothing about rights."""
    engineer = house.people["engineer"]
    DepartmentMode.objects.create(department=house.tickets[FAR].department)
    Weights.objects.create(version=99)
    Leave.objects.create(engineer=engineer.engineer, starts_at=at, ends_at=at + timedelta(hours=1))
    Delivery.objects.create(notification=Notification.objects.all()[0], channel="email", at=at)
    identity.issue_token(engineer, at=at)


def _special(ticket: Ticket, device: Device, engineer: User, at: datetime) -> dict[str, dict[str, str]]:
    photo = Attachment(ticket=ticket, kind="photo", content_type="image/jpeg", size=1, sha256="0" * 64, at=at)
    photo.file.save("p.jpg", ContentFile(b"x"), save=False)
    photo.thumbnail.save("t.jpg", ContentFile(b"x"))
    view = SavedView.objects.create(owner=engineer, name="mine", query={"open": "1"})
    told = Notification.objects.create(
        user=engineer, template="assigned", params={"ticket": ticket.public_id}, dedup=ticket.public_id, at=at
    )
    return {
        "api-device": {"public_id": device.public_id},
        "file": {"public_id": photo.public_id},
        "ward:track": {"token": ticket.tracking_token},
        "ward:file": {"token": ticket.tracking_token, "public_id": photo.public_id},
        "ward:act": {"token": ticket.tracking_token, "verb": "nudge"},
        "desk:delete-view": {"pk": str(view.pk)},
        "notifications-follow": {"pk": str(told.pk)},
    }


@dataclass
class Knocker:
    """Asks as one principal, without the test client's book-keeping: a matrix asks tens of thousands of times."""

    headers: dict[str, str]
    cookies: dict[str, str]
    _handler: BaseHandler = field(default_factory=BaseHandler)

    def __post_init__(self) -> None:
        self._handler.load_middleware()
        self._factory = RequestFactory(headers=self.headers)
        self._factory.cookies.load(self.cookies)

    def ask(self, method: str, path: str, body: bytes = b"", kind: str = "", *, csrf: bool = True) -> HttpResponse:
        request = self._factory.generic(method, path, body, kind or "application/x-www-form-urlencoded")
        request._dont_enforce_csrf_checks = csrf
        answer = self._handler.get_response(request)
        # As Django's own test client: the end of a request must not close the connection the test is in.
        request_finished.disconnect(close_old_connections)
        answer.close()
        request_finished.connect(close_old_connections)
        return answer


def knocker(principal: Principal, house: House) -> Knocker:
    """The principal with what it holds: cookies of a session or of a page it saw, or a token."""
    name, client, headers = principal.name, Client(), {}
    if name == "QR holder":
        client.get(f"/q/{token_of(house.tickets[OWN].device)}/")
    elif name == "tracking holder":
        client.get(f"/t/{house.tickets[OWN].tracking_token}/")
    elif "token" in name:
        headers = {"authorization": f"Token {_token(name, house)}"}
    elif name in house.people:
        client.force_login(house.people[name], backend="config.rights.RoleBackend")
    if name == "disabled user":
        User.objects.filter(pk=house.people[name].pk).update(is_active=False)
    if name == "expired session":
        client.session.model.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
    return Knocker(headers, {key: morsel.value for key, morsel in client.cookies.items()})


def _token(name: str, house: House) -> str:
    owner = {"token of a ward": "ward", "token of a disabled user": "dispatcher"}.get(name, "engineer")
    user, now = house.people[owner], timezone.now()
    row, clear = identity.issue_token(user, at=now - timedelta(hours=13) if name == "expired token" else now)
    if name == "revoked token":
        identity.revoke(row, at=now)
    if name == "token of a disabled user":
        User.objects.filter(pk=user.pk).update(is_active=False)
    return clear


def letter(answer: HttpResponse) -> str:
    """How the table spells an answer."""
    code = answer.status_code
    if code in (301, 302) and answer["Location"].startswith(SIGN_IN):
        return "n"
    return {401: "n", 403: "n", 404: "h", 405: "-"}.get(code, "y")


@contextmanager
def writes() -> Iterator[list[str]]:
    """Every statement that would change a row, as long as the block lasts."""
    seen: list[str] = []

    def watch(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.lstrip().upper().startswith(("INSERT", "UPDATE", "DELETE", "REPLACE", "MERGE", "TRUNCATE")):
            seen.append(sql[:160])
        return execute(sql, params, many, context)

    with connection.execute_wrapper(watch):
        yield seen


@contextmanager
def undone() -> Iterator[None]:
    """What happens inside is as if it had not."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def counted() -> Mapping[str, Any]:
    """Rows of every table, and the head of the log."""
    rows: dict[str, Any] = {
        m._meta.label: m._default_manager.count() for m in apps.get_models(include_auto_created=True)
    }
    head = EventRecord.objects.order_by("-pk").values_list("pk", "seq", "hash").first()
    return rows | {"head of the log": head, "database": settings.DATABASES["default"]["ENGINE"]}
