"""Recipes: each makes a food of one's own, so that it is found, logged and marked like any other. Each change is a version."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from subgraphs.nutrition.commands.food import (
    NewFood,
    food_of_request,
    insert_food,
    lock_maker,
    locked_food,
    write_food_version,
)
from subgraphs.nutrition.commands.meal import priced_foods
from subgraphs.nutrition.domain.food import FoodCategory
from subgraphs.nutrition.domain.meal import Item, ItemDraft, price_items
from subgraphs.nutrition.domain.recipe import (
    MOST_RECIPES,
    MOST_VERSIONS,
    SOURCE,
    Recipe,
    check_dish,
    check_recipe,
    decode_recipe,
    encode_recipe,
)
from subgraphs.nutrition.domain.saved_meal import draft_of
from subgraphs.nutrition.queries.food import FoodRecord
from subgraphs.nutrition.queries.recipe import recipes_by_food
from subgraphs.shell.auth import Viewer
from subgraphs.shell.database import Database
from subgraphs.shell.errors import Checks, ConflictError, NotFoundError, ValidationError
from subgraphs.shell.inputs import RequestKey

_COUNT = text("SELECT count(*) FROM food WHERE created_by = :user_id AND source = 'RECIPE' AND deleted_at IS NULL")
_WRITE = text(
    "INSERT INTO recipe_version (food_id, version, written_at, content)"
    " VALUES (:food_id, :version, :now, CAST(:content AS jsonb))"
)
_FORGET = text(
    "DELETE FROM recipe_version WHERE food_id = :food_id AND version IN (SELECT version FROM recipe_version"
    " WHERE food_id = :food_id ORDER BY version DESC OFFSET :most)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRecipe:
    """A recipe as it is told. `yield_grams` None: as much as the ingredients weigh."""

    name: str
    servings: Decimal
    ingredients: Sequence[ItemDraft]
    yield_grams: Decimal | None = None
    instructions: str | None = None
    category: FoodCategory = FoodCategory.MEAL
    request: RequestKey | None = None


async def create_recipe(viewer: Viewer, new: NewRecipe, *, database: Database, now: datetime) -> FoodRecord:
    """Keep a recipe and the food that it makes, at the nutrients that its ingredients have now.

    Raises ValidationError, and ConflictError for too many or a key used otherwise.
    """
    async with database.transaction() as transaction:
        await lock_maker(transaction, viewer.id)
        if earlier := await food_of_request(transaction, viewer.id, new.request):
            return earlier
        return await keep_recipe(transaction, viewer, new, now)


async def keep_recipe(transaction: AsyncConnection, viewer: Viewer, new: NewRecipe, now: datetime) -> FoodRecord:
    """Write a recipe that no request made before, in the caller's transaction, in which the viewer has taken turns.

    Raises ValidationError, and ConflictError for too many.
    """
    _check(new, new.ingredients)
    if (await transaction.execute(_COUNT, {"user_id": viewer.id})).scalar_one() >= MOST_RECIPES:
        raise ConflictError(f"There may be at most {MOST_RECIPES} recipes: delete one first.")
    recipe = _dish(new, await _priced(transaction, viewer, new.ingredients))
    food = await insert_food(transaction, viewer.id, _food(new, recipe), SOURCE, now)
    await _write(transaction, food, recipe, now)
    return food


async def update_recipe(
    viewer: Viewer,
    food_id: str,
    changes: Mapping[str, Any],
    *,
    reprice: bool,
    expected_version: int | None,
    database: Database,
    now: datetime,
) -> FoodRecord:
    """Write the next version; `changes` are fields of NewRecipe. Meals keep what they were logged with.

    Ingredients that stay keep their nutrients, unless they are to be priced anew. Raises NotFoundError,
    StaleVersionError, ValidationError.
    """
    async with database.transaction() as transaction:
        await lock_maker(transaction, viewer.id)
        food = await locked_food(transaction, viewer, food_id, expected_version)
        record = (await recipes_by_food(transaction, [food_id])).get(food_id)
        if record is None:
            raise NotFoundError("This food is no recipe.")
        before = decode_recipe(record.content)
        told = _as_told(food, before)
        new = replace(told, **changes)
        drafts = new.ingredients if reprice or "ingredients" in changes else None
        _check(new, drafts)
        if any(draft.food_id == food_id for draft in drafts or ()):
            raise ValidationError(("ingredients", "cannot hold the recipe itself"))
        items = before.ingredients if drafts is None else await _priced(transaction, viewer, drafts)
        recipe = _dish(new, items)
        if recipe == before and (new.name.strip(), new.category) == (food.name, told.category):
            return food
        food = await write_food_version(transaction, food, _food(new, recipe), now, even_if_same=True)
        await _write(transaction, food, recipe, now)
        return food


def _check(new: NewRecipe, drafts: Sequence[ItemDraft] | None) -> None:
    checks = Checks()
    check_recipe(checks, new.name, new.servings, new.yield_grams, new.instructions, drafts)
    checks.done()


async def _priced(transaction: AsyncConnection, viewer: Viewer, drafts: Sequence[ItemDraft]) -> list[Item]:
    return price_items(drafts, await priced_foods(transaction, viewer.id, drafts), place="ingredients")


def _dish(new: NewRecipe, items: Sequence[Item]) -> Recipe:
    recipe = Recipe(
        servings=new.servings,
        yield_grams=new.yield_grams,
        instructions=new.instructions or None,
        ingredients=tuple(items),
    )
    checks = Checks()
    check_dish(checks, recipe)
    checks.done()
    return recipe


def _food(new: NewRecipe, recipe: Recipe) -> NewFood:
    return NewFood(
        name=new.name.strip(),
        category=new.category,
        per_100=recipe.per_100,
        portions=recipe.portions,
        request=new.request,
    )


def _as_told(food: FoodRecord, recipe: Recipe) -> NewRecipe:
    return NewRecipe(
        name=food.name,
        servings=recipe.servings,
        ingredients=[draft_of(item) for item in recipe.ingredients],
        yield_grams=recipe.yield_grams,
        instructions=recipe.instructions,
        category=FoodCategory(food.category),
    )


async def _write(transaction: AsyncConnection, food: FoodRecord, recipe: Recipe, now: datetime) -> None:
    row = {"food_id": food.id, "version": food.version, "now": now, "content": encode_recipe(recipe)}
    await transaction.execute(_WRITE, row)
    await transaction.execute(_FORGET, {"food_id": food.id, "most": MOST_VERSIONS})
