"""Every change to workouts in GraphQL: what is told, and what is answered."""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, cast

import strawberry

from subgraphs.shell.context import Info
from subgraphs.shell.cost import list_size
from subgraphs.shell.inputs import client_made_id, expected_version, given, idempotency_key, request_key
from subgraphs.shell.key_scope import KeyScope
from subgraphs.shell.live import announce
from subgraphs.shell.mutation import Payload, mutation
from subgraphs.shell.node import NodeKind
from subgraphs.shell.scalars import IdempotencyKey, TimeZone, decimal_of, decimal_of_or_none
from subgraphs.workouts.api.track import WorkoutTrackInput
from subgraphs.workouts.api.workout import Workout, workout_node
from subgraphs.workouts.api.workout_live import session_channel
from subgraphs.workouts.api.workout_pause import WorkoutPauseInput
from subgraphs.workouts.api.workout_set import SetChangesInput, SetInput, WorkoutSet, set_node
from subgraphs.workouts.commands import workout as commands
from subgraphs.workouts.commands import workout_set as set_commands
from subgraphs.workouts.commands.gear import WantedGear
from subgraphs.workouts.commands.template import planned_exercises
from subgraphs.workouts.domain.personal_record import RecordKind
from subgraphs.workouts.domain.workout import ExerciseDraft
from subgraphs.workouts.loaders import loaders_of
from subgraphs.workouts.queries.workout import WorkoutRecord

if TYPE_CHECKING:
    from subgraphs.workouts.api.user import User

LazyUser = Annotated["User", strawberry.lazy("subgraphs.workouts.api.user")]
_GEAR = (
    "Gear of the viewer that it is done with. Null: what its first exercise has by default, where it goes a distance."
)
_WITHOUT_GEAR = (
    "It is done with no gear, whatever its first exercise has by default; for a session, until it is completed."
)


@strawberry.input(description="An exercise of a workout that is logged in one call.")
class WorkoutExerciseInput:
    exercise_id: strawberry.ID = strawberry.field(description="An exercise of the catalogue or of the viewer's own.")
    sets: list[SetInput] = strawberry.field(
        default_factory=list, description="In order. A workout has up to 500 sets together."
    )
    duration_seconds: int | None = strawberry.field(
        default=None, description="How long all of it took, in seconds, 1 to 86,400. Null: what the sets say."
    )
    notes: str | None = strawberry.field(default=None, description="Up to 500 characters. Null: none.")
    superset: int | None = strawberry.field(
        default=None, description="1 to 50; exercises with one number were done in turns. Null: by itself."
    )

    def to_draft(self) -> ExerciseDraft:
        return ExerciseDraft(
            exercise_id=self.exercise_id,
            sets=[one.to_draft() for one in self.sets],
            duration_seconds=self.duration_seconds,
            notes=self.notes,
            superset=self.superset,
        )


@strawberry.input(description="A session to begin.")
class StartWorkoutInput:
    name: str = strawberry.field(description="What the person calls it, 1 to 255 characters.")
    template_id: strawberry.ID | None = strawberry.field(
        default=None,
        description="A template of the viewer, whose exercises it begins with, planned by what was done last. Null: none.",
    )
    started_at: datetime | None = strawberry.field(default=None, description="When it began; null: now.")
    time_zone: TimeZone | None = strawberry.field(
        default=None, description="Where it takes place, if not at home. Null: the person's own."
    )
    notes: str | None = strawberry.field(default=None, description="Up to 500 characters. Null: none.")
    gear_id: strawberry.ID | None = strawberry.field(default=None, description=_GEAR)
    without_gear: bool = strawberry.field(default=False, description=_WITHOUT_GEAR)
    id: strawberry.ID | None = client_made_id(NodeKind.WORKOUT)
    idempotency_key: IdempotencyKey | None = idempotency_key()

    def to_new(self, now: datetime) -> commands.NewWorkout:
        return commands.NewWorkout(
            name=self.name,
            started_at=self.started_at or now,
            time_zone=self.time_zone,
            notes=self.notes,
            gear=WantedGear(gear_id=self.gear_id, without=self.without_gear),
            request=request_key(self),
        )


