"""What people want to be told of where, and when they want quiet, in GraphQL."""

from datetime import time
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from subgraphs.shell.context import Info
from subgraphs.shell.cost import list_size
from subgraphs.shell.errors import Checks
from subgraphs.shell.inputs import expected_version, given
from subgraphs.shell.mutation import Payload, mutation
from subgraphs.shell.node import ID_DESCRIPTION
from subgraphs.shell.scalars import describe_enum
from subgraphs.users.api.notification import NotificationKind
from subgraphs.users.commands import notification_preference as commands
from subgraphs.users.domain import notification_preference as domain
from subgraphs.users.domain.workout_reminder import LONGEST_MINUTES
from subgraphs.users.loaders import loaders_of
from subgraphs.users.queries.notification_preference import PreferenceRecord

if TYPE_CHECKING:
    from subgraphs.users.api.user import User

LazyUser = Annotated["User", strawberry.lazy("subgraphs.users.api.user")]
_NULLABLE = ("quiet_start", "quiet_end", "workout_reminder_minutes", "workout_reminder_time")
_CHOICES = len(NotificationKind) * len(domain.NotificationChannel)

describe_enum(
    domain.NotificationChannel,
    "Where somebody is told something.",
    IN_APP="In the list, and live. What is not wanted there may still come elsewhere.",
    EMAIL=f"By mail to the person's address, once that is proven; at most {domain.MOST_MAILS_A_DAY} in a day, and not what"
    " was read meanwhile.",
    PUSH="To the browsers that the person registered, while no page is open; not what was read meanwhile.",
)


@strawberry.type(description="Whether somebody wants one kind of notification in one place.")
class NotificationChoice:
    kind: NotificationKind = strawberry.field(description="What is told.")
    channel: domain.NotificationChannel = strawberry.field(description="Where.")
    is_on: bool = strawberry.field(description="Whether it is wanted there.")


@strawberry.type(description="What a person wants to be told of where, and when the person wants quiet.")
class NotificationPreferences:
    id: strawberry.ID = strawberry.field(description="Identifies the preferences in the whole graph, for caches.")
    choices: list[NotificationChoice] = strawberry.field(
        description="Of every kind and channel. What the person never chose is as it is by default: on, but for mails,"
        " of which only a new sign-in has one.",
        directives=[list_size(_CHOICES)],
    )
    quiet_start: time | None = strawberry.field(
        description="From when on, by the person's clock, nothing is sent; null: there is no quiet. The list has everything"
        " at once. Reminders and what concerns the safety of the account do not wait; those of planned workouts do, and are in"
        " the list only where the workout would begin in the quiet."
    )
    quiet_end: time | None = strawberry.field(
        description="When what was held back is sent; on the day after, where it is earlier than the start. Null: see start."
    )
    workout_reminder_minutes: int | None = strawberry.field(
        description="How many minutes before a planned workout the person is reminded of it; null: never. 30 by default."
    )
    workout_reminder_time: time | None = strawberry.field(
        description="When, by the person's clock, the person is reminded of a workout that is planned for a day without a time;"
        " null: never. 08:00 by default."
    )
    version: int = strawberry.field(
        description="Counts their changes; send it as `expectedVersion` to change only these."
    )


def preferences_node(user_id: str, record: PreferenceRecord) -> NotificationPreferences:
    preferences = record.preferences
    return NotificationPreferences(
        id=strawberry.ID(f"{user_id}:notifications"),
        choices=[
            NotificationChoice(kind=kind, channel=channel, is_on=preferences.wants(kind, channel))
            for kind in NotificationKind
            for channel in domain.NotificationChannel
        ],
        quiet_start=preferences.quiet.start if preferences.quiet else None,
        quiet_end=preferences.quiet.end if preferences.quiet else None,
        workout_reminder_minutes=preferences.workouts.minutes_before,
        workout_reminder_time=preferences.workouts.time_of_day,
        version=record.version,
    )


