"""The shipped catalogue: complete in both languages, drawn with known icons, sourced."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any

import pytest

from assets import register
from assets.register.models import Criticality, DeviceGroup, FaultPreset
from integrations.sandbox.services import world

SEED = Path(register.__file__).parent / "seed"
SPRITE = Path(__file__).parents[3] / "static/img/icons.svg"
HAN = re.compile(r"[㐀-鿿]")
FAMILIES = {
    "monitor", "ventilator", "pump", "defibrillator", "anaesthesia", "dialysis", "ecg", "ultrasound", "imaging",
    "incubator", "steriliser", "fridge", "suction", "bed", "endoscope", "general",
}  # fmt: skip
DANGERS = {"smoke", "shock", "injury", "leak"}


def seed(name: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads((SEED / f"{name}.json").read_text(encoding="utf-8"))
    return rows


@pytest.mark.parametrize("name", ["presets", "types", "groups", "skills", "qualifications"])
def test_every_row_has_a_chinese_and_an_english_name(name: str) -> None:
    for row in seed(name):
        # CT is called CT in Chinese too.
        assert HAN.search(row["name"]) or row["name"] == "CT", row["name"]
        assert row["name_en"], row["name"]
        assert not HAN.search(row["name_en"]), row["name_en"]


def test_a_tile_label_fits_a_tile() -> None:
    for tile in seed("presets"):
        for line in tile["name"].split("\n"):
            assert len(line) <= 8, line
        for line in tile["name_en"].split("\n"):
            assert len(line) <= 18, line
        assert tile["name"].count("\n") <= 2, tile["name"]


def test_hints_and_parts_are_said_in_both_languages_or_in_none() -> None:
    for tile in seed("presets"):
        assert bool(tile["hint"]) == bool(tile["hint_en"]), tile["code"]
        assert bool(tile["part"]) == bool(tile["part_en"]), tile["code"]


def test_every_family_has_tiles_that_end_with_other_and_at_most_nine() -> None:
    tiles: dict[str, list[dict[str, Any]]] = {}
    for tile in seed("presets"):
        tiles.setdefault(tile["group"], []).append(tile)
    assert set(tiles) == FAMILIES
    for family, rows in tiles.items():
        assert 4 <= len(rows) <= 9, family
        assert [r["order"] for r in rows] == list(range(len(rows)))
        assert rows[-1]["code"] == f"{family}-other"
        assert rows[-1]["category"] == "other"


def test_tiles_name_what_exists() -> None:
    skills = {row["code"] for row in seed("skills")}
    codes = [tile["code"] for tile in seed("presets")]
    assert len(codes) == len(set(codes))
    for tile in seed("presets"):
        assert tile["skill"] in skills
        assert tile["default_impact"] in FaultPreset.Impact.values
        assert set(tile["default_danger"]) <= DANGERS
        assert 10 <= tile["minutes"] <= 240


def test_every_family_has_a_first_aid_card_of_three_short_steps_in_both_languages() -> None:
    groups = {row["code"]: row["first_aid"] for row in seed("groups")}
    assert set(groups) == FAMILIES
    for code, card in groups.items():
        for language, longest in (("zh", 18), ("en", 50)):
            assert card[language]["title"], code
            assert len(card[language]["steps"]) == 3, code
            assert all(0 < len(step) <= longest for step in card[language]["steps"]), code


def test_icons_exist_in_the_sprite() -> None:
    drawn = set(re.findall(r'id="([^"]+)"', SPRITE.read_text(encoding="utf-8")))
    wanted = {row["icon"] for row in [*seed("presets"), *seed("groups")]}
    assert wanted <= drawn, wanted - drawn


def test_types_use_the_shipped_product_codes_and_only_those() -> None:
    with (SEED / "fda_product_codes.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["product_code"]: row for row in csv.DictReader(file)}
    used = {row["product_code"] for row in seed("types") if row["product_code"]}
    assert used == set(rows)
    assert all(r["device_name"] and re.fullmatch(r"\d{3}\.\d{4}", r["regulation_number"]) for r in rows.values())


def test_types_point_at_families_skills_and_cards_that_exist() -> None:
    skills = {row["code"] for row in seed("skills")}
    cards = {row["code"] for row in seed("qualifications")} | {None}
    types = seed("types")
    assert 60 <= len(types) <= 90
    assert {t["group"] for t in types} == FAMILIES
    for row in types:
        assert row["skill"] in skills
        assert row["qualification"] in cards
        assert row["criticality"] in Criticality.values
        function, risk, maintenance = row["em"]
        assert function in range(1, 11)
        assert {risk, maintenance} <= set(range(1, 6))
        assert not row["life_support"] or row["criticality"] == "C1", row["name"]


@pytest.mark.django_db
def test_the_catalogue_can_be_laid_twice_and_keeps_what_a_manager_changed() -> None:
    world.catalogue()
    DeviceGroup.objects.filter(code="pump").update(name="泵")

    world.catalogue()

    assert DeviceGroup.objects.get(code="pump").name == "泵"
    assert FaultPreset.objects.count() == len(seed("presets"))
