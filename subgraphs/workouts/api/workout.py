"""Workouts in GraphQL: the types, how they are found, and every change to them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from subgraphs.context import Info
from subgraphs.scalars import CACHE_PRIVATE_BRIEFLY, decimal_of, rounded, rounded_or_none
from subgraphs.workouts.api.energy import EnergyEstimate, estimate
from subgraphs.workouts.api.exercise import Exercise, exercise_node
from subgraphs.workouts.api.request import loaders_of, writer_of
from subgraphs.workouts.commands import live_set
from subgraphs.workouts.commands import workout as commands
from subgraphs.workouts.commands.workout_set import NewSet
from subgraphs.workouts.domain import energy
from subgraphs.workouts.domain import workout as domain
from subgraphs.workouts.queries.workout import SetRecord, WorkoutExerciseRecord, WorkoutRecord, workouts_by_id

if TYPE_CHECKING:
    from subgraphs.workouts.api.user import User

strawberry.enum(domain.WorkoutStatus)
strawberry.enum(domain.SetKind)


@strawberry.type(description="One set as it was done.")
class WorkoutSet:
    id: strawberry.ID
    position: int
    kind: domain.SetKind
    reps: int | None
    weight_kg: float | None
    duration_seconds: int | None
    distance_m: float | None
    rpe: float | None
    estimated_one_rep_max_kg: float | None = strawberry.field(description="By Epley, from 1 to 12 repetitions.")
    logged_at: datetime


@strawberry.type(description="An exercise's place in a workout.")
class WorkoutExercise:
    id: strawberry.ID
    position: int
    notes: str | None
    duration_seconds: int | None
    record: strawberry.Private[WorkoutExerciseRecord]

    @strawberry.field
    async def exercise(self, info: Info) -> Exercise:
        exercise = await loaders_of(info).exercise_by_id.load(self.record.exercise_id)
        assert exercise is not None  # a foreign key holds it
        return exercise_node(exercise)

    @strawberry.field
    async def sets(self, info: Info) -> list[WorkoutSet]:
        sets = await loaders_of(info).sets_by_workout.load(self.record.workout_id)
        return [set_node(one) for one in sets if one.workout_exercise_id == self.record.id]


@strawberry.federation.type(
    keys=["id"], description="A training session of one person.", directives=[CACHE_PRIVATE_BRIEFLY]
)
class Workout:
    id: strawberry.ID
    name: str
    local_date: date = strawberry.field(description="The person's calendar day it belongs to.")
    status: domain.WorkoutStatus
    started_at: datetime
    ended_at: datetime | None
    duration_minutes: float | None
    active_minutes: float | None
    notes: str | None
    volume_kg: float = strawberry.field(description="Repetitions times weight over all working sets.")
    calories_burned: EnergyEstimate | None = strawberry.field(description="None until the workout is completed.")
    version: int
    record: strawberry.Private[WorkoutRecord]

    @classmethod
    async def resolve_reference(cls, info: Info, id: strawberry.ID, **_: Any) -> Workout | None:
        return await load_workout(info, id)

    @strawberry.federation.field(provides=["displayName"])
    async def user(self, info: Info) -> Annotated[User, strawberry.lazy("subgraphs.workouts.api.user")]:
        from subgraphs.workouts.api.user import user_with_name

        return await user_with_name(info, self.record.user_id)

    @strawberry.field
    async def exercises(self, info: Info) -> list[WorkoutExercise]:
        return [place_node(one) for one in await loaders_of(info).exercises_by_workout.load(self.record.id)]

    @strawberry.field(description="All sets, exercise by exercise.")
    async def sets(self, info: Info) -> list[WorkoutSet]:
        return [set_node(one) for one in await loaders_of(info).sets_by_workout.load(self.record.id)]


def set_node(record: SetRecord) -> WorkoutSet:
    return WorkoutSet(
        id=strawberry.ID(record.id),
        position=record.position,
        kind=domain.SetKind(record.kind),
        reps=record.reps,
        weight_kg=rounded_or_none(record.weight_kg),
        duration_seconds=record.duration_seconds,
        distance_m=rounded_or_none(record.distance_m),
        rpe=rounded_or_none(record.rpe, 1),
        estimated_one_rep_max_kg=rounded_or_none(record.one_rep_max_kg),
        logged_at=record.logged_at,
    )


def place_node(record: WorkoutExerciseRecord) -> WorkoutExercise:
    return WorkoutExercise(
        id=strawberry.ID(record.id),
        position=record.position,
        notes=record.notes,
        duration_seconds=record.duration_seconds,
        record=record,
    )


def workout_node(record: WorkoutRecord) -> Workout:
    return Workout(
        id=strawberry.ID(record.id),
        name=record.name,
        local_date=record.local_date,
        status=domain.WorkoutStatus(record.status),
        started_at=record.started_at,
        ended_at=record.ended_at,
        duration_minutes=rounded_or_none(record.duration_minutes),
        active_minutes=rounded_or_none(record.active_minutes),
        notes=record.notes,
        volume_kg=rounded(record.volume_kg),
        calories_burned=_stored_estimate(record),
        version=record.version,
        record=record,
    )


def _stored_estimate(record: WorkoutRecord) -> EnergyEstimate | None:
    if record.calories_method is None:
        return None
    method = energy.EnergyMethod(record.calories_method)
    return estimate(energy.Energy(method, record.calories_kcal, record.net_calories_kcal, record.body_weight_kg))


async def load_workout(info: Info, id: str) -> Workout | None:
    """The workout, unless it is another person's."""
    viewer = info.context.viewer
    record = await loaders_of(info).workout_by_id.load(id)
    if record is None or not viewer.may_read(record.user_id):
        return None
    return workout_node(record)


