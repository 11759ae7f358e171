"""What a food may say of itself. Checked before one is written; `is_plausible` also marks loaded ones."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from subgraphs.errors import Checks
from subgraphs.nutrition.domain.nutrients import NUTRIENT_NAMES, Nutrients

MOST_PORTIONS = 30
_LEAST_JUDGED_KCAL = 13


class FoodCategory(StrEnum):
    FRUIT = "FRUIT"
    VEGETABLE = "VEGETABLE"
    GRAIN = "GRAIN"
    LEGUME = "LEGUME"
    NUT = "NUT"
    PROTEIN = "PROTEIN"
    DAIRY = "DAIRY"
    FAT = "FAT"
    BEVERAGE = "BEVERAGE"
    SNACK = "SNACK"
    SWEET = "SWEET"
    CONDIMENT = "CONDIMENT"
    MEAL = "MEAL"
    BABY_FOOD = "BABY_FOOD"
    OTHER = "OTHER"


@dataclass(frozen=True, slots=True)
class Portion:
    """A household measure of a food, in grams."""

    label: str
    grams: Decimal


def is_plausible(per_100: Nutrients) -> bool:
    """Whether the energy fits the macronutrients: 4 kcal a gram of protein and carbohydrate, 9 of fat, 2 of fibre.

    Within 30 % and 5 kcal; under 13 kcal nothing can be told. Carbohydrate may or may not include the fibre.
    """
    fibre = per_100.fiber_g or Decimal(0)
    most = 4 * per_100.protein_g + 4 * per_100.carbs_g + 9 * per_100.fat_g + 2 * fibre
    least = most - 4 * min(fibre, per_100.carbs_g)
    if per_100.energy_kcal <= _LEAST_JUDGED_KCAL and most <= 3 * _LEAST_JUDGED_KCAL:
        return True
    return least * Decimal("0.7") - 5 <= per_100.energy_kcal <= most * Decimal("1.3") + 5


def check_food(checks: Checks, name: str, brand: str | None, per_100: Nutrients, portions: Sequence[Portion]) -> None:
    checks.require(1 <= len(name.strip()) <= 200, "name", "must have 1 to 200 characters")
    checks.require(brand is None or len(brand.strip()) <= 100, "brand", "may have 100 characters")
    negative = [each for each in NUTRIENT_NAMES if (getattr(per_100, each) or 0) < 0]
    checks.require(not negative, "per100", f"must not be negative: {', '.join(negative)}")
    checks.require(per_100.energy_kcal <= 905, "per100.energyKcal", "100 g of nothing has more than 905 kcal")
    macros = per_100.protein_g + per_100.carbs_g + per_100.fat_g
    checks.require(macros <= 102, "per100", "protein, carbohydrate and fat exceed 100 g")
    fits = bool(negative) or is_plausible(per_100)
    checks.require(fits, "per100.energyKcal", "does not fit the protein, carbohydrate and fat")
    checks.require(len(portions) <= MOST_PORTIONS, "portions", f"may have {MOST_PORTIONS} entries")
    for portion in portions:
        checks.require(1 <= len(portion.label.strip()) <= 60, "portions.label", "must have 1 to 60 characters")
        checks.require(Decimal("0.1") <= portion.grams <= 5000, "portions.grams", "must be from 0.1 to 5000")
    labels = [portion.label.strip().casefold() for portion in portions]
    checks.require(len(set(labels)) == len(labels), "portions.label", "must differ from each other")
