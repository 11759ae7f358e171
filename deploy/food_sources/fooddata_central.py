"""A branded food of FoodData Central, as its downloads tell it, to a food of the catalogue.

Amounts of `food_nutrient` are of 100 g, or of 100 ml where the serving is told in millilitres; `labelNutrients` are of a
serving. Millilitres count as grams: labels tell no density. Identifiers of nutrients are those of FDC's table `nutrient`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from deploy.food_sources import Refused, Told
from deploy.food_sources.shelves import category_of
from subgraphs.nutrition.domain.catalogue_food import (
    LONGEST_BRAND,
    CatalogueFood,
    readable_name,
    refusal_of,
    rounded_amount,
    shortened,
)
from subgraphs.nutrition.domain.food_source import BulkSource
from subgraphs.nutrition.domain.gtin import normalise_gtin
from subgraphs.nutrition.domain.label import number, per_100_of_serving, portion_of
from subgraphs.nutrition.domain.label_text import declared_by
from subgraphs.nutrition.domain.nutrients import ALWAYS_KNOWN_NAMES, KJ_PER_KCAL, Nutrients

# Our amount -> (FDC's nutrient, what one of its unit is in ours); the first that is told counts. 1104 and 1110 are
# international units, at 0.3 ug of retinol and 0.025 ug of vitamin D (21 CFR 101.9 of before 2016); 1062 is energy in kJ.
NUTRIENTS: Mapping[str, tuple[tuple[int, Decimal], ...]] = {
    "energy_kcal": ((1008, Decimal(1)), (2047, Decimal(1)), (2048, Decimal(1)), (1062, 1 / KJ_PER_KCAL)),
    "protein_g": ((1003, Decimal(1)),),
    "carbs_g": ((1005, Decimal(1)), (1050, Decimal(1))),
    "fat_g": ((1004, Decimal(1)), (1085, Decimal(1))),
    "fiber_g": ((1079, Decimal(1)), (2033, Decimal(1))),
    "sugar_g": ((2000, Decimal(1)), (1063, Decimal(1))),
    "saturated_fat_g": ((1258, Decimal(1)),),
    "cholesterol_mg": ((1253, Decimal(1)),),
    "sodium_mg": ((1093, Decimal(1)),),
    "alcohol_g": ((1018, Decimal(1)),),
    "potassium_mg": ((1092, Decimal(1)),),
    "calcium_mg": ((1087, Decimal(1)),),
    "iron_mg": ((1089, Decimal(1)),),
    "magnesium_mg": ((1090, Decimal(1)),),
    "phosphorus_mg": ((1091, Decimal(1)),),
    "zinc_mg": ((1095, Decimal(1)),),
    "vitamin_a_ug": ((1106, Decimal(1)), (1104, Decimal("0.3"))),
    "vitamin_c_mg": ((1162, Decimal(1)),),
    "vitamin_d_ug": ((1114, Decimal(1)), (1110, Decimal("0.025"))),
    "vitamin_b12_ug": ((1178, Decimal(1)),),
    "folate_ug": ((1190, Decimal(1)), (1177, Decimal(1))),
}
NUTRIENT_IDS = frozenset(number for choices in NUTRIENTS.values() for number, _ in choices)
# Of the serving, where a record tells nothing of 100 g.
_LABEL = {
    "energy_kcal": "calories",
    "protein_g": "protein",
    "carbs_g": "carbohydrates",
    "fat_g": "fat",
    "fiber_g": "fiber",
    "sugar_g": "sugars",
    "saturated_fat_g": "saturatedFat",
    "cholesterol_mg": "cholesterol",
    "sodium_mg": "sodium",
    "potassium_mg": "potassium",
    "calcium_mg": "calcium",
    "iron_mg": "iron",
}
_GRAM_UNITS = frozenset({"g", "grm", "gm", "gram", "grams", "ml", "mlt", "milliliter"})
ALWAYS_TOLD = {"energy_kcal": "energy", "protein_g": "protein", "carbs_g": "carbohydrate", "fat_g": "fat"}


@dataclass(frozen=True, slots=True, kw_only=True)
class FdcFood:
    """One branded food, whichever file it is from. `per_100` is by FDC's number of the nutrient, `label` by its name."""

    fdc_id: str
    description: str
    published: str  # a date that sorts, YYYY-MM-DD
    brand: str = ""
    gtin: str = ""
    shelf: str = ""
    serving_size: Decimal | None = None
    serving_unit: str = ""
    household: str = ""
    ingredients: str = ""
    per_100: Mapping[int, Decimal] = field(default_factory=dict)
    label: Mapping[str, Decimal] = field(default_factory=dict)


def food_of(record: FdcFood) -> Told | Refused:
    place = f"FDC id {record.fdc_id}"
    name = readable_name(record.description)
    serving = record.serving_size if record.serving_unit.casefold() in _GRAM_UNITS else None
    amounts = _amounts(record, serving if serving and serving > 0 else None)
    for needed in ALWAYS_KNOWN_NAMES:
        if needed not in amounts:
            return Refused(f"{ALWAYS_TOLD[needed]} is not told", place)
    gtin = normalise_gtin(record.gtin) if record.gtin else None
    food = CatalogueFood(
        source=BulkSource.USDA_BRANDED,
        code=gtin or f"fdc:{record.fdc_id}",
        name=name,
        brand=shortened(record.brand, LONGEST_BRAND) or None,
        gtin=gtin,
        category=category_of(record.shelf),
        per_100=Nutrients(**amounts),
        portions=portion_of(record.household, serving),
        declared=declared_by(record.ingredients),
    )
    reason = refusal_of(food)
    return Told(food, f"{record.published}/{record.fdc_id:>12}") if reason is None else Refused(reason, place)


def date_of(text: Any) -> str:
    """FDC's JSON writes 11/12/2020, its CSV 2020-11-12; both to the latter, which sorts. Empty for neither."""
    parts = str(text or "").split("/")
    if len(parts) == 3:
        month, day, year = (part.zfill(2) for part in parts)
        return f"{year}-{month}-{day}"
    return parts[0][:10]


def _amounts(record: FdcFood, serving: Decimal | None) -> dict[str, Decimal]:
    amounts: dict[str, Decimal] = {}
    for name, choices in NUTRIENTS.items():
        for nutrient, factor in choices:
            if nutrient in record.per_100:
                amounts[name] = rounded_amount(record.per_100[nutrient] * factor)
                break
    if serving is not None:
        for name, label in _LABEL.items():
            if name not in amounts and label in record.label:
                amounts[name] = per_100_of_serving(record.label[label], serving)
    return amounts


def amounts_of(nutrients: Any) -> dict[int, Decimal]:
    """The known nutrients of `foodNutrients` in JSON: both the shape of full downloads and the abridged one of the API."""
    amounts: dict[int, Decimal] = {}
    for each in nutrients if isinstance(nutrients, list) else ():
        if not isinstance(each, Mapping):
            continue
        described = each.get("nutrient")
        told = described.get("id") if isinstance(described, Mapping) else each.get("nutrientId")
        amount = number(each.get("amount", each.get("value")))
        if isinstance(told, int) and told in NUTRIENT_IDS and amount is not None:
            amounts[told] = amount
    return amounts
