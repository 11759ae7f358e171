"""The operation's loaders: each gathers the keys of one tick and answers them with one statement."""

from datetime import date
from decimal import Decimal
from functools import cached_property

from aiodataloader import DataLoader

from loaders.dataloader import load_list, load_one, load_with_arguments
from subgraphs.analytics.queries.fact import WorkoutEffort, times_logged, workout_efforts
from subgraphs.analytics.queries.goal import GoalRecord, goals_by_id, goals_by_user, values_by_kind, weighings_by_user
from subgraphs.analytics.queries.summary import (
    ClockRecord,
    DailySummaryRecord,
    SummaryPage,
    active_days,
    clocks_by_user,
    summaries_by_day,
    summaries_by_user,
)
from subgraphs.context import Resources
from subgraphs.telemetry import batch_span

Day = tuple[str, date]


class AnalyticsLoaders:
    """One set an operation, each made when first wanted; named `<result>_by_<key>`. A day is a (user id, local date)."""

    def __init__(self, resources: Resources) -> None:
        self._read = resources.database.batch_reader

    @cached_property
    def summary_by_day(self) -> DataLoader[Day, DailySummaryRecord | None]:
        return load_one("summary_by_day", self._read(summaries_by_day), batch_span)

    @cached_property
    def summaries_by_user(self) -> DataLoader[tuple[str, SummaryPage], list[DailySummaryRecord]]:
        return load_with_arguments("summaries_by_user", self._read(summaries_by_user), list, batch_span)

    @cached_property
    def active_days_by_user(self) -> DataLoader[str, list[tuple[date, int, int]]]:
        return load_list("active_days_by_user", self._read(active_days), batch_span)

    @cached_property
    def clock_by_user(self) -> DataLoader[str, ClockRecord | None]:
        return load_one("clock_by_user", self._read(clocks_by_user), batch_span)

    @cached_property
    def goal_by_id(self) -> DataLoader[str, GoalRecord | None]:
        return load_one("goal_by_id", self._read(goals_by_id), batch_span)

    @cached_property
    def goals_by_user(self) -> DataLoader[tuple[str, str | None], list[GoalRecord]]:
        """Keys are (user id, status); no status is every status."""
        return load_with_arguments("goals_by_user", self._read(goals_by_user), list, batch_span)

    @cached_property
    def value_by_user_and_kind(self) -> DataLoader[tuple[str, str], Decimal | None]:
        return load_one("value_by_user_and_kind", self._read(values_by_kind), batch_span)

    @cached_property
    def weighings_by_user(self) -> DataLoader[str, list[tuple[date, Decimal]]]:
        return load_list("weighings_by_user", self._read(weighings_by_user), batch_span)

    @cached_property
    def effort_by_workout(self) -> DataLoader[str, WorkoutEffort | None]:
        return load_one("effort_by_workout", self._read(workout_efforts), batch_span)

    @cached_property
    def times_logged_by_user_and_food(self) -> DataLoader[tuple[str, str], int | None]:
        return load_one("times_logged_by_user_and_food", self._read(times_logged), batch_span)
