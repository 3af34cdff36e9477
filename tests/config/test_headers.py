"""What every answer tells the browser, by place and status."""

import pytest
from django.http import HttpResponse
from django.test import RequestFactory

from config.csp import PrivateByDefault
from config.proxy import ClientAddress, client_ip
from config.signin import attempted_username

PAGES = ["/healthz", "/accounts/login/", "/nothing-here", "/admin/login/", "/api/v1/tickets/"]


@pytest.mark.django_db
@pytest.mark.parametrize("path", PAGES)
def test_every_page_is_private_and_frames_nobody(client, path):
    answer = client.get(path)

    assert "private" in answer["Cache-Control"]
    assert "no-store" in answer["Cache-Control"]
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Permissions-Policy"].startswith("geolocation=()")
    for directive in ("default-src 'self'", "object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"):
        assert directive in answer["Content-Security-Policy"]


@pytest.mark.django_db
@pytest.mark.parametrize("path", PAGES)
def test_eval_is_allowed_in_the_admin_and_nowhere_else(client, path):
    policy = client.get(path)["Content-Security-Policy"]

    assert ("unsafe-eval" in policy) is path.startswith("/admin/")
    assert ("unsafe-inline" in policy) is path.startswith("/admin/")


def test_a_view_may_say_what_may_be_cached():
    def view(request):
        return HttpResponse(headers={"Cache-Control": "public, max-age=60"})

    answer = PrivateByDefault(view)(RequestFactory().get("/"))

    assert answer["Cache-Control"] == "public, max-age=60"


@pytest.mark.parametrize("written", ["Li.Wei", "ＬＩ.wei", "li.wei"])
def test_width_and_case_buy_no_more_guesses(written):
    assert attempted_username(None, {"username": written}) == "li.wei"


@pytest.mark.django_db
def test_nobody_signs_up(client):
    assert "password1" not in client.get("/accounts/signup/").content.decode()


@pytest.mark.parametrize(
    ("proxies", "forwarded", "caller"),
    [
        (0, "6.6.6.6", "10.0.0.1"),
        (1, "", "10.0.0.1"),
        (1, "6.6.6.6, 192.0.2.7", "192.0.2.7"),
        (2, "6.6.6.6, 192.0.2.7, 10.0.0.9", "192.0.2.7"),
        (2, "192.0.2.7", "192.0.2.7"),
    ],
)
def test_a_caller_cannot_choose_the_address_that_limits_count(settings, proxies, forwarded, caller):
    settings.TRUSTED_PROXIES = proxies
    request = RequestFactory().get("/", REMOTE_ADDR="10.0.0.1", headers={"X-Forwarded-For": forwarded})

    ClientAddress(lambda request: HttpResponse())(request)

    assert client_ip(request) == caller
