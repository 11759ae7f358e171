"""What a dish comes to by its ingredients."""

from decimal import Decimal

import pytest

from subgraphs.nutrition.domain.meal import Item, ItemDraft
from subgraphs.nutrition.domain.nutrients import Nutrients, QuickAdd
from subgraphs.nutrition.domain.recipe import Recipe, check_dish, check_recipe, decode_recipe, encode_recipe
from subgraphs.nutrition.domain.saved_meal import SavedContent, decode_content, encode_content
from subgraphs.shell.errors import Checks, ValidationError


def item(grams: int, kcal: int, **more: int) -> Item:
    known = {name: Decimal(amount) for name, amount in more.items()}
    macros = {"protein_g": Decimal(1), "carbs_g": Decimal(2), "fat_g": Decimal(3)}
    nutrients = Nutrients(**({"energy_kcal": Decimal(kcal)} | macros | known))
    return Item("food", "Food", 1, Decimal(grams), None, None, nutrients)


def dish(*items: Item, servings: str = "4", yield_grams: int | None = None) -> Recipe:
    cooked = None if yield_grams is None else Decimal(yield_grams)
    return Recipe(servings=Decimal(servings), yield_grams=cooked, instructions=None, ingredients=items)


def test_cooking_takes_water_and_no_nutrients() -> None:
    stew = dish(item(600, 300), item(400, 500), yield_grams=800)
    assert (stew.grams, stew.per_100.energy_kcal, stew.per_serving.nutrients.energy_kcal) == (800, 100, 200)
    assert [(each.label, each.grams) for each in stew.portions] == [("serving", 200)]
    assert dish(item(600, 300), item(400, 500)).per_100.energy_kcal == 80


def test_a_nutrient_that_is_not_known_of_nearly_all_is_not_told() -> None:
    tells, silent = item(900, 100, sodium_mg=450, fiber_g=9), item(100, 100, fiber_g=1)
    assert dish(tells, silent).per_100.sodium_mg == 45
    assert dish(tells, silent, item(1, 1)).per_100.sodium_mg is None
    assert dish(tells, silent).per_100.calcium_mg is None


def test_a_recipe_and_a_saved_meal_are_stored_exactly() -> None:
    stew = dish(item(333, 100, sodium_mg=7), servings="2.5", yield_grams=300)
    assert decode_recipe(encode_recipe(stew)) == stew
    kept = SavedContent(
        items=(ItemDraft("a", Decimal("0.1"), "cup", Decimal(3)),), quick_adds=(QuickAdd(energy_kcal=Decimal("0.3")),)
    )
    assert decode_content(encode_content(kept)) == kept
    assert kept.times(Decimal(2)).items[0].grams == Decimal("0.2")


@pytest.mark.parametrize(
    ("recipe", "field"),
    [
        (dish(item(1000, 300, fat_g=900), yield_grams=500), "yieldGrams"),
        (dish(item(1000, 9000), yield_grams=900), "yieldGrams"),
        (dish(item(50_000, 300), servings="1"), "servings"),
        (dish(item(50, 3), servings="1000"), "servings"),
    ],
)
def test_a_dish_that_cannot_be_is_refused(recipe: Recipe, field: str) -> None:
    checks = Checks()
    check_dish(checks, recipe)
    with pytest.raises(ValidationError) as caught:
        checks.done()
    assert [place for place, _ in caught.value.violations] == [field]


def test_what_is_told_of_a_recipe_has_limits() -> None:
    checks = Checks()
    check_recipe(checks, "", Decimal(0), Decimal(0), "x" * 5001, [])
    with pytest.raises(ValidationError) as caught:
        checks.done()
    places = [place for place, _ in caught.value.violations]
    assert places == ["name", "servings", "yieldGrams", "instructions", "ingredients"]
