"""Energy by MET, with the vectors of the product's formulas."""

from decimal import Decimal

import pytest

from subgraphs.workouts.domain.energy import Effort, EnergyMethod, gross_kcal, intensity_of, net_kcal, price_workout

D = Decimal


def test_running_at_met_9_8_for_30_minutes_at_70_kg_costs_360_kcal_gross_and_323_net() -> None:
    assert gross_kcal(D("9.8"), D(70), D(30)) == D("360.15")
    assert net_kcal(D("9.8"), D(70), D(30)) == D("323.4")


@pytest.mark.parametrize(
    ("met", "intensity"),
    [("1", "LIGHT"), ("2.9", "LIGHT"), ("3", "MODERATE"), ("5.9", "MODERATE"), ("6", "VIGOROUS"), ("14.5", "VIGOROUS")],
)
def test_effort_is_moderate_from_3_met_and_vigorous_from_6(met: str, intensity: str) -> None:
    assert intensity_of(Decimal(met)) == intensity


def test_rest_costs_nothing_net() -> None:
    assert net_kcal(D(1), D(70), D(60)) == 0
    assert net_kcal(D("0.9"), D(70), D(60)) == 0


@pytest.mark.parametrize(
    ("weight", "minutes", "reported", "net"),
    [
        (D(70), D(30), D(450), D(450) - D("36.75")),
        (D(70), D(30), D(20), D(0)),
        (None, D(30), D(450), None),
        (D(70), None, D(450), None),
    ],
    ids=["less the rest of half an hour", "never below nothing", "no weight", "no time"],
)
def test_a_reported_number_stands_and_its_net_leaves_rest_out(
    weight: Decimal | None, minutes: Decimal | None, reported: Decimal, net: Decimal | None
) -> None:
    energy = price_workout([], minutes, weight, reported)
    assert (energy.method, energy.gross_kcal, energy.net_kcal) == (EnergyMethod.REPORTED, reported, net)


@pytest.mark.parametrize("efforts", [[], [Effort(None, D(30), 1)]], ids=["no exercise", "none that is known"])
def test_a_workout_that_says_not_what_was_done_lacks_an_effort_and_no_duration(efforts: list[Effort]) -> None:
    energy = price_workout(efforts, D(30), D(70), None)
    assert (energy.method, energy.gross_kcal) == (EnergyMethod.UNKNOWN_EFFORT, None)


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
        ([Effort(D(2), D(90), 1), Effort(D(4), None, 1)], D(60), D(2) * 60),
        ([Effort(D(2), D(60), 1), Effort(D(4), D(60), 1)], D(60), D(2) * 30 + D(4) * 30),
        ([Effort(D(2), D(90), 1)], None, D(2) * 90),
        ([Effort(D(2), D(1400), 1), Effort(D(2), D(1480), 1)], None, D(2) * 1440),
        ([Effort(D(2), D(20), 1), Effort(None, D(10), 1), Effort(D(4), None, 1)], D(60), D(2) * 20 + D(4) * 30),
    ],
    ids=[
        "one takes all",
        "shared by sets",
        "what is left",
        "nothing is left",
        "shortened to fit",
        "no session",
        "no session longer than a day",
        "unknown",
    ],
)
def test_the_sessions_minutes_are_shared_among_unmeasured_efforts(
    efforts: list[Effort], session: Decimal, expected: Decimal
) -> None:
    energy = price_workout(efforts, session, D(70), None)
    assert energy.gross_kcal == expected * D("3.5") * 70 / 200
