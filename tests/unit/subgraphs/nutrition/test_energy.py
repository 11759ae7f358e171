"""Energy at rest by every formula, the target of a week, and what exercise earns: vectors by hand and from the sources."""

from decimal import Decimal

import pytest

from subgraphs.nutrition.domain.basal import BasalFormula, Body, basal_by, basal_estimates
from subgraphs.nutrition.domain.budget import CalorieMode, calorie_budget
from subgraphs.nutrition.domain.weekly_target import GoalAdjustment, weekly_target
from subgraphs.shell.physiology import ActivityLevel, Sex

MAN = Body(Decimal(80), Decimal(180), 35, Sex.MALE, Decimal(20))
WOMAN = Body(Decimal(65), Decimal(165), 30, Sex.FEMALE)


@pytest.mark.parametrize(
    ("formula", "body", "kcal"),
    [
        (BasalFormula.MIFFLIN_ST_JEOR, MAN, "1755"),
        (BasalFormula.MIFFLIN_ST_JEOR, WOMAN, "1370.25"),
        (BasalFormula.HARRIS_BENEDICT, MAN, "1830.77"),
        (BasalFormula.HARRIS_BENEDICT, WOMAN, "1441.63"),
        (BasalFormula.REVISED_HARRIS_BENEDICT, MAN, "1825.25"),
        (BasalFormula.REVISED_HARRIS_BENEDICT, WOMAN, "1429.92"),
        (BasalFormula.KATCH_MCARDLE, MAN, "1752.4"),
        (BasalFormula.CUNNINGHAM, MAN, "1908"),
    ],
)
def test_energy_at_rest_is_what_the_formula_s_source_gives(formula: BasalFormula, body: Body, kcal: str) -> None:
    found = basal_by(formula, body)
    assert found is not None
    assert abs(found - Decimal(kcal)) < Decimal("0.01")


def test_another_sex_is_the_mean_of_both_lines() -> None:
    other = Body(Decimal(80), Decimal(180), 35, Sex.OTHER)
    for formula in (BasalFormula.MIFFLIN_ST_JEOR, BasalFormula.HARRIS_BENEDICT, BasalFormula.REVISED_HARRIS_BENEDICT):
        found = basal_by(formula, other)
        both = [basal_by(formula, Body(Decimal(80), Decimal(180), 35, sex)) for sex in (Sex.MALE, Sex.FEMALE)]
        assert found is not None
        assert found * 2 == sum(each for each in both if each is not None)


def test_formulas_of_lean_mass_need_the_body_fat() -> None:
    assert {formula for formula, _, _ in basal_estimates(WOMAN, None)} == {
        BasalFormula.MIFFLIN_ST_JEOR,
        BasalFormula.HARRIS_BENEDICT,
        BasalFormula.REVISED_HARRIS_BENEDICT,
    }
    assert len(list(basal_estimates(MAN, None))) == 5


def test_what_keeps_the_weight_is_the_rest_times_the_activity() -> None:
    (first, *_) = basal_estimates(MAN, ActivityLevel.MODERATE)
    assert first == (BasalFormula.MIFFLIN_ST_JEOR, Decimal("1755.00"), Decimal(1755) * Decimal("1.55"))


def test_a_falling_pace_is_a_deficit_with_protein_for_the_lean_mass() -> None:
    found = weekly_target(Decimal(2600), Decimal("-0.5"), MAN)
    assert found.daily_difference_kcal == -550
    assert found.target.energy_kcal == 2050
    assert found.target.protein_g == Decimal("147.2")  # 2.3 g for each of 64 kg
    assert not found.is_at_floor


def test_a_rising_pace_is_a_surplus() -> None:
    found = weekly_target(Decimal(2600), Decimal("0.2"), MAN)
    assert found.target.energy_kcal == 2820
    assert found.target.protein_g == 128  # 2 g for each of 64 kg
    assert (
        weekly_target(Decimal(2600), Decimal(0), WOMAN).target.protein_g == 104
    )  # 1.6 g a kilogram: no fat was measured


@pytest.mark.parametrize(
    ("adjustment", "difference", "energy", "protein"),
    [
        (GoalAdjustment.MAINTAIN, "0", "2600", "128"),
        (GoalAdjustment.RECOMPOSITION, "-260", "2340", "147.2"),
        (GoalAdjustment.CUT, "-390", "2210", "147.2"),
        (GoalAdjustment.HARD_CUT, "-520", "2080", "147.2"),
        (GoalAdjustment.LEAN_BULK, "260", "2860", "128"),
        (GoalAdjustment.BULK, "520", "3120", "128"),
    ],
)
def test_an_adjustment_is_a_share_of_what_the_body_uses_whatever_the_pace(
    adjustment: GoalAdjustment, difference: str, energy: str, protein: str
) -> None:
    for pace in ("-0.5", "0.2"):
        found = weekly_target(Decimal(2600), Decimal(pace), MAN, adjustment)
        assert found.daily_difference_kcal == Decimal(difference)
        assert (found.target.energy_kcal, found.target.protein_g) == (Decimal(energy), Decimal(protein))
    small = weekly_target(Decimal(1400), Decimal(0), WOMAN, adjustment)
    assert small.is_at_floor == (Decimal(1400) + small.daily_difference_kcal < 1200)
    assert small.target.energy_kcal >= 1200


def test_a_target_never_falls_below_the_floor() -> None:
    found = weekly_target(Decimal(1500), Decimal("-0.65"), WOMAN)
    assert (found.target.energy_kcal, found.is_at_floor) == (1200, True)
    assert found.target.protein_g is not None
    assert found.target.protein_g * 4 <= Decimal("0.35") * 1200


def test_the_parts_of_a_week_s_target_are_its_energy() -> None:
    target = weekly_target(Decimal(2600), Decimal("-0.5"), MAN).target
    assert target.protein_g is not None
    assert target.carbs_g is not None
    assert target.fat_g is not None
    assert abs(4 * target.protein_g + 4 * target.carbs_g + 9 * target.fat_g - target.energy_kcal) < Decimal("0.001")


def test_exercise_counts_only_where_it_is_earned_back() -> None:
    numbers = (Decimal(2000), Decimal(1500), Decimal(300))
    assert calorie_budget(*numbers, CalorieMode.FIXED, 100).remaining_kcal == 500
    assert calorie_budget(*numbers, CalorieMode.EARN_BACK, 100).remaining_kcal == 800
    half = calorie_budget(*numbers, CalorieMode.EARN_BACK, 50)
    assert (half.earned_kcal, half.remaining_kcal) == (150, 650)
