"""One door to sign in by, and a second factor in front of the admin where the hospital demands it."""

import pytest
from allauth.mfa.models import Authenticator
from django.urls import reverse

from tests import factories

pytestmark = pytest.mark.django_db


def test_the_admin_has_no_sign_in_of_its_own(client):
    answer = client.get("/admin/login/?next=/admin/")

    assert answer.status_code == 302
    assert answer["Location"].startswith(reverse("account_login"))


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
