"""The request's loaders: each gathers the keys of one tick and answers them with one statement."""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from typing import TypeVar

from aiodataloader import DataLoader
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from subgraphs.workouts.queries.exercise import ExerciseRecord, exercises_by_id
from subgraphs.workouts.queries.person import PersonRecord, people_by_id
from subgraphs.workouts.queries.workout import (
    PersonalRecord,
    SetRecord,
    WorkoutExerciseRecord,
    WorkoutPage,
    WorkoutRecord,
    active_workouts,
    exercises_by_workout,
    records_by_user,
    sets_by_workout,
    workouts_by_id,
    workouts_by_user,
)

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class WorkoutsLoaders:
    """One set a request, over the read engine; named `<result>_by_<key>`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine
        self.exercise_by_id: DataLoader[str, ExerciseRecord | None] = self._one(exercises_by_id)
        self.person_by_id: DataLoader[str, PersonRecord | None] = self._one(people_by_id)
        self.workout_by_id: DataLoader[str, WorkoutRecord | None] = self._one(workouts_by_id)
        self.active_workout_by_user: DataLoader[str, WorkoutRecord | None] = self._one(active_workouts)
        self.exercises_by_workout: DataLoader[str, list[WorkoutExerciseRecord]] = self._many(exercises_by_workout)
        self.sets_by_workout: DataLoader[str, list[SetRecord]] = self._many(sets_by_workout)
        self.records_by_user: DataLoader[str, list[PersonalRecord]] = self._many(records_by_user)
        self.workouts_by_page: DataLoader[tuple[str, WorkoutPage], list[WorkoutRecord]] = DataLoader(self._pages)

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

    async def _pages(self, keys: list[tuple[str, WorkoutPage]]) -> list[list[WorkoutRecord]]:
        """People who are asked for the same page share a statement; aliases with other arguments have their own."""
        users_by_page: defaultdict[WorkoutPage, list[str]] = defaultdict(list)
        for user_id, page in keys:
            users_by_page[page].append(user_id)
        found: dict[tuple[str, WorkoutPage], list[WorkoutRecord]] = {}
        async with self.engine.connect() as connection:
            for page, user_ids in users_by_page.items():
                for user_id, records in (await workouts_by_user(connection, user_ids, page)).items():
                    found[(user_id, page)] = records
        return [found.get(key, []) for key in keys]
