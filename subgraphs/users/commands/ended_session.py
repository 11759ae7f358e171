"""Ending sessions: their rows, what every subgraph's database is told, and the day on which both are forgotten."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, text, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from events.contracts.users import SessionEnded
from events.outbox import NewEvent, append_events
from subgraphs.shell.revocation import keep_ended
from subgraphs.shell.telemetry import current_traceparent
from subgraphs.users.commands.push_subscription import end_push_subscriptions
from subgraphs.users.tables import SessionRow

OLD_SESSION_DAYS = 30


async def end_sessions(transaction: AsyncConnection, which: ColumnElement[bool], now: datetime) -> Sequence[str]:
    """End sessions, and tell every subgraph in the same transaction; returns their ids, to be announced after it."""
    statement = update(SessionRow).where(which, col(SessionRow.revoked_at).is_(None)).values(revoked_at=now)
    rows = await transaction.execute(statement.returning(col(SessionRow.id), col(SessionRow.user_id)))
    user_by_session = {session_id: user_id for session_id, user_id in rows}  # noqa: C416 - rows are no pairs
    await tell_ended(transaction, user_by_session, now)
    return list(user_by_session)


async def tell_ended(transaction: AsyncConnection, user_by_session: Mapping[str, str], now: datetime) -> None:
    """Have every subgraph refuse the tokens of these sessions, or API keys, of these people."""
    await keep_ended(transaction, dict.fromkeys(user_by_session, now))
    await end_push_subscriptions(transaction, list(user_by_session))
    await append_events(
        transaction,
        [_ended_event(session_id, user_id, now) for session_id, user_id in user_by_session.items()],
    )


def _ended_event(session_id: str, user_id: str, now: datetime) -> NewEvent:
    return NewEvent(
        payload=SessionEnded(ended_at=now),
        aggregate_id=session_id,
        version=1,
        user_id=user_id,
        occurred_at=now,
        traceparent=current_traceparent(),
    )


async def forget_old_sessions(connection: AsyncConnection, rows: int) -> int:
    """Delete sessions, and their refresh tokens with them, a month after none of them could be used any more."""
    result = await connection.execute(_OLD_SESSIONS, {"rows": rows, "days": OLD_SESSION_DAYS})
    return int(result.rowcount)


_OLD_SESSIONS = text(
    "DELETE FROM session WHERE id IN (SELECT id FROM session"
    " WHERE least(expires_at, revoked_at) < now() - make_interval(days => :days) LIMIT :rows)"
)
