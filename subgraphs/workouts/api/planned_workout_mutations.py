"""Changes to planned workouts in GraphQL: put on a day, moved, skipped, taken back, begun, paired."""

import datetime as dt
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from subgraphs.shell.context import Info
from subgraphs.shell.inputs import client_made_id, expected_version, given, idempotency_key, request_key
from subgraphs.shell.key_scope import KeyScope
from subgraphs.shell.mutation import Payload, mutation
from subgraphs.shell.plan_write_type import PERSON
from subgraphs.shell.scalars import IdempotencyKey, TimeZone
from subgraphs.workouts.api.planned_workout import PlannedWorkout, planned_node
from subgraphs.workouts.api.template import TemplateExerciseInput
from subgraphs.workouts.api.workout import Workout
from subgraphs.workouts.api.workout_mutations import changed_workout
from subgraphs.workouts.commands import planned_workout as commands
from subgraphs.workouts.domain.planned_workout import FURTHEST_DAYS, LONGEST_MINUTES
from subgraphs.workouts.queries.planned_workout import PlannedWorkoutRecord

if TYPE_CHECKING:
    from subgraphs.workouts.api.user import User

LazyUser = Annotated["User", strawberry.lazy("subgraphs.workouts.api.user")]
_ID = "The planned workout's id."
_DATE = f"The day, within {FURTHEST_DAYS} days of today."
_MINUTES = f"How long it is meant to take, 1 to {LONGEST_MINUTES:,} minutes."
_NOW = "The planned workout as it is now; null if it was refused."


@strawberry.input(
    description="A workout to plan for a day: from a template, from a day of a routine, or free. What is told beside a"
    " source counts before what the source has. A person has up to 1,500, and up to 10 a day."
)
class PlanWorkoutInput:
    date: dt.date = strawberry.field(description=_DATE)
    time_of_day: dt.time | None = strawberry.field(
        default=None, description="When, by the viewer's clock. Null: at any time, or when the routine says."
    )
    name: str | None = strawberry.field(
        default=None, description="What to call it, 1 to 255 characters. Null: as the template or the routine's day."
    )
    minutes: int | None = strawberry.field(default=None, description=f"{_MINUTES} Null: open.")
    notes: str | None = strawberry.field(default=None, description="Up to 500 characters. Null: none of its own.")
    template_id: strawberry.ID | None = strawberry.field(
        default=None, description="A template of the viewer, whose exercises it takes. Null: none."
    )
    routine_id: strawberry.ID | None = strawberry.field(
        default=None, description="A routine of the viewer, of which it is `routineDay`. Null: none."
    )
    routine_day: int | None = strawberry.field(
        default=None, description="The day of the routine, from 1. Null: the first."
    )
    exercises: list[TemplateExerciseInput] | None = strawberry.field(
        default=None, description="What is to be done, in order, up to 50. Null: as the source has it, or open."
    )
    id: strawberry.ID | None = client_made_id("planned_workout")
    person_id: strawberry.ID | None = strawberry.field(default=None, description=PERSON)
    idempotency_key: IdempotencyKey | None = idempotency_key()

    def to_new(self) -> commands.NewPlanned:
        return commands.NewPlanned(
            day=self.date,
            name=self.name,
            time_of_day=self.time_of_day,
            minutes=self.minutes,
            notes=self.notes,
            exercises=None if self.exercises is None else [each.to_plan() for each in self.exercises],
            template_id=self.template_id,
            routine_day=None if self.routine_id is None else (self.routine_id, self.routine_day or 1),
            person_id=self.person_id,
            request=request_key(self),
        )


