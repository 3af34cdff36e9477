"""The API's page for people refuses people with pages and programs with problem+json."""

import pytest

pytestmark = pytest.mark.django_db


def test_a_browser_is_led_to_the_sign_in_and_back(client):
    answer = client.get("/api/v1/docs/", headers={"accept": "text/html,application/xhtml+xml"})

    assert answer.status_code == 302
    assert answer["Location"].endswith("?next=/api/v1/docs/")


def test_a_program_is_refused_in_the_type_it_is_told(client):
    answer = client.get("/api/v1/docs/", headers={"accept": "*/*"})

    assert answer.status_code == 401
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["type"] == "urn:wardline:not_authenticated"


@pytest.mark.parametrize("version", ["1\r\nX: y", "\x7f", "2"])
def test_no_version_of_the_asker_reaches_a_header(client, django_user_model, version):
    client.force_login(django_user_model.objects.create_user(username="asker", role="engineer"))

    answer = client.get("/api/v1/schema/", {"version": version})

    assert answer.status_code == 200
    assert answer["Content-Disposition"] == 'inline; filename="Wardline API.yaml"'
