"""The operation's loaders: each gathers the keys of one tick and answers them with one statement."""

from functools import cached_property

from aiodataloader import DataLoader

from loaders.dataloader import load_list, load_one, load_with_arguments
from subgraphs.context import Resources
from subgraphs.telemetry import batch_span
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


class WorkoutsLoaders:
    """One set an operation, each made when first wanted; named `<result>_by_<key>`."""

    def __init__(self, resources: Resources) -> None:
        self._read = resources.database.batch_reader

    @cached_property
    def exercise_by_id(self) -> DataLoader[str, ExerciseRecord | None]:
        return load_one("exercise_by_id", self._read(exercises_by_id), batch_span)

    @cached_property
    def person_by_id(self) -> DataLoader[str, PersonRecord | None]:
        return load_one("person_by_id", self._read(people_by_id), batch_span)

    @cached_property
    def workout_by_id(self) -> DataLoader[str, WorkoutRecord | None]:
        return load_one("workout_by_id", self._read(workouts_by_id), batch_span)

    @cached_property
    def active_workout_by_user(self) -> DataLoader[str, WorkoutRecord | None]:
        return load_one("active_workout_by_user", self._read(active_workouts), batch_span)

    @cached_property
    def workouts_by_user(self) -> DataLoader[tuple[str, WorkoutPage], list[WorkoutRecord]]:
        return load_with_arguments("workouts_by_user", self._read(workouts_by_user), list, batch_span)

    @cached_property
    def exercises_by_workout(self) -> DataLoader[str, list[WorkoutExerciseRecord]]:
        return load_list("exercises_by_workout", self._read(exercises_by_workout), batch_span)

    @cached_property
    def sets_by_workout(self) -> DataLoader[str, list[SetRecord]]:
        return load_list("sets_by_workout", self._read(sets_by_workout), batch_span)

    @cached_property
    def records_by_user(self) -> DataLoader[str, list[PersonalRecord]]:
        return load_list("records_by_user", self._read(records_by_user), batch_span)
