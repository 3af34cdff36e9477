"""The signed QR token and the typed short code, as plain functions."""

from __future__ import annotations

import random
import string

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from assets.register import rules

KEYS = {"k1": "the-older-key-the-older-key", "k2": "the-newer-key-the-newer-key"}
PUBLIC_ID = "AbCdEfGhIjKlMnOpQrSt_-"
CODES = st.text(rules.ALPHABET, min_size=5, max_size=5).map(lambda five: five + rules.check_symbol(five))


def _token(version: int = 1, kid: str = "k2") -> str:
    return rules.sign_token(PUBLIC_ID, version, kid=kid, keys=KEYS)


def test_a_token_reads_back_and_fits_a_small_label() -> None:
    token = _token(3)

    assert rules.read_token(token, keys=KEYS) == rules.Token("k2", PUBLIC_ID, 3)
    assert token.startswith(f"k2.{PUBLIC_ID}.3.")
    assert len(token.rsplit(".", 1)[1]) == 22  # 128 bits in base64url
    assert len(token) <= 60


def test_labels_of_an_older_key_work_until_that_key_is_taken_away() -> None:
    old = _token(kid="k1")

    assert rules.read_token(old, keys=KEYS) is not None
    assert rules.read_token(old, keys={"k2": KEYS["k2"]}) is None


def test_the_same_parts_signed_with_another_key_or_version_are_refused() -> None:
    kid, public_id, version, mac = _token(1).split(".")

    assert rules.read_token(f"k1.{public_id}.{version}.{mac}", keys=KEYS) is None
    assert rules.read_token(f"{kid}.{public_id}.2.{mac}", keys=KEYS) is None
    assert rules.read_token(f"{kid}.{public_id}.01.{mac}", keys=KEYS) is None
    assert rules.read_token(f"{kid}.{public_id}.{version}.{mac}=", keys=KEYS) is None


def test_every_single_changed_character_is_refused() -> None:
    token = _token()
    letters = string.ascii_letters + string.digits + "-_."

    for place, right in enumerate(token):
        for wrong in letters:
            if wrong != right:
                assert rules.read_token(token[:place] + wrong + token[place + 1 :], keys=KEYS) is None


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.text(max_size=120), st.text(string.ascii_letters + "0123456789._-", max_size=90)))
@example("k2." * 40)
@example(f"k2.{PUBLIC_ID}.１.AAAAAAAAAAAAAAAAAAAAAA")
@example(f"k2.{PUBLIC_ID}.1.AAAAAAAAAAAAAAAAAAAAAA\n")
def test_any_other_text_is_no_token_and_no_error(text: str) -> None:
    assert rules.read_token(text, keys=KEYS) is None


def test_a_new_short_code_carries_its_check() -> None:
    choose = random.Random(1).choice

    codes = {rules.new_short_code(choose) for _ in range(2_000)}

    assert all(rules.read_short_code(code) == code for code in codes)
    assert len(codes) > 1_990
    assert not set("ILOUZ") & set("".join(codes))


def test_the_code_on_the_design_label_is_a_right_one() -> None:
    assert rules.read_short_code("7K3-Q9F") == "7K3Q9F"


@settings(max_examples=100, deadline=None)
@given(CODES)
def test_every_wrong_symbol_is_noticed(code: str) -> None:
    for place, right in enumerate(code):
        for wrong in rules.ALPHABET:
            if wrong != right:
                assert rules.read_short_code(code[:place] + wrong + code[place + 1 :]) is None


@settings(max_examples=300, deadline=None)
@given(CODES)
def test_every_swap_of_two_symbols_is_noticed(code: str) -> None:
    for i in range(6):
        for j in range(i + 1, 6):
            symbols = list(code)
            symbols[i], symbols[j] = symbols[j], symbols[i]
            if "".join(symbols) != code:
                assert rules.read_short_code("".join(symbols)) is None


def test_the_weights_prove_both_for_all_codes() -> None:
    weights = [*rules._WEIGHTS, len(rules.ALPHABET) - 1]

    assert all(weight % len(rules.ALPHABET) for weight in weights)
    assert len({weight % len(rules.ALPHABET) for weight in weights}) == 6
    assert all(len(rules.ALPHABET) % n for n in range(2, len(rules.ALPHABET)))


@pytest.mark.parametrize(
    "typed", ["7k3-q9f", " 7K3 Q9F ", "７Ｋ３－Ｑ９Ｆ", "7.K.3.Q.9.F", "7K3_Q9F", "7k3·q9f", "7K3\u3000Q9F"]
)
def test_a_code_is_read_as_people_type_it(typed: str) -> None:
    assert rules.read_short_code(typed) == "7K3Q9F"


def test_letters_that_look_like_digits_are_read_as_digits() -> None:
    code = "0120" + "1"
    code += rules.check_symbol(code)

    assert rules.read_short_code("OLZoI" + code[5]) == code


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=60))
@example("ß" * 6)
@example("7K3-Q9F" * 10)
def test_any_text_is_a_code_or_none(text: str) -> None:
    code = rules.read_short_code(text)

    assert code is None or (len(code) == 6 and rules.check_symbol(code[:5]) == code[5])
