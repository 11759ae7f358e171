"""Goals as they are read, each with the value it has come to, in one statement for many people."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import text

from subgraphs.analytics.domain.progress import GoalKind
from subgraphs.analytics.domain.trend import weight_trend
from subgraphs.read_pool import Reader

_COLUMNS = (
    "id, user_id, kind, start_value, target_value, start_date, target_date, status, description, completed_at, version"
)

# What the last seven summarised days of a person come to, per goal kind.
_HABITS = {
    GoalKind.WORKOUTS_PER_WEEK: "sum(workouts_completed)",
    GoalKind.WORKOUT_MINUTES_PER_WEEK: "sum(workout_minutes)",
    GoalKind.DAILY_CALORIES: "avg(calories_consumed) FILTER (WHERE meals_logged > 0)",
    GoalKind.DAILY_PROTEIN_G: "avg(protein_g) FILTER (WHERE meals_logged > 0)",
    GoalKind.DAILY_WATER_ML: "avg(water_ml) FILTER (WHERE water_ml > 0)",
}


@dataclass(frozen=True, slots=True)
class GoalRecord:
    """One goal without its present value, which is computed from the facts."""

    id: str
    user_id: str
    kind: str
    start_value: Decimal
    target_value: Decimal
    start_date: date
    target_date: date | None
    status: str
    description: str | None
    completed_at: datetime | None
    version: int


_BY_ID = text(f"SELECT {_COLUMNS} FROM goal WHERE id = ANY(:ids)")  # noqa: S608 - our names
_BY_USER = text(
    f"SELECT {_COLUMNS} FROM goal WHERE user_id = ANY(:user_ids)"  # noqa: S608 - our names
    " AND (CAST(:status AS text) IS NULL OR status = :status) ORDER BY user_id, created_at, id"
)
_CURRENT = text(
    f"SELECT user_id, {', '.join(_HABITS.values())} FROM daily_summary AS day"  # noqa: S608 - our names
    " WHERE user_id = ANY(:user_ids) AND local_date > ("
    "  SELECT max(local_date) - 7 FROM daily_summary AS latest"
    "  WHERE latest.user_id = day.user_id AND latest.local_date <= current_date + 1)"
    " AND local_date <= current_date + 1 GROUP BY user_id"
)
_WEIGHINGS = text(
    "SELECT DISTINCT ON (user_id, local_date) user_id, local_date, weight_kg FROM weight_fact"
    " WHERE user_id = ANY(:user_ids) AND (CAST(:last AS date) IS NULL OR local_date <= :last)"
    " ORDER BY user_id, local_date, recorded_at, entry_id"
)


async def goals_by_id(connection: Reader, ids: Sequence[str]) -> dict[str, GoalRecord]:
    return {row[0]: GoalRecord(*row) for row in await connection.execute(_BY_ID, {"ids": list(ids)})}


async def goals_by_user(connection: Reader, user_ids: Sequence[str], status: str | None) -> dict[str, list[GoalRecord]]:
    """Each person's goals, oldest first."""
    by_user: defaultdict[str, list[GoalRecord]] = defaultdict(list)
    for row in await connection.execute(_BY_USER, {"user_ids": list(user_ids), "status": status}):
        by_user[row[1]].append(GoalRecord(*row))
    return by_user


async def current_values(connection: Reader, user_ids: Sequence[str]) -> dict[tuple[str, str], Decimal | None]:
    """(user id, goal kind) -> what it stands at: the trend weight, or the last seven days up to the latest summary."""
    values: dict[tuple[str, str], Decimal | None] = {}
    for user_id, *habits in await connection.execute(_CURRENT, {"user_ids": list(user_ids)}):
        values |= {(user_id, kind.value): habit for kind, habit in zip(_HABITS, habits, strict=True)}
    for user_id, weighings in (await weighings_by_user(connection, user_ids)).items():
        values[(user_id, GoalKind.WEIGHT_KG.value)] = weight_trend(weighings)[-1].trend_kg
    return values


async def values_by_kind(
    connection: Reader, wanted: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], Decimal | None]:
    """`current_values` of the people in these (user id, goal kind) pairs."""
    return await current_values(connection, sorted({user_id for user_id, _ in wanted}))


async def weighings_by_user(
    connection: Reader, user_ids: Sequence[str], last: date | None = None
) -> dict[str, list[tuple[date, Decimal]]]:
    """Each person's first weighing of each day, oldest first, up to a day."""
    by_user: defaultdict[str, list[tuple[date, Decimal]]] = defaultdict(list)
    for user_id, day, weight_kg in await connection.execute(_WEIGHINGS, {"user_ids": list(user_ids), "last": last}):
        by_user[user_id].append((day, weight_kg))
    return by_user
