"""Impact x criticality, and what moves the result."""

import pytest

from tickets.sla.rules import MATRIX, decide


@pytest.mark.parametrize(
    ("impact", "row"), [("I1", [1, 1, 1, 2]), ("I2", [1, 1, 2, 2]), ("I3", [2, 2, 3, 3]), ("I4", [3, 3, 4, 4])]
)
def test_the_matrix_is_the_one_of_the_domain_reference(impact: str, row: list[int]) -> None:
    assert [decide(impact, criticality).priority for criticality in ("C1", "C2", "C3", "C4")] == row


def test_the_cell_that_decided_is_the_first_reason() -> None:
    assert decide("I3", "C1").reasons == ("matrix:I3xC1",)


def test_danger_is_always_p1() -> None:
    decision = decide("I4", "C4", danger=True)

    assert (decision.priority, decision.reasons) == (1, ("matrix:I4xC4", "danger"))


def test_too_few_ready_units_raise_by_one() -> None:
    decision = decide("I3", "C3", backups_short=True)

    assert (decision.priority, decision.reasons) == (2, ("matrix:I3xC3", "backups_short"))


def test_too_few_ready_units_do_nothing_to_a_p1() -> None:
    assert decide("I1", "C1", backups_short=True).reasons == ("matrix:I1xC1",)


def test_a_repeat_raises_by_one_but_not_beyond_p2() -> None:
    assert decide("I3", "C3", repeat=True).priority == 2
    assert decide("I3", "C1", repeat=True).priority == 2
    assert decide("I3", "C1", repeat=True).reasons == ("matrix:I3xC1", "repeat")
    assert decide("I1", "C1", repeat=True).priority == 1


def test_shortage_and_repeat_add_up_and_the_repeat_stops_at_p2() -> None:
    assert decide("I4", "C3", backups_short=True, repeat=True).priority == 2
    assert decide("I3", "C3", backups_short=True, repeat=True).priority == 2


def test_the_hospitals_own_matrix_wins_and_a_missing_cell_falls_back() -> None:
    own = {**MATRIX, ("I3", "C3"): 1}
    holed = {("I1", "C1"): 1}

    assert decide("I3", "C3", matrix=own).priority == 1
    assert decide("I4", "C4", matrix=holed).priority == 4
