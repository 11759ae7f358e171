"""Daily summaries as they are read: single days in batches, ranges, and what changed lately."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import TextClause, text

from subgraphs.analytics.queries.weight import Span
from subgraphs.shell.keyset import Page, PageShape, SortOrder
from subgraphs.shell.person_lists import count_of_each, page_of_each
from subgraphs.shell.read_pool import Reader, narrowing, opaque

ZERO = Decimal(0)
SUMMARY_COLUMNS = (
    "user_id, local_date, calories_consumed, calories_burned, net_calories_burned, protein_g, carbs_g, fat_g, meals_logged,"
    " workouts_completed, workout_minutes, active_minutes, volume_kg, water_ml, weight_kg, steps, revision, computed_at"
)


class DailySummaryRecord(NamedTuple):
    """One day of one person. Revision 0 is a day of which nothing is known."""

    user_id: str
    local_date: date
    calories_consumed: Decimal
    calories_burned: Decimal
    net_calories_burned: Decimal
    protein_g: Decimal
    carbs_g: Decimal
    fat_g: Decimal
    meals_logged: int
    workouts_completed: int
    workout_minutes: Decimal
    active_minutes: Decimal
    volume_kg: Decimal
    water_ml: int
    weight_kg: Decimal | None
    steps: int | None
    revision: int
    computed_at: datetime

    @property
    def is_empty(self) -> bool:
        """Whether nothing is known of the day, be it that nothing ever was or that all was taken back."""
        return not self.has_entries and self.steps is None

    @property
    def has_entries(self) -> bool:
        """Whether the person logged anything of the day. Steps are counted without the person."""
        return bool(self.meals_logged or self.workouts_completed or self.water_ml or self.weight_kg is not None)


def summary_record(row: Any) -> DailySummaryRecord:
    """Of a row of SUMMARY_COLUMNS."""
    return DailySummaryRecord(*row)


def empty_summary(user_id: str, local_date: date, now: datetime) -> DailySummaryRecord:
    """What a day looks like of which nothing is known."""
    return DailySummaryRecord(
        user_id=user_id,
        local_date=local_date,
        calories_consumed=ZERO,
        calories_burned=ZERO,
        net_calories_burned=ZERO,
        protein_g=ZERO,
        carbs_g=ZERO,
        fat_g=ZERO,
        meals_logged=0,
        workouts_completed=0,
        workout_minutes=ZERO,
        active_minutes=ZERO,
        volume_kg=ZERO,
        water_ml=0,
        weight_kg=None,
        steps=None,
        revision=0,
        computed_at=now,
    )


@dataclass(frozen=True, slots=True)
class SummaryPage:
    """What a page of summaries asks for: days from `first_day` to `last_day`, both included. Hashable."""

    first_day: date | None
    last_day: date | None
    page: Page


_BY_DAY = text(
    f"SELECT {SUMMARY_COLUMNS} FROM daily_summary WHERE (user_id, local_date) IN"  # noqa: S608 - our names
    f" (SELECT * FROM unnest({opaque('user_ids', 'text[]')}, {opaque('local_dates', 'date[]')}))"
)
_CHANGED = text(
    f"SELECT {SUMMARY_COLUMNS} FROM daily_summary"  # noqa: S608 - our names
    " WHERE user_id = :user_id AND (computed_at, local_date) > (:instant, :day) ORDER BY computed_at, local_date LIMIT :limit"
)
_COUNT_OF_CHANGED = text(
    "SELECT count(*) FROM (SELECT FROM daily_summary WHERE user_id = :user_id AND computed_at >= :instant LIMIT :limit) AS day"
)
_HAS_ANYTHING = (
    "(meals_logged > 0 OR workouts_completed > 0 OR water_ml > 0 OR weight_kg IS NOT NULL OR steps IS NOT NULL)"
)
_COUNTS = text(
    "SELECT user_id, count(*) FROM daily_summary"  # noqa: S608 - our names
    f" WHERE user_id = ANY(:user_ids) AND {_HAS_ANYTHING} GROUP BY user_id"
)
_SPAN = text(
    f"SELECT {SUMMARY_COLUMNS} FROM daily_summary WHERE user_id = ANY(:user_ids)"  # noqa: S608 - our names
    f" AND local_date BETWEEN :first AND :last AND {_HAS_ANYTHING} ORDER BY user_id, local_date"
)
_ORDER = SortOrder(("local_date",), descending=True)
_NARROWED = {
    "first_day": f"local_date >= {opaque('first_day', 'date')}",
    "last_day": f"local_date <= {opaque('last_day', 'date')}",
}


@cache
def _pages(shape: PageShape, narrowed: str) -> TextClause:
    people, limit = opaque("user_ids", "text[]"), opaque("limit", "bigint")
    return text(
        f"SELECT found.* FROM unnest({people}) AS person (id) CROSS JOIN LATERAL ("  # noqa: S608 - our names
        f" SELECT {SUMMARY_COLUMNS} FROM daily_summary WHERE user_id = person.id AND {_HAS_ANYTHING}"
        f" AND {narrowed} AND {_ORDER.beyond(shape)} ORDER BY {_ORDER.order_by(shape)} LIMIT {limit}) AS found"
    )


async def summaries_by_day(
    connection: Reader, days: Sequence[tuple[str, date]]
) -> dict[tuple[str, date], DailySummaryRecord]:
    """The summaries of these (user id, local date) pairs, as far as there are any."""
    parameters = {"user_ids": [user_id for user_id, _ in days], "local_dates": [day for _, day in days]}
    return {(row[0], row[1]): summary_record(row) for row in await connection.execute(_BY_DAY, parameters)}


async def summaries_by_user(
    connection: Reader, user_ids: Sequence[str], wanted: SummaryPage
) -> dict[str, list[DailySummaryRecord]]:
    """The same page of days with anything in them for several people, in one statement: nearest to the page's cursor
    first, up to its limit each. The list's order is the newest day first.
    """
    given = {"first_day": wanted.first_day, "last_day": wanted.last_day}
    return await page_of_each(
        connection,
        _pages(wanted.page.shape, narrowing(_NARROWED, given)),
        user_ids,
        wanted.page,
        DailySummaryRecord,
        owner=0,
        **{name: day for name, day in given.items() if day is not None},
    )


async def summary_counts(connection: Reader, user_ids: Sequence[str]) -> dict[str, int]:
    """How many days with anything in them each person has."""
    return await count_of_each(connection, _COUNTS, user_ids)


async def summaries_of_span(
    connection: Reader, user_ids: Sequence[str], span: Span
) -> dict[str, list[DailySummaryRecord]]:
    """The days with anything in them of a span, of several people, oldest first."""
    by_user: defaultdict[str, list[DailySummaryRecord]] = defaultdict(list)
    parameters = {"user_ids": list(user_ids), "first": span.first, "last": span.last}
    for row in await connection.execute(_SPAN, parameters):
        by_user[row[0]].append(summary_record(row))
    return by_user


async def changed_summaries(
    connection: Reader, user_id: str, after: tuple[datetime, date], limit: int
) -> list[DailySummaryRecord]:
    """A person's days in the order in which they last changed, after one of them: its `computed_at` and its date.

    The projector changes one person's days one transaction after the other, so a day that changes from now on comes after
    all that can be seen now, unless the database's clock is put back.
    """
    instant, day = after
    parameters = {"user_id": user_id, "instant": instant, "day": day, "limit": limit}
    return [summary_record(row) for row in await connection.execute(_CHANGED, parameters)]


async def count_of_changed(connection: Reader, user_id: str, since: datetime, limit: int) -> int:
    """How many of a person's days have changed since an instant, counted up to a limit."""
    parameters = {"user_id": user_id, "instant": since, "limit": limit}
    return sum(row[0] for row in await connection.execute(_COUNT_OF_CHANGED, parameters))
