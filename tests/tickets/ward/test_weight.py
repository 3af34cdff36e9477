"""The page of a hurry must be light: measured before compression, with nine tiles."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders

from assets.models import Device
from tests import factories
from tests.tickets.ward.conftest import Phone

pytestmark = pytest.mark.django_db

ICONS = (
    "power-off",
    "wind",
    "percent",
    "gauge",
    "plug-zap",
    "monitor-off",
    "shield-alert",
    "droplets",
    "battery-warning",
)


def _bytes(url: str) -> int:
    found = finders.find(url.removeprefix(settings.STATIC_URL if url.startswith(settings.STATIC_URL) else "/static/"))
    assert found, url
    return Path(str(found)).stat().st_size


@pytest.fixture
def full(ventilator: Device) -> Device:
    """A device with as many tiles as the page ever shows."""
    for n, icon in enumerate(ICONS):
        factories.preset(ventilator.type.group, f"fault-{n}", "流量传感器\n报警", icon=icon, order=n)
    return ventilator


def test_page_and_sheet_stay_under_thirty_kilobytes(phone: Phone, full: Device) -> None:
    page = phone.scan(full).content
    sheets = re.findall(r'<link rel="stylesheet" href="([^"]+)"', page.decode())

    assert len(sheets) == 1
    assert page.count(b'name="symptom"') == 9
    assert len(page) + _bytes(sheets[0]) < 30 * 1024


def test_the_whole_first_load_stays_under_sixty_kilobytes(phone: Phone, full: Device) -> None:
    page = phone.scan(full).content.decode()
    loaded = set(re.findall(r'(?:href|src)="(/?static/[^"#]+)"', page))

    assert len(page.encode()) + sum(_bytes(url) for url in loaded) <= 60 * 1024


def test_at_most_sixteen_different_drawings_are_inlined(phone: Phone, full: Device) -> None:
    page = phone.scan(full).content.decode()

    drawings = set(re.findall(r'<svg class="i[^>]*>(.*?)</svg>', page, re.DOTALL))
    assert len(drawings) <= 18


def test_it_works_without_scripts_and_sends_none_inline(phone: Phone, full: Device) -> None:
    page = phone.scan(full).content.decode()

    assert not re.search(r"<script(?![^>]*\bsrc=)", page)
    assert not re.search(r"\son[a-z]+=|\sstyle=", page)
    assert '<form id="r" method="post"' in page
    assert re.search(r'<button type="submit"[^>]*form="r"', page)