@strawberry.input(
    description="What is to be different of a planned workout: what is absent stays, what is null is cleared."
)
class UpdatePlannedWorkoutInput:
    id: strawberry.ID = strawberry.field(description=_ID)
    date: dt.date | None = strawberry.field(
        default=strawberry.UNSET, description=f"Moves it to another day. {_DATE} It cannot be null."
    )
    time_of_day: dt.time | None = strawberry.field(
        default=strawberry.UNSET, description="When, by the viewer's clock. Null: at any time."
    )
    name: str | None = strawberry.field(
        default=strawberry.UNSET, description="What to call it, 1 to 255 characters. It cannot be null."
    )
    minutes: int | None = strawberry.field(default=strawberry.UNSET, description=f"{_MINUTES} Null: open.")
    notes: str | None = strawberry.field(default=strawberry.UNSET, description="Up to 500 characters. Null: none.")
    exercises: list[TemplateExerciseInput] | None = strawberry.field(
        default=strawberry.UNSET, description="All of them anew, in order, up to 50. It cannot be null."
    )
    expected_version: int | None = expected_version()

    def to_changes(self) -> dict[str, Any]:
        changes = given(self, "time_of_day", "minutes", "notes", never_null=("date", "name", "exercises"))
        if "date" in changes:
            changes["day"] = changes.pop("date")
        if "exercises" in changes:
            changes["exercises"] = [each.to_plan() for each in changes["exercises"]]
        return changes


@strawberry.input(description="Which planned workout will not be done.")
class SkipPlannedWorkoutInput:
    id: strawberry.ID = strawberry.field(description=_ID)
    is_skipped: bool = strawberry.field(default=True, description="False: it will be done after all.")
    expected_version: int | None = expected_version()


@strawberry.input(description="Which planned workout to take off the calendar.")
class CancelPlannedWorkoutInput:
    id: strawberry.ID = strawberry.field(description=_ID)
    expected_version: int | None = expected_version()


@strawberry.input(description="For which days to take back what is planned and has not begun. What was skipped stays.")
class ClearPlannedWorkoutsInput:
    from_: dt.date = strawberry.field(name="from", description="The first of the days.")
    to: dt.date = strawberry.field(description="The last of the days.")
    routine_id: strawberry.ID | None = strawberry.field(
        default=None, description="Only what this routine put there. Null: all."
    )


@strawberry.input(description="Which planned workout to begin, on whatever day it is planned for.")
class StartPlannedWorkoutInput:
    id: strawberry.ID = strawberry.field(description=_ID)
    started_at: dt.datetime | None = strawberry.field(default=None, description="When it began; null: now.")
    time_zone: TimeZone | None = strawberry.field(
        default=None, description="Where it takes place, if not at home. Null: the person's own."
    )


@strawberry.input(description="As which workout, logged or imported, a planned one was done.")
class PairPlannedWorkoutInput:
    id: strawberry.ID = strawberry.field(description=_ID)
    workout_id: strawberry.ID = strawberry.field(description="A workout of the viewer that was not given up.")
    expected_version: int | None = expected_version()


@strawberry.type(description="What came of a change to a planned workout.")
class PlannedWorkoutPayload(Payload):
    planned_workout: PlannedWorkout | None = strawberry.field(default=None, description=_NOW)


@strawberry.type(description="What came of taking a planned workout off the calendar.")
class CancelPlannedWorkoutPayload(Payload):
    deleted_id: strawberry.ID | None = strawberry.field(
        default=None, description="The id of what is gone; null if it was refused."
    )
    user: LazyUser | None = strawberry.field(default=None, description="The person without it; null if it was refused.")


@strawberry.type(description="What came of taking back what was planned.")
class ClearPlannedWorkoutsPayload(Payload):
    cleared: int | None = strawberry.field(
        default=None, description="How many planned workouts are gone; null if it was refused."
    )
    user: LazyUser | None = strawberry.field(default=None, description="Whose they were; null if it was refused.")


@strawberry.type(description="What came of beginning a planned workout.")
class StartPlannedWorkoutPayload(Payload):
    workout: Workout | None = strawberry.field(
        default=None, description="The workout that it became; null if it was refused."
    )


