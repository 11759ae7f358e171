"""Recipes in GraphQL: what a food is made of, by ingredient, for the whole dish and for a serving."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from subgraphs.nutrition.api.nutrients import Nutrients, nutrients_node, totals_node
from subgraphs.nutrition.domain import recipe as domain
from subgraphs.nutrition.domain.meal import Item
from subgraphs.nutrition.loaders import loaders_of
from subgraphs.nutrition.queries.recipe import RecipeRecord
from subgraphs.shell.context import Info
from subgraphs.shell.cost import list_size
from subgraphs.shell.scalars import rounded, rounded_or_none

if TYPE_CHECKING:
    from subgraphs.nutrition.api.food import Food

LazyFood = Annotated["Food", strawberry.lazy("subgraphs.nutrition.api.food")]


@strawberry.type(description="A food of a recipe, as it was when that version was written.")
class RecipeIngredient:
    item: strawberry.Private[Item]
    food_name: str = strawberry.field(description="The food's name then.")
    grams: float = strawberry.field(description="How much of it, in grams.")
    portion: str | None = strawberry.field(description="The household measure that was told; null if grams were.")
    quantity: float | None = strawberry.field(description="How many of `portion`; null if grams were told.")

    @strawberry.field(description="The food as it is now; null once its maker deleted it.")
    async def food(self, info: Info) -> LazyFood | None:
        from subgraphs.nutrition.api.food import food_node

        record = await loaders_of(info).food_by_id.load(self.item.food_id)
        return None if record is None or record.is_deleted else food_node(record)

    @strawberry.field(description="Whether the food was changed or deleted since: `updateRecipe` can price it anew.")
    async def is_outdated(self, info: Info) -> bool:
        record = await loaders_of(info).food_by_id.load(self.item.food_id)
        return record is None or record.is_deleted or record.version != self.item.food_version

    @strawberry.field(description="What it brings to the dish.")
    def nutrients(self) -> Nutrients:
        return nutrients_node(self.item.nutrients)


@strawberry.type(description="What a food is made of. Each change is a version of the food.")
class Recipe:
    recipe: strawberry.Private[domain.Recipe]
    version: int = strawberry.field(description="The food's version that it was written as.")
    written_at: datetime = strawberry.field(description="When this version was written.")
    servings: float = strawberry.field(description="How many servings it makes.")
    yield_grams: float | None = strawberry.field(
        description="What the cooked dish weighs, in grams; null: what its ingredients do."
    )
    instructions: str | None = strawberry.field(description="How it is made; null if that is not told.")

    @strawberry.field(description="What the whole dish weighs, in grams.")
    def grams(self) -> float:
        return rounded(self.recipe.grams)

    @strawberry.field(
        description=f"What it is made of, in order; 1 to {domain.MOST_INGREDIENTS}.", directives=[list_size(8)]
    )
    def ingredients(self) -> list[RecipeIngredient]:
        return [
            RecipeIngredient(
                item=item,
                food_name=item.food_name,
                grams=rounded(item.grams),
                portion=item.portion,
                quantity=rounded_or_none(item.quantity),
            )
            for item in self.recipe.ingredients
        ]

    @strawberry.field(description="What the whole dish holds.")
    def totals(self) -> Nutrients:
        return totals_node(self.recipe.totals)

    @strawberry.field(description="What one serving holds.")
    def per_serving(self) -> Nutrients:
        return totals_node(self.recipe.per_serving)


def recipe_node(record: RecipeRecord) -> Recipe:
    recipe = domain.decode_recipe(record.content)
    return Recipe(
        recipe=recipe,
        version=record.version,
        written_at=record.written_at,
        servings=rounded(recipe.servings),
        yield_grams=rounded_or_none(recipe.yield_grams),
        instructions=recipe.instructions,
    )
