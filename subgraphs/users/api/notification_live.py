"""Notifications as they come, live, and how many are unread."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated

import strawberry

from subgraphs.shell.context import Info
from subgraphs.shell.live import OVERLAP, Reading, beginning, newest, states
from subgraphs.shell.read_pool import Reader
from subgraphs.shell.scopes import NO_KEY
from subgraphs.users.api.notification import LazyUser, Notification, notification_node
from subgraphs.users.commands.notification import notification_channel
from subgraphs.users.queries.notification import NotificationRecord, notifications_since, unread_counts

#: What a stream catches up with at once; the list has the rest.
MOST_MISSED = 100


@strawberry.type(description="That a person's notifications are others than before.")
class NotificationNews:
    notification: Notification | None = strawberry.field(
        description="What the person was notified of; null where only what is unread is told: at first, and after"
        " something was read or deleted."
    )
    unread_count: int = strawberry.field(description="How many notifications are unread now.")

    @strawberry.field(description="The person, with what is unread now: for caches.")
    async def user(self, info: Info) -> LazyUser:
        from subgraphs.users.api.user import load_viewer

        return await load_viewer(info)


@strawberry.type
class NotificationSubscription:
    @strawberry.subscription(
        description="What the viewer is notified of. It begins with what came in the minute before or since an instant, at"
        f" most the newest {MOST_MISSED}, or else with what is unread; then it tells each notification as it comes, and"
        " what is unread whenever that has changed. A subscription tells each once; the next one may tell it again, with"
        " the same `id`.",
        directives=[NO_KEY],
    )
    async def notification(
        self,
        info: Info,
        since: Annotated[
            datetime | None,
            strawberry.argument(
                description="Begin with what has come since this instant: the newest `createdAt` that the client has."
            ),
        ] = None,
    ) -> AsyncIterator[NotificationNews]:
        viewer_id = info.context.viewer.id
        news = _News(info, viewer_id, beginning(info, since))
        async for record, unread in states(info, notification_channel(viewer_id), news.read):
            node = None if record is None else notification_node(record)
            yield NotificationNews(notification=node, unread_count=unread)


class _News:
    """What a stream has not told yet, each reading from a little before the newest that it knows."""

    def __init__(self, info: Info, user_id: str, since: datetime) -> None:
        self._info = info
        self._user_id = user_id
        self._newest = since
        self._told: set[str] = set()
        self._last: str | None = None

    async def read(self) -> AsyncIterator[Reading[tuple[NotificationRecord | None, int]]]:
        """What came, each with what is unread in all; where nothing came, what is unread alone."""
        found, unread = await newest(self._info, self._now)
        fresh = [each for each in found if each.id not in self._told]
        self._told = {each.id for each in found}
        for record in fresh:
            self._newest, self._last = max(self._newest, record.created_at), record.id
            yield self._user_id, (unread, self._last), (record, unread)
        if not fresh:
            yield self._user_id, (unread, self._last), (None, unread)

    async def _now(self, connection: Reader) -> tuple[list[NotificationRecord], int]:
        since = self._newest - OVERLAP
        found = await notifications_since(connection, self._user_id, since, MOST_MISSED)
        return found, (await unread_counts(connection, [self._user_id])).get(self._user_id, 0)
