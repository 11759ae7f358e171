"""A person's records as they are read, page by page."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from subgraphs.shell.keyset import Page, PageShape, SortOrder
from subgraphs.shell.person_lists import count_of_each, page_of_each
from subgraphs.shell.read_pool import Reader
from subgraphs.workouts.domain.personal_record import Best, RecordKind
from subgraphs.workouts.queries.workout import WorkoutRecord

_COLUMNS = (
    "user_id, exercise_id, max_weight_kg, max_reps, best_one_rep_max_kg, best_set_volume_kg, max_distance_m,"
    " max_duration_seconds, achieved_on"
)
_ORDER = SortOrder(("achieved_on", "exercise_id"), descending=True)


@dataclass(frozen=True, slots=True)
class PersonalRecord:
    """A person's best of one exercise, each number of a workout that still exists."""

    user_id: str
    exercise_id: str
    max_weight_kg: Decimal | None
    max_reps: int | None
    best_one_rep_max_kg: Decimal | None
    best_set_volume_kg: Decimal | None
    max_distance_m: Decimal | None
    max_duration_seconds: int | None
    achieved_on: date


@dataclass(frozen=True, slots=True)
class RecordMark:
    """A day on which a person did more of an exercise than ever before, in the unit of its kind."""

    kind: RecordKind
    value: Decimal
    achieved_on: date
    workout_id: str


MOST_MARKS = 100
# A mark is what no earlier workout came up to, of each measure by itself.
_MARKS = text(
    """
    SELECT asked.user_id, asked.exercise_id, mark.kind, mark.value, mark.local_date, mark.workout_id
    FROM unnest(CAST(:user_ids AS text[]), CAST(:exercise_ids AS text[])) AS asked (user_id, exercise_id)
    CROSS JOIN LATERAL (
        SELECT kind, value, local_date, workout_id FROM (
            SELECT told.kind, told.value, best.local_date, best.workout_id,
                max(told.value) OVER (PARTITION BY told.kind ORDER BY best.local_date, best.workout_id
                    ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
            FROM exercise_best AS best CROSS JOIN LATERAL (VALUES
                ('MAX_WEIGHT', best.max_weight_kg), ('MAX_REPS', CAST(best.max_reps AS numeric)),
                ('ONE_REP_MAX', best.best_one_rep_max_kg), ('SET_VOLUME', best.best_set_volume_kg),
                ('MAX_DISTANCE', best.max_distance_m), ('MAX_DURATION', CAST(best.max_duration_seconds AS numeric))
            ) AS told (kind, value)
            WHERE best.user_id = asked.user_id AND best.exercise_id = asked.exercise_id AND told.value IS NOT NULL
        ) AS ranked
        WHERE before IS NULL OR value > before
        ORDER BY local_date DESC, workout_id DESC, kind LIMIT :most
    ) AS mark
    """
)
_OTHER_BESTS = text(
    "SELECT max(max_weight_kg), max(max_reps), max(best_one_rep_max_kg), max(best_set_volume_kg),"
    " max(max_distance_m), max(max_duration_seconds) FROM exercise_best"
    " WHERE user_id = :user_id AND exercise_id = :exercise_id AND workout_id <> :workout_id"
)
_COUNTS = text("SELECT user_id, count(*) FROM personal_record WHERE user_id = ANY(:user_ids) GROUP BY user_id")


@cache
def _pages(shape: PageShape) -> TextClause:
    return text(
        "SELECT record.* FROM unnest(CAST(:user_ids AS text[])) AS person (id) CROSS JOIN LATERAL ("  # noqa: S608
        f" SELECT {_COLUMNS} FROM personal_record WHERE user_id = person.id"
        f" AND {_ORDER.beyond(shape)} ORDER BY {_ORDER.order_by(shape)} LIMIT :limit) AS record"
    )


async def records_by_user(connection: Reader, user_ids: Sequence[str], page: Page) -> dict[str, list[PersonalRecord]]:
    """The same page for several people in one statement: nearest to the page's cursor first, up to its limit each."""
    return await page_of_each(connection, _pages(page.shape), user_ids, page, PersonalRecord, owner=0)


async def record_counts(connection: Reader, user_ids: Sequence[str]) -> dict[str, int]:
    """How many exercises each person has a record of."""
    return await count_of_each(connection, _COUNTS, user_ids)


async def record_marks(
    connection: Reader, records: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], list[RecordMark]]:
    """How each (user id, exercise id) came to its record: the latest 100 marks of all kinds, the latest first."""
    parameters = {
        "user_ids": [user_id for user_id, _ in records],
        "exercise_ids": [exercise_id for _, exercise_id in records],
        "most": MOST_MARKS,
    }
    found: defaultdict[tuple[str, str], list[RecordMark]] = defaultdict(list)
    for user_id, exercise_id, kind, *rest in await connection.execute(_MARKS, parameters):
        found[user_id, exercise_id].append(RecordMark(RecordKind(kind), *rest))
    return found


async def best_of_other_workouts(connection: AsyncConnection, workout: WorkoutRecord, exercise_id: str) -> Best:
    """The most that the person did of an exercise in all workouts but this one."""
    key = {"user_id": workout.user_id, "exercise_id": exercise_id, "workout_id": workout.id}
    return Best(*(await connection.execute(_OTHER_BESTS, key)).one())
