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
