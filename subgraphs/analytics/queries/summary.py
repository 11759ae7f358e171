"""Daily summaries as they are read: single days in batches, ranges, and what changed lately."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import text

from subgraphs.read_pool import Reader

ZERO = Decimal(0)
SUMMARY_COLUMNS = (
    "user_id, local_date, calories_consumed, calories_burned, protein_g, carbs_g, fat_g, meals_logged,"
    " workouts_completed, workout_minutes, active_minutes, water_ml, weight_kg, revision, computed_at"
)


@dataclass(frozen=True, slots=True)
class DailySummaryRecord:
    """One day of one person. Revision 0 is a day of which nothing is known."""

    user_id: str
    local_date: date
    calories_consumed: Decimal
    calories_burned: Decimal
    protein_g: Decimal
    carbs_g: Decimal
    fat_g: Decimal
    meals_logged: int
    workouts_completed: int
    workout_minutes: Decimal
    active_minutes: Decimal
    water_ml: int
    weight_kg: Decimal | None
    revision: int
    computed_at: datetime


def summary_record(row: Any) -> DailySummaryRecord:
    """Of a row of SUMMARY_COLUMNS."""
    return DailySummaryRecord(*row)


def empty_summary(user_id: str, local_date: date) -> DailySummaryRecord:
    now = datetime.now(UTC)
    return DailySummaryRecord(
        user_id, local_date, ZERO, ZERO, ZERO, ZERO, ZERO, 0, 0, ZERO, ZERO, 0, None, revision=0, computed_at=now
    )


@dataclass(frozen=True, slots=True)
class SummaryPage:
    """What a page of summaries asks for: days from `first` to `last`, both included, before the day `after`."""

    first: date | None = None
    last: date | None = None
    after: date | None = None
    limit: int = 20


@dataclass(frozen=True, slots=True)
class ClockRecord:
    """When a person's calendar day begins."""

    time_zone: str
    day_start_hour: int

    def today(self, now: datetime) -> date:
        wall_clock = now.astimezone(ZoneInfo(self.time_zone)).replace(tzinfo=None)
        return (wall_clock - timedelta(hours=self.day_start_hour)).date()


UNKNOWN_CLOCK = ClockRecord("UTC", 0)

_BY_DAY = text(
    f"SELECT {SUMMARY_COLUMNS} FROM daily_summary WHERE (user_id, local_date) IN"  # noqa: S608 - our names
    " (SELECT * FROM unnest(CAST(:user_ids AS text[]), CAST(:local_dates AS date[])))"
)
_PAGES = text(
    "SELECT found.* FROM unnest(CAST(:user_ids AS text[])) AS person (id) CROSS JOIN LATERAL ("  # noqa: S608
    " SELECT " + SUMMARY_COLUMNS + " FROM daily_summary AS day WHERE day.user_id = person.id"
    " AND (CAST(:first AS date) IS NULL OR local_date >= :first)"
    " AND (CAST(:last AS date) IS NULL OR local_date <= :last)"
    " AND (CAST(:after AS date) IS NULL OR local_date < :after)"
    " ORDER BY local_date DESC LIMIT :limit) AS found"
)
_CHANGED = text(
    f"SELECT {SUMMARY_COLUMNS} FROM daily_summary"  # noqa: S608 - our names
    " WHERE user_id = :user_id AND computed_at >= :since ORDER BY computed_at"
)
_ACTIVE_DAYS = text(
    "SELECT user_id, local_date, meals_logged, workouts_completed FROM daily_summary"
    " WHERE user_id = ANY(:user_ids) AND (meals_logged > 0 OR workouts_completed > 0) ORDER BY user_id, local_date"
)
_CLOCKS = text("SELECT user_id, time_zone, day_start_hour FROM person WHERE user_id = ANY(:user_ids)")


async def summaries_by_day(
    connection: Reader, days: Sequence[tuple[str, date]]
) -> dict[tuple[str, date], DailySummaryRecord]:
    """The summaries of these (user id, local date) pairs, as far as there are any."""
    parameters = {"user_ids": [user_id for user_id, _ in days], "local_dates": [day for _, day in days]}
    return {(row[0], row[1]): summary_record(row) for row in await connection.execute(_BY_DAY, parameters)}


async def summaries_by_user(
    connection: Reader, user_ids: Sequence[str], page: SummaryPage
) -> dict[str, list[DailySummaryRecord]]:
    """The same page for several people in one statement: newest day first, up to `limit` each."""
    parameters = {
        "user_ids": list(user_ids),
        "first": page.first,
        "last": page.last,
        "after": page.after,
        "limit": page.limit,
    }
    by_user: defaultdict[str, list[DailySummaryRecord]] = defaultdict(list)
    for row in await connection.execute(_PAGES, parameters):
        by_user[row[0]].append(summary_record(row))
    return by_user


async def summaries_changed_since(connection: Reader, user_id: str, since: datetime) -> list[DailySummaryRecord]:
    """The summaries computed since an instant, oldest change first."""
    return [summary_record(row) for row in await connection.execute(_CHANGED, {"user_id": user_id, "since": since})]


async def active_days(connection: Reader, user_ids: Sequence[str]) -> dict[str, list[tuple[date, int, int]]]:
    """(local date, meals logged, workouts completed) of each person's days that have any, oldest first."""
    by_user: defaultdict[str, list[tuple[date, int, int]]] = defaultdict(list)
    for user_id, day, meals, workouts in await connection.execute(_ACTIVE_DAYS, {"user_ids": list(user_ids)}):
        by_user[user_id].append((day, meals, workouts))
    return by_user


async def clocks_by_user(connection: Reader, user_ids: Sequence[str]) -> dict[str, ClockRecord]:
    rows = await connection.execute(_CLOCKS, {"user_ids": list(user_ids)})
    return {row[0]: ClockRecord(row[1], row[2]) for row in rows}


async def today_of(connection: Reader, user_id: str, now: datetime) -> date:
    """The person's running calendar day; in UTC as long as nothing is known of their clock."""
    clocks = await clocks_by_user(connection, [user_id])
    return clocks.get(user_id, UNKNOWN_CLOCK).today(now)
