"""One box for every code: what a scanned or typed text is, and which devices it means for whom."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from assets.models import Device, User
from assets.register import queries, rules
from tests import factories

VECTORS = json.loads((Path(__file__).parent / "data" / "udi_vectors.json").read_text())
TOKEN = "k1.AbCdEfGhIjKlMnOpQrSt_-.1.AbCdEfGhIjKlMnOpQrSt_-"
GS = "\x1d"


@pytest.mark.parametrize(
    "text",
    [
        f"https://wardline.example/q/{TOKEN}/",
        f"http://10.1.2.3:8000/q/{TOKEN}",
        f" https://any.host/base/q/{TOKEN}/?utm=x#top ",
        TOKEN,
    ],
)
def test_our_own_label_is_known_under_any_host(text: str) -> None:
    assert rules.classify(text) == rules.Scan("token", TOKEN)


@pytest.mark.parametrize("vector", VECTORS["gs1"], ids=lambda v: v["hri"])
def test_gs1_strings_read_like_the_reference(vector: dict[str, Any]) -> None:
    texts = [vector["value"], f"]d2{vector['value']}", f"]C1{vector['value']}", f"{GS}{vector['value']}"]
    if "(" not in vector["serial"]:  # brackets inside a bracketed value cannot be told apart
        texts.append(vector["hri"])
    for text in texts:
        scan = rules.classify(text)
        if vector["gtin"] is None:
            assert (scan.kind, scan.problem) == ("text", "udi_check")
        else:
            assert (scan.kind, scan.agency, scan.value) == ("udi", "GS1", vector["gtin"])
            assert (scan.serial, scan.lot) == (vector["serial"], vector["lot"])


def test_udi_of_a_fhir_example_gives_device_serial_and_lot() -> None:
    example_of_gs1 = next(v for v in VECTORS["agencies"] if v["agency"] == "GS1")

    scan = rules.classify(example_of_gs1["hri"])

    assert (scan.value, scan.serial, scan.lot) == (
        example_of_gs1["di"],
        example_of_gs1["serial"],
        example_of_gs1["lot"],
    )


@pytest.mark.parametrize("agency", ["HIBCC", "ICCBBA"])
def test_codes_of_agencies_that_china_does_not_use_stay_text(agency: str) -> None:
    text = next(v for v in VECTORS["agencies"] if v["agency"] == agency)["hri"]

    assert rules.classify(text).kind == "text"


@pytest.mark.parametrize(
    "text",
    [
        "(01)06901234567892(11)141231(17)150707(10)A213B1(21)1234",
        "（01）06901234567892 （11）141231 （10）A213B1 （21）1234",
        f"0106901234567892111412311715070710A213B1{GS}211234",
        "0106901234567892111412311715070010A213B1<GS>211234",
        "0106901234567892111412311715070710A213B1␝211234",
        "https://id.gs1.org/01/06901234567892/10/A213B1/21/1234?17=150707",
        "https://maker.example/01/06901234567892/10/A213B1/21/1234",
    ],
)
def test_one_udi_in_all_its_writings(text: str) -> None:
    assert rules.classify(text) == rules.Scan("udi", "06901234567892", agency="GS1", serial="1234", lot="A213B1")


def test_a_bare_gtin_counts_only_with_a_right_check_digit() -> None:
    assert rules.classify("6901234567892").value == "06901234567892"
    assert rules.classify("6901234567893") == rules.Scan("text", "6901234567893")
    assert rules.classify("https://id.gs1.org/01/06901234567893/21/9").kind == "text"


@pytest.mark.parametrize(
    "text",
    ["MA.156.M0.100123.11234568.S99A.L77.M20260101", "https://www.idcode.org.cn/ma.156.M0.100123.11234568.L77.S99A"],
)
def test_idcode_gives_device_serial_and_lot(text: str) -> None:
    assert rules.classify(text) == rules.Scan("udi", "MA.156.M0.100123.11234568", agency="MA", serial="99A", lot="77")


def test_a_code_of_alihealth_is_a_udi() -> None:
    assert rules.classify("81234567890123456789") == rules.Scan("udi", "81234567890123456789", agency="AHM")


def test_a_mistyped_short_code_says_so() -> None:
    assert rules.classify("7k3-q9f") == rules.Scan("short_code", "7K3Q9F")
    assert rules.classify("7k3-q8f") == rules.Scan("text", "7k3-q8f", problem="short_code_check")


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(
        st.text(max_size=500),
        st.text("0123456789()" + GS, max_size=80),
        st.text("0123456789./:?=&%https", max_size=80).map("https://id.gs1.org/01/".__add__),
        st.from_regex(r"\A(\([0-9]{2,4}\)[0-9A-Z]{1,14}){1,5}\Z"),
        st.from_regex(r"\A\]d2(01[0-9]{14}|17[0-9]{6}|3103[0-9]{6}|390[0-9]{8}){1,4}\Z"),
    )
)
@example("(01)")
@example("https://id.gs1.org/01/%ff")
@example("0" * 10_000)
def test_any_text_is_classified_without_an_error(text: str) -> None:
    scan = rules.classify(text)

    assert scan.kind in ("token", "short_code", "udi", "text")
    assert "\0" not in scan.value
    assert len(scan.value) <= 400


@pytest.fixture
def monitor_with_udi(surgery: Any) -> Device:
    return factories.device(
        surgery, short_code="7K3Q9F", udi_di="06901234567892", serial_no="1234", asset_no="ZC-77", udi_agency="GS1"
    )


def test_staff_find_a_device_by_each_of_its_codes(monitor_with_udi: Device, engineer: User) -> None:
    texts = (
        queries.report_url(monitor_with_udi),
        "7k3 q9f",
        "(01)06901234567892(21)1234",
        "06901234567892",
        "zc-77",
        " 1234 ",
        "(01)09521234543213(21)1234",  # an unknown model number still leads to the serial number
    )

    assert [[d.pk for d in queries.resolve_scan(text, user=engineer)] for text in texts] == [[monitor_with_udi.pk]] * 7


def test_a_stranger_finds_only_what_the_label_shows(monitor_with_udi: Device) -> None:
    assert queries.resolve_scan(queries.report_url(monitor_with_udi)) == [monitor_with_udi]
    assert queries.resolve_scan("7K3-Q9F") == [monitor_with_udi]
    assert queries.resolve_scan("ZC-77") == []
    assert queries.resolve_scan("(01)06901234567892(21)1234") == []


def test_a_ward_finds_its_own_devices_only(monitor_with_udi: Device, nurse: User, outsider: User) -> None:
    assert queries.resolve_scan("ZC-77", user=nurse) == []
    assert queries.resolve_scan("ZC-77", user=outsider) == [monitor_with_udi]


def test_a_renewed_label_ends_the_old_link_but_not_the_typed_code(
    monitor_with_udi: Device, manager: User, now: Any
) -> None:
    from assets.register import services

    old = queries.report_url(monitor_with_udi)

    services.rotate_qr(monitor_with_udi, by=manager, at=now)

    monitor_with_udi.refresh_from_db()
    assert queries.resolve_scan(old) == []
    assert queries.resolve_scan(queries.report_url(monitor_with_udi)) == [monitor_with_udi]
    assert queries.resolve_scan("7K3-Q9F") == [monitor_with_udi]


def test_empty_and_hostile_texts_find_nothing(monitor_with_udi: Device, engineer: User) -> None:
    for text in ("", "   ", "\0", "%", "' OR 1=1 --", "x" * 5_000, "\ud800"):
        assert queries.resolve_scan(text, user=engineer) == []
