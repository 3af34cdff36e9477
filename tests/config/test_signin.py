"""One door to sign in by, and a second factor in front of the admin where the hospital demands it."""

import re

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.urls import reverse

from tests import factories

pytestmark = pytest.mark.django_db


def test_the_admin_has_no_sign_in_of_its_own(client):
    answer = client.get("/admin/login/?next=/admin/")

    assert answer.status_code == 302
    assert answer["Location"].startswith(reverse("account_login"))


@pytest.mark.parametrize("address", ["//evil.example[", "http://[::1", "//evil.example/", "javascript:alert(1)"])
def test_an_address_to_go_on_to_that_is_foreign_or_unreadable_is_left_out(client, manager, address):
    page = client.get("/accounts/login/", {"next": address})
    answer = client.post(
        "/accounts/login/", {"login": manager.username, "password": factories.PASSWORD, "next": address}
    )

    assert page.status_code == 200
    assert (answer.status_code, answer["Location"]) == (302, "/")


def test_the_admin_is_closed_without_a_second_factor_where_it_is_demanded(client, settings, manager):
    settings.ADMIN_NEEDS_SECOND_FACTOR = True
    client.force_login(manager)

    assert client.get("/admin/")["Location"] == reverse("mfa_activate_totp")
    assert client.get("/accounts/login/")["Location"] != reverse("mfa_activate_totp")


def test_a_second_factor_opens_the_admin(client, settings, manager):
    settings.ADMIN_NEEDS_SECOND_FACTOR = True
    Authenticator.objects.create(user=manager, type=Authenticator.Type.TOTP, data={"secret": "x"})
    client.force_login(manager)

    assert client.get("/admin/").status_code == 200


def test_a_fresh_manager_walks_from_the_password_to_the_admin(client, settings, manager):
    settings.ADMIN_NEEDS_SECOND_FACTOR = True
    asked = client.post("/accounts/login/?next=/admin/", {"login": manager.username, "password": factories.PASSWORD})
    assert asked["Location"] == "/admin/"

    page = client.get("/admin/", follow=True)
    assert page.redirect_chain == [(reverse("mfa_activate_totp"), 302)]
    told = page.content.decode()
    secret = re.search(r"data-secret>([A-Z2-7]+)<", told)[1]
    assert "扫这个码" in told

    wrong = client.post(reverse("mfa_activate_totp"), {"code": "12345"})
    assert "六位数不对" in wrong.content.decode()
    assert client.get("/admin/").status_code == 302

    code = format_hotp_value(hotp_value(secret, next(yield_hotp_counters_from_time())))
    codes = client.post(reverse("mfa_activate_totp"), {"code": code}, follow=True).content.decode()
    assert "备用码" in codes
    assert 'href="/admin/"' in codes
    assert client.get("/admin/").status_code == 200


def test_nobody_is_asked_for_a_second_factor_where_it_is_not_demanded(client, manager):
    client.force_login(manager)

    assert client.get("/admin/").status_code == 200


def test_the_fifth_wrong_password_locks_the_pair_of_name_and_address_only(client, settings, manager):
    settings.AXES_ENABLED = True

    def sign_in(password, address):
        return client.post("/accounts/login/", {"login": manager.username, "password": password}, REMOTE_ADDR=address)

    for _attempt in range(5):
        sign_in("wrong", "10.0.0.1")

    assert sign_in(factories.PASSWORD, "10.0.0.1").status_code == 429
    assert "_auth_user_id" not in client.session
    assert sign_in(factories.PASSWORD, "10.0.0.2").status_code == 302
