"""The ids that leave the house."""

import pytest

from config.kernel import models


def test_an_id_is_never_taken_for_an_option_of_a_command(monkeypatch: pytest.MonkeyPatch) -> None:
    draws = iter([b"\xf8" + bytes(15), b"\xfb" + bytes(15), bytes(16)])  # the first two would begin with "-"
    monkeypatch.setattr(models.secrets, "token_bytes", lambda _n: next(draws))

    assert models.new_public_id() == "A" * 22