@strawberry.type
class WorkoutQuery:
    @strawberry.field(description="One of the viewer's workouts.", directives=[CACHE_PRIVATE_BRIEFLY])
    async def workout(self, info: Info, id: strawberry.ID) -> Workout | None:
        return await load_workout(info, id)


@strawberry.input
class SetInput:
    kind: domain.SetKind = domain.SetKind.NORMAL
    reps: int | None = None
    weight_kg: float | None = None
    duration_seconds: int | None = None
    distance_m: float | None = None
    rpe: float | None = None

    def to_set(self) -> NewSet:
        return NewSet(
            kind=self.kind,
            reps=self.reps,
            weight_kg=_decimal(self.weight_kg),
            duration_seconds=self.duration_seconds,
            distance_m=_decimal(self.distance_m),
            rpe=_decimal(self.rpe),
        )


@strawberry.input
class WorkoutExerciseInput:
    exercise_id: strawberry.ID
    sets: list[SetInput] = strawberry.field(default_factory=list)
    duration_seconds: int | None = None
    notes: str | None = None


@strawberry.input
class StartWorkoutInput:
    name: str
    started_at: datetime | None = None
    time_zone: str | None = None
    notes: str | None = None
    idempotency_key: str | None = None


@strawberry.input
class LogWorkoutInput:
    name: str
    started_at: datetime
    ended_at: datetime
    exercises: list[WorkoutExerciseInput] = strawberry.field(default_factory=list)
    active_minutes: float | None = None
    reported_kcal: float | None = strawberry.field(default=None, description="From a device; else it is estimated.")
    time_zone: str | None = None
    notes: str | None = None
    idempotency_key: str | None = None


@strawberry.input
class UpdateWorkoutInput:
    id: strawberry.ID
    name: str | None = None
    notes: str | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    reported_kcal: float | None = None
    active_minutes: float | None = None
    expected_version: int | None = None


