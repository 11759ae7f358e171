"""Energy needs against published numbers."""

from decimal import Decimal

import pytest

from subgraphs.nutrition.domain.target import ActivityLevel, Sex, basal_kcal, suggest_target


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


def test_a_heavy_person_of_little_need_gets_no_negative_carbohydrate() -> None:
    target = suggest_target(Decimal(400), Decimal(100), 119, Sex.FEMALE, None).target
    assert target.carbs_g is not None
    assert target.carbs_g >= 0
