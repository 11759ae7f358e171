"""Telling a person's endpoints of something: rows in the transaction of its cause, which `webhook_delivery` sends."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

import orjson
from prometheus_client import Counter
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from subgraphs.users.domain.webhook import MOST_WAITING, DeliveryStatus, WebhookEvent


class Message(NamedTuple):
    """A message to an endpoint, as `WebhookEvent` says it, or a test of the endpoint."""

    endpoint_id: str
    type: str
    cause: str
    subject: str | None
    occurred_at: datetime
    data: Mapping[str, str | int | None]


MESSAGES = Counter(
    "webhook_messages_total", "Messages to endpoints that were queued, each once for its cause", ["type"]
)

# Locked, so that who finds nothing waiting for an endpoint and lets it rest does so before this or after it.
_LISTENING = text(
    "SELECT id, user_id, kinds FROM webhook_endpoint WHERE user_id = ANY(:user_ids) AND disabled_reason IS NULL"
    " AND (expires_at IS NULL OR expires_at > :now) ORDER BY id FOR UPDATE"
)
_QUEUE = text(
    "INSERT INTO webhook_delivery (id, endpoint_id, type, cause, subject, data, occurred_at, created_at, status, due_at)"
    " SELECT 'msg_' || gen_random_uuid(), told.endpoint_id, told.type, told.cause, told.subject, told.data,"
    " told.occurred_at, :now, :status, :now FROM unnest(CAST(:endpoint_ids AS text[]), CAST(:types AS text[]),"
    " CAST(:causes AS text[]), CAST(:subjects AS text[]), CAST(:data AS text[]), CAST(:occurred AS timestamptz[]))"
    " AS told (endpoint_id, type, cause, subject, data, occurred_at) WHERE (SELECT count(*) FROM (SELECT FROM"
    " webhook_delivery WHERE endpoint_id = told.endpoint_id AND status = :status LIMIT :most) AS waiting) < :most"
    " ON CONFLICT DO NOTHING RETURNING endpoint_id, type"
)
_WAKE = text(
    "UPDATE webhook_endpoint SET next_at = least(next_at, greatest(rest_until, CAST(:now AS timestamptz)))"
    " WHERE id = ANY(:ids)"
)


async def queue_webhooks(transaction: AsyncConnection, events: Sequence[WebhookEvent], now: datetime) -> None:
    """Have each event told to the endpoints of its person that want to be told of its kind, once for its cause.

    What is beyond MOST_WAITING of an endpoint is not: the loop that sends then disables it, and tells its owner.
    """
    if not events:
        return
    people = {"user_ids": sorted({event.user_id for event in events}), "now": now}
    listening = (await transaction.execute(_LISTENING, people)).all()
    told = [
        (endpoint.id, event)
        for endpoint in listening
        for event in events
        if event.user_id == endpoint.user_id and event.kind.value in endpoint.kinds
    ]
    await queue_messages(
        transaction,
        [
            Message(
                endpoint_id, event.kind.message_type, event.cause, event.subject, event.occurred_at, event.whole_data
            )
            for endpoint_id, event in told
        ],
        now,
    )


async def queue_messages(transaction: AsyncConnection, messages: Sequence[Message], now: datetime) -> None:
    """Queue messages to endpoints whose rows are locked."""
    if not messages:
        return
    columns = {
        "endpoint_ids": [each.endpoint_id for each in messages],
        "types": [each.type for each in messages],
        "causes": [each.cause for each in messages],
        "subjects": [each.subject for each in messages],
        "occurred": [each.occurred_at for each in messages],
        "data": [orjson.dumps(each.data).decode() for each in messages],
    }
    limits = {"now": now, "status": DeliveryStatus.WAITING.value, "most": MOST_WAITING}
    queued = (await transaction.execute(_QUEUE, columns | limits)).all()
    for row in queued:
        MESSAGES.labels(row.type).inc()
    if queued:
        await transaction.execute(_WAKE, {"ids": sorted({row.endpoint_id for row in queued}), "now": now})
