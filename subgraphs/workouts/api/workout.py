"""Workouts in GraphQL: the entity, the exercises in it, and how one is found."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from subgraphs.shell.context import Info
from subgraphs.shell.cost import list_size
from subgraphs.shell.look_ahead import LookAhead
from subgraphs.shell.node import Loggable, Node
from subgraphs.shell.quantities import Mass, MassIn, mass
from subgraphs.shell.scalars import CACHE_PRIVATE_BRIEFLY, TimeZone, describe_enum, rounded, rounded_or_none
from subgraphs.shell.scopes import READS_TRAINING
from subgraphs.shell.sharing import SHARED_TRAINING, load_readable
from subgraphs.shell.units import MassUnit
from subgraphs.shell.worked_out import WorkedOut, worked_out
from subgraphs.workouts.api.energy import EnergyEstimate, estimate
from subgraphs.workouts.api.exercise import Exercise, exercise_node
from subgraphs.workouts.api.gear import Gear, gear_node
from subgraphs.workouts.api.template import ExercisePlan, plan_node
from subgraphs.workouts.api.track import WorkoutTrack, track_node
from subgraphs.workouts.api.workout_pause import WorkoutPause, pause_node
from subgraphs.workouts.api.workout_set import WorkoutSet, set_node
from subgraphs.workouts.domain import energy
from subgraphs.workouts.domain import workout as domain
from subgraphs.workouts.domain.pause import is_paused, pauses_within
from subgraphs.workouts.domain.progression import outcome_of
from subgraphs.workouts.domain.training_load import session_load
from subgraphs.workouts.loaders import loaders_of
from subgraphs.workouts.queries.exercise import ExerciseRecord
from subgraphs.workouts.queries.workout import EXERCISES, PLACES, SETS, SetRecord, WorkoutExerciseRecord, WorkoutRecord

if TYPE_CHECKING:
    from subgraphs.workouts.api.planned_workout import PlannedWorkout
    from subgraphs.workouts.api.user import User

describe_enum(
    domain.WorkoutStatus,
    "How far a workout is.",
    IN_PROGRESS="It has begun and goes on; a person has one such at a time.",
    COMPLETED="It is over and counts.",
    CANCELLED="It was given up and counts for nothing.",
)

#: The ways from a workout to its parts.
PATHS_TO_PARTS = {
    PLACES: ["exercises"],
    SETS: ["sets", "exercises.sets", "exercises.planOutcome"],
    EXERCISES: ["exercises.exercise"],
}
_OF_WORKOUT = LookAhead(**PATHS_TO_PARTS)


@strawberry.type(description="What was done of an exercise beside what was planned of it.")
class PlanOutcome:
    working_sets: int = strawberry.field(description="How many sets were done, without warm-ups.")
    sets_as_planned: int = strawberry.field(
        description="Of them, those with the planned weight or more, and the least repetitions planned or more."
    )
    is_fulfilled: bool = strawberry.field(description="Whether as many sets as planned were done as planned.")
    mean_rpe: float | None = strawberry.field(
        description="Mean exertion of the sets that told one, from 1 to 10; null if none did."
    )
    rpe_over_target: float | None = strawberry.field(
        description="How much harder they were than planned; below 0 easier. Null where either is not told."
    )


@strawberry.type(description="An exercise's place in a workout.")
class WorkoutExercise:
    record: strawberry.Private[WorkoutExerciseRecord]
    id: strawberry.ID = strawberry.field(description="Identifies the place in the whole graph.")
    position: int = strawberry.field(description="Its place among the workout's exercises, from 1.")
    notes: str | None = strawberry.field(description="The person's own words; null if there are none.")
    duration_seconds: int | None = strawberry.field(
        description="How long all of it took, in seconds. Null: what the sets say, if they were timed."
    )
    superset: int | None = strawberry.field(
        description="Exercises with one number are done in turns; null for one by itself."
    )

    @strawberry.field(description="What was done.")
    def exercise(self, info: Info) -> Exercise:
        return loaders_of(info).exercise_by_id.then(self.record.exercise_id, _exercise_node)

    @strawberry.field(
        description="What was planned of it by the template or planned workout that it began from; null without one."
    )
    def plan(self) -> ExercisePlan | None:
        plan = self.record.plan
        return None if plan is None else plan_node(plan)

    @strawberry.field(description="What was done beside what was planned; null without a plan.")
    async def plan_outcome(self, info: Info) -> PlanOutcome | None:
        plan = self.record.plan
        if plan is None:
            return None
        sets = await loaders_of(info).sets_by_workout.load(self.record.workout_id)
        done = outcome_of(plan, [one for one in sets if one.workout_exercise_id == self.record.id])
        return PlanOutcome(
            working_sets=done.working_sets,
            sets_as_planned=done.sets_as_planned,
            is_fulfilled=done.sets_as_planned >= plan.sets,
            mean_rpe=rounded_or_none(done.mean_rpe),
            rpe_over_target=rounded_or_none(done.rpe_over_target),
        )

    @strawberry.field(description="The sets of this exercise, in order.", directives=[list_size(4)])
    def sets(self, info: Info) -> list[WorkoutSet]:
        def of_this(sets: list[SetRecord]) -> list[WorkoutSet]:
            place_id = self.record.id
            return [set_node(one) for one in sets if one.workout_exercise_id == place_id]

        return loaders_of(info).sets_by_workout.then(self.record.workout_id, of_this)


@strawberry.federation.type(
    keys=["id", "nodeId"],
    description="A training session of one person.",
    directives=[CACHE_PRIVATE_BRIEFLY, SHARED_TRAINING],
)
class Workout(Node, Loggable):
    record: strawberry.Private[WorkoutRecord]
    name: str = strawberry.field(description="What the person calls it.")
    time_zone: TimeZone = strawberry.field(description="Where it took place.")
    status: WorkedOut[domain.WorkoutStatus] = worked_out(
        lambda self: domain.WorkoutStatus(self.record.status), description="How far it is."
    )
    started_at: datetime = strawberry.field(description="When it began; `at` is the same.")
    ended_at: datetime | None = strawberry.field(description="When it ended; null while it is in progress.")
    duration_minutes: float | None = strawberry.field(
        description="From start to end, in minutes; null while it is in progress."
    )
    active_minutes: WorkedOut[float | None] = worked_out(
        lambda self: rounded_or_none(self.record.motion_minutes),
        description="Of its minutes, those in motion: as told, or else what its pauses leave. Null if not told and never paused,"
        " or while it is in progress.",
    )
    notes: str | None = strawberry.field(description="The person's own words; null if there are none.")
    volume_kg: WorkedOut[float] = worked_out(
        lambda self: rounded(self.record.volume_kg),
        description="Repetitions times load over all working sets, in kilograms; a load that is not known counts 0.",
    )
    calories_burned: WorkedOut[EnergyEstimate | None] = worked_out(
        lambda self: _stored_estimate(self.record),
        description="A weighing that counts for it changes it a moment later. Null until the workout is completed.",
    )
    session_rpe: WorkedOut[float | None] = worked_out(
        lambda self: rounded_or_none(self.record.session_rpe, 1),
        description="How hard all of it was, from 0 (rest) to 10 (the most), as told; null if not told.",
    )
    session_load: WorkedOut[float | None] = worked_out(
        lambda self: rounded_or_none(session_load(self.record.session_rpe, self.record.duration_minutes)),
        description="Exertion times minutes (Foster et al. 2001); null while either is not known.",
    )
    version: int = strawberry.field(description="Counts changes; send it as `expectedVersion` to change only this one.")

    @classmethod
    async def resolve_reference(cls, info: Info, id: strawberry.ID, **_: Any) -> Workout | None:
        return await load_workout(info, id)

    @strawberry.federation.field(provides=["displayName"], description="Whose workout it is.")
    async def user(self, info: Info) -> Annotated[User, strawberry.lazy("subgraphs.workouts.api.user")]:
        from subgraphs.workouts.api.user import load_named_user

        return await load_named_user(info, self.record.user_id)

    @strawberry.field(description="`volumeKg` in a unit.")
    def volume(self, unit: MassIn = MassUnit.KG) -> Mass:
        return mass(self.record.volume_kg, unit)

    @strawberry.field(description="What was done, in order; up to 50.", directives=[list_size(8)])
    def exercises(self, info: Info) -> list[WorkoutExercise]:
        return loaders_of(info).exercises_by_workout.then(self.record.id, _place_nodes)

    @strawberry.field(
        description="The latest rest of the running session, which `endsAt` tells whether it is over. Null where none has"
        " begun, the last one was skipped, or the session is over."
    )
    def rest(self) -> WorkoutRest | None:
        record = self.record
        if record.rest_started_at is None or record.rest_ends_at is None:
            return None
        return WorkoutRest(
            record=record,
            started_at=record.rest_started_at,
            ends_at=record.rest_ends_at,
            version=record.rest_version,
        )

    @strawberry.field(
        description="When it stood still, in order; up to 50. Of a workout that was made shorter since, what is within it.",
        directives=[list_size(2)],
    )
    def pauses(self) -> list[WorkoutPause]:
        record = self.record
        return [pause_node(each) for each in pauses_within(record.pauses, record.started_at, record.ended_at)]

    @strawberry.field(description="Whether the session in progress stands still now.")
    def is_paused(self) -> bool:
        return self.record.status == domain.WorkoutStatus.IN_PROGRESS and is_paused(self.record.pauses)

    @strawberry.field(description="All sets, exercise by exercise; up to 500.", directives=[list_size(30)])
    async def sets(self, info: Info) -> list[WorkoutSet]:
        return [set_node(one) for one in await loaders_of(info).sets_by_workout.load(self.record.id)]

    @strawberry.field(description="What it was planned as; null where it was not.")
    async def planned(
        self, info: Info
    ) -> Annotated[PlannedWorkout, strawberry.lazy("subgraphs.workouts.api.planned_workout")] | None:
        from subgraphs.workouts.api.planned_workout import planned_node

        record = await loaders_of(info).planned_by_workout.load(self.record.id)
        return None if record is None else planned_node(record)

    @strawberry.field(description="The shoes, bicycle or the like that it is done with; null if none is told.")
    async def gear(self, info: Info) -> Gear | None:
        if self.record.gear_id is None:
            return None
        record = await loaders_of(info).gear_by_id.load(self.record.gear_id)
        return None if record is None else gear_node(record)

    @strawberry.field(
        description="What its recording came to: distance, climb, splits, fastest stretches; null where none was logged."
    )
    async def track(self, info: Info) -> WorkoutTrack | None:
        record = await loaders_of(info).track_by_workout.load(self.record.id)
        return None if record is None else track_node(record)


@strawberry.type(
    description="The rest after a set. Nothing is told when it is over: devices count down to `endsAt` by themselves."
)
class WorkoutRest:
    record: strawberry.Private[WorkoutRecord]
    started_at: datetime = strawberry.field(description="When it began, by the server's clock.")
    ends_at: datetime = strawberry.field(description="When it ends, by the server's clock; it may have passed.")
    version: int = strawberry.field(
        description="Counts the changes of the workout's rest; send it as `expectedVersion` to change only this one."
    )

    @strawberry.field(description="The exercise after whose set it is; null where it began before any set.")
    async def exercise(self, info: Info) -> WorkoutExercise | None:
        places = await loaders_of(info).exercises_by_workout.load(self.record.id)
        return next((place_node(one) for one in places if one.id == self.record.rest_place_id), None)


def _exercise_node(record: ExerciseRecord | None) -> Exercise:
    assert record is not None  # a foreign key holds it
    return exercise_node(record)


def _place_nodes(records: list[WorkoutExerciseRecord]) -> list[WorkoutExercise]:
    return [place_node(one) for one in records]


def place_node(record: WorkoutExerciseRecord) -> WorkoutExercise:
    return WorkoutExercise(
        record=record,
        id=strawberry.ID(record.id),
        position=record.position,
        notes=record.notes,
        duration_seconds=record.duration_seconds,
        superset=record.superset,
    )


def workout_node(record: WorkoutRecord) -> Workout:
    return Workout(
        record=record,
        id=strawberry.ID(record.id),
        name=record.name,
        local_date=record.local_date,
        time_zone=TimeZone(record.time_zone),
        at=record.started_at,
        started_at=record.started_at,
        ended_at=record.ended_at,
        duration_minutes=rounded_or_none(record.duration_minutes),
        notes=record.notes,
        version=record.version,
    )


def _stored_estimate(record: WorkoutRecord) -> EnergyEstimate | None:
    if record.calories_method is None:
        return None
    stored = energy.Energy(
        method=energy.EnergyMethod(record.calories_method),
        gross_kcal=record.calories_kcal,
        net_kcal=record.net_calories_kcal,
        body_weight_kg=record.body_weight_kg,
    )
    return estimate(stored)


async def load_workout(info: Info, id: str) -> Workout | None:
    """The workout, unless it is another person's who does not share it."""
    loaders = loaders_of(info)
    loaders.want_with_workout(id, _OF_WORKOUT.of(info))
    record = await load_readable(info, Workout, loaders.workout_by_id, id)
    return None if record is None else workout_node(record)


@strawberry.type
class WorkoutQuery:
    @strawberry.field(
        description="One of the viewer's workouts; null if there is none with this id.",
        directives=[READS_TRAINING, CACHE_PRIVATE_BRIEFLY],
    )
    async def workout(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="The workout's id.")]
    ) -> Workout | None:
        return await load_workout(info, id)
