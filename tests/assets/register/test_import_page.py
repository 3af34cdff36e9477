"""The import page of the admin: preview first, write once, only for those who keep the register."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from assets.models import Device, User
from tests import factories

HERE = "/admin/assets/device/import/"
GOOD = "资产编号,设备名称,设备类型,使用科室,位置\nA-1,输液泵,输液泵,ICU,L-ICU\n"


@pytest.fixture
def keeper(icu: Any, manager: User, signed_in: Callable[[User], Client], settings: Any, tmp_path: Any) -> Client:
    settings.MEDIA_ROOT = tmp_path
    factories.device_type(name="输液泵")
    return signed_in(manager)


def _send(client: Client, text: str) -> Any:
    return client.post(HERE, {"file": SimpleUploadedFile("register.csv", text.encode())}, follow=True)


def test_a_file_is_previewed_and_then_written(keeper: Client) -> None:
    preview = _send(keeper, GOOD)
    token = preview.context["token"]
    assert preview.context["preview"].created == 1
    assert "A-1" in preview.content.decode()
    assert Device.objects.count() == 0

    done = keeper.post(HERE, {"token": token}, follow=True)

    assert done.redirect_chain[-1][0] == "/admin/assets/device/"
    assert Device.objects.get().asset_no == "A-1"


def test_a_wrong_row_is_shown_with_its_number_and_cannot_be_written(keeper: Client) -> None:
    preview = _send(keeper, GOOD + "A-2,输液泵,没有的类型,ICU,L-ICU\n")

    text = preview.content.decode()
    assert "没有的类型" in text
    assert 'name="token"' not in text
    keeper.post(HERE, {"token": preview.context["token"]})
    assert Device.objects.count() == 0


def test_a_file_that_is_no_table_gets_a_sentence(keeper: Client) -> None:
    answer = _send(keeper, "x\n" * 3)

    assert answer.status_code == 200
    assert "缺少列" in answer.content.decode()


def test_a_cell_cannot_become_markup(keeper: Client) -> None:
    answer = _send(keeper, GOOD.replace("A-1,输液泵", "A-1,<script>alert(1)</script>"))

    assert "<script>alert(1)" not in answer.content.decode()


def test_an_empty_table_to_fill_in_can_be_downloaded(keeper: Client) -> None:
    answer = keeper.get(HERE, {"empty": "1"})

    assert answer["Content-Disposition"] == 'attachment; filename="register.xlsx"'
    assert answer.content.startswith(b"PK")


@pytest.mark.parametrize("role", ["nurse", "engineer", "dispatcher"])
def test_others_are_refused_and_nothing_is_written(
    role: str, keeper: Client, signed_in: Callable[[User], Client], request: Any
) -> None:
    client = signed_in(request.getfixturevalue(role))

    answers = [client.get(HERE), _send(client, GOOD), client.post(HERE, {"token": "x"})]

    assert all(answer.status_code in (302, 403) or "login" in str(answer.redirect_chain) for answer in answers)
    assert Device.objects.count() == 0


def test_the_list_of_devices_leads_to_the_import(keeper: Client) -> None:
    assert HERE in keeper.get("/admin/assets/device/").content.decode()
