"""Reminders in GraphQL: what a person wants to be reminded of, and when."""

import datetime as dt
from datetime import datetime, time
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from subgraphs.shell.calendar import Weekday
from subgraphs.shell.context import Info
from subgraphs.shell.cost import list_size
from subgraphs.shell.inputs import client_made_id, expected_version, given, idempotency_key, request_key
from subgraphs.shell.mutation import Payload, mutation
from subgraphs.shell.node import ID_DESCRIPTION
from subgraphs.shell.scalars import IdempotencyKey, describe_enum
from subgraphs.users.commands import reminder as commands
from subgraphs.users.domain import reminder as domain
from subgraphs.users.domain.workout_reminder import MOST_SHOWN
from subgraphs.users.loaders import loaders_of
from subgraphs.users.queries.reminder import ReminderRecord
from subgraphs.users.queries.workout_reminder import PlanAheadRecord

if TYPE_CHECKING:
    from subgraphs.users.api.user import User

LazyUser = Annotated["User", strawberry.lazy("subgraphs.users.api.user")]

describe_enum(
    domain.ReminderKind,
    "What somebody wants to be reminded of. It is left out on a day on which it is done already.",
    LOG_BREAKFAST="To log breakfast; done with a meal of that slot.",
    LOG_LUNCH="To log lunch; done with a meal of that slot.",
    LOG_DINNER="To log dinner; done with a meal of that slot.",
    DRINK="To drink; done with any drink.",
    WEIGH_IN="To stand on the scale; done with a weighing.",
    TRAIN="To train; done with a workout that is under way or completed. Left out as well on a day for which a workout is planned of which"
    " the person is reminded by itself: see `NotificationPreferences.workoutReminderMinutes`.",
)


@strawberry.type(description="That a person wants to be reminded of something, by the person's own clock.")
class Reminder:
    id: strawberry.ID = strawberry.field(description="Identifies the reminder in the whole graph, for caches.")
    kind: domain.ReminderKind = strawberry.field(description="What of.")
    time_of_day: time = strawberry.field(
        description="When, by the clock of the person's time zone. Where that skips it, at the first moment after; where it"
        " shows it twice, the first time."
    )
    weekdays: list[Weekday] = strawberry.field(description="On which days, from Monday on.", directives=[list_size(7)])
    is_on: bool = strawberry.field(description="Whether it is sent at all.")
    next_at: datetime | None = strawberry.field(
        description="When it is due next. It follows the person's time zone. Null while it is off."
    )
    version: int = strawberry.field(
        description="Counts its changes; send it as `expectedVersion` to change only this one."
    )


def reminder_node(record: ReminderRecord) -> Reminder:
    return Reminder(
        id=strawberry.ID(record.id),
        kind=domain.ReminderKind(record.kind),
        time_of_day=record.time_of_day,
        weekdays=[Weekday(day) for day in record.weekdays],
        is_on=record.is_on,
        next_at=record.next_at,
        version=record.version,
    )


@strawberry.type(
    description="That a person is going to be reminded of a planned workout. It goes when the workout is begun or skipped."
)
class WorkoutReminder:
    planned_workout_id: strawberry.ID = strawberry.field(description="The id of the planned workout.")
    name: str = strawberry.field(description="What is planned.")
    date: dt.date = strawberry.field(description="For which day, by the person's calendar.")
    time_of_day: time | None = strawberry.field(
        description="For when, by the person's clock; null: at any time of the day."
    )
    at: datetime = strawberry.field(
        description="When the person is reminded, by the preferences, and after the quiet. It follows the person's time zone."
    )


def workout_reminder_node(record: PlanAheadRecord) -> WorkoutReminder:
    assert record.remind_at is not None  # the query wants those that have one
    return WorkoutReminder(
        planned_workout_id=strawberry.ID(record.planned_id),
        name=record.name,
        date=record.local_date,
        time_of_day=record.time_of_day,
        at=record.remind_at,
    )