@strawberry.type
class WorkoutMutation:
    @strawberry.mutation(description="Begin a session; one at a time.")
    async def start_workout(self, info: Info, input: StartWorkoutInput) -> Workout:
        new = commands.NewWorkout(
            name=input.name,
            started_at=input.started_at or info.context.resources.now(),
            time_zone=input.time_zone,
            notes=input.notes,
            idempotency_key=input.idempotency_key,
        )
        return await _changed(info, await commands.start_workout(writer_of(info), info.context.viewer, new))

    @strawberry.mutation(description="Write a finished workout in one call.")
    async def log_workout(self, info: Info, input: LogWorkoutInput) -> Workout:
        new = commands.NewWorkout(
            name=input.name,
            started_at=input.started_at,
            ended_at=input.ended_at,
            exercises=_exercises(input.exercises),
            notes=input.notes,
            reported_kcal=_decimal(input.reported_kcal),
            active_minutes=_decimal(input.active_minutes),
            time_zone=input.time_zone,
            idempotency_key=input.idempotency_key,
        )
        return await _changed(info, await commands.log_workout(writer_of(info), info.context.viewer, new))

    @strawberry.mutation
    async def log_set(
        self,
        info: Info,
        workout_id: strawberry.ID,
        exercise_id: strawberry.ID,
        set: SetInput,
        expected_version: int | None = None,
    ) -> Workout:
        viewer_id = info.context.viewer.id
        await live_set.log_set(writer_of(info), viewer_id, workout_id, exercise_id, set.to_set(), expected_version)
        return await _changed(info, workout_id)

    @strawberry.mutation
    async def edit_set(
        self,
        info: Info,
        workout_id: strawberry.ID,
        set_id: strawberry.ID,
        set: SetInput,
        expected_version: int | None = None,
    ) -> Workout:
        viewer_id = info.context.viewer.id
        await live_set.edit_set(writer_of(info), viewer_id, workout_id, set_id, set.to_set(), expected_version)
        return await _changed(info, workout_id)

    @strawberry.mutation(description="Records the set held fall back to the next best.")
    async def delete_set(
        self, info: Info, workout_id: strawberry.ID, set_id: strawberry.ID, expected_version: int | None = None
    ) -> Workout:
        await live_set.delete_set(writer_of(info), info.context.viewer.id, workout_id, set_id, expected_version)
        return await _changed(info, workout_id)

    @strawberry.mutation(description="End the running session and work out its energy.")
    async def complete_workout(
        self,
        info: Info,
        id: strawberry.ID,
        ended_at: datetime | None = None,
        reported_kcal: float | None = None,
        expected_version: int | None = None,
    ) -> Workout:
        viewer_id = info.context.viewer.id
        await commands.complete_workout(
            writer_of(info), viewer_id, id, ended_at, _decimal(reported_kcal), expected_version
        )
        return await _changed(info, id)

    @strawberry.mutation
    async def cancel_workout(self, info: Info, id: strawberry.ID, expected_version: int | None = None) -> Workout:
        await commands.cancel_workout(writer_of(info), info.context.viewer.id, id, expected_version)
        return await _changed(info, id)

    @strawberry.mutation
    async def update_workout(self, info: Info, input: UpdateWorkoutInput) -> Workout:
        change = commands.WorkoutChange(
            name=input.name,
            notes=input.notes,
            started_at=input.started_at,
            ended_at=input.ended_at,
            reported_kcal=_decimal(input.reported_kcal),
            active_minutes=_decimal(input.active_minutes),
        )
        viewer_id = info.context.viewer.id
        await commands.update_workout(writer_of(info), viewer_id, input.id, change, input.expected_version)
        return await _changed(info, input.id)

    @strawberry.mutation(description="Returns the id of what was deleted.")
    async def delete_workout(self, info: Info, id: strawberry.ID, expected_version: int | None = None) -> strawberry.ID:
        await commands.delete_workout(writer_of(info), info.context.viewer.id, id, expected_version)
        return id


async def _changed(info: Info, workout_id: str) -> Workout:
    """The workout as it is after the command; read from the primary, for a replica may not have it yet."""
    info.context.renew_loaders()
    async with writer_of(info).connect() as connection:
        return workout_node((await workouts_by_id(connection, [workout_id]))[workout_id])


def _exercises(inputs: Sequence[WorkoutExerciseInput]) -> tuple[commands.NewWorkoutExercise, ...]:
    return tuple(
        commands.NewWorkoutExercise(
            exercise_id=one.exercise_id,
            sets=tuple(one_set.to_set() for one_set in one.sets),
            duration_seconds=one.duration_seconds,
            notes=one.notes,
        )
        for one in inputs
    )


def _decimal(value: float | None) -> Decimal | None:
    return None if value is None else decimal_of(value)