@strawberry.type
class PlannedWorkoutMutation:
    @mutation(
        key_scope=KeyScope.WRITE_TRAINING,
        description="Plan a workout for a day, of the viewer or of somebody for whom the viewer may plan. CONFLICT for more than there may be.",
    )
    async def plan_workout(self, info: Info, input: PlanWorkoutInput) -> PlannedWorkoutPayload | None:
        resources = info.context.resources
        record = await commands.plan_workout(
            info.context.viewer, input.to_new(), database=resources.database, now=resources.now()
        )
        return _payload(info, record)

    @mutation(
        key_scope=KeyScope.WRITE_TRAINING,
        description="Move or change a planned workout, of the viewer or of somebody for whom the viewer may plan. CONFLICT for one that"
        " has begun.",
    )
    async def update_planned_workout(
        self, info: Info, input: UpdatePlannedWorkoutInput
    ) -> PlannedWorkoutPayload | None:
        resources = info.context.resources
        record = await commands.update_planned_workout(
            info.context.viewer,
            input.id,
            input.to_changes(),
            expected_version=input.expected_version,
            database=resources.database,
            now=resources.now(),
        )
        return _payload(info, record)

    @mutation(
        key_scope=KeyScope.WRITE_TRAINING,
        description="Skip a planned workout of the viewer: it stays on the calendar. CONFLICT for one that has begun.",
    )
    async def skip_planned_workout(self, info: Info, input: SkipPlannedWorkoutInput) -> PlannedWorkoutPayload | None:
        resources = info.context.resources
        record = await commands.skip_planned_workout(
            info.context.viewer,
            input.id,
            input.is_skipped,
            expected_version=input.expected_version,
            database=resources.database,
            now=resources.now(),
        )
        return _payload(info, record)

    @mutation(
        key_scope=KeyScope.WRITE_TRAINING,
        description="Take a planned workout of the viewer off the calendar. CONFLICT for one that has begun.",
    )
    async def cancel_planned_workout(
        self, info: Info, input: CancelPlannedWorkoutInput
    ) -> CancelPlannedWorkoutPayload | None:
        from subgraphs.workouts.api.user import load_named_user

        viewer, resources = info.context.viewer, info.context.resources
        await commands.cancel_planned_workout(
            viewer,
            input.id,
            expected_version=input.expected_version,
            database=resources.database,
            now=resources.now(),
        )
        info.context.renew_loaders()
        return CancelPlannedWorkoutPayload(deleted_id=input.id, user=await load_named_user(info, viewer.id))

    @mutation(
        key_scope=KeyScope.WRITE_TRAINING,
        description="Take back what is planned for days and has not begun; what was skipped stays.",
    )
    async def clear_planned_workouts(
        self, info: Info, input: ClearPlannedWorkoutsInput
    ) -> ClearPlannedWorkoutsPayload | None:
        from subgraphs.workouts.api.user import load_named_user

        viewer, resources = info.context.viewer, info.context.resources
        cleared = await commands.clear_planned_workouts(
            viewer, input.from_, input.to, input.routine_id, database=resources.database, now=resources.now()
        )
        info.context.renew_loaders()
        return ClearPlannedWorkoutsPayload(cleared=cleared, user=await load_named_user(info, viewer.id))

    @mutation(
        key_scope=KeyScope.WRITE_TRAINING,
        description="Begin a planned workout of the viewer, with its weights grown by what was done last. One that was"
        " begun already is answered with its workout. CONFLICT while another session is running.",
    )
    async def start_planned_workout(
        self, info: Info, input: StartPlannedWorkoutInput
    ) -> StartPlannedWorkoutPayload | None:
        resources = info.context.resources
        now = resources.now()
        beginning = commands.Beginning(started_at=input.started_at or now, time_zone=input.time_zone)
        record = await commands.start_planned_workout(
            info.context.viewer, input.id, beginning, database=resources.database, now=now
        )
        return StartPlannedWorkoutPayload(workout=await changed_workout(info, record))

    @mutation(
        key_scope=KeyScope.WRITE_TRAINING,
        description="Say that a planned workout of the viewer was done as a workout that was logged or imported. CONFLICT"
        " where either has another.",
    )
    async def pair_planned_workout(self, info: Info, input: PairPlannedWorkoutInput) -> PlannedWorkoutPayload | None:
        resources = info.context.resources
        record = await commands.pair_planned_workout(
            info.context.viewer,
            input.id,
            input.workout_id,
            expected_version=input.expected_version,
            database=resources.database,
            now=resources.now(),
        )
        return _payload(info, record)


def _payload(info: Info, record: PlannedWorkoutRecord) -> PlannedWorkoutPayload:
    info.context.renew_loaders()
    return PlannedWorkoutPayload(planned_workout=planned_node(record))
