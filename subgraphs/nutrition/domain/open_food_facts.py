"""A product of Open Food Facts to a food of the catalogue: as its dumps and its API (v2) tell it. Pure.

`nutriments` are of 100 g or 100 ml: `energy_100g` in kJ, `energy-kcal_100g` in kcal, every other mass in grams, vitamins and
minerals too, and `alcohol_100g` in percent by volume.
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from subgraphs.nutrition.domain.catalogue_food import (
    LONGEST_BRAND,
    CatalogueFood,
    readable_name,
    refusal_of,
    rounded_amount,
    shortened,
)
from subgraphs.nutrition.domain.declaration import Allergen, Declaration, Diet, declare
from subgraphs.nutrition.domain.food import FoodCategory
from subgraphs.nutrition.domain.food_source import BulkSource
from subgraphs.nutrition.domain.gtin import normalise_gtin
from subgraphs.nutrition.domain.label import number, per_100_of_serving, portion_of
from subgraphs.nutrition.domain.nutrients import ALWAYS_KNOWN_NAMES, KJ_PER_KCAL, SALT_PER_SODIUM, Nutrients

# What is asked of the API, and read of a dump.
FIELDS = (
    "code",
    "product_name",
    "product_name_en",
    "generic_name",
    "brands",
    "categories_tags",
    "serving_size",
    "serving_quantity",
    "nutriments",
    "allergens_tags",
    "traces_tags",
    "labels_tags",
    "ingredients_analysis_tags",
    "last_modified_t",
)
_ALLERGENS = {
    "en:gluten": Allergen.GLUTEN,
    "en:crustaceans": Allergen.CRUSTACEANS,
    "en:eggs": Allergen.EGGS,
    "en:fish": Allergen.FISH,
    "en:peanuts": Allergen.PEANUTS,
    "en:soybeans": Allergen.SOYBEANS,
    "en:milk": Allergen.MILK,
    "en:nuts": Allergen.NUTS,
    "en:celery": Allergen.CELERY,
    "en:mustard": Allergen.MUSTARD,
    "en:sesame-seeds": Allergen.SESAME,
    "en:sulphur-dioxide-and-sulphites": Allergen.SULPHITES,
    "en:lupin": Allergen.LUPIN,
    "en:molluscs": Allergen.MOLLUSCS,
}
# Labels that say what is not in it. "No lactose" is not among them: such milk is milk.
_FREE_FROM = {
    "en:no-gluten": Allergen.GLUTEN,
    "en:no-milk": Allergen.MILK,
    "en:no-eggs": Allergen.EGGS,
    "en:no-peanuts": Allergen.PEANUTS,
    "en:no-nuts": Allergen.NUTS,
    "en:no-soy": Allergen.SOYBEANS,
    "en:no-sulphites": Allergen.SULPHITES,
}
_DIETS = {"en:vegan": Diet.VEGAN, "en:vegetarian": Diet.VEGETARIAN}
_NOT_OF_DIETS = {"en:non-vegan": Diet.VEGAN, "en:non-vegetarian": Diet.VEGETARIAN}
_MG, _UG = Decimal(1000), Decimal(1_000_000)
_ETHANOL_G_PER_ML = Decimal("0.789")
# Our amount -> (Open Food Facts' name, what one of its unit is in ours); the first that is told counts.
_NUTRIMENTS: Mapping[str, tuple[tuple[str, Decimal], ...]] = {
    "energy_kcal": (("energy-kcal", Decimal(1)), ("energy-kj", 1 / KJ_PER_KCAL), ("energy", 1 / KJ_PER_KCAL)),
    "protein_g": (("proteins", Decimal(1)),),
    "carbs_g": (("carbohydrates", Decimal(1)),),
    "fat_g": (("fat", Decimal(1)),),
    "fiber_g": (("fiber", Decimal(1)),),
    "sugar_g": (("sugars", Decimal(1)),),
    "saturated_fat_g": (("saturated-fat", Decimal(1)),),
    "cholesterol_mg": (("cholesterol", _MG),),
    "sodium_mg": (("sodium", _MG), ("salt", _MG / SALT_PER_SODIUM)),
    "alcohol_g": (("alcohol", _ETHANOL_G_PER_ML),),
    "potassium_mg": (("potassium", _MG),),
    "calcium_mg": (("calcium", _MG),),
    "iron_mg": (("iron", _MG),),
    "magnesium_mg": (("magnesium", _MG),),
    "phosphorus_mg": (("phosphorus", _MG),),
    "zinc_mg": (("zinc", _MG),),
    "vitamin_a_ug": (("vitamin-a", _UG),),
    "vitamin_c_mg": (("vitamin-c", _MG),),
    "vitamin_d_ug": (("vitamin-d", _UG),),
    "vitamin_b12_ug": (("vitamin-b12", _UG),),
    "folate_ug": (("folates", _UG), ("vitamin-b9", _UG)),
}
_TOLD = {"energy_kcal": "energy", "protein_g": "protein", "carbs_g": "carbohydrate", "fat_g": "fat"}
# The first pattern that one of the product's categories has, from the particular to the general.
_CATEGORIES = (
    (FoodCategory.BABY_FOOD, r"baby|infant"),
    (FoodCategory.NUT, r"\bnuts\b|almond|peanuts\b|seeds\b|cashew|walnut|hazelnuts\b"),
    (FoodCategory.SNACK, r"crisps|chips|salty-snack|cracker|popcorn|cereal-bar|protein-bar|appetizer"),
    (
        FoodCategory.SWEET,
        r"chocolate|candies|confection|biscuit|cakes|dessert|ice-cream|sweet|jams|honey|sugars|pastries",
    ),
    (FoodCategory.CONDIMENT, r"sauces|condiment|spices|mustard|ketchup|dressing|\bsalts\b|vinegar"),
    (FoodCategory.MEAL, r"meals|pizzas|soups|sandwich|prepared|lasagne"),
    (FoodCategory.FAT, r"fats|oils|butters|margarine"),
    (FoodCategory.BEVERAGE, r"beverages|drinks|juices|waters|sodas|coffees|\bteas\b|beers|wines"),
    (FoodCategory.DAIRY, r"dair(?:y|ies)|cheeses|yogurts|milks|creams"),
    (FoodCategory.LEGUME, r"legumes|pulses|lentils|beans|chickpeas|tofu"),
    (FoodCategory.PROTEIN, r"meats|poultr|fishes|seafood|eggs|sausages|hams|meat-analog"),
    (FoodCategory.FRUIT, r"fruits"),
    (FoodCategory.VEGETABLE, r"vegetables|potatoes|mushrooms|salads"),
    (FoodCategory.GRAIN, r"cereals|breads|pastas|rices|flours|noodles|mueslis"),
)


def food_of_product(product: Mapping[str, Any]) -> CatalogueFood | str:
    """The food, or the reason for which it is none."""
    code = str(product.get("code") or "")
    gtin = normalise_gtin(code)
    if gtin is None:
        return "the code is no barcode"
    name = next(
        (name for key in ("product_name", "product_name_en", "generic_name") if (name := _text(product.get(key)))), ""
    )
    amounts = _amounts(product)
    for needed in ALWAYS_KNOWN_NAMES:
        if needed not in amounts:
            return f"{_TOLD[needed]} is not told"
    food = CatalogueFood(
        source=BulkSource.OPEN_FOOD_FACTS,
        code=gtin,
        name=readable_name(name),
        brand=shortened(_text(product.get("brands")).split(",")[0], LONGEST_BRAND) or None,
        gtin=gtin,
        category=_category(product.get("categories_tags")),
        per_100=Nutrients(**amounts),
        portions=portion_of(_text(product.get("serving_size")), number(product.get("serving_quantity"))),
        declared=_declared(product),
    )
    return refusal_of(food) or food


def _amounts(product: Mapping[str, Any]) -> dict[str, Decimal]:
    nutriments = product.get("nutriments")
    if not isinstance(nutriments, Mapping):
        return {}
    serving = number(product.get("serving_quantity"))
    amounts: dict[str, Decimal] = {}
    for name, choices in _NUTRIMENTS.items():
        for told, factor in choices:
            if (amount := number(nutriments.get(f"{told}_100g"))) is not None:
                amounts[name] = rounded_amount(amount * factor)
                break
            if serving and serving > 0 and (amount := number(nutriments.get(f"{told}_serving"))) is not None:
                amounts[name] = per_100_of_serving(amount * factor, serving)
                break
    return amounts


def _declared(product: Mapping[str, Any]) -> Declaration:
    """What its tags tell: allergens of the label and its ingredients, traces, and diets by label or by ingredients."""
    told = {
        name: _tags(product.get(f"{name}_tags")) for name in ("allergens", "traces", "labels", "ingredients_analysis")
    }
    of_diets = [*told["labels"], *told["ingredients_analysis"]]
    return declare(
        contains=[_ALLERGENS[tag] for tag in told["allergens"] if tag in _ALLERGENS],
        traces=[_ALLERGENS[tag] for tag in told["traces"] if tag in _ALLERGENS],
        free_from=[_FREE_FROM[tag] for tag in told["labels"] if tag in _FREE_FROM],
        suits=[_DIETS[tag] for tag in of_diets if tag in _DIETS],
        suits_not=[_NOT_OF_DIETS[tag] for tag in of_diets if tag in _NOT_OF_DIETS],
    )


def _tags(value: Any) -> list[str]:
    """A list in JSON, a text with commas in the table."""
    told = value.split(",") if isinstance(value, str) else value if isinstance(value, list) else []
    return [each.strip() for each in told if isinstance(each, str)]


def _category(tags: Any) -> FoodCategory:
    """Tags go from the general to the particular; the particular ones are looked at first."""
    for tag in reversed(_tags(tags)):
        for category, pattern in _CATEGORIES:
            if re.search(pattern, tag):
                return category
    return FoodCategory.OTHER


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
