"""Energy by MET, with the vectors of the product's formulas."""

from decimal import Decimal

import pytest

from subgraphs.workouts.domain.energy import Effort, EnergyMethod, gross_kcal, net_kcal, price_workout

D = Decimal


def test_running_at_met_9_8_for_30_minutes_at_70_kg_costs_360_kcal_gross_and_323_net() -> None:
    assert gross_kcal(D("9.8"), D(70), D(30)) == D("360.15")
    assert net_kcal(D("9.8"), D(70), D(30)) == D("323.4")


def test_rest_costs_nothing_net() -> None:
    assert net_kcal(D(1), D(70), D(60)) == 0
    assert net_kcal(D("0.9"), D(70), D(60)) == 0


def test_a_reported_number_stands() -> None:
    energy = price_workout([Effort(D(8), D(30), 0)], D(30), D(70), reported=D(450))
    assert (energy.method, energy.gross_kcal) == (EnergyMethod.REPORTED, D(450))


def test_without_a_weight_there_is_no_number_but_a_reason() -> None:
    energy = price_workout([Effort(D(8), D(30), 0)], D(30), None, None)
    assert (energy.method, energy.gross_kcal) == (EnergyMethod.UNKNOWN_WEIGHT, None)


def test_without_any_time_there_is_no_number_but_a_reason() -> None:
    energy = price_workout([Effort(D(8), None, 3)], None, D(70), None)
    assert (energy.method, energy.gross_kcal) == (EnergyMethod.NO_DURATION, None)


@pytest.mark.parametrize(
    ("efforts", "session", "expected"),
    [
        ([Effort(D(2), None, 1)], D(60), D(2) * 60),
        ([Effort(D(2), None, 1), Effort(D(4), None, 3)], D(60), D(2) * 15 + D(4) * 45),
        ([Effort(D(2), D(20), 9), Effort(D(4), None, 1)], D(60), D(2) * 20 + D(4) * 40),
        ([Effort(D(2), D(90), 1), Effort(D(4), None, 1)], D(60), D(2) * 90),
    ],
    ids=["one takes all", "shared by sets", "what is left", "nothing is left"],
)
def test_the_sessions_minutes_are_shared_among_unmeasured_efforts(
    efforts: list[Effort], session: Decimal, expected: Decimal
) -> None:
    energy = price_workout(efforts, session, D(70), None)
    assert energy.gross_kcal == expected * D("3.5") * 70 / 200
