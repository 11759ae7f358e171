"""Accounts that nobody signs in to, and what other subgraphs tell of them: for tests of users alone."""

from __future__ import annotations

from datetime import datetime
from itertools import count

from sqlalchemy import text

from events.consumer import Subscription, project_newer
from events.envelope import Aggregate, Envelope, Payload, encode_payload
from subgraphs.users.projections.notification import subscription
from tests.testkit.subgraph import SubgraphUnderTest

_numbers = count(1)
_INSERT = text(
    "INSERT INTO account (id, email, email_key, password_hash, display_name, roles, time_zone, created_at)"
    " VALUES (:id, :id, :id, '', 'Some Body', '{USER}', :time_zone, now())"
)


async def an_account(users: SubgraphUnderTest, user_id: str | None = None, *, time_zone: str = "UTC") -> str:
    """The id of a new one: the given one, or one that no other has."""
    user_id = user_id or f"person-{next(_numbers)}"
    async with users.database.transaction() as transaction:
        await transaction.execute(_INSERT, {"id": user_id, "time_zone": time_zone})
    return user_id


async def tell(
    users: SubgraphUnderTest,
    person: str,
    *payloads: Payload,
    version: int = 1,
    thing: str = "",
    at: datetime | None = None,
    to: Subscription | None = None,
) -> None:
    """Hand events of a moment, or of now, to a consumer group, through its inbox, as the consumer does: to that of
    notifications, if none is named.

    `thing` tells things of one type apart.
    """
    moment = at or users.resources.now()
    envelopes = [
        Envelope(
            event_id=f"{person}-{number}",
            type=type(payload).__name__,
            schema_version=1,
            aggregate=Aggregate(payload.aggregate_type, f"{person}-{payload.aggregate_type}{thing}", version),
            user_id=person,
            occurred_at=moment,
            recorded_at=moment,
            tombstone=payload.tombstone,
            payload=encode_payload(payload),
        )
        for number, payload in enumerate(payloads)
    ]
    consumed = to or subscription(users.resources.fanout, users.resources.now)
    async with users.database.transaction() as connection:
        _, after_commit = await project_newer(consumed, connection, envelopes)
    if after_commit is not None:
        await after_commit()
