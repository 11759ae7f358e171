"""Aims of nutrients, judged by what is known; alcohol in a food's energy; and names that the API has for all of them."""

from decimal import Decimal

import pytest

from subgraphs.nutrition.api.nutrient_aim import NutrientCode
from subgraphs.nutrition.api.nutrients import MicronutrientCode
from subgraphs.nutrition.domain.food import check_food, is_plausible
from subgraphs.nutrition.domain.nutrient_aim import NutrientAim, check_aims, decode_aims, encode_aims
from subgraphs.nutrition.domain.nutrients import (
    MICRONUTRIENT_NAMES,
    OPTIONAL_NAMES,
    REFERENCE_INTAKES,
    Nutrients,
    QuickAdd,
    Totals,
    total_of,
)
from subgraphs.shell.errors import Checks, ValidationError

ZERO = Decimal(0)


def eaten(known_grams: int, unknown_grams: int, fiber: int, quick: int = 0) -> Totals:
    macros = {"energy_kcal": Decimal(100), "protein_g": ZERO, "carbs_g": ZERO, "fat_g": ZERO}
    portions = [(Decimal(known_grams), Nutrients(**macros, fiber_g=Decimal(fiber)))]
    if unknown_grams:
        portions.append((Decimal(unknown_grams), Nutrients(**macros)))
    return total_of(portions, [QuickAdd(energy_kcal=Decimal(quick))] if quick else [])


@pytest.mark.parametrize(
    ("aim", "totals", "met"),
    [
        ({"minimum": 30}, eaten(100, 0, 30), True),
        ({"minimum": 30}, eaten(100, 0, 29), False),
        ({"minimum": 30}, eaten(100, 900, 30), True),  # what is not known can only add to it
        ({"minimum": 30}, eaten(100, 900, 29), None),
        ({"minimum": 30}, eaten(900, 100, 29), False),
        ({"minimum": 30}, eaten(900, 0, 29, quick=500), None),
        ({"maximum": 30}, eaten(100, 900, 31), False),
        ({"maximum": 30}, eaten(100, 900, 30), None),
        ({"maximum": 30}, eaten(900, 100, 30), True),
        ({"minimum": 10, "maximum": 30}, eaten(900, 0, 20), True),
        ({"minimum": 10, "maximum": 30}, eaten(900, 0, 9), False),
    ],
)
def test_an_aim_is_met_by_what_is_known(aim: dict[str, int], totals: Totals, met: bool | None) -> None:
    bounds = {name: Decimal(amount) for name, amount in aim.items()}
    assert NutrientAim(name="fiber_g", **bounds).is_met(totals) is met


def test_the_api_names_every_nutrient_and_micronutrient() -> None:
    assert [code.value for code in NutrientCode] == list(OPTIONAL_NAMES)
    assert [code.value for code in MicronutrientCode] == [
        name.rpartition("_")[0].upper() for name in MICRONUTRIENT_NAMES
    ]
    assert tuple(REFERENCE_INTAKES) == MICRONUTRIENT_NAMES


def test_aims_are_stored_exactly() -> None:
    aims = (NutrientAim(name="fiber_g", minimum=Decimal("30.5")), NutrientAim(name="sodium_mg", maximum=Decimal(2000)))
    assert decode_aims(encode_aims(aims)) == aims


@pytest.mark.parametrize(
    ("aims", "field"),
    [
        ([NutrientAim(name="fiber_g")], "nutrients.0"),
        ([NutrientAim(name="fiber_g", minimum=Decimal(-1))], "nutrients.0.minimum"),
        ([NutrientAim(name="fiber_g", minimum=Decimal(3), maximum=Decimal(2))], "nutrients.0.maximum"),
        ([NutrientAim(name="fiber_g", minimum=Decimal(3))] * 2, "nutrients.1.nutrient"),
        ([NutrientAim(name="fiber_g", minimum=Decimal(3))] * 18, "nutrients"),
    ],
)
def test_aims_that_cannot_be_kept_to_are_refused(aims: list[NutrientAim], field: str) -> None:
    checks = Checks()
    check_aims(checks, aims)
    with pytest.raises(ValidationError) as caught:
        checks.done()
    assert [place for place, _ in caught.value.violations] == [field]


def drink(kcal: int, alcohol: int | None, carbs: int = 0) -> Nutrients:
    grams = None if alcohol is None else Decimal(alcohol)
    return Nutrients(energy_kcal=Decimal(kcal), protein_g=ZERO, carbs_g=Decimal(carbs), fat_g=ZERO, alcohol_g=grams)


@pytest.mark.parametrize(
    ("per_100", "fits"),
    [
        (drink(231, 33), True),
        (drink(231, 0), True),
        (drink(231, 5), True),
        (drink(500, 5), False),
        (drink(20, 33), False),
    ],
)
def test_told_alcohol_bounds_the_energy(per_100: Nutrients, fits: bool) -> None:
    checks = Checks()
    check_food(checks, "Drink", None, per_100, [])
    if fits:
        checks.done()
    else:
        with pytest.raises(ValidationError, match="energyKcal"):
            checks.done()


def test_a_spirit_is_plausible_once_its_alcohol_is_told() -> None:
    assert not is_plausible(drink(231, None))
    assert is_plausible(drink(231, 33))
