"""Foods that a person marked as favourites."""

from datetime import datetime

from sqlalchemy import text

from subgraphs.nutrition.queries.food import FoodRecord, foods_by_id
from subgraphs.shell.auth import Viewer
from subgraphs.shell.database import Database, take_turns
from subgraphs.shell.errors import ConflictError, NotFoundError

MOST_FAVOURITES = 500

_ADD = text(
    "INSERT INTO favourite_food (user_id, food_id, added_at) VALUES (:user_id, :food_id, :now) ON CONFLICT DO NOTHING"
)
_REMOVE = text("DELETE FROM favourite_food WHERE user_id = :user_id AND food_id = :food_id")
_COUNT = text("SELECT count(*) FROM favourite_food WHERE user_id = :user_id")


async def set_favourite_food(
    viewer: Viewer, food_id: str, is_favourite: bool, *, database: Database, now: datetime
) -> FoodRecord:
    """Mark a food or take the mark away; either is there already now and then, which changes nothing.

    Raises NotFoundError for what the viewer does not see, and ConflictError for more than there may be.
    """
    async with database.transaction() as transaction:
        food = (await foods_by_id(transaction, [food_id])).get(food_id)
        if food is None or not food.is_visible_to(viewer.id):
            raise NotFoundError("There is no such food.")
        pair = {"user_id": viewer.id, "food_id": food_id}
        if not is_favourite:
            await transaction.execute(_REMOVE, pair)
            return food
        await take_turns(transaction, "favourite_food", viewer.id)
        await transaction.execute(_ADD, pair | {"now": now})
        if (await transaction.execute(_COUNT, {"user_id": viewer.id})).scalar_one() > MOST_FAVOURITES:
            raise ConflictError(f"There may be at most {MOST_FAVOURITES} favourites.", field="foodId")
        return food
