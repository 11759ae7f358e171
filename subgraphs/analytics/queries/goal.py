"""Goals as they are read, and where they stand: for many people at once, reading the days that count and no others."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

from sqlalchemy import TextClause, text

from subgraphs.analytics.domain.goal import (
    DAYS_OF_A_MEAN,
    Cadence,
    GoalDirection,
    GoalFacts,
    GoalKind,
    Period,
    current_value,
    first_day_read,
    last_day_read,
    periods,
    progress,
)
from subgraphs.analytics.domain.weight_trend import TrendPoint
from subgraphs.analytics.queries.person import UNKNOWN_CLOCK, ClockRecord
from subgraphs.analytics.queries.weight import Span
from subgraphs.shell.keyset import Page, PageShape, SortOrder
from subgraphs.shell.person_lists import count_of_each, page_of_each
from subgraphs.shell.read_pool import Reader, any_of

_COLUMNS = (
    "id, user_id, kind, direction, start_value, target_value, start_date, target_date, status, description,"
    " completed_at, reached_on, version, created_at, author_id, measure"
)
# What a day counts for a habit, null where nothing was logged that would count.
_NUMBER_OF_A_DAY = """
    CASE goal.kind
        WHEN 'WORKOUTS_PER_WEEK' THEN CAST(day.workouts_completed AS numeric)
        WHEN 'WORKOUT_MINUTES_PER_WEEK' THEN day.workout_minutes
        WHEN 'DAILY_CALORIES' THEN CASE WHEN day.meals_logged > 0 THEN day.calories_consumed END
        WHEN 'DAILY_PROTEIN_G' THEN CASE WHEN day.meals_logged > 0 THEN day.protein_g END
        WHEN 'DAILY_WATER_ML' THEN CASE WHEN day.water_ml > 0 THEN CAST(day.water_ml AS numeric) END
        WHEN 'DAILY_STEPS' THEN CAST(day.steps AS numeric)
    END
"""


@dataclass(frozen=True, slots=True)
class GoalRecord:
    """One goal as it was set. `start_value` is None where the trend says it; `reached_on` is the facts' word."""

    id: str
    user_id: str
    kind: str
    direction: str | None
    start_value: Decimal | None
    target_value: Decimal
    start_date: date
    target_date: date | None
    status: str
    description: str | None
    completed_at: datetime | None
    reached_on: date | None
    version: int
    created_at: datetime
    author_id: str | None
    measure: str | None

    @property
    def facts(self) -> GoalFacts:
        return GoalFacts(
            kind=GoalKind(self.kind),
            direction=None if self.direction is None else GoalDirection(self.direction),
            start_value=self.start_value,
            target_value=self.target_value,
            start_date=self.start_date,
            target_date=self.target_date,
            description=self.description,
            measure=self.measure,
        )


@dataclass(frozen=True, slots=True)
class GoalPage:
    """What a page of goals asks for. Hashable: people with one page share a read."""

    status: str | None
    page: Page


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a goal stands: what it started from, which way it goes and what it has come to, None as long as unknown."""

    baseline: Decimal | None
    direction: GoalDirection | None
    current: Decimal | None
    progress: Decimal


@dataclass(frozen=True, slots=True)
class _Placed:
    """A goal on its person's calendar, with what its measure says: at its start, and lately."""

    goal: GoalRecord
    clock: ClockRecord
    at_start: Decimal | None
    lately: Decimal | None


_BY_ID = text(f"SELECT {_COLUMNS} FROM goal WHERE id = {any_of('ids')}")  # noqa: S608 - our names
_COUNTS = text("SELECT user_id, count(*) FROM goal WHERE user_id = ANY(:user_ids) GROUP BY user_id")
_ORDER = SortOrder(("created_at", "id"))


@cache
def _pages(shape: PageShape) -> TextClause:
    return text(
        "SELECT found.* FROM unnest(CAST(:user_ids AS text[])) AS person (id) CROSS JOIN LATERAL ("  # noqa: S608
        f" SELECT {_COLUMNS} FROM goal WHERE user_id = person.id"
        " AND (CAST(:status AS text) IS NULL OR status = :status)"
        f" AND {_ORDER.beyond(shape)} ORDER BY {_ORDER.order_by(shape)} LIMIT :limit) AS found"
    )


