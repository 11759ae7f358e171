"""The operation's loaders: each gathers the keys of one tick and answers them with one statement."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from functools import cached_property

from loaders.dataloader import DataLoader, load_list, load_one, load_with_arguments, nothing
from subgraphs.analytics.domain.achievement import Measure
from subgraphs.analytics.domain.goal import Period
from subgraphs.analytics.domain.streak_protection import Protection
from subgraphs.analytics.domain.weight_trend import TrendPoint
from subgraphs.analytics.queries.achievement import (
    AchievementRecord,
    achievement_counts,
    achievements_by_user,
    goals_reached,
    training_totals,
)
from subgraphs.analytics.queries.food import times_logged
from subgraphs.analytics.queries.goal import (
    GoalPage,
    GoalRecord,
    Standing,
    goal_counts,
    goals_by_id,
    goals_by_user,
    measured_days,
    periods_by_goal,
    standings,
)
from subgraphs.analytics.queries.person import ClockRecord, clocks_by_user
from subgraphs.analytics.queries.report import days_of_reports, trend_of_reports
from subgraphs.analytics.queries.streak import StreakFacts, protections, streak_facts
from subgraphs.analytics.queries.summary import (
    DailySummaryRecord,
    SummaryPage,
    summaries_by_day,
    summaries_by_user,
    summaries_of_span,
    summary_counts,
)
from subgraphs.analytics.queries.timeline import EntryRecord, TimelinePage, entries_by_user
from subgraphs.analytics.queries.weight import Span, trend_by_user
from subgraphs.analytics.queries.workout import KindCount, WorkoutEffort, kinds_of_exercise, workout_efforts
from subgraphs.shell.change_log import ChangePage, ChangesRecord, changes_by_user
from subgraphs.shell.context import Info, Resources
from subgraphs.shell.grants import ReadRecord, reads_by_owner
from subgraphs.shell.keyset import Page
from subgraphs.shell.plan_writing import PlanWriteRecord, writes_by_owner
from subgraphs.shell.telemetry import batch_span

Day = tuple[str, date]


class AnalyticsLoaders:
    """One set an operation, each made when first wanted; named `<result>_by_<key>`. A day is a (user id, local date)."""

    def __init__(self, resources: Resources) -> None:
        self._read = resources.database.batch_reader
        self._now = resources.now

    @cached_property
    def summary_by_day(self) -> DataLoader[Day, DailySummaryRecord | None]:
        return load_one("summary_by_day", self._read(summaries_by_day), batch_span)

    @cached_property
    def summaries_by_user(self) -> DataLoader[tuple[str, SummaryPage], list[DailySummaryRecord]]:
        return load_with_arguments("summaries_by_user", self._read(summaries_by_user), list, batch_span)

    @cached_property
    def summary_count_by_user(self) -> DataLoader[str, int | None]:
        return load_one("summary_count_by_user", self._read(summary_counts), batch_span)

    @cached_property
    def summaries_of_span_by_user(self) -> DataLoader[tuple[str, Span], list[DailySummaryRecord]]:
        return load_with_arguments("summaries_of_span_by_user", self._read(summaries_of_span), list, batch_span)

    @cached_property
    def days_of_report_by_user(self) -> DataLoader[tuple[str, Span], list[DailySummaryRecord]]:
        return load_list("days_of_report_by_user", self._read(days_of_reports), batch_span)

    @cached_property
    def trend_of_report_by_user(self) -> DataLoader[tuple[str, Span], list[TrendPoint]]:
        return load_list("trend_of_report_by_user", self._read(trend_of_reports), batch_span)

    @cached_property
    def entries_by_user(self) -> DataLoader[tuple[str, TimelinePage], list[EntryRecord]]:
        return load_with_arguments("entries_by_user", self._read(entries_by_user), list, batch_span)

    @cached_property
    def streak_facts_by_user(self) -> DataLoader[str, StreakFacts | None]:
        return load_one("streak_facts_by_user", self._read(streak_facts), batch_span)

    @cached_property
    def protection_by_user(self) -> DataLoader[str, Protection | None]:
        return load_one("protection_by_user", self._read(protections), batch_span)

    @cached_property
    def clock_by_user(self) -> DataLoader[str, ClockRecord | None]:
        return load_one("clock_by_user", self._read(clocks_by_user), batch_span)

    @cached_property
    def goal_by_id(self) -> DataLoader[str, GoalRecord | None]:
        return load_one("goal_by_id", self._read(goals_by_id), batch_span)

    @cached_property
    def goals_by_user(self) -> DataLoader[tuple[str, GoalPage], list[GoalRecord]]:
        return load_with_arguments("goals_by_user", self._read(goals_by_user), list, batch_span)

    @cached_property
    def goal_count_by_user(self) -> DataLoader[str, int | None]:
        return load_one("goal_count_by_user", self._read(goal_counts), batch_span)

    @cached_property
    def standing_by_goal(self) -> DataLoader[str, Standing | None]:
        read = self._read(standings)
        return load_one("standing_by_goal", lambda goal_ids: read(goal_ids, self._now()), batch_span)

    @cached_property
    def measured_days_by_goal(self) -> DataLoader[tuple[str, Span], list[TrendPoint]]:
        return load_with_arguments("measured_days_by_goal", self._read(measured_days), list, batch_span)

    @cached_property
    def periods_by_goal(self) -> DataLoader[str, list[Period]]:
        read = self._read(periods_by_goal)
        return load_list("periods_by_goal", lambda goal_ids: read(goal_ids, self._now()), batch_span)

    @cached_property
    def trend_by_user(self) -> DataLoader[tuple[str, Span], list[TrendPoint]]:
        return load_with_arguments("trend_by_user", self._read(trend_by_user), list, batch_span)

    @cached_property
    def achievements_by_user(self) -> DataLoader[tuple[str, Page], list[AchievementRecord]]:
        return load_with_arguments("achievements_by_user", self._read(achievements_by_user), list, batch_span)

    @cached_property
    def achievement_count_by_user(self) -> DataLoader[str, int | None]:
        return load_one("achievement_count_by_user", self._read(achievement_counts), batch_span)

    @cached_property
    def training_totals_by_user(self) -> DataLoader[str, Mapping[Measure, Decimal] | None]:
        return load_one("training_totals_by_user", self._read(training_totals), batch_span)

    @cached_property
    def goals_reached_by_user(self) -> DataLoader[str, int | None]:
        return load_one("goals_reached_by_user", self._read(goals_reached), batch_span)

    @cached_property
    def effort_by_workout(self) -> DataLoader[str, WorkoutEffort | None]:
        return load_one("effort_by_workout", self._read(workout_efforts), batch_span)

    @cached_property
    def kinds_of_exercise_by_user(self) -> DataLoader[tuple[str, Span], list[KindCount]]:
        return load_list("kinds_of_exercise_by_user", self._read(kinds_of_exercise), batch_span)

    @cached_property
    def times_logged_by_user_and_food(self) -> DataLoader[tuple[str, str], int | None]:
        return load_one("times_logged_by_user_and_food", self._read(times_logged), batch_span)

    @cached_property
    def changes_by_user(self) -> DataLoader[tuple[str, ChangePage], ChangesRecord | None]:
        return load_with_arguments("changes_by_user", self._read(changes_by_user), nothing, batch_span)

    @cached_property
    def reads_by_owner(self) -> DataLoader[str, list[ReadRecord]]:
        return load_list("reads_by_owner", self._read(reads_by_owner), batch_span)

    @cached_property
    def writes_by_owner(self) -> DataLoader[str, list[PlanWriteRecord]]:
        return load_list("writes_by_owner", self._read(writes_by_owner), batch_span)


def loaders_of(info: Info) -> AnalyticsLoaders:
    loaders: AnalyticsLoaders = info.context.loaders
    return loaders