@strawberry.type
class RemindersOfUser:
    """Fields of User."""

    id: strawberry.ID = strawberry.field(description=ID_DESCRIPTION)

    @strawberry.field(
        description=f"What the person wants to be reminded of, in the order of the day; at most {domain.MOST_REMINDERS}.",
        directives=[list_size(5)],
    )
    async def reminders(self, info: Info) -> list[Reminder]:
        return [reminder_node(record) for record in await loaders_of(info).reminders_by_user.load(self.id)]

    @strawberry.field(
        description=f"Of which planned workouts the person is reminded next, the soonest first; at most {MOST_SHOWN}. A plan is"
        " here a moment after it was made.",
        directives=[list_size(MOST_SHOWN)],
    )
    async def workout_reminders(self, info: Info) -> list[WorkoutReminder]:
        return [
            workout_reminder_node(record) for record in await loaders_of(info).workout_reminders_by_user.load(self.id)
        ]


@strawberry.input(description="What to be reminded of, and when.")
class CreateReminderInput:
    kind: domain.ReminderKind = strawberry.field(description="What of.")
    time_of_day: time = strawberry.field(description="When, by the clock of the viewer's time zone.")
    weekdays: list[Weekday] = strawberry.field(description="On which days of the week; at least one.")
    id: strawberry.ID | None = client_made_id("reminder")
    idempotency_key: IdempotencyKey | None = idempotency_key()


@strawberry.input(description="What is to be different of a reminder: what is absent stays, and nothing can be null.")
class UpdateReminderInput:
    id: strawberry.ID = strawberry.field(description="The reminder's id.")
    time_of_day: time | None = strawberry.field(
        default=strawberry.UNSET, description="When, by the clock of the viewer's time zone. It cannot be null."
    )
    weekdays: list[Weekday] | None = strawberry.field(
        default=strawberry.UNSET, description="On which days of the week; at least one. It cannot be null."
    )
    is_on: bool | None = strawberry.field(
        default=strawberry.UNSET, description="Whether it is sent at all. It cannot be null."
    )
    expected_version: int | None = expected_version()

    def changes(self) -> dict[str, Any]:
        return given(self, never_null=("time_of_day", "weekdays", "is_on"))


@strawberry.input(description="Which reminder to delete.")
class DeleteReminderInput:
    id: strawberry.ID = strawberry.field(description="The reminder's id.")
    expected_version: int | None = expected_version()


@strawberry.type(description="What came of setting or changing a reminder.")
class ReminderPayload(Payload):
    reminder: Reminder | None = strawberry.field(
        default=None, description="The reminder as it is now; null if it was refused."
    )
    user: LazyUser | None = strawberry.field(default=None, description="The person; null if it was refused.")


@strawberry.type(description="What came of deleting a reminder.")
class DeleteReminderPayload(Payload):
    deleted_id: strawberry.ID | None = strawberry.field(
        default=None, description="The id of what is gone; null if it was refused."
    )
    user: LazyUser | None = strawberry.field(default=None, description="The person; null if it was refused.")


@strawberry.type
class ReminderMutation:
    @mutation(
        description="Have the viewer reminded of something at a time of the day. What could not be sent in time is sent up to"
        " an hour late."
    )
    async def create_reminder(self, info: Info, input: CreateReminderInput) -> ReminderPayload | None:
        context = info.context
        new = commands.NewReminder(
            kind=input.kind, time_of_day=input.time_of_day, weekdays=input.weekdays, request=request_key(input)
        )
        resources = context.resources
        record = await commands.create_reminder(context.viewer, new, database=resources.database, now=resources.now())
        return await _answer(info, record)

    @mutation(description="Change a reminder of the viewer. A day on which it was sent already counts anew.")
    async def update_reminder(self, info: Info, input: UpdateReminderInput) -> ReminderPayload | None:
        context = info.context
        record = await commands.update_reminder(
            context.viewer,
            input.id,
            input.changes(),
            expected_version=input.expected_version,
            database=context.resources.database,
            now=context.resources.now(),
        )
        return await _answer(info, record)

    @mutation(description="Delete a reminder of the viewer. NOT_FOUND where there is none.")
    async def delete_reminder(self, info: Info, input: DeleteReminderInput) -> DeleteReminderPayload | None:
        from subgraphs.users.api.user import load_viewer

        context = info.context
        await commands.delete_reminder(
            context.viewer, input.id, expected_version=input.expected_version, database=context.resources.database
        )
        context.renew_loaders()
        return DeleteReminderPayload(deleted_id=input.id, user=await load_viewer(info))


async def _answer(info: Info, record: ReminderRecord) -> ReminderPayload:
    from subgraphs.users.api.user import load_viewer

    info.context.renew_loaders()
    return ReminderPayload(reminder=reminder_node(record), user=await load_viewer(info))
