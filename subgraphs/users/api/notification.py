"""What a person was notified of, in GraphQL: the list, what is unread of it, and what the person does with it."""

from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Annotated

import strawberry

from subgraphs.shell.context import Info
from subgraphs.shell.keyset import KeysetList
from subgraphs.shell.mutation import Payload, mutation
from subgraphs.shell.node import ID_DESCRIPTION
from subgraphs.shell.pagination import After, Before, Connection, First, Last, connect
from subgraphs.shell.scalars import describe_enum, id_or_none
from subgraphs.users.commands import notification as commands
from subgraphs.users.domain import notification as domain
from subgraphs.users.loaders import loaders_of
from subgraphs.users.queries.notification import NotificationPage, NotificationRecord

if TYPE_CHECKING:
    from subgraphs.users.api.user import User

LazyUser = Annotated["User", strawberry.lazy("subgraphs.users.api.user")]

NotificationKind = domain.NotificationKind
describe_enum(
    NotificationKind,
    "What somebody is notified of. The list may grow.",
    GOAL_COMPLETED="A goal was reached, by the facts or because its person says so. `subjectId` is the goal's.",
    ACHIEVEMENT_UNLOCKED="Something was achieved for the first time. `detail` is the kind of achievement.",
    PERSONAL_RECORD="A workout has more of an exercise than every one before. `subjectId` is the workout's, `detail` names"
    " the exercises.",
    WEEKLY_REPORT_READY="A week is over in which something was logged, and its report is there. `detail` is the first day of"
    " the week.",
    REMINDER="It is time for something, as its person wanted. `subjectId` is the reminder's, `detail` its kind. Of a planned"
    " workout `subjectId` is its own, and `detail` TRAIN, its date, its time or `-`, and its name, with a space between.",
    ACCESS_GRANTED="An invitation of the person was accepted. `subjectId` is the grant's, `detail` its relation.",
    ACCESS_ENDED="The other side of a grant has ended it. `subjectId` is the grant's, `detail` its relation.",
    PLAN_WRITTEN="Somebody wrote a plan for the person, by a grant: once an hour for each plan. `subjectId` is the plan's, `detail`"
    " what it is, as in `PlanWrite.what`, and after a space who wrote it.",
    PLANNING_ENDED="The other side of a grant has ended its planning; reading goes on. `subjectId` is the grant's, `detail` its"
    " relation.",
    NEW_SIGN_IN="Somebody signed in on a device with a name that none of the person's sessions of the last weeks had. `subjectId` is the"
    " session's, `detail` the device's name.",
    PASSWORD_CHANGED="The password was changed, by its owner or with a token of a mail.",  # noqa: S106 - a kind
    EMAIL_CHANGED="The e-mail address was changed.",
    PASSKEY_ADDED="A passkey was added. `subjectId` is the passkey's, `detail` its name.",
    PASSKEY_BLOCKED="A passkey signs in nobody any more, for its counter says that there is a copy of it. `subjectId` is the"
    " passkey's, `detail` its name.",
    WEBHOOK_DISABLED="An endpoint of webhooks was switched off, because of what it answered. `subjectId` is the endpoint's,"
    " `detail` its DisabledReason.",
)


@strawberry.type(description="Something that a person was told, once.")
class Notification:
    id: strawberry.ID = strawberry.field(description="Identifies the notification in the whole graph, for caches.")
    kind: domain.NotificationKind = strawberry.field(description="What it tells.")
    title: str = strawberry.field(description="It in a line, in English: for clients without words of their own.")
    body: str | None = strawberry.field(description="What else there is to say, in English; null for nothing.")
    subject_id: strawberry.ID | None = strawberry.field(
        description="The id of what it is about, which may be gone meanwhile; null where that is nothing with an id."
    )
    detail: str | None = strawberry.field(
        description="What else the kind tells, as its description says; null: nothing."
    )
    created_at: datetime = strawberry.field(description="When the person was told.")
    read_at: datetime | None = strawberry.field(description="When the person has read it; null: not yet.")


def notification_node(record: NotificationRecord) -> Notification:
    kind = domain.NotificationKind(record.kind)
    words = domain.wording(kind, record.detail)
    return Notification(
        id=strawberry.ID(record.id),
        kind=kind,
        title=words.title,
        body=words.body,
        subject_id=id_or_none(record.subject_id),
        detail=record.detail,
        created_at=record.created_at,
        read_at=record.read_at,
    )


@strawberry.type
class NotificationsOfUser:
    """Fields of User."""

    id: strawberry.ID = strawberry.field(description=ID_DESCRIPTION)

    @strawberry.field(
        description=f"What the person was notified of, newest first: the latest {domain.MOST_KEPT}, for {domain.KEPT_DAYS}"
        " days. `totalCount` counts all of them, read or not."
    )
    async def notifications(
        self,
        info: Info,
        unread_only: Annotated[bool, strawberry.argument(description="Only what is not read yet.")] = False,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[Notification]:
        page = KeysetList("User.notifications", self.id, (datetime, str)).page(first, after, last, before)
        loaders = loaders_of(info)
        records = await loaders.notifications_by_user.load((self.id, NotificationPage(unread_only, page)))
        count = partial(loaders.notification_count_by_user.load, self.id)
        return connect(records, page, notification_node, lambda record: (record.created_at, record.id), count)

    @strawberry.field(description="How many of the person's notifications are not read yet.")
    async def unread_notification_count(self, info: Info) -> int:
        return await loaders_of(info).unread_count_by_user.load(self.id) or 0


@strawberry.input(description="Which notifications have been read.")
class MarkNotificationsReadInput:
    ids: list[strawberry.ID] | None = strawberry.field(
        default=None, description=f"The notifications, up to {commands.MOST_AT_ONCE}. Null: all that the viewer has."
    )


@strawberry.input(description="Which notification to delete.")
class DeleteNotificationInput:
    id: strawberry.ID = strawberry.field(description="The notification's id.")


@strawberry.type(description="What came of noting notifications as read.")
class MarkNotificationsReadPayload(Payload):
    user: LazyUser | None = strawberry.field(
        default=None, description="The person, with what is unread now; null if it was refused."
    )


@strawberry.type(description="What came of deleting a notification.")
class DeleteNotificationPayload(Payload):
    deleted_id: strawberry.ID | None = strawberry.field(
        default=None, description="The id of what is gone; null if it was refused."
    )
    user: LazyUser | None = strawberry.field(
        default=None, description="The person, with what is unread now; null if it was refused."
    )


@strawberry.type
class NotificationMutation:
    @mutation(description="Note notifications of the viewer as read. What is read already stays as it is.")
    async def mark_notifications_read(
        self, info: Info, input: MarkNotificationsReadInput
    ) -> MarkNotificationsReadPayload | None:
        from subgraphs.users.api.user import load_viewer

        context = info.context
        await commands.mark_read(context.viewer, input.ids, resources=context.resources)
        context.renew_loaders()
        return MarkNotificationsReadPayload(user=await load_viewer(info))

    @mutation(
        description="Take a notification out of the viewer's list. What it told is not told again. NOT_FOUND where there is"
        " none."
    )
    async def delete_notification(self, info: Info, input: DeleteNotificationInput) -> DeleteNotificationPayload | None:
        from subgraphs.users.api.user import load_viewer

        context = info.context
        await commands.delete_notification(context.viewer, input.id, resources=context.resources)
        context.renew_loaders()
        return DeleteNotificationPayload(deleted_id=input.id, user=await load_viewer(info))
