"""Planned workouts as they are read: by id, page by page, of days, and of the workout that one became."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import cache

from sqlalchemy import TextClause, text

from subgraphs.shell.keyset import Page, PageShape, SortOrder
from subgraphs.shell.person_lists import count_of_each, page_of_each
from subgraphs.shell.read_pool import Reader, any_of
from subgraphs.workouts.queries.training import TrainedDays

_COLUMNS = (
    "planned.id, planned.user_id, planned.local_date, planned.time_of_day, planned.name, planned.notes,"
    " planned.minutes, CAST(planned.exercises AS text), planned.routine_id, planned.routine_date,"
    " planned.routine_slot, planned.routine_day, planned.is_skipped, planned.workout_id,"
    " planned.version, planned.created_at, planned.planned_at, workout.status, planned.author_id"
)
_FROM = "planned_workout AS planned LEFT JOIN workout ON workout.id = planned.workout_id"


@dataclass(frozen=True, slots=True)
class PlannedWorkoutRecord:
    """A workout that is planned for a day. `exercises` is encoded by `domain.planned_workout`.

    A routine put it on `routine_date`, as the workout `routine_slot` of that date, from 0; it was the routine's day
    `routine_day` then, from 1. The exercises were told at `planned_at`. `workout_id` and `workout_status` are of the workout that it became, None without one.
    """

    id: str
    user_id: str
    local_date: date
    time_of_day: time | None
    name: str
    notes: str | None
    minutes: int | None
    exercises: str
    routine_id: str | None
    routine_date: date | None
    routine_slot: int | None
    routine_day: int | None
    is_skipped: bool
    workout_id: str | None
    version: int
    created_at: datetime
    planned_at: datetime
    workout_status: str | None
    author_id: str | None


_BY_ID = text(f"SELECT {_COLUMNS} FROM {_FROM} WHERE planned.id = {any_of('ids')}")  # noqa: S608 - our names
_BY_WORKOUT = text(f"SELECT {_COLUMNS} FROM {_FROM} WHERE planned.workout_id = {any_of('ids')}")  # noqa: S608
_OF_DAYS = text(
    f"SELECT {_COLUMNS} FROM {_FROM} WHERE planned.user_id = ANY(:user_ids)"  # noqa: S608
    " AND planned.local_date BETWEEN :first AND :last"
    " ORDER BY planned.local_date, planned.time_of_day NULLS LAST, planned.routine_slot NULLS LAST,"
    " planned.id"
)
_COUNTS = text("SELECT user_id, count(*) FROM planned_workout WHERE user_id = ANY(:user_ids) GROUP BY user_id")
_ORDER = SortOrder(("planned.local_date", "planned.id"))


@cache
def _pages(shape: PageShape) -> TextClause:
    return text(
        "SELECT found.* FROM unnest(CAST(:user_ids AS text[])) AS person (id) CROSS JOIN LATERAL ("  # noqa: S608
        f" SELECT {_COLUMNS} FROM {_FROM} WHERE planned.user_id = person.id"
        f" AND {_ORDER.beyond(shape)} ORDER BY {_ORDER.order_by(shape)} LIMIT :limit) AS found"
    )


async def planned_workouts_by_id(connection: Reader, ids: Sequence[str]) -> dict[str, PlannedWorkoutRecord]:
    return {row[0]: PlannedWorkoutRecord(*row) for row in await connection.execute(_BY_ID, {"ids": list(ids)})}


async def planned_by_workout(connection: Reader, workout_ids: Sequence[str]) -> dict[str, PlannedWorkoutRecord]:
    """What each workout was planned as, where it was."""
    rows = await connection.execute(_BY_WORKOUT, {"ids": list(workout_ids)})
    return {str(row[13]): PlannedWorkoutRecord(*row) for row in rows}


async def planned_workouts_by_user(
    connection: Reader, user_ids: Sequence[str], page: Page
) -> dict[str, list[PlannedWorkoutRecord]]:
    """A page of each person's, by date, nearest to the cursor first."""
    return await page_of_each(connection, _pages(page.shape), user_ids, page, PlannedWorkoutRecord)


async def planned_workouts_of_days(
    connection: Reader, user_ids: Sequence[str], days: TrainedDays
) -> dict[str, list[PlannedWorkoutRecord]]:
    """What is planned for a span of days, by day and in it by the clock; those without a time come last, as their routine
    has them.
    """
    parameters = {"user_ids": list(user_ids), "first": days.first, "last": days.last}
    by_user: defaultdict[str, list[PlannedWorkoutRecord]] = defaultdict(list)
    for row in await connection.execute(_OF_DAYS, parameters):
        by_user[row[1]].append(PlannedWorkoutRecord(*row))
    return by_user


async def planned_workout_counts(connection: Reader, user_ids: Sequence[str]) -> dict[str, int]:
    """How many planned workouts each person has, past ones among them."""
    return await count_of_each(connection, _COUNTS, user_ids)
