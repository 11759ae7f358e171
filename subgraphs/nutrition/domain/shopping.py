"""What has to be there to cook dishes: their ingredients, summed by food. Pure."""

from collections import defaultdict
from collections.abc import Mapping
from decimal import Decimal

from subgraphs.nutrition.domain.recipe import Recipe

MOST_DISHES = 50
#: Recipes inside recipes inside recipes: what is deeper is bought as it is.
MOST_LEVELS = 5


def ingredients_of(wanted: Mapping[str, Decimal], recipes: Mapping[str, Recipe]) -> dict[str, Decimal]:
    """The grams of each ingredient that so many grams of each cooked dish take; `recipes` are those of the foods."""
    grams: defaultdict[str, Decimal] = defaultdict(Decimal)
    for food_id, amount in wanted.items():
        recipe = recipes[food_id]
        for item in recipe.ingredients:
            grams[item.food_id] += item.grams * amount / recipe.grams
    return dict(grams)


def sum_of(*parts: Mapping[str, Decimal]) -> dict[str, Decimal]:
    """The grams of each food together."""
    grams: defaultdict[str, Decimal] = defaultdict(Decimal)
    for part in parts:
        for food_id, amount in part.items():
            grams[food_id] += amount
    return dict(grams)