#: Of the facts of a goal's measure on one day: of a strength the best, else the first.
VALUE_OF_DAY = (
    "CASE WHEN goal.kind = 'ONE_REP_MAX_KG' THEN max(fact.value)"
    " ELSE (array_agg(fact.value ORDER BY fact.recorded_at, fact.entry_id))[1] END"
)
_MEASURED = (
    f"SELECT {VALUE_OF_DAY} FROM measure_fact AS fact WHERE fact.user_id = goal.user_id AND fact.measure = goal.measure"  # noqa: S608
)
# The start is what was in force on the first day, else the first value after it. A strength stands at its best since then.
_PLACED = text(
    f"""
    SELECT {", ".join("goal." + name.strip() for name in _COLUMNS.split(","))},
        person.time_zone, person.day_start_hour, person.week_start,
        CASE WHEN goal.kind = 'WEIGHT_KG' THEN coalesce(
            (SELECT trend_kg FROM weight_trend WHERE user_id = goal.user_id AND local_date <= goal.start_date
             ORDER BY local_date DESC LIMIT 1),
            (SELECT trend_kg FROM weight_trend WHERE user_id = goal.user_id AND local_date > goal.start_date
             ORDER BY local_date LIMIT 1)
        ) ELSE coalesce(
            ({_MEASURED} AND fact.local_date <= goal.start_date GROUP BY fact.local_date
             ORDER BY fact.local_date DESC LIMIT 1),
            ({_MEASURED} AND fact.local_date > goal.start_date GROUP BY fact.local_date ORDER BY fact.local_date LIMIT 1)
        ) END AS at_start,
        CASE goal.kind WHEN 'WEIGHT_KG' THEN
            (SELECT trend_kg FROM weight_trend WHERE user_id = goal.user_id ORDER BY local_date DESC LIMIT 1)
        WHEN 'ONE_REP_MAX_KG' THEN coalesce(
            (SELECT max(fact.value) FROM measure_fact AS fact WHERE fact.user_id = goal.user_id
             AND fact.measure = goal.measure AND fact.local_date >= goal.start_date),
            ({_MEASURED} GROUP BY fact.local_date ORDER BY fact.local_date DESC LIMIT 1)
        ) ELSE
            ({_MEASURED} GROUP BY fact.local_date ORDER BY fact.local_date DESC LIMIT 1)
        END AS lately
    FROM goal LEFT JOIN person USING (user_id) WHERE goal.id = ANY(:ids)
    """  # noqa: S608 - our names
)
_DAYS = text(
    f"SELECT goal.id, day.local_date, {_NUMBER_OF_A_DAY}"  # noqa: S608 - our names
    " FROM unnest(CAST(:ids AS text[]), CAST(:user_ids AS text[]), CAST(:kinds AS text[]), CAST(:firsts AS date[]),"
    " CAST(:lasts AS date[])) AS goal (id, user_id, kind, first, last)"
    " CROSS JOIN LATERAL (SELECT * FROM daily_summary WHERE user_id = goal.user_id"
    "  AND local_date BETWEEN goal.first AND goal.last) AS day"
)


_POINTS = text(
    f"SELECT goal.id, fact.local_date, {VALUE_OF_DAY} FROM goal JOIN measure_fact AS fact USING (user_id, measure)"  # noqa: S608
    " WHERE goal.id = ANY(:ids) AND fact.local_date BETWEEN :first AND :last"
    " GROUP BY goal.id, goal.kind, fact.local_date ORDER BY goal.id, fact.local_date"
)


async def measured_days(connection: Reader, goal_ids: Sequence[str], span: Span) -> dict[str, list[TrendPoint]]:
    """Of each goal of a measure besides the weight, the values of the days of the span that have one, oldest first.

    They are not smoothed: the trend of a day is its value.
    """
    by_goal: defaultdict[str, list[TrendPoint]] = defaultdict(list)
    parameters = {"ids": list(goal_ids), "first": span.first, "last": span.last}
    for goal_id, day, value in await connection.execute(_POINTS, parameters):
        by_goal[goal_id].append(TrendPoint(day, value, value))
    return by_goal


