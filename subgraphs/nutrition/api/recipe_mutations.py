"""Changes to recipes in GraphQL: made and changed. A recipe's food is deleted like any other."""

import strawberry

from subgraphs.nutrition.api.food import Food, food_node
from subgraphs.nutrition.api.meal_mutations import MealItemInput
from subgraphs.nutrition.commands import recipe as commands
from subgraphs.nutrition.domain import recipe as domain
from subgraphs.nutrition.domain.food import FoodCategory
from subgraphs.nutrition.domain.meal import HEAVIEST_GRAMS, LIGHTEST_GRAMS, STORED_PLACES
from subgraphs.shell.context import Info
from subgraphs.shell.inputs import client_made_id, expected_version, given, idempotency_key, request_key
from subgraphs.shell.key_scope import KeyScope
from subgraphs.shell.mutation import Payload, mutation
from subgraphs.shell.node import NodeKind
from subgraphs.shell.scalars import IdempotencyKey, decimal_of, decimal_of_or_none

_SERVINGS = f"{domain.FEWEST_SERVINGS} to {domain.MOST_SERVINGS}"
_YIELD = f"What the cooked dish weighs, {LIGHTEST_GRAMS} to {HEAVIEST_GRAMS} grams. Null: what its ingredients do."
_INSTRUCTIONS = f"How it is made, up to {domain.LONGEST_INSTRUCTIONS} characters. Null: not told."


@strawberry.input(
    description="A recipe to keep, for the viewer alone. It makes a food that can be logged by the serving."
)
class CreateRecipeInput:
    name: str = strawberry.field(description="What the dish is called, 1 to 200 characters.")
    servings: float = strawberry.field(description=f"How many servings it makes, {_SERVINGS}.")
    ingredients: list[MealItemInput] = strawberry.field(
        description=f"Foods with amounts, 1 to {domain.MOST_INGREDIENTS}; another recipe's food may be one."
    )
    yield_grams: float | None = strawberry.field(default=None, description=_YIELD)
    instructions: str | None = strawberry.field(default=None, description=_INSTRUCTIONS)
    category: FoodCategory = strawberry.field(default=FoodCategory.MEAL, description="What kind of food it makes.")
    id: strawberry.ID | None = client_made_id(NodeKind.FOOD)
    idempotency_key: IdempotencyKey | None = idempotency_key()


@strawberry.input(description="What to change of a recipe; what is absent stays.")
class UpdateRecipeInput:
    food_id: strawberry.ID = strawberry.field(description="The id of the food that the recipe makes.")
    expected_version: int | None = expected_version()
    name: str | None = strawberry.field(
        default=strawberry.UNSET, description="The new name, 1 to 200 characters. Null is refused."
    )
    servings: float | None = strawberry.field(
        default=strawberry.UNSET, description=f"How many servings it makes, {_SERVINGS}. Null is refused."
    )
    ingredients: list[MealItemInput] | None = strawberry.field(
        default=strawberry.UNSET,
        description=f"All ingredients anew, 1 to {domain.MOST_INGREDIENTS}, at today's nutrients. Null is refused.",
    )
    yield_grams: float | None = strawberry.field(default=strawberry.UNSET, description=_YIELD)
    instructions: str | None = strawberry.field(default=strawberry.UNSET, description=_INSTRUCTIONS)
    category: FoodCategory | None = strawberry.field(
        default=strawberry.UNSET, description="What kind of food it makes. Null is refused."
    )
    reprice: bool = strawberry.field(
        default=False, description="Whether ingredients that stay take the nutrients that their foods have now."
    )


_FOOD = "The food that the recipe makes; null if it was refused."


@strawberry.type(description="What came of keeping a recipe.")
class CreateRecipePayload(Payload):
    food: Food | None = strawberry.field(default=None, description=_FOOD)


@strawberry.type(description="What came of changing a recipe.")
class UpdateRecipePayload(Payload):
    food: Food | None = strawberry.field(default=None, description=_FOOD)


@strawberry.type
class RecipeMutation:
    @mutation(
        key_scope=KeyScope.WRITE_DIARY,
        description="Keep a recipe of the viewer, and the food that it makes: found, logged and marked like any other."
        " CONFLICT for more than there may be.",
    )
    async def create_recipe(self, info: Info, input: CreateRecipeInput) -> CreateRecipePayload | None:
        resources = info.context.resources
        new = commands.NewRecipe(
            name=input.name,
            servings=decimal_of(input.servings, STORED_PLACES),
            ingredients=[each.to_draft() for each in input.ingredients],
            yield_grams=decimal_of_or_none(input.yield_grams, STORED_PLACES),
            instructions=input.instructions,
            category=input.category,
            request=request_key(input),
        )
        record = await commands.create_recipe(
            info.context.viewer, new, database=resources.database, now=resources.now()
        )
        info.context.renew_loaders()
        return CreateRecipePayload(food=food_node(record))

    @mutation(
        key_scope=KeyScope.WRITE_DIARY,
        description="Change a recipe of the viewer. Meals that have it keep the nutrients they were logged with.",
    )
    async def update_recipe(self, info: Info, input: UpdateRecipeInput) -> UpdateRecipePayload | None:
        resources = info.context.resources
        never_null = ("name", "servings", "ingredients", "category")
        changes = given(input, "yield_grams", "instructions", never_null=never_null)
        for name in {"servings", "yield_grams"} & changes.keys():
            changes[name] = decimal_of_or_none(changes[name], STORED_PLACES)
        if "ingredients" in changes:
            changes["ingredients"] = [each.to_draft() for each in changes["ingredients"]]
        record = await commands.update_recipe(
            info.context.viewer,
            input.food_id,
            changes,
            reprice=input.reprice,
            expected_version=input.expected_version,
            database=resources.database,
            now=resources.now(),
        )
        info.context.renew_loaders()
        return UpdateRecipePayload(food=food_node(record))
