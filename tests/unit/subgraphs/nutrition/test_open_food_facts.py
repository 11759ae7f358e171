"""What becomes of a product of Open Food Facts. The products are ours, in the form that its API and its dumps have."""

from decimal import Decimal
from typing import Any

import pytest

from subgraphs.nutrition.domain.catalogue_food import CatalogueFood
from subgraphs.nutrition.domain.declaration import NOTHING_TOLD, Allergen, Diet
from subgraphs.nutrition.domain.food import FoodCategory, Portion
from subgraphs.nutrition.domain.food_source import attribution_of
from subgraphs.nutrition.domain.gtin import shortest_gtin
from subgraphs.nutrition.domain.open_food_facts import food_of_product


def product(**changes: Any) -> dict[str, Any]:
    """A muesli of nobody's."""
    nutriments = {
        "energy_100g": 1500, "energy-kcal_100g": 358, "proteins_100g": 10, "carbohydrates_100g": 60, "fat_100g": 8.5,
        "fiber_100g": 8, "sugars_100g": 21.5, "salt_100g": 0.25, "iron_100g": 0.004, "vitamin-d_100g": 0.000005,
    }  # fmt: skip
    return {
        "code": "2012345678903",
        "product_name": "Morgenmüsli",
        "brands": "Mühle am Bach,Other",
        "categories_tags": ["en:plant-based-foods", "en:breakfasts", "en:mueslis"],
        "serving_size": "1 bowl (40 g)",
        "serving_quantity": "40",
        "nutriments": nutriments,
    } | changes


def food_of(**changes: Any) -> CatalogueFood:
    food = food_of_product(product(**changes))
    assert isinstance(food, CatalogueFood), food
    return food


def test_masses_are_in_grams_there_and_in_our_units_here() -> None:
    food = food_of()
    assert (food.name, food.brand, food.gtin) == ("Morgenmüsli", "Mühle am Bach", "02012345678903")
    assert food.category is FoodCategory.GRAIN
    assert food.portions == (Portion("1 bowl (40 g)", Decimal(40)),)
    amounts = food.per_100
    assert (amounts.energy_kcal, amounts.sodium_mg, amounts.iron_mg, amounts.vitamin_d_ug) == (358, 100, 4, 5)
    assert amounts.zinc_mg is None


def test_energy_is_taken_in_kilojoules_where_it_is_told_so_alone() -> None:
    nutriments = {key: value for key, value in product()["nutriments"].items() if key != "energy-kcal_100g"}
    assert food_of(nutriments=nutriments).per_100.energy_kcal == Decimal("358.509")


def test_alcohol_is_told_by_volume() -> None:
    beer = {"energy-kcal_100g": 43, "proteins_100g": 0.5, "carbohydrates_100g": 3.5, "fat_100g": 0, "alcohol_100g": 5}
    food = food_of(nutriments=beer, categories_tags="en:beverages,en:beers")
    assert (food.per_100.alcohol_g, food.category) == (Decimal("3.945"), FoodCategory.BEVERAGE)


def test_what_is_told_of_a_serving_alone_counts_by_its_weight() -> None:
    nutriments = {key.replace("_100g", "_serving"): value for key, value in product()["nutriments"].items()}
    assert food_of(nutriments=nutriments, serving_quantity=80).per_100.protein_g == Decimal("12.5")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"code": "123"}, "the code is no barcode"),
        ({"code": None}, "the code is no barcode"),
        ({"nutriments": None}, "energy is not told"),
        ({"nutriments": {"energy-kcal_100g": "many"}}, "energy is not told"),
        ({"product_name": "", "generic_name": 7}, "name must have 1 to 200 characters"),
    ],
)
def test_what_is_no_food_says_why(changes: dict[str, Any], reason: str) -> None:
    assert food_of_product(product(**changes)) == reason


@pytest.mark.parametrize(
    ("gtin", "told"),
    [("02012345678903", "2012345678903"), ("00012345678905", "0012345678905"), ("00000096385074", "96385074")],
)
def test_its_page_is_named_by_what_stands_on_the_package(gtin: str, told: str) -> None:
    attribution = attribution_of("OPEN_FOOD_FACTS")
    assert attribution is not None
    assert shortest_gtin(gtin) == told
    assert attribution.page_of(gtin) == f"https://world.openfoodfacts.org/product/{told}"
    assert attribution.page_of(None) == "https://world.openfoodfacts.org/"


@pytest.mark.parametrize("joined", [False, True], ids=["lists of JSON", "texts of the table"])
def test_tags_tell_what_is_in_it_what_is_not_and_whom_it_suits(joined: bool) -> None:
    tags: dict[str, Any] = {
        "allergens_tags": ["en:milk", "en:sesame-seeds", "de:unknown-here"],
        "traces_tags": ["en:peanuts"],
        "labels_tags": ["en:vegetarian", "en:no-gluten", "en:no-lactose"],
        "ingredients_analysis_tags": ["en:palm-oil-free", "en:non-vegan", "en:vegetarian"],
    }
    told = food_of(**{name: ",".join(each) if joined else each for name, each in tags.items()}).declared
    assert told.allergens == [Allergen.PEANUTS, Allergen.MILK, Allergen.SESAME]
    assert told.absent_allergens == [Allergen.GLUTEN]
    assert (told.suits, told.suits_not) == ([Diet.VEGETARIAN], [Diet.VEGAN])


def test_what_tags_do_not_tell_is_not_known() -> None:
    told = food_of(
        allergens_tags=[], ingredients_analysis_tags=["en:vegan-status-unknown", "en:maybe-vegetarian"]
    ).declared
    assert told == NOTHING_TOLD
    assert food_of(allergens_tags=7, traces_tags=None, labels_tags={"en": "vegan"}).declared == NOTHING_TOLD
    contradicted = food_of(labels_tags=["en:vegan", "en:no-milk"], allergens_tags=["en:milk"]).declared
    assert (contradicted.allergens, contradicted.absent_allergens) == ([Allergen.MILK], [])
    assert (contradicted.suits, contradicted.suits_not) == ([Diet.VEGETARIAN], [Diet.VEGAN])


def test_a_changed_label_is_another_food_to_a_load() -> None:
    digests = {food_of().digest, food_of(allergens_tags=["en:milk"]).digest, food_of(traces_tags=["en:nuts"]).digest}
    assert len(digests) == 3
    assert food_of(allergens_tags=[]).digest == food_of().digest
