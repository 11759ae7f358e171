"""Changes to routines in GraphQL: kept, changed, deleted, put on the calendar."""

import datetime as dt
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from subgraphs.shell.calendar import Weekday
from subgraphs.shell.context import Info
from subgraphs.shell.inputs import client_made_id, expected_version, given, idempotency_key, request_key
from subgraphs.shell.key_scope import KeyScope
from subgraphs.shell.mutation import Payload, mutation
from subgraphs.shell.plan_write_type import PERSON
from subgraphs.shell.scalars import IdempotencyKey
from subgraphs.workouts.api.planned_workout import Routine, routine_node
from subgraphs.workouts.api.template import TemplateExerciseInput
from subgraphs.workouts.commands import routine as commands
from subgraphs.workouts.domain.planned_workout import LONGEST_MINUTES
from subgraphs.workouts.domain.routine import (
    MOST_ROUTINE_DAYS,
    MOST_ROUTINE_EXERCISES,
    MOST_ROUTINES,
    MOST_WEEKS,
    RoutineDay,
    RoutineSchedule,
)

if TYPE_CHECKING:
    from subgraphs.workouts.api.user import User

LazyUser = Annotated["User", strawberry.lazy("subgraphs.workouts.api.user")]
_ID = "The routine's id."
_DAYS = f"1 to {MOST_ROUTINE_DAYS}, with up to {MOST_ROUTINE_EXERCISES} exercises together."


@strawberry.input(description="A day of a routine. In a cycle, one without anything is a day of rest.")
class RoutineDayInput:
    weekday: Weekday | None = strawberry.field(
        default=None, description="The weekday that it is for, up to four a weekday. Null in a cycle."
    )
    name: str | None = strawberry.field(
        default=None, description="What to call the workout, 1 to 255 characters. Null: as the template, or rest."
    )
    time_of_day: dt.time | None = strawberry.field(
        default=None, description="When, by the viewer's clock. Null: at any time."
    )
    minutes: int | None = strawberry.field(
        default=None, description=f"How long it is meant to take, 1 to {LONGEST_MINUTES:,} minutes. Null: open."
    )
    notes: str | None = strawberry.field(default=None, description="Up to 500 characters. Null: none of its own.")
    template_id: strawberry.ID | None = strawberry.field(
        default=None, description="A template of the viewer, whose name and exercises it takes. Null: none."
    )
    exercises: list[TemplateExerciseInput] | None = strawberry.field(
        default=None, description="What is to be done, in order, up to 50. Null: as the template has it, or open."
    )

    def to_day(self) -> commands.ToldDay:
        day = RoutineDay(
            weekday=self.weekday,
            name=None if self.name is None else self.name.strip(),
            time_of_day=self.time_of_day,
            minutes=self.minutes,
            notes=self.notes,
        )
        exercises = None if self.exercises is None else [each.to_plan() for each in self.exercises]
        return commands.ToldDay(day=day, template_id=self.template_id, exercises=exercises)


@strawberry.input(description=f"A routine to keep; a person has up to {MOST_ROUTINES}.")
class CreateRoutineInput:
    name: str = strawberry.field(description="What the person calls it, 1 to 255 characters.")
    schedule: RoutineSchedule = strawberry.field(description="How its days fall on dates; it is not changed later.")
    days: list[RoutineDayInput] = strawberry.field(description=f"Its days in order, {_DAYS}")
    id: strawberry.ID | None = client_made_id("routine")
    person_id: strawberry.ID | None = strawberry.field(default=None, description=PERSON)
    idempotency_key: IdempotencyKey | None = idempotency_key()

    def to_new(self) -> commands.NewRoutine:
        return commands.NewRoutine(
            name=self.name,
            schedule=self.schedule,
            days=[day.to_day() for day in self.days],
            person_id=self.person_id,
            request=request_key(self),
        )


@strawberry.input(description="What is to be different of a routine; what is absent stays.")
class UpdateRoutineInput:
    id: strawberry.ID = strawberry.field(description=_ID)
    name: str | None = strawberry.field(
        default=strawberry.UNSET, description="The new name, 1 to 255 characters. It cannot be null."
    )
    days: list[RoutineDayInput] | None = strawberry.field(
        default=strawberry.UNSET, description=f"All days anew, {_DAYS} It cannot be null."
    )
    expected_version: int | None = expected_version()

    def to_changes(self) -> dict[str, Any]:
        changes = given(self, never_null=("name", "days"))
        if "days" in changes:
            changes["days"] = [day.to_day() for day in changes["days"]]
        return changes