@strawberry.input(description="A finished workout to log in one call.")
class LogWorkoutInput:
    name: str = strawberry.field(description="What the person calls it, 1 to 255 characters.")
    started_at: datetime = strawberry.field(description="When it began, not in the future.")
    ended_at: datetime = strawberry.field(description="When it ended, up to 24 hours later and not in the future.")
    exercises: list[WorkoutExerciseInput] = strawberry.field(
        default_factory=list, description="In order, up to 50. Without any, only a reported energy is known."
    )
    active_minutes: float | None = strawberry.field(
        default=None, description="Of the workout's minutes, those in motion. Null: all but its pauses."
    )
    reported_kcal: float | None = strawberry.field(
        default=None, description="Gross energy in kcal from a device, 0 to 20,000. Null: it is estimated."
    )
    session_rpe: float | None = strawberry.field(
        default=None, description="How hard all of it was, 0 to 10. Null: not told."
    )
    time_zone: TimeZone | None = strawberry.field(
        default=None, description="Where it took place, if not at home. Null: the person's own."
    )
    notes: str | None = strawberry.field(default=None, description="Up to 500 characters. Null: none.")
    pauses: list[WorkoutPauseInput] = strawberry.field(
        default_factory=list,
        description="When it stood still, in order, up to 50, each after the one before. It counts neither as motion nor for"
        " energy.",
    )
    track: WorkoutTrackInput | None = strawberry.field(
        default=None,
        description="What its recording came to; the fastest stretches are records of its first exercise. Later"
        " `mergeWorkouts` alone changes it. Null: none.",
    )
    gear_id: strawberry.ID | None = strawberry.field(default=None, description=_GEAR)
    without_gear: bool = strawberry.field(default=False, description=_WITHOUT_GEAR)
    id: strawberry.ID | None = client_made_id(NodeKind.WORKOUT)
    idempotency_key: IdempotencyKey | None = idempotency_key()

    def to_new(self) -> commands.NewWorkout:
        return commands.NewWorkout(
            name=self.name,
            started_at=self.started_at,
            ended_at=self.ended_at,
            exercises=[one.to_draft() for one in self.exercises],
            notes=self.notes,
            reported_kcal=decimal_of_or_none(self.reported_kcal, 2),
            session_rpe=decimal_of_or_none(self.session_rpe, 1),
            active_minutes=decimal_of_or_none(self.active_minutes, 4),
            pauses=[one.to_pause() for one in self.pauses],
            time_zone=self.time_zone,
            track=None if self.track is None else self.track.to_draft(),
            gear=WantedGear(gear_id=self.gear_id, without=self.without_gear),
            request=request_key(self),
        )


@strawberry.input(description="How the running session ended: what is absent stays, what is null is cleared.")
class CompleteWorkoutInput:
    id: strawberry.ID = strawberry.field(description="The workout's id.")
    ended_at: datetime | None = strawberry.field(
        default=None, description="Up to 24 hours after the start and not in the future. Null: now."
    )
    active_minutes: float | None = strawberry.field(
        default=strawberry.UNSET, description="Of the workout's minutes, those in motion. Null: all but its pauses."
    )
    reported_kcal: float | None = strawberry.field(
        default=strawberry.UNSET, description="Gross energy in kcal from a device, 0 to 20,000. Null: it is estimated."
    )
    session_rpe: float | None = strawberry.field(
        default=strawberry.UNSET, description="How hard all of it was, 0 to 10. Null: not told."
    )
    expected_version: int | None = expected_version()

    def to_completion(self) -> commands.Completion:
        changes = _exact(given(self, "active_minutes", "reported_kcal", "session_rpe"))
        if self.ended_at is not None:
            changes["ended_at"] = self.ended_at
        return cast("commands.Completion", changes)


@strawberry.input(description="What is to be different of a workout: what is absent stays, what is null is cleared.")
class UpdateWorkoutInput:
    id: strawberry.ID = strawberry.field(description="The workout's id.")
    name: str | None = strawberry.field(
        default=strawberry.UNSET, description="What the person calls it, 1 to 255 characters. It cannot be null."
    )
    notes: str | None = strawberry.field(default=strawberry.UNSET, description="Up to 500 characters. Null: none.")
    started_at: datetime | None = strawberry.field(
        default=strawberry.UNSET, description="May move the workout to another day. It cannot be null."
    )
    ended_at: datetime | None = strawberry.field(
        default=strawberry.UNSET, description="Up to 24 hours after the start. It cannot be null."
    )
    active_minutes: float | None = strawberry.field(
        default=strawberry.UNSET, description="Of the workout's minutes, those in motion. Null: all but its pauses."
    )
    reported_kcal: float | None = strawberry.field(
        default=strawberry.UNSET, description="Gross energy in kcal, 0 to 20,000. Null: it is estimated."
    )
    session_rpe: float | None = strawberry.field(
        default=strawberry.UNSET, description="How hard all of it was, 0 to 10. Null: not told."
    )
    gear_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="Gear of the viewer that it is done with. Null: none."
    )
    expected_version: int | None = expected_version()

    def to_changes(self) -> commands.WorkoutChanges:
        nullable = ("notes", "active_minutes", "reported_kcal", "session_rpe", "gear_id")
        changes = _exact(given(self, *nullable, never_null=("name", "started_at", "ended_at")))
        return cast("commands.WorkoutChanges", changes)


