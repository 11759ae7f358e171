"""Shopping amounts in GraphQL: what a person has to have at home for the dishes that are planned."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Annotated

import strawberry

from subgraphs.nutrition.api.food import Food, food_node
from subgraphs.nutrition.domain.meal import HEAVIEST_GRAMS, LIGHTEST_GRAMS
from subgraphs.nutrition.domain.recipe import FEWEST_SERVINGS, MOST_SERVINGS, Recipe, decode_recipe
from subgraphs.nutrition.domain.shopping import MOST_DISHES, MOST_LEVELS, ingredients_of, sum_of
from subgraphs.nutrition.loaders import loaders_of
from subgraphs.shell.context import Info
from subgraphs.shell.cost import list_size
from subgraphs.shell.errors import Checks
from subgraphs.shell.scalars import decimal_of, rounded
from subgraphs.shell.scopes import READS_DIARY


@strawberry.type(description="How much of a food is needed.")
class ShoppingAmount:
    food: Food = strawberry.field(description="What is needed.")
    grams: float = strawberry.field(description="How much of it, in grams.")


@strawberry.input(description="A dish that is planned: a recipe's food by servings, or any food by grams.")
class DishInput:
    food_id: strawberry.ID = strawberry.field(description="The food's id.")
    servings: float | None = strawberry.field(
        default=None,
        description=f"How many servings of a recipe, {FEWEST_SERVINGS} to {MOST_SERVINGS}. Null: `grams` says.",
    )
    grams: float | None = strawberry.field(
        default=None,
        description=f"How much, {LIGHTEST_GRAMS} to {HEAVIEST_GRAMS} grams. Null: `servings` says.",
    )


@strawberry.type
class ShoppingQuery:
    @strawberry.field(
        description="What dishes take, by food and in the order of the dishes: recipes are taken apart, the viewer's own"
        f" inside them too, {MOST_LEVELS} deep. Foods that are gone are left out.",
        directives=[READS_DIARY, list_size(40)],
    )
    async def shopping_amounts(
        self,
        info: Info,
        dishes: Annotated[
            list[DishInput],
            strawberry.argument(description=f"What is planned, 1 to {MOST_DISHES}, a dish twice counts twice."),
        ],
    ) -> list[ShoppingAmount]:
        viewer_id = info.context.viewer.id
        return await amounts_of(info, viewer_id, await _wanted(info, viewer_id, dishes))


async def amounts_of(info: Info, viewer_id: str, wanted: Mapping[str, Decimal]) -> list[ShoppingAmount]:
    """What so many grams of each food take: the viewer's recipes are taken apart, and what is gone is left out."""
    bought: dict[str, Decimal] = {}
    for _ in range(MOST_LEVELS):
        recipes = await _recipes(info, viewer_id, list(wanted))
        bought = sum_of(bought, {food_id: grams for food_id, grams in wanted.items() if food_id not in recipes})
        cooked = {food_id: grams for food_id, grams in wanted.items() if food_id in recipes}
        wanted = ingredients_of(cooked, recipes)
    bought = sum_of(bought, wanted)
    foods = await loaders_of(info).food_by_id.load_many(list(bought))
    return [
        ShoppingAmount(food=food_node(food), grams=rounded(bought[food.id]))
        for food in foods
        if food is not None and food.is_visible_to(viewer_id)
    ]


async def _recipes(info: Info, viewer_id: str, food_ids: list[str]) -> dict[str, Recipe]:
    """The recipes of those foods that have one, and are the viewer's."""
    loaders = loaders_of(info)
    foods = await loaders.food_by_id.load_many(food_ids)
    own = [food.id for food in foods if food is not None and food.created_by == viewer_id]
    records = await loaders.recipe_by_food.load_many(own)
    return {record.food_id: decode_recipe(record.content) for record in records if record is not None}


async def _wanted(info: Info, viewer_id: str, dishes: Sequence[DishInput]) -> dict[str, Decimal]:
    """The grams of each dish's food. Raises ValidationError with the place of what cannot be."""
    checks = Checks()
    checks.require(1 <= len(dishes) <= MOST_DISHES, "dishes", f"must have 1 to {MOST_DISHES} entries")
    checks.done()
    foods = await loaders_of(info).food_by_id.load_many([dish.food_id for dish in dishes])
    recipes = await _recipes(info, viewer_id, [dish.food_id for dish in dishes])
    parts = []
    for number, (dish, food) in enumerate(zip(dishes, foods, strict=True)):
        place = f"dishes.{number}"
        is_there = food is not None and food.is_visible_to(viewer_id)
        if checks.require(is_there, f"{place}.foodId", "names no food"):
            parts.append({str(dish.food_id): _grams(checks, place, dish, recipes.get(dish.food_id))})
    checks.done()
    return sum_of(*parts)


def _grams(checks: Checks, place: str, dish: DishInput, recipe: Recipe | None) -> Decimal:
    one = (dish.grams is None) != (dish.servings is None)
    checks.require(one, place, "needs grams or servings, and not both")
    if dish.servings is not None:
        checks.require(recipe is not None, f"{place}.servings", "are for recipes: tell grams")
        in_range = FEWEST_SERVINGS <= dish.servings <= MOST_SERVINGS
        checks.require(in_range, f"{place}.servings", f"must be from {FEWEST_SERVINGS} to {MOST_SERVINGS}")
        return decimal_of(dish.servings) * recipe.grams / recipe.servings if recipe else Decimal(0)
    grams = decimal_of(dish.grams or 0.0)
    in_range = not one or LIGHTEST_GRAMS <= grams <= HEAVIEST_GRAMS
    checks.require(in_range, f"{place}.grams", f"must be from {LIGHTEST_GRAMS} to {HEAVIEST_GRAMS}")
    return grams