async def goals_by_id(connection: Reader, ids: Sequence[str]) -> dict[str, GoalRecord]:
    return {row[0]: GoalRecord(*row) for row in await connection.execute(_BY_ID, {"ids": list(ids)})}


async def goals_by_user(connection: Reader, user_ids: Sequence[str], wanted: GoalPage) -> dict[str, list[GoalRecord]]:
    """The same page for several people in one statement: nearest to the page's cursor first, up to its limit each."""
    return await page_of_each(
        connection, _pages(wanted.page.shape), user_ids, wanted.page, GoalRecord, status=wanted.status
    )


async def goal_counts(connection: Reader, user_ids: Sequence[str]) -> dict[str, int]:
    """How many goals each person has, of any status."""
    return await count_of_each(connection, _COUNTS, user_ids)


async def standings(connection: Reader, goal_ids: Sequence[str], now: datetime) -> dict[str, Standing]:
    """Where each of these goals stands, in two statements: a weight by the trend, what else is measured by its days, a habit by the days that count."""
    placed = await _placed(connection, goal_ids)
    habits = [each for each in placed if each.goal.facts.rules.cadence is not Cadence.ONCE]
    days = await _days(connection, [(each, *_counted(each, now)) for each in habits])
    found = {}
    for each in placed:
        goal, facts = each.goal, each.goal.facts
        if facts.rules.cadence is Cadence.ONCE:
            baseline = each.at_start if goal.start_value is None else goal.start_value
            current = each.lately
        else:
            baseline = None
            current = current_value(facts, days.get(goal.id, {}), each.clock.today(now), each.clock.week_start)
        way = facts.way(baseline)
        found[goal.id] = Standing(baseline, way, current, progress(facts, baseline, current, way))
    return found


async def periods_by_goal(connection: Reader, goal_ids: Sequence[str], now: datetime) -> dict[str, list[Period]]:
    """The last periods of each habit among these goals, newest first."""
    habits = [each for each in await _placed(connection, goal_ids) if each.goal.facts.rules.cadence is not Cadence.ONCE]
    spans = []
    for each in habits:
        facts, today, week_start = each.goal.facts, each.clock.today(now), each.clock.week_start
        spans.append((each, first_day_read(facts, today, week_start), last_day_read(facts, today, week_start)))
    days = await _days(connection, spans)
    return {
        each.goal.id: periods(each.goal.facts, days.get(each.goal.id, {}), each.clock.today(now), each.clock.week_start)
        for each in habits
    }


async def _placed(connection: Reader, goal_ids: Sequence[str]) -> list[_Placed]:
    width = len(_COLUMNS.split(","))
    found = []
    for row in await connection.execute(_PLACED, {"ids": list(goal_ids)}):
        goal, clock = row[:width], row[width : width + 3]
        known = UNKNOWN_CLOCK if clock[0] is None else ClockRecord.of(*clock)
        found.append(_Placed(GoalRecord(*goal), known, *row[width + 3 :]))
    return found


def _counted(placed: _Placed, now: datetime) -> tuple[date, date]:
    """The days that the value of a habit is made of; the running week begins within the last seven days."""
    today = placed.clock.today(now)
    first = max(today - timedelta(days=DAYS_OF_A_MEAN), placed.goal.start_date)
    return first, last_day_read(placed.goal.facts, today, placed.clock.week_start)


async def _days(connection: Reader, spans: Sequence[tuple[_Placed, date, date]]) -> dict[str, dict[date, Decimal]]:
    """The number of each day of each habit's span that has one."""
    if not spans:
        return {}
    parameters: dict[str, list[Any]] = {
        "ids": [placed.goal.id for placed, _, _ in spans],
        "user_ids": [placed.goal.user_id for placed, _, _ in spans],
        "kinds": [placed.goal.kind for placed, _, _ in spans],
        "firsts": [first for _, first, _ in spans],
        "lasts": [last for _, _, last in spans],
    }
    by_goal: defaultdict[str, dict[date, Decimal]] = defaultdict(dict)
    for goal_id, day, number in await connection.execute(_DAYS, parameters):
        if number is not None:
            by_goal[goal_id][day] = number
    return by_goal
