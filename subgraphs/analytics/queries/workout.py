"""What the facts say about workouts: how hard one was among its like."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import text

from subgraphs.shell.read_pool import Reader


@dataclass(frozen=True, slots=True)
class WorkoutEffort:
    """A workout's energy against the mean of the same person's workouts of the eight weeks before, 1 being equal."""

    workout_id: str
    user_id: str
    relative_effort: Decimal | None


_EFFORTS = text(
    "SELECT one.workout_id, one.user_id, one.calories_kcal / nullif(past.mean_kcal, 0) AS relative_effort"
    " FROM workout_fact AS one CROSS JOIN LATERAL ("
    "  SELECT avg(earlier.calories_kcal) AS mean_kcal FROM workout_fact AS earlier"
    "  WHERE earlier.user_id = one.user_id AND earlier.workout_id <> one.workout_id"
    "  AND earlier.status = 'COMPLETED'"
    "  AND earlier.local_date BETWEEN one.local_date - 56 AND one.local_date) AS past"
    " WHERE one.workout_id = ANY(:ids)"
)


async def workout_efforts(connection: Reader, workout_ids: Sequence[str]) -> dict[str, WorkoutEffort]:
    rows = await connection.execute(_EFFORTS, {"ids": list(workout_ids)})
    return {row[0]: WorkoutEffort(*row) for row in rows}
