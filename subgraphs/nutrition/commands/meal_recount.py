"""Past meals counted anew with what a food's numbers are now: only where its eater asks for it (decision 0226)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from subgraphs.nutrition.commands.meal import locked_meal, write_items
from subgraphs.nutrition.commands.meal_rows import read_items
from subgraphs.nutrition.domain.meal import recounted
from subgraphs.nutrition.domain.nutrients import decode_nutrients
from subgraphs.nutrition.queries.food import FoodRecord, foods_by_id
from subgraphs.nutrition.queries.meal import MealRecord, meals_by_id
from subgraphs.shell.auth import Viewer
from subgraphs.shell.database import Database
from subgraphs.shell.day_range import WITHIN_DAYS, DayRange
from subgraphs.shell.errors import NotFoundError

#: In one request; whoever has more asks again.
MOST_RECOUNTED = 100

# In the order in which they are locked: two requests for two foods never wait for each other.
_OUTDATED = text(
    "SELECT id FROM meal WHERE user_id = :user_id AND id IN (SELECT meal_id FROM meal_item"  # noqa: S608 - our names
    " WHERE user_id = :user_id AND food_id = :food_id AND food_version < :version)"
    f" AND {WITHIN_DAYS} ORDER BY id LIMIT :limit"
)


@dataclass(frozen=True, slots=True)
class Recount:
    """The meals as they are now, and whether there are no others left to count anew."""

    meals: Sequence[MealRecord]
    is_complete: bool


async def recount_meals(viewer: Viewer, food_id: str, days: DayRange, *, database: Database, now: datetime) -> Recount:
    """Give the food's items in the viewer's meals of these days its present name and nutrients, at the grams they have.

    Once it is done there is nothing left to do, so the same request again changes nothing. Raises NotFoundError.
    """
    async with database.transaction() as transaction:
        food = (await foods_by_id(transaction, [food_id])).get(food_id)
        if food is None or not food.is_visible_to(viewer.id):
            raise NotFoundError("There is no such food.")
        parameters = {"user_id": viewer.id, "food_id": food_id, "version": food.version, **days.keys}
        rows = await transaction.execute(_OUTDATED, parameters | {"limit": MOST_RECOUNTED + 1})
        outdated = list(rows.scalars())
        for meal_id in outdated[:MOST_RECOUNTED]:
            await _recount(transaction, viewer, meal_id, food, now)
        found = await meals_by_id(transaction, outdated[:MOST_RECOUNTED])
        meals = sorted(found.values(), key=lambda meal: (meal.at, meal.id))
        return Recount(meals, is_complete=len(outdated) <= MOST_RECOUNTED)


async def _recount(transaction: AsyncConnection, viewer: Viewer, meal_id: str, food: FoodRecord, now: datetime) -> None:
    meal = await locked_meal(transaction, viewer, meal_id, None)
    earlier = await read_items(transaction, meal_id)
    items = recounted(earlier, food.id, food.name, food.version, decode_nutrients(food.per_100))
    await write_items(transaction, meal, earlier, items, now)
