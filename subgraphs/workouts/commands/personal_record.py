"""Records follow the workouts: the best of each workout is kept, and a person's record is the best of those.

Called wherever a workout changes, in its transaction. A new best is compared with the record alone; only where a best
fell, or its day moved, are the bests of that person's other workouts read.
"""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from subgraphs.workouts.domain.personal_record import Best
from subgraphs.workouts.queries.workout import WorkoutRecord

_MEASURES = tuple(field.name for field in fields(Best))
_TYPES = {"max_reps": "integer", "max_duration_seconds": "integer"}
#: Below every measure; a weight that helps is down to -500 kg.
_UNTOLD = -1000
#: The first of these that an exercise has decides when its record was achieved.
_DECISIVE = ("best_one_rep_max_kg", "max_weight_kg", "max_reps", "max_distance_m", "max_duration_seconds")

_FORGET_BESTS = text(
    "DELETE FROM exercise_best WHERE workout_id = :workout_id"  # noqa: S608 - our names
    f" RETURNING exercise_id, local_date, {', '.join(_MEASURES)}"
)
_KEEP_BESTS = text(
    "INSERT INTO exercise_best (workout_id, user_id, local_date, exercise_id, "  # noqa: S608 - our names
    + ", ".join(_MEASURES)
    + ") SELECT :workout_id, :user_id, :local_date, * FROM unnest(CAST(:exercise_ids AS text[]), "
    + ", ".join(f"CAST(:{name} AS {_TYPES.get(name, 'numeric')}[])" for name in _MEASURES)
    + ")"
)


def _rank(row: str) -> str:
    """What decides when a record was achieved: strength, else the weight, the repetitions, the distance, the time. As an SQL row."""
    parts = [f"coalesce({row}.{_DECISIVE[0]}, {_UNTOLD})"]
    for number, name in enumerate(_DECISIVE[1:], start=1):
        before = ", ".join(f"{row}.{each}" for each in _DECISIVE[:number])
        parts.append(f"CASE WHEN coalesce({before}) IS NULL THEN coalesce({row}.{name}, {_UNTOLD}) ELSE 0 END")
    return f"({', '.join(parts)})"


_EVER = (
    "SELECT best.user_id, best.exercise_id, "  # noqa: S608 - our names
    + ", ".join(f"max(best.{name})" for name in _MEASURES)
    + f", (array_agg(best.local_date ORDER BY {_rank('best')} DESC, best.local_date))[1]"
    " FROM exercise_best AS best"
)
_BEST_EVER = f"{_EVER} WHERE best.user_id = :user_id AND best.exercise_id = ANY(:exercise_ids)"
_INSERT_RECORDS = f"INSERT INTO personal_record AS record (user_id, exercise_id, {', '.join(_MEASURES)}, achieved_on) "
_RECOMPUTE = text(
    f"{_INSERT_RECORDS}{_BEST_EVER} GROUP BY best.user_id, best.exercise_id"
    " ON CONFLICT (user_id, exercise_id) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in (*_MEASURES, "achieved_on"))
)
_RAISE = text(
    f"{_INSERT_RECORDS}{_BEST_EVER} AND best.workout_id = :workout_id GROUP BY best.user_id, best.exercise_id"
    " ON CONFLICT (user_id, exercise_id) DO UPDATE SET "
    + ", ".join(f"{name} = greatest(record.{name}, excluded.{name})" for name in _MEASURES)
    + ", achieved_on = CASE"
    f" WHEN {_rank('excluded')} > {_rank('record')} THEN excluded.achieved_on"
    f" WHEN {_rank('excluded')} = {_rank('record')} THEN least(record.achieved_on, excluded.achieved_on)"
    " ELSE record.achieved_on END"
)
_RECOMPUTE_PEOPLE = text(
    f"{_INSERT_RECORDS}{_EVER} WHERE best.user_id = ANY(:user_ids) GROUP BY best.user_id, best.exercise_id"
    " ON CONFLICT (user_id, exercise_id) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in (*_MEASURES, "achieved_on"))
)
_FORGET_RECORDS = text(
    "DELETE FROM personal_record AS record WHERE user_id = :user_id AND exercise_id = ANY(:exercise_ids) AND NOT EXISTS"
    " (SELECT FROM exercise_best AS best WHERE best.user_id = record.user_id AND best.exercise_id = record.exercise_id)"
)

_MOST_NEW_RECORDS = 5
_EARLIER = (
    "SELECT FROM exercise_best AS earlier WHERE earlier.user_id = best.user_id AND earlier.exercise_id = best.exercise_id"
    " AND (earlier.local_date, earlier.workout_id) < (best.local_date, best.workout_id)"
)
_NEW_RECORDS = text(
    "SELECT exercise.name FROM exercise_best AS best JOIN exercise ON exercise.id = best.exercise_id"  # noqa: S608
    f" WHERE best.workout_id = :workout_id AND EXISTS ({_EARLIER})"
    f" AND NOT EXISTS ({_EARLIER} AND {_rank('earlier')} >= {_rank('best')}) ORDER BY exercise.name LIMIT :most"
)


async def new_records(transaction: AsyncConnection, workout_id: str) -> tuple[str, ...]:
    """The exercises of which this workout has more than all earlier ones of the person, by name; at most five.

    By the measure that decides when a record was achieved. What was never done before is no record.
    """
    names = await transaction.scalars(_NEW_RECORDS, {"workout_id": workout_id, "most": _MOST_NEW_RECORDS})
    return tuple(names)


async def keep_records(transaction: AsyncConnection, workout: WorkoutRecord, bests: Mapping[str, Best]) -> None:
    """Bring the person's records in line with what is now the best of this workout, by exercise; nothing if it is gone."""
    forgotten = await transaction.execute(_FORGET_BESTS, {"workout_id": workout.id})
    earlier = {row[0]: (row[1], Best(*row[2:])) for row in forgotten}
    key = {"workout_id": workout.id, "user_id": workout.user_id}
    if bests:
        await transaction.execute(_KEEP_BESTS, key | {"local_date": workout.local_date} | _columns(bests))
    fallen = [
        exercise_id
        for exercise_id, (day, best) in earlier.items()
        if day != workout.local_date or exercise_id not in bests or not bests[exercise_id].covers(best)
    ]
    risen = [exercise_id for exercise_id in bests if exercise_id not in fallen]
    if risen:
        await transaction.execute(_RAISE, key | {"exercise_ids": risen})
    if fallen:
        await transaction.execute(_FORGET_RECORDS, {"user_id": workout.user_id, "exercise_ids": fallen})
        await transaction.execute(_RECOMPUTE, {"user_id": workout.user_id, "exercise_ids": fallen})


async def recompute_records(transaction: AsyncConnection, user_ids: Sequence[str]) -> None:
    """All records of these people from the bests of all their workouts: after a load of whole histories."""
    await transaction.execute(_RECOMPUTE_PEOPLE, {"user_ids": list(user_ids)})


def _columns(bests: Mapping[str, Best]) -> dict[str, Sequence[Any]]:
    columns: dict[str, Sequence[Any]] = {"exercise_ids": list(bests)}
    return columns | {name: [getattr(best, name) for best in bests.values()] for name in _MEASURES}
