"""Where a new notification goes besides the list: into mails and push messages, by what its person wants and by their clock."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from events.envelope import new_id
from subgraphs.users.domain.mail import MailKind
from subgraphs.users.domain.notification import NotificationKind
from subgraphs.users.domain.notification_preference import (
    MOST_MAILS_A_DAY,
    OF_SECURITY,
    NotificationChannel,
    quiet_end,
    send_at,
)
from subgraphs.users.queries.notification_preference import Recipient, recipients

#: Of all people together; mails with tokens wait behind no more than these.
MOST_PENDING = 2_000
MOST_PUSHES = 50_000

_HIDE = text("UPDATE notification SET hidden_at = :now WHERE id = ANY(:ids)")
_QUEUE = text(
    "INSERT INTO pending_mail (id, kind, recipient, user_id, notification_id, created_at, due_at, first_due_at)"
    " SELECT told.id, :kind, told.recipient, told.user_id, told.notification_id, :now, told.due_at, told.due_at FROM"
    " unnest(CAST(:ids AS text[]), CAST(:recipients AS text[]), CAST(:user_ids AS text[]),"
    " CAST(:notification_ids AS text[]), CAST(:due AS timestamptz[]))"
    " AS told (id, recipient, user_id, notification_id, due_at)"
    " WHERE (SELECT count(*) FROM (SELECT FROM pending_mail WHERE notification_id IS NOT NULL LIMIT :most) AS waiting)"
    " < :most ON CONFLICT DO NOTHING RETURNING notification_id"
)
_PUSH = text(
    "INSERT INTO pending_push (id, subscription_id, notification_id, created_at, due_at)"
    " SELECT told.notification_id || ':' || subscription.id, subscription.id, told.notification_id, :now, told.due_at FROM"
    " unnest(CAST(:user_ids AS text[]), CAST(:notification_ids AS text[]), CAST(:due AS timestamptz[]))"
    " AS told (user_id, notification_id, due_at)"
    " JOIN push_subscription AS subscription ON subscription.user_id = told.user_id"
    " WHERE (SELECT count(*) FROM (SELECT FROM pending_push LIMIT :most) AS waiting) < :most"
)
_MAILED = text("UPDATE notification SET mailed_at = :now WHERE id = ANY(:ids)")


class Made(NamedTuple):
    """A notification that is new."""

    id: str
    user_id: str
    kind: NotificationKind
    is_hushed: bool = False


async def spread(transaction: AsyncConnection, made: Sequence[Made], now: datetime) -> None:
    """Hide what its person does not want in the list, and queue the mails and push messages that are wanted.

    None are queued of what is hushed while its person wants quiet.
    """
    known = await recipients(transaction, sorted({each.user_id for each in made}), now)
    told = [(each, known[each.user_id]) for each in made if each.user_id in known]
    hidden = [each.id for each, who in told if not who.preferences.wants(each.kind, NotificationChannel.IN_APP)]
    if hidden:
        await transaction.execute(_HIDE, {"ids": hidden, "now": now})
    told = [
        (each, who)
        for each, who in told
        if not each.is_hushed or quiet_end(who.preferences.quiet, who.time_zone, now) is None
    ]
    await _queue_mails(transaction, _to_mail(told), now)
    await _queue_pushes(
        transaction, [each for each in told if each[1].preferences.wants(each[0].kind, NotificationChannel.PUSH)], now
    )


def _to_mail(told: Sequence[tuple[Made, Recipient]]) -> list[tuple[Made, Recipient]]:
    """Those that are wanted by mail, of each person no more than twenty a day."""
    mailed = {who.user_id: who.mails for _, who in told}
    chosen = []
    for each, who in told:
        may_be_mailed = who.may_be_mailed and (each.kind in OF_SECURITY or not who.refuses_mails)
        is_wanted = may_be_mailed and who.preferences.wants(each.kind, NotificationChannel.EMAIL)
        if is_wanted and mailed[who.user_id] < MOST_MAILS_A_DAY:
            mailed[who.user_id] += 1
            chosen.append((each, who))
    return chosen


async def _queue_mails(transaction: AsyncConnection, told: Sequence[tuple[Made, Recipient]], now: datetime) -> None:
    if not told:
        return
    columns = {
        "ids": [new_id() for _ in told],
        "recipients": [who.email for _, who in told],
        "user_ids": [who.user_id for _, who in told],
        "notification_ids": [each.id for each, _ in told],
        "due": [send_at(each.kind, who.preferences.quiet, who.time_zone, now) for each, who in told],
    }
    limits = {"kind": MailKind.NOTIFICATION.value, "now": now, "most": MOST_PENDING}
    queued = (await transaction.scalars(_QUEUE, columns | limits)).all()
    await transaction.execute(_MAILED, {"ids": list(queued), "now": now})


async def _queue_pushes(transaction: AsyncConnection, told: Sequence[tuple[Made, Recipient]], now: datetime) -> None:
    """One for each browser of these people; most people have none."""
    if told:
        columns = {
            "user_ids": [who.user_id for _, who in told],
            "notification_ids": [each.id for each, _ in told],
            "due": [send_at(each.kind, who.preferences.quiet, who.time_zone, now) for each, who in told],
        }
        await transaction.execute(_PUSH, columns | {"now": now, "most": MOST_PUSHES})