@strawberry.input(description="Which workout to give up or to delete.")
class WorkoutIdInput:
    id: strawberry.ID = strawberry.field(description="The workout's id.")
    expected_version: int | None = expected_version()


@strawberry.input(description="A set to add to a workout. Its exercise joins the workout with its first set.")
class LogSetInput(SetInput):
    workout_id: strawberry.ID = strawberry.field(description="A workout of the viewer that is not cancelled.")
    exercise_id: strawberry.ID = strawberry.field(description="An exercise of the catalogue or of the viewer's own.")
    expected_version: int | None = expected_version()
    id: strawberry.ID | None = client_made_id(NodeKind.WORKOUT_SET)
    idempotency_key: IdempotencyKey | None = idempotency_key()

    def to_new(self) -> set_commands.NewSet:
        return set_commands.NewSet(
            workout_id=self.workout_id,
            exercise_id=self.exercise_id,
            one=self.to_draft(),
            expected_version=self.expected_version,
            request=request_key(self),
        )


@strawberry.input(description="What is to be different of a set: what is absent stays, what is null is cleared.")
class EditSetInput(SetChangesInput):
    workout_id: strawberry.ID = strawberry.field(description="The workout that the set is of.")
    set_id: strawberry.ID = strawberry.field(description="The set's id.")
    expected_version: int | None = expected_version()


@strawberry.input(description="Which set to take out of which workout.")
class DeleteSetInput:
    workout_id: strawberry.ID = strawberry.field(description="The workout that the set is of.")
    set_id: strawberry.ID = strawberry.field(description="The set's id.")
    expected_version: int | None = expected_version()


@strawberry.type(description="What came of a change to a workout.")
class WorkoutPayload(Payload):
    workout: Workout | None = strawberry.field(
        default=None, description="The workout as it is now; null if the change was refused."
    )


@strawberry.type(description="What came of logging or changing a set.")
class WorkoutSetPayload(Payload):
    set: WorkoutSet | None = strawberry.field(
        default=None, description="The set as it is now; null if the change was refused."
    )
    workout: Workout | None = strawberry.field(
        default=None, description="The workout as it is with it; null if the change was refused."
    )
    records: list[RecordKind] | None = strawberry.field(
        default=None,
        description="In what the set is more than everything that the person did of the exercise before. A first has"
        " nothing to be more than. Null if the change was refused.",
        directives=[list_size(4)],
    )


@strawberry.type(description="What came of taking a set out of a workout.")
class DeleteSetPayload(Payload):
    deleted_id: strawberry.ID | None = strawberry.field(
        default=None, description="The id of the set that is gone; null if it was refused."
    )
    workout: Workout | None = strawberry.field(
        default=None, description="The workout as it is without it; null if it was refused."
    )


@strawberry.type(description="What came of deleting a workout.")
class DeleteWorkoutPayload(Payload):
    deleted_id: strawberry.ID | None = strawberry.field(
        default=None, description="The id of what is gone; null if it was refused."
    )
    user: LazyUser | None = strawberry.field(
        default=None, description="The person without that workout; null if it was refused."
    )


