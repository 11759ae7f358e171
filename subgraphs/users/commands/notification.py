"""Notifying people: once for each cause, in the transaction of what happened. And what they do with their notifications.

Where else than into the list a notification goes: `notification_channels`.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import structlog
from prometheus_client import Counter
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from events.envelope import new_id
from subgraphs.shell.auth import Viewer
from subgraphs.shell.context import Resources
from subgraphs.shell.errors import Checks, NotFoundError
from subgraphs.shell.hastening import hasten
from subgraphs.users.commands.notification_channels import Made, spread
from subgraphs.users.commands.webhook_events import queue_webhooks
from subgraphs.users.domain.notification import KEPT_DAYS, MOST_KEPT, NewNotification, NotificationKind
from subgraphs.users.domain.notification_preference import OF_SECURITY
from subgraphs.users.domain.webhook import event_of_notification

if TYPE_CHECKING:
    from events.fanout import Fanout

_log = structlog.get_logger("users.notification")
NOTIFICATIONS = Counter("notifications_total", "Notifications that were made, each once for its cause", ["kind"])
MOST_AT_ONCE = 100

# Somebody who is erased has no account any more: a late event about them makes nothing. Who has withdrawn the consent to health
# data, and waits for the erasure, is told of what concerns the safety of the account alone.
_INSERT = text(
    "INSERT INTO notification (id, user_id, kind, cause, subject_id, detail, actor_id, created_at)"
    " SELECT told.id, told.user_id, told.kind, told.cause, told.subject_id, told.detail, told.actor_id, :now"
    " FROM unnest(CAST(:ids AS text[]), CAST(:user_ids AS text[]), CAST(:kinds AS text[]), CAST(:causes AS text[]),"
    " CAST(:subject_ids AS text[]), CAST(:details AS text[]), CAST(:actor_ids AS text[]))"
    " AS told (id, user_id, kind, cause, subject_id, detail, actor_id) JOIN account ON account.id = told.user_id"
    " AND (account.erase_at IS NULL OR told.kind = ANY(:of_security))"
    " ON CONFLICT (user_id, cause) DO NOTHING RETURNING id, user_id, kind"
)
_FORGET_OLDEST = text(
    "DELETE FROM notification WHERE id IN (SELECT old.id FROM unnest(CAST(:user_ids AS text[])) AS person (id)"
    " CROSS JOIN LATERAL (SELECT id FROM notification WHERE user_id = person.id"
    " ORDER BY created_at DESC, id DESC OFFSET :most) AS old)"
)
_READ = text(
    "UPDATE notification SET read_at = :now WHERE user_id = :user_id AND id = ANY(:ids) AND read_at IS NULL"
    " AND hidden_at IS NULL"
)
_READ_ALL = text(
    "UPDATE notification SET read_at = :now WHERE user_id = :user_id AND read_at IS NULL AND hidden_at IS NULL"
)
_THERE = text("SELECT id FROM notification WHERE user_id = :user_id AND id = ANY(:ids) AND hidden_at IS NULL")
# The row stays until it is old, without a word in it, so that its cause is not told again.
_HIDE = text(
    "UPDATE notification SET hidden_at = :now, subject_id = NULL, detail = NULL"
    " WHERE user_id = :user_id AND id = :id AND hidden_at IS NULL"
)
_UNSENT = (
    text("DELETE FROM pending_mail WHERE notification_id = :id"),
    text("DELETE FROM pending_push WHERE notification_id = :id"),
)
_OLD = text(
    "DELETE FROM notification WHERE id IN (SELECT id FROM notification"
    " WHERE created_at < now() - make_interval(days => :days) LIMIT :rows)"
)


async def notify(transaction: AsyncConnection, new: Sequence[NewNotification], now: datetime) -> set[str]:
    """Keep what is new to its person; returns whom `tell_subscribers` is to tell of it after the commit."""
    if not new:
        return set()
    ids = [new_id() for _ in new]
    inserted = await transaction.execute(
        _INSERT, _columns(new) | {"ids": ids, "now": now, "of_security": sorted(OF_SECURITY)}
    )
    hushed = {its_id for its_id, each in zip(ids, new, strict=True) if each.is_hushed}
    made = [Made(its_id, user_id, NotificationKind(kind), its_id in hushed) for its_id, user_id, kind in inserted]
    told = {each.user_id for each in made}
    if made:
        await spread(transaction, made, now)
        told_of = {each.id for each in made}
        await _tell_endpoints(
            transaction, [each for its_id, each in zip(ids, new, strict=True) if its_id in told_of], now
        )
        await transaction.execute(_FORGET_OLDEST, {"user_ids": sorted(told), "most": MOST_KEPT})
    for each in made:
        NOTIFICATIONS.labels(each.kind.value).inc()
    return told


def _columns(new: Sequence[NewNotification]) -> dict[str, list[str | None]]:
    return {
        "user_ids": [each.user_id for each in new],
        "kinds": [each.kind.value for each in new],
        "causes": [each.cause for each in new],
        "subject_ids": [each.subject_id for each in new],
        "details": [each.detail for each in new],
        "actor_ids": [each.actor_id for each in new],
    }


async def _tell_endpoints(transaction: AsyncConnection, made: Sequence[NewNotification], now: datetime) -> None:
    """Webhooks say themselves what they want to be told of, whatever their person wants in the list."""
    events = [event for each in made if (event := event_of_notification(each, now)) is not None]
    await queue_webhooks(transaction, events, now)


async def tell_subscribers(fanout: "Fanout | None", user_ids: Iterable[str]) -> None:
    """Tell the streams of these people that their notifications are others than before."""
    channels = [(notification_channel(user_id), "changed") for user_id in user_ids]
    await hasten(fanout, channels, _log, "notification_not_hastened")


def notification_channel(user_id: str) -> str:
    """The fan-out channel on which changes of a person's notifications are told."""
    return f"notification:{user_id}"


