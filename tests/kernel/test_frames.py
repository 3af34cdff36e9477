"""Page frames and refusals: they stand without a database, in both languages, and only name pages that exist."""

import json

import pytest
from django.contrib.auth.models import AnonymousUser
from django.http import Http404
from django.test import RequestFactory
from django.utils import translation

from config.kernel import context, views

STATUSES = [400, 403, 404, 405, 429, 500, 503]


@pytest.fixture
def known(monkeypatch):
    """Three pages of the top bar exist."""
    existing = {"desk:board": "/desk/", "desk:tickets": "/desk/tickets/", "field:today": "/field/"}
    monkeypatch.setattr(context, "first_address", lambda names: next((existing[n] for n in names if n in existing), ""))


@pytest.mark.parametrize("status", STATUSES)
def test_a_refusal_needs_no_database_and_gives_the_number(settings, status):
    settings.HOSPITAL_PHONE = "8120"

    answer = views.refusal(RequestFactory().get("/x/"), status)

    page = answer.content.decode()
    assert answer.status_code == status
    assert 'href="tel:8120"' in page
    assert '<html lang="zh-CN"' in page
    assert f'<p class="code">{status}</p>' in " ".join(page.split()).replace("> ", ">").replace(" <", "<")


def test_a_refusal_speaks_the_readers_language():
    with translation.override("en"):
        page = views.refusal(RequestFactory().get("/x/"), 404).content.decode()

    assert '<html lang="en"' in page
    assert "No such page" in page


def test_a_form_that_was_open_too_long_says_that_entries_are_kept():
    answer = views.csrf_failure(RequestFactory().post("/x/"))

    assert answer.status_code == 403
    assert "内容还在" in answer.content.decode()


@pytest.mark.parametrize(
    ("language", "status", "sentence"),
    [
        ("zh-CN", 404, "没有这个地址。"),
        ("en", 405, "This address does not take this method."),
        ("en", 413, "The request is too large."),
    ],
)
def test_below_api_a_refusal_is_a_problem_document_with_a_sentence(language, status, sentence):
    answer = views.refusal(RequestFactory().get("/api/v1/nothing/", headers={"Accept-Language": language}), status)

    assert answer.headers["Content-Type"] == "application/problem+json"
    said = json.loads(answer.content)
    assert (said["status"], said["title"], said["detail"]) == (status, sentence, sentence)
    assert said["type"].startswith("urn:wardline:")


def test_the_top_bar_names_only_pages_that_exist_and_that_the_role_may_use(known):
    assert [e["url"] for e in context.navigation("dispatcher", "/desk/")] == ["/desk/", "/desk/tickets/"]
    assert [e["url"] for e in context.navigation("engineer", "/field/")] == ["/field/", "/desk/tickets/"]
    assert context.navigation("nurse", "/") == []
    assert context.navigation("", "/") == []


def test_the_deepest_address_is_the_current_place(known):
    entries = context.navigation("manager", "/desk/tickets/abc/")

    assert [e["current"] for e in entries] == [False, True]
    assert [e["current"] for e in context.navigation("manager", "/elsewhere/")] == [False, False]


def test_the_frame_reads_nothing_until_a_page_asks():
    request = RequestFactory().get("/r/abc/")  # no user at all: a ward page never asks who is there

    frame = context.page_frame(request)

    assert frame["hospital_phone"]
    assert frame["other_language"] == {"code": "en", "label": "EN"}
    assert frame["html_lang"] == "zh-CN"


def test_home_sends_each_role_to_its_first_place(known, rf):
    request = rf.get("/")
    request.user = type("Someone", (), {"is_authenticated": True, "role": "engineer"})()

    assert views.home(request).headers["Location"] == "/field/"


def test_home_asks_strangers_to_sign_in(rf):
    request = rf.get("/")
    request.user = AnonymousUser()

    answer = views.home(request)

    assert answer.status_code == 302
    assert "login" in answer.headers["Location"]


def test_the_gallery_exists_only_for_developers(rf, settings):
    settings.DEBUG = False
    with pytest.raises(Http404):
        views.gallery(rf.get("/design/"))


def test_the_gallery_draws_every_component_without_inline_style(rf, settings):
    settings.DEBUG = True
    request = rf.get("/design/")
    request.user = AnonymousUser()
    request._messages = []

    page = views.gallery(request).content.decode()

    assert page.count('class="ringw"') == 4
    assert " style=" not in page
    assert "onclick" not in page
