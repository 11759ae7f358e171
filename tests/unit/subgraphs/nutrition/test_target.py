"""Energy needs against published numbers."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subgraphs.nutrition.domain.target import basal_kcal, check_target, suggest_target
from subgraphs.shell.errors import Checks
from subgraphs.shell.physiology import ActivityLevel, FitnessGoal, Sex


@pytest.mark.parametrize(
    ("weight", "height", "age", "sex", "kcal"),
    [
        (80, 180, 35, Sex.MALE, "1755"),
        (65, 165, 30, Sex.FEMALE, "1370.25"),
        # the mean of 1755 and 1589
        (80, 180, 35, Sex.OTHER, "1672"),
        (80, 180, 35, None, "1672"),
    ],
)
def test_basal_energy_is_mifflin_and_st_jeors(weight: int, height: int, age: int, sex: Sex | None, kcal: str) -> None:
    assert basal_kcal(Decimal(weight), Decimal(height), age, sex) == Decimal(kcal)


@pytest.mark.parametrize(
    ("activity", "kcal"),
    [
        (ActivityLevel.SEDENTARY, "2106"),
        (ActivityLevel.LIGHT, "2413.125"),
        (ActivityLevel.MODERATE, "2720.25"),
        (ActivityLevel.ACTIVE, "3027.375"),
        (ActivityLevel.VERY_ACTIVE, "3334.5"),
        (None, "2106"),
    ],
)
def test_activity_multiplies_it(activity: ActivityLevel | None, kcal: str) -> None:
    need = suggest_target(Decimal(80), Decimal(180), 35, Sex.MALE, activity)
    assert need.target.energy_kcal == Decimal(kcal)


def test_macronutrients_add_up_to_the_energy() -> None:
    target = suggest_target(Decimal(80), Decimal(180), 35, Sex.MALE, ActivityLevel.MODERATE).target
    assert target.protein_g is not None
    assert target.carbs_g is not None
    assert target.fat_g is not None
    assert target.protein_g == Decimal(128)
    energy = 4 * target.protein_g + 4 * target.carbs_g + 9 * target.fat_g
    assert abs(energy - target.energy_kcal) < Decimal("1e-20")


@pytest.mark.parametrize(
    ("goal", "kcal"),
    [
        (FitnessGoal.LOSE_WEIGHT, "2312.2125"),
        (FitnessGoal.MAINTAIN, "2720.25"),
        (FitnessGoal.GAIN_WEIGHT, "3264.3"),
        (FitnessGoal.GAIN_MUSCLE, "2992.275"),
        (FitnessGoal.ENDURANCE, "2720.25"),
        (None, "2720.25"),
    ],
)
def test_the_goal_multiplies_it(goal: FitnessGoal | None, kcal: str) -> None:
    need = suggest_target(Decimal(80), Decimal(180), 35, Sex.MALE, ActivityLevel.MODERATE, goal)
    assert need.target.energy_kcal == Decimal(kcal)


@given(
    st.decimals(20, 500, places=1),
    st.decimals(50, 280, places=1),
    st.integers(0, 130),
    st.sampled_from([*Sex, None]),
    st.sampled_from([*ActivityLevel, None]),
    st.sampled_from([*FitnessGoal, None]),
)
def test_no_suggestion_is_negative_unsafe_or_refused_as_a_target(
    weight: Decimal,
    height: Decimal,
    age: int,
    sex: Sex | None,
    activity: ActivityLevel | None,
    goal: FitnessGoal | None,
) -> None:
    need = suggest_target(weight, height, age, sex, activity, goal)
    target = need.target
    assert target.energy_kcal >= 1200
    assert target.protein_g is not None
    assert target.carbs_g is not None
    assert target.fat_g is not None
    assert min(target.protein_g, target.carbs_g, target.fat_g) > 0
    energy = 4 * target.protein_g + 4 * target.carbs_g + 9 * target.fat_g
    assert abs(energy - target.energy_kcal) < Decimal("1e-20")
    assert need.basal_kcal is None or need.basal_kcal > 0
    checks = Checks()
    check_target(checks, target)
    checks.done()