@strawberry.input(description="Which routine to delete.")
class DeleteRoutineInput:
    id: strawberry.ID = strawberry.field(description=_ID)
    expected_version: int | None = expected_version()


@strawberry.input(description="For which weeks to put a routine on the calendar.")
class ScheduleRoutineInput:
    id: strawberry.ID = strawberry.field(description=_ID)
    from_: dt.date = strawberry.field(name="from", description="The first day, today or later.")
    weeks: int = strawberry.field(description=f"How many times seven days, 1 to {MOST_WEEKS}; within a year of today.")
    first_day: int = strawberry.field(
        default=1, description="The day of a cycle that falls on the first day, from 1. It is 1 for days of weekdays."
    )


@strawberry.type(description="What came of keeping or changing a routine.")
class RoutinePayload(Payload):
    routine: Routine | None = strawberry.field(
        default=None, description="The routine as it is now; null if it was refused."
    )


@strawberry.type(description="What came of deleting a routine.")
class DeleteRoutinePayload(Payload):
    deleted_id: strawberry.ID | None = strawberry.field(
        default=None, description="The id of what is gone; null if it was refused."
    )
    user: LazyUser | None = strawberry.field(
        default=None, description="The person without that routine; null if it was refused."
    )


@strawberry.type(description="What came of putting a routine on the calendar.")
class ScheduleRoutinePayload(Payload):
    added: int | None = strawberry.field(
        default=None, description="How many workouts are planned that were not before; null if it was refused."
    )
    present: int | None = strawberry.field(
        default=None,
        description="How many of these weeks the routine had put there already, moved and skipped ones among them; null if"
        " it was refused.",
    )
    user: LazyUser | None = strawberry.field(
        default=None, description="The person, with the calendar as it is now; null if it was refused."
    )


@strawberry.type
class RoutineMutation:
    @mutation(
        key_scope=KeyScope.WRITE_TRAINING,
        description="Keep a routine of the viewer, or of somebody for whom the viewer may plan. CONFLICT for more than there may be.",
    )
    async def create_routine(self, info: Info, input: CreateRoutineInput) -> RoutinePayload | None:
        resources = info.context.resources
        record = await commands.create_routine(
            info.context.viewer, input.to_new(), database=resources.database, now=resources.now()
        )
        info.context.renew_loaders()
        return RoutinePayload(routine=routine_node(record))

    @mutation(
        key_scope=KeyScope.WRITE_TRAINING,
        description="Change a routine of the viewer, or of somebody for whom the viewer may plan; what is planned by it already stays as it"
        " is.",
    )
    async def update_routine(self, info: Info, input: UpdateRoutineInput) -> RoutinePayload | None:
        resources = info.context.resources
        record = await commands.update_routine(
            info.context.viewer,
            input.id,
            input.to_changes(),
            expected_version=input.expected_version,
            database=resources.database,
            now=resources.now(),
        )
        info.context.renew_loaders()
        return RoutinePayload(routine=routine_node(record))

    @mutation(
        key_scope=KeyScope.WRITE_TRAINING,
        description="Delete a routine of the viewer; what was planned by it stays planned.",
    )
    async def delete_routine(self, info: Info, input: DeleteRoutineInput) -> DeleteRoutinePayload | None:
        from subgraphs.workouts.api.user import load_named_user

        viewer, database = info.context.viewer, info.context.resources.database
        await commands.delete_routine(viewer, input.id, expected_version=input.expected_version, database=database)
        info.context.renew_loaders()
        return DeleteRoutinePayload(deleted_id=input.id, user=await load_named_user(info, viewer.id))

    @mutation(
        key_scope=KeyScope.WRITE_TRAINING,
        description="Put a routine, of the viewer or of somebody for whom the viewer may plan, on the calendar. What it has put on a date already stays there as it is,"
        " so the same again adds nothing. CONFLICT for more than there may be.",
    )
    async def schedule_routine(self, info: Info, input: ScheduleRoutineInput) -> ScheduleRoutinePayload | None:
        from subgraphs.workouts.api.user import load_named_user

        resources, viewer = info.context.resources, info.context.viewer
        use = commands.RoutineUse(start=input.from_, weeks=input.weeks, first_day=input.first_day)
        came = await commands.schedule_routine(viewer, input.id, use, database=resources.database, now=resources.now())
        info.context.renew_loaders()
        user = await load_named_user(info, came.owner_id)
        return ScheduleRoutinePayload(added=came.added, present=came.present, user=user)