async def mark_read(viewer: Viewer, ids: Sequence[str] | None, *, resources: Resources) -> None:
    """Note these notifications of the viewer as read, or all; one that is read stays as it is.

    Raises ValidationError for more than a hundred, and NotFoundError where one is not the viewer's.
    """
    checks = Checks()
    checks.require(ids is None or 1 <= len(ids) <= MOST_AT_ONCE, "ids", f"must name 1 to {MOST_AT_ONCE}")
    checks.done()
    whose = {"user_id": viewer.id, "now": resources.now()}
    async with resources.database.transaction() as transaction:
        if ids is None:
            await transaction.execute(_READ_ALL, whose)
        else:
            there = set((await transaction.scalars(_THERE, {"user_id": viewer.id, "ids": list(ids)})).all())
            missing = next((place for place, each in enumerate(ids) if each not in there), None)
            if missing is not None:
                raise NotFoundError("There is no such notification.", field=f"ids.{missing}")
            await transaction.execute(_READ, whose | {"ids": list(ids)})
    await tell_subscribers(resources.fanout, [viewer.id])


async def delete_notification(viewer: Viewer, notification_id: str, *, resources: Resources) -> None:
    """Take one of the viewer's notifications out of the list, for good. Raises NotFoundError, for others' too."""
    which = {"user_id": viewer.id, "id": notification_id, "now": resources.now()}
    async with resources.database.transaction() as transaction:
        if not (await transaction.execute(_HIDE, which)).rowcount:
            raise NotFoundError("There is no such notification.")
        for statement in _UNSENT:
            await transaction.execute(statement, {"id": notification_id})
    await tell_subscribers(resources.fanout, [viewer.id])


async def forget_notifications(connection: AsyncConnection, rows: int) -> int:
    """Delete notifications that are 90 days old; returns how many."""
    result = await connection.execute(_OLD, {"days": KEPT_DAYS, "rows": rows})
    return int(result.rowcount)
