"""What analytics adds to a person: days, weeks, goals, streaks and the weight trend."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import partial
from typing import Annotated, Any

import strawberry

from subgraphs.analytics.api.achievement import Achievement, AchievementProgress, achievement_node, read_progress
from subgraphs.analytics.api.changes import ChangesOfUser
from subgraphs.analytics.api.energy import (
    EnergyExpenditure,
    WeeklyCheckIn,
    expenditure_node,
    read_check_in,
    read_expenditure,
)
from subgraphs.analytics.api.exercise_kind import ExerciseKindCount, read_kinds
from subgraphs.analytics.api.goal import Goal, goal_node
from subgraphs.analytics.api.report import Report, read_report
from subgraphs.analytics.api.streak import StreakProtection, Streaks, protection_node, read_streaks
from subgraphs.analytics.api.summary import DailySummary, clock_of_user, load_summary, summary_node, today_of
from subgraphs.analytics.api.timeline import LoggableConnection, timeline_connection
from subgraphs.analytics.domain.achievement import AchievementKind
from subgraphs.analytics.domain.goal import GoalStatus
from subgraphs.analytics.domain.period import add_up
from subgraphs.analytics.domain.report import ReportKind
from subgraphs.analytics.domain.weight_trend import TrendPoint
from subgraphs.analytics.loaders import loaders_of
from subgraphs.analytics.queries.goal import GoalPage
from subgraphs.analytics.queries.summary import DailySummaryRecord, SummaryPage
from subgraphs.analytics.queries.timeline import TimelinePage
from subgraphs.analytics.queries.weight import Span
from subgraphs.shell.calendar import first_day_of_week
from subgraphs.shell.context import Info
from subgraphs.shell.cost import Cost, list_size
from subgraphs.shell.day_range import read_day_range
from subgraphs.shell.errors import ValidationError
from subgraphs.shell.exercise_category_type import ExerciseCategory
from subgraphs.shell.grant_area import GrantArea
from subgraphs.shell.keyset import KeysetList
from subgraphs.shell.node import ID_DESCRIPTION
from subgraphs.shell.pagination import After, Before, Connection, First, Last, connect
from subgraphs.shell.plan_write_type import PlanWrite, write_node
from subgraphs.shell.quantities import Mass, MassIn, mass
from subgraphs.shell.scalars import CACHE_PRIVATE_BRIEFLY, rounded, rounded_or_none
from subgraphs.shell.scopes import reads
from subgraphs.shell.sharing import SHARED_PROGRESS, AccessRead, read_node
from subgraphs.shell.units import MassUnit
from subgraphs.shell.viewer_field import viewer_field

LONGEST_PERIOD_DAYS = 366


@strawberry.type(description="Several days together; a mean is over the days that have what it is of.")
class PeriodSummary:
    id: strawberry.ID = strawberry.field(description="Identifies the period in the whole graph, for caches.")
    first: date = strawberry.field(description="Its first day.")
    last: date = strawberry.field(description="Its last day, included.")
    calories_consumed: float = strawberry.field(description="Eaten, in kcal.")
    calories_burned: float = strawberry.field(description="By completed workouts, in kcal, gross: with rest.")
    net_calories: float = strawberry.field(description="Eaten less burned above rest, in kcal.")
    meals_logged: int = strawberry.field(description="How many meals.")
    workouts_completed: int = strawberry.field(description="How many workouts.")
    workout_minutes: float = strawberry.field(description="From their start to their end, in minutes.")
    days_logged: int = strawberry.field(description="On how many days there is a meal.")
    mean_daily_calories: float | None = strawberry.field(
        description="Eaten on a day with a meal, in kcal; null without such a day."
    )
    steps: int | None = strawberry.field(
        description="Taken, by the source of each day that counted the most; null without a day that has a count."
    )
    mean_daily_steps: float | None = strawberry.field(
        description="Taken on a day that has a count; null without such a day."
    )
    weight_change_kg: float | None = strawberry.field(
        description="Of the trend, between the period's first and last weighing, in kilograms; null without two."
    )
    days: list[DailySummary] = strawberry.field(
        description="Its days with anything in them, oldest first; up to 366.", directives=[list_size(31)]
    )
    user_id: strawberry.Private[str]

    @strawberry.field(
        description="The kinds of exercise of its completed workouts, the one that was trained most first: in the most workouts,"
        " then with the most exercises. Of workouts that an earlier release heard of last, none.",
        directives=[list_size(len(ExerciseCategory))],
    )
    async def exercise_kinds(self, info: Info) -> list[ExerciseKindCount]:
        return await read_kinds(info, self.user_id, Span(self.first, self.last))


@strawberry.type(description="The weight of a day: on the scale, and behind the daily noise.")
class WeightTrendPoint:
    id: strawberry.ID = strawberry.field(description="Identifies the point in the whole graph, for caches.")
    date: date = strawberry.field(description="The person's calendar day.")
    weight_kg: float = strawberry.field(description="The day's first weighing, in kilograms.")
    trend_kg: float = strawberry.field(
        description="The exponentially weighted mean up to this day, in kilograms, a tenth a day (Walker)."
    )
    point: strawberry.Private[TrendPoint]

    @strawberry.field(description="The day's first weighing, in a unit.")
    def weight(self, unit: MassIn = MassUnit.KG) -> Mass:
        return mass(self.point.weight_kg, unit)

    @strawberry.field(description="`trendKg` in a unit.")
    def trend(self, unit: MassIn = MassUnit.KG) -> Mass:
        return mass(self.point.trend_kg, unit)


FromDay = Annotated[date | None, strawberry.argument(name="from", description="The first day, included. Null: all.")]
ToDay = Annotated[date | None, strawberry.argument(description="The last day, included. Null: all.")]


@strawberry.federation.type(keys=["id"], description="A person.", directives=[CACHE_PRIVATE_BRIEFLY])
class User(ChangesOfUser):
    id: strawberry.ID = strawberry.field(description=ID_DESCRIPTION)
    maintenance_kcal: float | None = strawberry.federation.field(
        external=True, default=None, description="What keeps the weight by formula, in kilocalories a day."
    )

    @classmethod
    def resolve_reference(cls, id: strawberry.ID, maintenanceKcal: float | None = None, **_: Any) -> User:  # noqa: N803
        return cls(id=id, maintenance_kcal=maintenanceKcal)

    @strawberry.field(
        description="A day of the person in numbers. Settles a moment after a write.", directives=[SHARED_PROGRESS]
    )
    async def day(
        self,
        info: Info,
        date: Annotated[date | None, strawberry.argument(description="Null: today, on the person's own clock.")] = None,
    ) -> DailySummary:
        return await load_summary(info, self.id, date or await today_of(info, self.id))

    @strawberry.field(
        description="The person's days with anything in them, newest first. Settles a moment after a write. `totalCount`"
        " counts all of them, of any date.",
        directives=[SHARED_PROGRESS],
    )
    async def days(
        self,
        info: Info,
        from_: FromDay = None,
        to: ToDay = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[DailySummary]:
        page = KeysetList("User.days", self.id, (date,)).page(first, after, last, before)
        records = await loaders_of(info).summaries_by_user.load((self.id, SummaryPage(from_, to, page)))
        count = partial(loaders_of(info).summary_count_by_user.load, self.id)
        return connect(records, page, summary_node, lambda record: (record.local_date,), count)

    @strawberry.field(
        description="Seven days of the person together. Settles a moment after a write.", directives=[SHARED_PROGRESS]
    )
    async def week(
        self,
        info: Info,
        start: Annotated[
            date | None,
            strawberry.argument(description="Its first day, which may be any. Null: the running week of the person."),
        ] = None,
    ) -> PeriodSummary:
        first = start
        if first is None:
            clock = await clock_of_user(info, self.id)
            first = first_day_of_week(clock.today(info.context.resources.now()), clock.week_start)
        return await self._period(info, Span(first, first + timedelta(days=6)))

    @strawberry.field(
        description="Up to 366 days of the person together. Settles a moment after a write.",
        directives=[SHARED_PROGRESS],
    )
    async def period(
        self,
        info: Info,
        from_: Annotated[date, strawberry.argument(name="from", description="The first day, included.")],
        to: Annotated[date, strawberry.argument(description="The last day, included.")],
    ) -> PeriodSummary:
        return await self._period(info, _span(from_, to))

    @strawberry.field(
        description="A week of the person, beside the week before it. Settles a moment after a write.",
        directives=[SHARED_PROGRESS],
    )
    async def week_report(
        self,
        info: Info,
        of: Annotated[
            date | None,
            strawberry.argument(
                description="Any of its days; it begins as the person's weeks do. Null: the running week."
            ),
        ] = None,
    ) -> Report:
        return await read_report(info, self.id, ReportKind.WEEK, of)

    @strawberry.field(
        description="A calendar month of the person, beside the month before it. Settles a moment after a write.",
        directives=[SHARED_PROGRESS],
    )
    async def month_report(
        self,
        info: Info,
        of: Annotated[date | None, strawberry.argument(description="Any of its days. Null: the running month.")] = None,
    ) -> Report:
        return await read_report(info, self.id, ReportKind.MONTH, of)

    @strawberry.field(
        description="The person's goals, oldest first. A goal that is set or changed is in it at once; what it is measured by"
        " settles a moment after a write. `totalCount` counts all of them, of any status.",
        directives=[SHARED_PROGRESS],
    )
    async def goals(
        self,
        info: Info,
        status: Annotated[GoalStatus | None, strawberry.argument(description="Null: any.")] = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[Goal]:
        page = KeysetList("User.goals", self.id, (datetime, str)).page(first, after, last, before)
        wanted = GoalPage(None if status is None else status.value, page)
        records = await loaders_of(info).goals_by_user.load((self.id, wanted))
        count = partial(loaders_of(info).goal_count_by_user.load, self.id)
        return connect(records, page, goal_node, lambda record: (record.created_at, record.id), count)

    @strawberry.field(
        description="What the person has achieved, what was reached last first. Settles a moment after a write. `totalCount`"
        " counts all of it.",
        directives=[SHARED_PROGRESS],
    )
    async def achievements(
        self, info: Info, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> Connection[Achievement]:
        page = KeysetList("User.achievements", self.id, (date, str)).page(first, after, last, before)
        records = await loaders_of(info).achievements_by_user.load((self.id, page))
        count = partial(loaders_of(info).achievement_count_by_user.load, self.id)
        return connect(records, page, achievement_node, lambda record: (record.reached_on, record.kind), count)

    @strawberry.field(
        description="How far the person is on the way to each achievement, reached or not, in the order of AchievementKind. It"
        " adds up every workout of the person. Settles a moment after a write.",
        directives=[SHARED_PROGRESS, list_size(len(AchievementKind)), Cost(weight=10)],
    )
    async def achievement_progress(self, info: Info) -> list[AchievementProgress]:
        return await read_progress(info, self.id)

    @strawberry.field(
        description="What the person logged, newest first: meals, drinks, weighings and workouts that were not given up."
        " Settles a moment after a write. An entry is null that its subgraph has already lost. `totalCount`"
        " is null: it would read all years.",
        directives=[SHARED_PROGRESS],
    )
    async def timeline(
        self,
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        from_: FromDay = None,
        to: ToDay = None,
    ) -> LoggableConnection:
        page = KeysetList("User.timeline", self.id, (datetime, str)).page(first, after, last, before)
        wanted = TimelinePage(read_day_range(from_, to), page)
        records = await loaders_of(info).entries_by_user.load((self.id, wanted))
        return timeline_connection(records, page)

    @strawberry.field(
        description="How long the person's habits have held; days and weeks that are protected are passed over. Settles a moment"
        " after a write.",
        directives=[SHARED_PROGRESS],
    )
    async def streaks(self, info: Info) -> Streaks:
        return await read_streaks(info, self.id)

    @strawberry.field(
        description="The days that the person's streaks rest on. It may tell of an illness: for the person alone, no grant and no"
        " API key opens it."
    )
    async def streak_protection(self, info: Info) -> StreakProtection:
        return protection_node(await loaders_of(info).protection_by_user.load(self.id))

    @strawberry.field(
        description="The weight behind the daily noise, at each weighed day of up to 366, oldest first. Settles a moment"
        " after a write.",
        directives=[SHARED_PROGRESS, list_size(366)],
    )
    async def weight_trend(
        self,
        info: Info,
        from_: Annotated[
            date | None,
            strawberry.argument(name="from", description="The first day, included. Null: 365 days before the last."),
        ] = None,
        to: Annotated[date | None, strawberry.argument(description="The last day, included. Null: today.")] = None,
    ) -> list[WeightTrendPoint]:
        last = to or await today_of(info, self.id)
        span = _span(from_ or last - timedelta(days=LONGEST_PERIOD_DAYS - 1), last)
        return [_point_node(self.id, point) for point in await loaders_of(info).trend_by_user.load((self.id, span))]

    @strawberry.federation.field(
        requires=["maintenanceKcal"],
        description="What the person's body uses a day, as seen from what was logged. Settles a moment after a write.",
        directives=[reads(GrantArea.PROGRESS, GrantArea.DIARY, GrantArea.BODY), SHARED_PROGRESS],
    )
    async def energy_expenditure(
        self,
        info: Info,
        before: Annotated[
            date | None, strawberry.argument(description="From the 28 days before this one. Null: today.")
        ] = None,
    ) -> EnergyExpenditure:
        day = before or await today_of(info, self.id)
        return expenditure_node(await read_expenditure(info, self.id, day, self.maintenance_kcal))

    @strawberry.federation.field(
        requires=["maintenanceKcal"],
        description="What was known of energy and pace when the person's week began. Settles a moment after a write. Null"
        " if it may not be read.",
        directives=[reads(GrantArea.PROGRESS, GrantArea.DIARY, GrantArea.BODY), SHARED_PROGRESS],
    )
    async def weekly_check_in(self, info: Info) -> WeeklyCheckIn | None:
        return await read_check_in(info, self.id, self.maintenance_kcal)

    @strawberry.field(
        description="Who read of the progress by a grant, the latest hours first; the latest 100 entries of 90 days.",
        directives=[list_size(20)],
    )
    async def progress_reads(self, info: Info) -> list[AccessRead]:
        return [read_node(record) for record in await loaders_of(info).reads_by_owner.load(self.id)]

    @strawberry.field(
        description="Which goals others wrote for the person by a grant, the latest first; the latest 100 of 90 days.",
        directives=[list_size(20)],
    )
    async def progress_writes(self, info: Info) -> list[PlanWrite]:
        return [write_node(record) for record in await loaders_of(info).writes_by_owner.load(self.id)]

    async def _period(self, info: Info, span: Span) -> PeriodSummary:
        loading = loaders_of(info).trend_by_user.load((self.id, span))  # while the summaries are read
        days = await loaders_of(info).summaries_of_span_by_user.load((self.id, span))
        trend = [point.trend_kg for point in await loading]
        change = rounded(trend[-1] - trend[0]) if len(trend) > 1 else None
        return _period_node(self.id, span, days, change)


def _span(first: date, last: date) -> Span:
    """Raises ValidationError for a span that is too long or ends before it begins."""
    if not 0 <= (last - first).days < LONGEST_PERIOD_DAYS:
        raise ValidationError(("to", f"must be at most {LONGEST_PERIOD_DAYS - 1} days after from"))
    return Span(first, last)


def _point_node(user_id: str, point: TrendPoint) -> WeightTrendPoint:
    return WeightTrendPoint(
        point=point,
        id=strawberry.ID(f"{user_id}:{point.local_date}"),
        date=point.local_date,
        weight_kg=rounded(point.weight_kg),
        trend_kg=rounded(point.trend_kg),
    )


def _period_node(
    user_id: str, span: Span, days: list[DailySummaryRecord], weight_change_kg: float | None
) -> PeriodSummary:
    sums = add_up(days)
    return PeriodSummary(
        id=strawberry.ID(f"{user_id}:{span.first}:{span.last}"),
        user_id=user_id,
        first=span.first,
        last=span.last,
        calories_consumed=rounded(sums.calories_consumed),
        calories_burned=rounded(sums.calories_burned),
        net_calories=rounded(sums.net_calories),
        meals_logged=sums.meals_logged,
        workouts_completed=sums.workouts_completed,
        workout_minutes=rounded(sums.workout_minutes),
        days_logged=sums.days_logged,
        mean_daily_calories=rounded_or_none(sums.mean_daily_calories),
        steps=sums.steps,
        mean_daily_steps=rounded_or_none(sums.mean_daily_steps),
        weight_change_kg=weight_change_kg,
        days=[summary_node(day) for day in days],
    )


@strawberry.type
class UserQuery:
    @viewer_field
    def me(self, info: Info) -> User:
        """Whoever the token names, and nothing is read: an account's end ends its sessions, whose tokens are refused."""
        return User(id=strawberry.ID(info.context.viewer.id))