@strawberry.type
class PreferencesOfUser:
    """Fields of User."""

    id: strawberry.ID = strawberry.field(description=ID_DESCRIPTION)

    @strawberry.field(description="What the person wants to be told of where, and when the person wants quiet.")
    async def notification_preferences(self, info: Info) -> NotificationPreferences:
        record = await loaders_of(info).preferences_by_user.load(self.id)
        return preferences_node(self.id, record or PreferenceRecord())


@strawberry.input(description="Whether to be told of one kind in one place.")
class NotificationChoiceInput:
    kind: NotificationKind = strawberry.field(description="What is told.")
    channel: domain.NotificationChannel = strawberry.field(description="Where.")
    is_on: bool = strawberry.field(description="Whether it is wanted there.")


@strawberry.input(description="What is absent stays; quiet that is null is none, and so are reminders of workouts.")
class UpdateNotificationPreferencesInput:
    choices: list[NotificationChoiceInput] | None = strawberry.field(
        default=strawberry.UNSET,
        description=f"The choices to change, up to {_CHOICES}, the last of several for the same. It cannot be null.",
    )
    quiet_start: time | None = strawberry.field(
        default=strawberry.UNSET, description="From when on nothing is sent. Null, with `quietEnd`: no quiet."
    )
    quiet_end: time | None = strawberry.field(
        default=strawberry.UNSET, description="When what was held back is sent. Null, with `quietStart`: no quiet."
    )
    workout_reminder_minutes: int | None = strawberry.field(
        default=strawberry.UNSET,
        description=f"How many minutes before a planned workout to be reminded of it, 0 to {LONGEST_MINUTES}. Null: never.",
    )
    workout_reminder_time: time | None = strawberry.field(
        default=strawberry.UNSET,
        description="When to be reminded of a workout that is planned for a day without a time. Null: never.",
    )
    expected_version: int | None = expected_version()

    def changes(self) -> dict[str, Any]:
        return given(self, *_NULLABLE, never_null=("choices",))


@strawberry.input(description="Which mails are not wanted any more.")
class UnsubscribeInput:
    token: str = strawberry.field(description="The token that the mail brought. It holds for ever.")
    everything: bool = strawberry.field(
        default=False, description="All kinds, and not that of the mail alone. Mails about the account itself go on."
    )


@strawberry.type(description="What came of changing preferences of notifications.")
class NotificationPreferencesPayload(Payload):
    preferences: NotificationPreferences | None = strawberry.field(
        default=None, description="The preferences as they are now; null if it was refused."
    )
    user: LazyUser | None = strawberry.field(default=None, description="The person; null if it was refused.")


@strawberry.type(description="What came of unsubscribing.")
class UnsubscribePayload(Payload):
    kind: NotificationKind | None = strawberry.field(
        default=None, description="The kind of the mail that brought the token; null if it was refused."
    )


@strawberry.type
class PreferenceMutation:
    @mutation(description="Change what the viewer is told of where, and when the viewer wants quiet.")
    async def update_notification_preferences(
        self, info: Info, input: UpdateNotificationPreferencesInput
    ) -> NotificationPreferencesPayload | None:
        from subgraphs.users.api.user import load_viewer

        context, changes = info.context, input.changes()
        choices: list[NotificationChoiceInput] = changes.pop("choices", [])
        checks = Checks()
        checks.require(len(choices) <= _CHOICES, "choices", f"may have at most {_CHOICES} entries")
        checks.done()
        record = await commands.update_preferences(
            context.viewer,
            {(each.kind, each.channel): each.is_on for each in choices},
            changes,
            expected_version=input.expected_version,
            resources=context.resources,
        )
        context.renew_loaders()
        node = preferences_node(context.viewer.id, record)
        return NotificationPreferencesPayload(preferences=node, user=await load_viewer(info))

    @mutation(
        description="Get no more mails of a kind, or none of notifications at all, with the token of such a mail. It needs no"
        " signing in, and does nothing where the account is gone.",
        is_public=True,
    )
    async def unsubscribe(self, info: Info, input: UnsubscribeInput) -> UnsubscribePayload | None:
        kind = await commands.unsubscribe(input.token, everything=input.everything, resources=info.context.resources)
        return UnsubscribePayload(kind=kind)