@strawberry.type
class WorkoutMutation:
    @mutation(
        key_scope=KeyScope.WRITE_TRAINING,
        description="Begin a session of the viewer. CONFLICT while another one is running.",
    )
    async def start_workout(self, info: Info, input: StartWorkoutInput) -> WorkoutPayload | None:
        viewer, resources = info.context.viewer, info.context.resources
        now = resources.now()
        new = input.to_new(now)
        if input.template_id is not None:
            exercises = await planned_exercises(viewer, input.template_id, database=resources.database, now=now)
            new = replace(new, exercises=exercises)
        return await payload(info, await commands.start_workout(viewer, new, database=resources.database, now=now))

    @mutation(
        key_scope=KeyScope.WRITE_TRAINING,
        description="Log a finished workout of the viewer with its exercises and sets.",
    )
    async def log_workout(self, info: Info, input: LogWorkoutInput) -> WorkoutPayload | None:
        viewer, resources = info.context.viewer, info.context.resources
        new = input.to_new()
        record = await commands.log_workout(viewer, new, database=resources.database, now=resources.now())
        return await payload(info, record)

    @mutation(
        key_scope=KeyScope.WRITE_TRAINING,
        description="End the running session and work out its energy. CONFLICT if it is not running.",
    )
    async def complete_workout(self, info: Info, input: CompleteWorkoutInput) -> WorkoutPayload | None:
        resources = info.context.resources
        record = await commands.complete_workout(
            info.context.viewer,
            input.id,
            input.to_completion(),
            expected_version=input.expected_version,
            database=resources.database,
            now=resources.now(),
        )
        return await payload(info, record)

    @mutation(
        key_scope=KeyScope.WRITE_TRAINING,
        description="Give up the running session: it stays in the history and counts for nothing.",
    )
    async def cancel_workout(self, info: Info, input: WorkoutIdInput) -> WorkoutPayload | None:
        resources = info.context.resources
        record = await commands.cancel_workout(
            info.context.viewer,
            input.id,
            expected_version=input.expected_version,
            database=resources.database,
            now=resources.now(),
        )
        return await payload(info, record)

    @mutation(
        key_scope=KeyScope.WRITE_TRAINING,
        description="Change a workout of the viewer. CONFLICT for the end of one that is running.",
    )
    async def update_workout(self, info: Info, input: UpdateWorkoutInput) -> WorkoutPayload | None:
        resources = info.context.resources
        record = await commands.update_workout(
            info.context.viewer,
            input.id,
            input.to_changes(),
            expected_version=input.expected_version,
            database=resources.database,
            now=resources.now(),
        )
        return await payload(info, record)

    @mutation(
        key_scope=KeyScope.WRITE_TRAINING,
        description="Delete a workout and its sets for good; records that it held fall back to the next best.",
    )
    async def delete_workout(self, info: Info, input: WorkoutIdInput) -> DeleteWorkoutPayload | None:
        from subgraphs.workouts.api.user import load_named_user

        resources = info.context.resources
        workout = await commands.delete_workout(
            info.context.viewer,
            input.id,
            expected_version=input.expected_version,
            database=resources.database,
            now=resources.now(),
        )
        await announce(info, session_channel(workout.id))
        info.context.renew_loaders()
        return DeleteWorkoutPayload(deleted_id=input.id, user=await load_named_user(info, workout.user_id))

    @mutation(
        key_scope=KeyScope.WRITE_TRAINING,
        description="Log a set in a workout of the viewer. While it runs, the rest that is planned of the exercise, or else"
        " the viewer's default, begins.",
    )
    async def log_set(self, info: Info, input: LogSetInput) -> WorkoutSetPayload | None:
        viewer, resources = info.context.viewer, info.context.resources
        new = input.to_new()
        changed = await set_commands.log_set(viewer, new, database=resources.database, now=resources.now())
        return await _set_payload(info, changed)

    @mutation(key_scope=KeyScope.WRITE_TRAINING, description="Change a set in a workout of the viewer.")
    async def edit_set(self, info: Info, input: EditSetInput) -> WorkoutSetPayload | None:
        resources = info.context.resources
        changed = await set_commands.edit_set(
            info.context.viewer, _which(input), input.to_changes(), database=resources.database, now=resources.now()
        )
        return await _set_payload(info, changed)

    @mutation(
        key_scope=KeyScope.WRITE_TRAINING,
        description="Take a set out of a workout; records that it held fall back to the next best.",
    )
    async def delete_set(self, info: Info, input: DeleteSetInput) -> DeleteSetPayload | None:
        viewer, resources = info.context.viewer, info.context.resources
        record = await set_commands.delete_set(viewer, _which(input), database=resources.database, now=resources.now())
        return DeleteSetPayload(deleted_id=input.set_id, workout=await changed_workout(info, record))


async def changed_workout(info: Info, record: WorkoutRecord) -> Workout:
    """The workout as it is after the command, told to its watchers; what else is asked of it is read from the primary."""
    await announce(info, session_channel(record.id))
    info.context.renew_loaders()
    return workout_node(record)


async def payload(info: Info, record: WorkoutRecord) -> WorkoutPayload:
    """What a change of a workout answers with."""
    return WorkoutPayload(workout=await changed_workout(info, record))


async def _set_payload(info: Info, changed: set_commands.ChangedSet) -> WorkoutSetPayload:
    workout = await changed_workout(info, changed.workout)
    sets = await loaders_of(info).sets_by_workout.load(changed.workout.id)
    found = next((one for one in sets if one.id == changed.set_id), None)
    return WorkoutSetPayload(
        set=None if found is None else set_node(found), workout=workout, records=list(changed.records)
    )


def _which(input_object: EditSetInput | DeleteSetInput) -> set_commands.WhichSet:
    return set_commands.WhichSet(
        workout_id=input_object.workout_id,
        set_id=input_object.set_id,
        expected_version=input_object.expected_version,
    )


def _exact(changes: dict[str, Any]) -> dict[str, Any]:
    """Numbers as they were written, with the places that their columns hold."""
    places = {"active_minutes": 4, "reported_kcal": 2, "session_rpe": 1}
    return {name: _decimal(value, places.get(name, 2)) for name, value in changes.items()}


def _decimal(value: Any, places: int) -> Decimal | Any:
    return decimal_of(value, places) if isinstance(value, float) else value
