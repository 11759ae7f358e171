"""What the facts say about others' entities: how often a food was eaten, how hard a workout was among its like."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import text

from subgraphs.read_pool import Reader


@dataclass(frozen=True, slots=True)
class WorkoutEffort:
    """A workout's energy against the mean of the same person's workouts of the eight weeks before, 1 being equal."""

    workout_id: str
    user_id: str
    relative_effort: Decimal | None


_TIMES_LOGGED = text(
    "SELECT user_id, food_id, sum(items)::integer AS times FROM meal_food_fact WHERE (user_id, food_id) IN"
    " (SELECT * FROM unnest(CAST(:user_ids AS text[]), CAST(:food_ids AS text[]))) GROUP BY user_id, food_id"
)
_EFFORTS = text(
    "SELECT one.workout_id, one.user_id, one.calories_kcal / nullif(past.mean_kcal, 0) AS relative_effort"
    " FROM workout_fact AS one CROSS JOIN LATERAL ("
    "  SELECT avg(earlier.calories_kcal) AS mean_kcal FROM workout_fact AS earlier"
    "  WHERE earlier.user_id = one.user_id AND earlier.workout_id <> one.workout_id"
    "  AND earlier.status = 'COMPLETED'"
    "  AND earlier.local_date BETWEEN one.local_date - 56 AND one.local_date) AS past"
    " WHERE one.workout_id = ANY(:ids)"
)


async def times_logged(connection: Reader, pairs: Sequence[tuple[str, str]]) -> dict[tuple[str, str], int]:
    """(user id, food id) -> how many of that person's meal items are of that food."""
    parameters = {"user_ids": [user_id for user_id, _ in pairs], "food_ids": [food_id for _, food_id in pairs]}
    return {(row[0], row[1]): row[2] for row in await connection.execute(_TIMES_LOGGED, parameters)}


async def workout_efforts(connection: Reader, workout_ids: Sequence[str]) -> dict[str, WorkoutEffort]:
    rows = await connection.execute(_EFFORTS, {"ids": list(workout_ids)})
    return {row[0]: WorkoutEffort(*row) for row in rows}
