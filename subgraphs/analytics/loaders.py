"""The request's loaders: each gathers the keys of one tick and answers them with one statement."""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import TypeVar

from aiodataloader import DataLoader
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from subgraphs.analytics.queries.fact import WorkoutEffort, times_logged, workout_efforts
from subgraphs.analytics.queries.goal import (
    GoalRecord,
    current_values,
    goals_by_id,
    goals_by_user,
    weighings_by_user,
)
from subgraphs.analytics.queries.summary import (
    DailySummaryRecord,
    SummaryPage,
    summaries_by_day,
    summaries_by_user,
)

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
Day = tuple[str, date]


class AnalyticsLoaders:
    """One set a request, over the read engine; named `<result>_by_<key>`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine
        self.summary_by_day: DataLoader[Day, DailySummaryRecord | None] = self._one(summaries_by_day)
        self.goal_by_id: DataLoader[str, GoalRecord | None] = self._one(goals_by_id)
        self.weighings_by_user: DataLoader[str, list[tuple[date, Decimal]]] = self._many(weighings_by_user)
        self.effort_by_workout: DataLoader[str, WorkoutEffort | None] = self._one(workout_efforts)
        self.goals_by_user_and_status: DataLoader[tuple[str, str | None], list[GoalRecord]] = DataLoader(self._goals)
        self.value_by_user_and_kind: DataLoader[tuple[str, str], Decimal | None] = DataLoader(self._values)
        self.summaries_by_page: DataLoader[tuple[str, SummaryPage], list[DailySummaryRecord]] = DataLoader(self._pages)
        self.times_logged_by_user_and_food: DataLoader[tuple[str, str], int] = DataLoader(self._times_logged)

    def _one(
        self, read: Callable[[AsyncConnection, Sequence[K]], Awaitable[Mapping[K, V]]]
    ) -> "DataLoader[K, V | None]":
        async def load(keys: list[K]) -> list[V | None]:
            async with self.engine.connect() as connection:
                found = await read(connection, keys)
            return [found.get(key) for key in keys]

        return DataLoader(load)

    def _many(
        self, read: Callable[[AsyncConnection, Sequence[K]], Awaitable[Mapping[K, list[V]]]]
    ) -> "DataLoader[K, list[V]]":
        async def load(keys: list[K]) -> list[list[V]]:
            async with self.engine.connect() as connection:
                found = await read(connection, keys)
            return [found.get(key, []) for key in keys]

        return DataLoader(load)

    async def _goals(self, keys: list[tuple[str, str | None]]) -> list[list[GoalRecord]]:
        users_by_status: defaultdict[str | None, list[str]] = defaultdict(list)
        for user_id, status in keys:
            users_by_status[status].append(user_id)
        found: dict[tuple[str, str | None], list[GoalRecord]] = {}
        async with self.engine.connect() as connection:
            for status, user_ids in users_by_status.items():
                for user_id, goals in (await goals_by_user(connection, user_ids, status)).items():
                    found[(user_id, status)] = goals
        return [found.get(key, []) for key in keys]

    async def _values(self, keys: list[tuple[str, str]]) -> list[Decimal | None]:
        async with self.engine.connect() as connection:
            found = await current_values(connection, sorted({user_id for user_id, _ in keys}))
        return [found.get(key) for key in keys]

    async def _pages(self, keys: list[tuple[str, SummaryPage]]) -> list[list[DailySummaryRecord]]:
        users_by_page: defaultdict[SummaryPage, list[str]] = defaultdict(list)
        for user_id, page in keys:
            users_by_page[page].append(user_id)
        found: dict[tuple[str, SummaryPage], list[DailySummaryRecord]] = {}
        async with self.engine.connect() as connection:
            for page, user_ids in users_by_page.items():
                for user_id, records in (await summaries_by_user(connection, user_ids, page)).items():
                    found[(user_id, page)] = records
        return [found.get(key, []) for key in keys]

    async def _times_logged(self, keys: list[tuple[str, str]]) -> list[int]:
        async with self.engine.connect() as connection:
            found = await times_logged(connection, keys)
        return [found.get(key, 0) for key in keys]
