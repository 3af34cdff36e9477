"""What every answer tells a browser in production, whatever its status and wherever it comes from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from assets.models import Device, User
from assets.register.queries import token_of
from config.kernel import views
from tests import factories
from tests.security.conftest import HOST
from tests.tickets.record import corpus
from tickets.models import Ticket
from tickets.record import services as record

pytestmark = pytest.mark.django_db


def held(answer: HttpResponse, *, admin: bool = False) -> None:
    """Everything an answer must carry."""
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Strict-Transport-Security"].startswith("max-age=31536000; includeSubDomains")
    assert answer["Referrer-Policy"] in ("same-origin", "no-referrer")
    assert answer["Permissions-Policy"].startswith("geolocation=(), microphone=(self), camera=(self)")
    assert answer["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "Server" not in answer
    policy = answer["Content-Security-Policy"]
    if policy == "sandbox; default-src 'none'":
        return
    for directive in ("default-src 'self'", "object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"):
        assert directive in policy
    assert ("unsafe" in policy) is admin
    for cookie in answer.cookies.values():
        assert cookie.key.startswith("__Host-"), cookie.key
        assert (cookie["secure"], cookie["samesite"], cookie["path"], cookie["domain"]) == (True, "Lax", "/", "")


def asked(client: Client, path: str, status: int) -> HttpResponse:
    answer = client.get(path)
    assert answer.status_code == status, (path, answer.status_code)
    return answer


def test_pages_of_every_status(
    in_production: Callable[..., Client], signed_browser: Callable[..., Client], nurse: User, dispatcher: User,
    ventilator: Device, ticket: Ticket, media: Path,
) -> None:  # fmt: skip
    stranger, ward, desk = in_production(), signed_browser(nurse), signed_browser(dispatcher)
    for client, path, status in [
        (stranger, "/accounts/login/", 200), (stranger, "/healthz", 200), (desk, "/desk/", 200),
        (stranger, f"/q/{token_of(ventilator)}/", 200), (stranger, f"/q/{token_of(ventilator)}/?lang=en", 200),
        (stranger, f"/t/{ticket.tracking_token}/", 200), (stranger, "/desk/", 302), (stranger, "/login/", 302),
        (ward, "/desk/", 403), (stranger, "/nothing", 404), (stranger, "/q/made-up/", 404), (stranger, "/files/x/", 302),
        (stranger, f"/t/{ticket.tracking_token}/confirm/", 302), (stranger, "/api/v1/tickets/", 401),
        (ward, "/api/v1/engineers/", 403), (desk, "/api/v1/tickets/", 200), (desk, "/api/v1/tickets/none/", 404),
        (stranger, "/api/v1/auth/token/", 405),
    ]:  # fmt: skip
        held(asked(client, path, status))
    unreadable = stranger.post("/api/v1/auth/token/", "{", "application/json")
    assert unreadable.status_code == 400
    held(unreadable)
    held(stranger.delete("/desk/"))
    held(stranger.options("/q/"))
    held(stranger.post("/q/", {"code": "none"}))
    held(asked(signed_browser(dispatcher), "/admin/nothing/", 404), admin=True)
    held(asked(desk, "/admin/assets/person/", 403), admin=True)
    held(asked(desk, "/admin/tickets/ticket/", 200), admin=True)
    held(asked(stranger, "/admin/", 302), admin=True)


def test_a_forged_form_a_wrong_host_and_too_many_fields(in_production: Callable[..., Client]) -> None:
    forged = in_production(enforce_csrf_checks=True).post("/accounts/login/", {"login": "x"})
    crowded = in_production().post("/q/", {f"f{n}": "" for n in range(501)})
    wrong_host = in_production().get("/healthz", headers={"Host": "evil.example"})

    assert [answer.status_code for answer in (forged, crowded, wrong_host)] == [403, 400, 400]
    for answer in (forged, crowded, wrong_host):
        held(answer)


def test_a_locked_out_guesser(in_production: Callable[..., Client], engineer: User, settings: Any) -> None:
    settings.AXES_ENABLED = True
    for path, name in (("/accounts/login/", "login"), ("/api/v1/auth/token/", "username")):
        kind = {"content_type": "application/json"} if name == "username" else {}
        for _try in range(6):
            answer = in_production().post(path, {name: engineer.username, "password": "wrong"}, **kind)

        assert answer.status_code == 429
        held(answer)


def test_a_broken_page(in_production: Callable[..., Client], monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: Any, **more: Any) -> Any:
        raise ZeroDivisionError("canary-in-the-trace")

    monkeypatch.setattr("tickets.ward.views.register.by_token", broken)
    monkeypatch.setattr("integrations.identity.api.authenticate", broken)

    page = in_production(raise_request_exception=False).get("/q/x/")
    api = in_production(raise_request_exception=False).post(
        "/api/v1/auth/token/", {"username": "x", "password": "y"}, "application/json"
    )

    for answer in (page, api):
        assert answer.status_code == 500
        assert b"canary" not in answer.content
        held(answer)


def test_a_file_is_an_attachment_in_a_sandbox(
    signed_browser: Callable[..., Client], dispatcher: User, ticket: Ticket, media: Path
) -> None:
    upload = SimpleUploadedFile('a"\r\nX-Evil: 1.jpg', corpus.jpeg())
    row = record.attach(ticket, upload=upload, by=dispatcher, at=timezone.now())

    answer = asked(signed_browser(dispatcher), f"/files/{row.public_id}/", 200)

    held(answer)
    assert answer["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert answer["Content-Disposition"].startswith("attachment")
    assert "X-Evil" not in answer
    answer.close()


@pytest.mark.parametrize("path", ["/static/css/base.css", "/static/js/core.js", "/static/nothing.css"])
def test_static_files(in_production: Callable[..., Client], path: str) -> None:
    answer = in_production().get(path)

    assert answer.status_code == (404 if "nothing" in path else 200)
    held(answer)
    answer.close()


def test_plain_http_is_sent_to_https_with_its_headers(in_production: Callable[..., Client]) -> None:
    answer = in_production().get("/desk/", headers={"X-Forwarded-Proto": "http"})

    assert (answer.status_code, answer["Location"]) == (301, f"https://{HOST}/desk/")
    assert answer["X-Content-Type-Options"] == "nosniff"


def test_refusals_need_no_database(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        views.refusal(Client().get("/healthz").wsgi_request, 500)


def test_passwords_are_never_repeated(in_production: Callable[..., Client], engineer: User) -> None:
    answer = in_production().post("/accounts/login/", {"login": "li", "password": "canary-pass-77"})

    assert "canary-pass-77" not in answer.content.decode()
    assert factories.PASSWORD not in str(answer.headers)
