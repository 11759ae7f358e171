"""What analytics adds to a person: days, weeks, goals, streaks and the weight trend."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated, Any

import strawberry

from subgraphs.analytics.api.goal import Goal, goal_node
from subgraphs.analytics.api.request import loaders_of
from subgraphs.analytics.api.summary import DailySummary, load_summary, summary_node
from subgraphs.analytics.domain.period import add_up
from subgraphs.analytics.domain.progress import GoalStatus
from subgraphs.analytics.domain.streak import Streak as StreakOfDays
from subgraphs.analytics.domain.streak import daily_streak, week_start, weekly_streak
from subgraphs.analytics.domain.trend import weight_trend
from subgraphs.analytics.queries.summary import UNKNOWN_CLOCK, DailySummaryRecord, SummaryPage
from subgraphs.context import Info
from subgraphs.errors import ValidationError
from subgraphs.pagination import Connection, connect, read_page
from subgraphs.scalars import CACHE_PRIVATE_BRIEFLY, rounded, rounded_or_none

LONGEST_PERIOD_DAYS = 366


@strawberry.type(description="Several days together; the mean is over the days with a meal.")
class PeriodSummary:
    first: date
    last: date
    calories_consumed: float
    calories_burned: float
    net_calories: float
    meals_logged: int
    workouts_completed: int
    workout_minutes: float
    days_logged: int
    mean_daily_calories: float | None
    weight_change_kg: float | None = strawberry.field(description="Of the trend, between the period's weighings.")
    days: list[DailySummary]


@strawberry.type(description="How long a habit has held.")
class Streak:
    current: int
    longest: int
    last: date | None = strawberry.field(description="The last day, or the Monday of the last week, that counted.")


@strawberry.type
class Streaks:
    meals: Streak = strawberry.field(description="Days in a row with a meal; today may still come.")
    workouts: Streak = strawberry.field(description="Weeks in a row with three workouts; this week may still come.")


@strawberry.type
class WeightTrendPoint:
    date: date
    weight_kg: float
    trend_kg: float


@strawberry.federation.type(keys=["id"], directives=[CACHE_PRIVATE_BRIEFLY])
class User:
    id: strawberry.ID

    @classmethod
    def resolve_reference(cls, id: strawberry.ID, **_: Any) -> User:
        return cls(id=id)

    @strawberry.field(description="One day; today on the person's own clock if no date is given.")
    async def day(self, info: Info, date: date | None = None) -> DailySummary:
        info.context.reader_of(self.id)
        return await load_summary(info, self.id, date or await self._today(info))

    @strawberry.field(description="Days with anything in them, newest first; `from` and `to` are included.")
    async def days(
        self,
        info: Info,
        from_: Annotated[date | None, strawberry.argument(name="from")] = None,
        to: date | None = None,
        first: int | None = None,
        after: str | None = None,
    ) -> Connection[DailySummary]:
        info.context.reader_of(self.id)
        page = read_page(first, after, (date,))
        wanted = SummaryPage(from_, to, page.after[0] if page.after else None, page.limit)
        records = await loaders_of(info).summaries_by_user.load((self.id, wanted))
        return connect(records, page, summary_node, lambda record: (record.local_date,))

    @strawberry.field(description="The seven days from `start`, which may be any day; this week's Monday if left out.")
    async def week(self, info: Info, start: date | None = None) -> PeriodSummary:
        info.context.reader_of(self.id)
        first = start or week_start(await self._today(info))
        return await self._period(info, first, first + timedelta(days=6))

    @strawberry.field(description="Up to 366 days, both ends included.")
    async def period(
        self, info: Info, from_: Annotated[date, strawberry.argument(name="from")], to: date
    ) -> PeriodSummary:
        info.context.reader_of(self.id)
        if not 0 <= (to - from_).days < LONGEST_PERIOD_DAYS:
            raise ValidationError(("to", f"must be at most {LONGEST_PERIOD_DAYS - 1} days after from"))
        return await self._period(info, from_, to)

    @strawberry.field
    async def goals(self, info: Info, status: GoalStatus | None = None) -> list[Goal]:
        info.context.reader_of(self.id)
        wanted = status.value if status else None
        return [goal_node(one) for one in await loaders_of(info).goals_by_user.load((self.id, wanted))]

    @strawberry.field
    async def streaks(self, info: Info) -> Streaks:
        info.context.reader_of(self.id)
        loading = loaders_of(info).active_days_by_user.load(self.id)  # while the clock is read
        today = await self._today(info)
        days = await loading
        with_meals = [day for day, meals, _ in days if meals]
        workouts = {day: count for day, _, count in days if count}
        return Streaks(meals=_streak(daily_streak(with_meals, today)), workouts=_streak(weekly_streak(workouts, today)))

    @strawberry.field(description="The weight behind the daily noise, at each weighed day.")
    async def weight_trend(
        self,
        info: Info,
        from_: Annotated[date | None, strawberry.argument(name="from")] = None,
        to: date | None = None,
    ) -> list[WeightTrendPoint]:
        info.context.reader_of(self.id)
        points = weight_trend(await loaders_of(info).weighings_by_user.load(self.id))
        return [
            WeightTrendPoint(
                date=point.local_date, weight_kg=rounded(point.weight_kg), trend_kg=rounded(point.trend_kg)
            )
            for point in points
            if (from_ is None or point.local_date >= from_) and (to is None or point.local_date <= to)
        ]

    async def _today(self, info: Info) -> date:
        clock = await loaders_of(info).clock_by_user.load(self.id) or UNKNOWN_CLOCK
        return clock.today(info.context.resources.now())

    async def _period(self, info: Info, first: date, last: date) -> PeriodSummary:
        wanted = SummaryPage(first, last, None, LONGEST_PERIOD_DAYS)
        loading = loaders_of(info).weighings_by_user.load(self.id)  # while the summaries are read
        newest_first = await loaders_of(info).summaries_by_user.load((self.id, wanted))
        weighings = await loading
        days = list(reversed(newest_first))
        trend = [point.trend_kg for point in weight_trend(weighings) if first <= point.local_date <= last]
        return _period_node(first, last, days, rounded(trend[-1] - trend[0]) if len(trend) > 1 else None)


def _period_node(
    first: date, last: date, days: list[DailySummaryRecord], weight_change_kg: float | None
) -> PeriodSummary:
    sums = add_up(days)
    return PeriodSummary(
        first=first,
        last=last,
        calories_consumed=rounded(sums.calories_consumed),
        calories_burned=rounded(sums.calories_burned),
        net_calories=rounded(sums.calories_consumed - sums.calories_burned),
        meals_logged=sums.meals_logged,
        workouts_completed=sums.workouts_completed,
        workout_minutes=rounded(sums.workout_minutes),
        days_logged=sums.days_logged,
        mean_daily_calories=rounded_or_none(sums.mean_daily_calories),
        weight_change_kg=weight_change_kg,
        days=[summary_node(day) for day in days],
    )


def _streak(found: StreakOfDays) -> Streak:
    return Streak(current=found.current, longest=found.longest, last=found.last)
