"""What the environment may say, and that a wrong word stops the start with the variable's name."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from config import env


def test_a_missing_required_variable_is_named(monkeypatch):
    monkeypatch.delenv("WL_X", raising=False)
    with pytest.raises(ImproperlyConfigured, match="WL_X"):
        env.text("WL_X")


def test_an_empty_variable_counts_as_missing(monkeypatch):
    monkeypatch.setenv("WL_X", "  ")
    assert env.text("WL_X", "fallback") == "fallback"


@pytest.mark.parametrize(("written", "meant"), [("1", True), ("Yes", True), ("off", False), ("FALSE", False)])
def test_flags_are_read_in_any_writing(monkeypatch, written, meant):
    monkeypatch.setenv("WL_X", written)
    assert env.flag("WL_X", not meant) is meant


def test_a_flag_that_is_neither_is_refused(monkeypatch):
    monkeypatch.setenv("WL_X", "maybe")
    with pytest.raises(ImproperlyConfigured, match="WL_X"):
        env.flag("WL_X", False)


@pytest.mark.parametrize("written", ["-1", "1.5", "ten", "0"])
def test_a_number_below_its_floor_or_malformed_is_refused(monkeypatch, written):
    monkeypatch.setenv("WL_X", written)
    with pytest.raises(ImproperlyConfigured, match="WL_X"):
        env.number("WL_X", 5, at_least=1)


def test_a_list_has_no_empty_items(monkeypatch):
    monkeypatch.setenv("WL_X", "a, b,,")
    assert env.listing("WL_X") == ["a", "b"]


def test_a_keyring_keeps_its_order(monkeypatch):
    monkeypatch.setenv("WL_X", f"k2:{'b' * 32},k1:{'a' * 32}")
    assert list(env.keyring("WL_X")) == ["k2", "k1"]


@pytest.mark.parametrize("written", ["k1", "k1:short", f":{'a' * 32}", f"k1:{'a' * 32},"])
def test_a_weak_or_malformed_keyring_is_refused(monkeypatch, written):
    monkeypatch.setenv("WL_X", written)
    with pytest.raises(ImproperlyConfigured, match="WL_X"):
        env.keyring("WL_X")


def test_a_sqlite_address_is_an_absolute_file(monkeypatch):
    monkeypatch.setenv("WL_X", "sqlite:////srv/ward%20line.sqlite3")
    assert env.database("WL_X")["NAME"] == "/srv/ward line.sqlite3"


def test_a_postgresql_address_is_taken_apart(monkeypatch):
    monkeypatch.setenv("WL_X", "postgresql://ward:p%40ss@db.hospital:5433/line?sslmode=require")
    found = env.database("WL_X")
    assert found == {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "line",
        "USER": "ward",
        "PASSWORD": "p@ss",
        "HOST": "db.hospital",
        "PORT": "5433",
        "OPTIONS": {"sslmode": "require"},
    }


@pytest.mark.parametrize("written", ["mysql://x/y", "sqlite://", "nonsense"])
def test_an_unknown_database_is_refused(monkeypatch, written):
    monkeypatch.setenv("WL_X", written)
    with pytest.raises(ImproperlyConfigured, match="WL_X"):
        env.database("WL_X")
