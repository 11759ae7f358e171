"""What a food may say of itself. Checked before one is written; `is_plausible` also marks loaded ones."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from subgraphs.nutrition.domain.nutrients import MICRONUTRIENT_NAMES, Nutrients
from subgraphs.shell.errors import Checks
from subgraphs.shell.text import check_line

MOST_PORTIONS = 30
MOST_OWN_FOODS = 5000
LIGHTEST_PORTION_GRAMS, HEAVIEST_PORTION_GRAMS = Decimal("0.1"), Decimal(5000)
_LEAST_JUDGED_KCAL = 13
_KCAL_PER_G_ALCOHOL = 7
# What 100 g can hold at most. Fat has the most energy, table salt the most sodium (39.3 g) and brain and yolk the most
# cholesterol of all foods.
MOST_PER_100 = {
    "energy_kcal": 905,
    "protein_g": 100,
    "carbs_g": 100,
    "fat_g": 100,
    "fiber_g": 100,
    "sugar_g": 100,
    "saturated_fat_g": 100,
    "cholesterol_mg": 5000,
    "sodium_mg": 40_000,
    "alcohol_g": 100,
}
# The same of vitamins and minerals, by the unit of their names: 100 g of the pure substance, for there are supplements.
MOST_MICRONUTRIENT_PER_100 = {"mg": 100_000, "ug": 100_000_000}
_KCAL_PER_G_ACID = 3
MOST_MACROS_G = 105  # labels round, and some count fibre on top of carbohydrate
_ROUNDING_G = 1


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
    """Whether the energy fits the macronutrients: 4 kcal a gram of protein and carbohydrate, 9 of fat, 2 of fibre,
    7 of alcohol where it is told.

    Within 30 % and 5 kcal; under 13 kcal nothing can be told. Carbohydrate may or may not include the fibre. A mark of
    quality only: true labels of spirits, sweeteners and vinegar do not fit, see `energy_range`.
    """
    fibre = per_100.fiber_g or Decimal(0)
    most = 4 * per_100.protein_g + 4 * per_100.carbs_g + 9 * per_100.fat_g + 2 * fibre
    alcohol = _KCAL_PER_G_ALCOHOL * (per_100.alcohol_g or Decimal(0))
    least = most - 4 * min(fibre, per_100.carbs_g) + alcohol
    most += alcohol
    if per_100.energy_kcal <= _LEAST_JUDGED_KCAL and most <= 3 * _LEAST_JUDGED_KCAL:
        return True
    return least * Decimal("0.7") - 5 <= per_100.energy_kcal <= most * Decimal("1.3") + 5


def energy_range(per_100: Nutrients) -> tuple[Decimal, Decimal]:
    """The least and the most kcal that 100 g with these macronutrients can have, whatever else it holds.

    Carbohydrate counts nothing at the least (erythritol, fibre) and 4 at the most; what is neither protein, nor
    carbohydrate, nor fat may be alcohol, at 7 kcal a gram, or organic acids, at 3 (EU 1169/2011, annex XIV); where the
    alcohol is told, it counts as what it is. 30 % of the rest is left to rounding and to the factors of single foods.
    """
    macros = per_100.protein_g + per_100.carbs_g + per_100.fat_g
    protein_and_fat = 4 * per_100.protein_g + 9 * per_100.fat_g
    rest = max(Decimal(0), 100 - macros)
    most = (protein_and_fat + 4 * per_100.carbs_g + 2 * (per_100.fiber_g or 0)) * Decimal("1.3") + 5
    least = max(Decimal(0), protein_and_fat * Decimal("0.7") - 5)
    if per_100.alcohol_g is None:
        most += _KCAL_PER_G_ALCOHOL * rest
    else:
        alcohol = _KCAL_PER_G_ALCOHOL * per_100.alcohol_g
        least += alcohol * Decimal("0.7")
        most += alcohol * Decimal("1.3") + _KCAL_PER_G_ACID * max(Decimal(0), rest - per_100.alcohol_g)
    return least, min(most, Decimal(MOST_PER_100["energy_kcal"]))


def check_food(checks: Checks, name: str, brand: str | None, per_100: Nutrients, portions: Sequence[Portion]) -> None:
    check_line(checks, name, "name", longest=200)
    if brand is not None:
        check_line(checks, brand, "brand", shortest=0, longest=100)
    if _check_amounts(checks, per_100):
        _check_sums(checks, per_100)
    _check_portions(checks, portions)


def _check_amounts(checks: Checks, per_100: Nutrients) -> bool:
    possible = True
    for name, most in MOST_PER_100.items():
        amount = getattr(per_100, name)
        if amount is not None:
            place = f"per100.{_api_name(name)}"
            possible &= checks.require(0 <= amount <= most, place, f"must be from 0 to {most} in 100 g")
    for name in MICRONUTRIENT_NAMES:
        amount, most = getattr(per_100, name), MOST_MICRONUTRIENT_PER_100[name.rpartition("_")[2]]
        fits = amount is None or 0 <= amount <= most
        possible &= checks.require(fits, "per100.micronutrients", f"{name} must be from 0 to {most} in 100 g")
    return possible


def _check_sums(checks: Checks, per_100: Nutrients) -> None:
    macros = per_100.protein_g + per_100.carbs_g + per_100.fat_g + (per_100.alcohol_g or 0)
    told = (
        f"protein, carbohydrate, fat and alcohol may be at most {MOST_MACROS_G} g together in 100 g, they are {macros}"
    )
    if not checks.require(macros <= MOST_MACROS_G, "per100", told):
        return
    sugar, saturated = per_100.sugar_g or 0, per_100.saturated_fat_g or 0
    within = sugar <= per_100.carbs_g + _ROUNDING_G
    checks.require(within, "per100.sugarG", f"must not exceed carbsG, {per_100.carbs_g}")
    within = saturated <= per_100.fat_g + _ROUNDING_G
    checks.require(within, "per100.saturatedFatG", f"must not exceed fatG, {per_100.fat_g}")
    least, most = energy_range(per_100)
    fits = least <= per_100.energy_kcal <= most
    told = f"must be from {least:.0f} to {most:.0f} with this protein, carbohydrate, fat and alcohol"
    checks.require(fits, "per100.energyKcal", told)


def _check_portions(checks: Checks, portions: Sequence[Portion]) -> None:
    checks.require(len(portions) <= MOST_PORTIONS, "portions", f"may have at most {MOST_PORTIONS} entries")
    seen: set[str] = set()
    for position, portion in enumerate(portions[:MOST_PORTIONS]):
        place = f"portions.{position}"
        check_line(checks, portion.label, f"{place}.label", longest=60)
        in_range = LIGHTEST_PORTION_GRAMS <= portion.grams <= HEAVIEST_PORTION_GRAMS
        limits = f"must be from {LIGHTEST_PORTION_GRAMS} to {HEAVIEST_PORTION_GRAMS}"
        checks.require(in_range, f"{place}.grams", limits)
        label = portion.label.strip().casefold()
        checks.require(label not in seen, f"{place}.label", "must differ from the other portions' labels")
        seen.add(label)


def _api_name(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)
