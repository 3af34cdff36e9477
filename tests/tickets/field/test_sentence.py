"""A spoken sentence fills the finish sheet: what it names, nothing else; what was filled by hand stays."""

from __future__ import annotations

import pytest

from tickets.field.rules import read_sentence


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        (
            "电源板烧了，更换电源板 PB-12，序列号 7K2-0931，旧件已留存，接地电阻 86 毫欧，漏电流142微安，功能正常，可用",
            {
                "cause": "part", "action": "replace", "release": "usable", "part_name": "电源板 PB-12",
                "part_serial": "7K2-0931", "old_part_kept": "1", "test_protective_earth": "86",
                "test_equipment_leakage": "142", "function_ok": "1",
            },
        ),
        ("探头老化，换了2根血氧探头", {"cause": "ageing", "action": "replace", "part_name": "血氧探头", "part_quantity": "2"}),
        ("软件死机，重启后恢复使用", {"cause": "software", "action": "reset", "release": "usable"}),
        ("被撞坏，修不了，停用", {"cause": "damage", "action": "irreparable", "release": "out_of_use"}),
        ("应用部分漏电流 12，漏电流 90", {"test_applied_part_leakage": "12", "test_equipment_leakage": "90"}),
        (
            "Replaced the power board, serial 7K2-0931. Earth resistance 86, leakage 142. Function check passed, usable",
            {
                "cause": "part", "action": "replace", "release": "usable", "part_name": "power board",
                "part_serial": "7K2-0931", "test_protective_earth": "86", "test_equipment_leakage": "142",
                "function_ok": "1",
            },
        ),
        ("No fault found, cleaned, back in use", {"cause": "not_found", "action": "clean", "release": "usable"}),
        ("你好", {}),
        ("", {}),
    ],
)  # fmt: skip
def test_a_sentence_names_fields(said: str, wanted: dict[str, str]) -> None:
    assert read_sentence(said) == wanted
