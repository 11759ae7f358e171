"""An endpoint of John's, with a log of what was sent to it. It is switched off, so nothing of it leaves this machine."""

from __future__ import annotations

from datetime import datetime, timedelta

import orjson
from sqlalchemy import text

from deploy.sample_data import read_demo
from subgraphs.shell.database import Database
from subgraphs.users.domain.webhook import DeliveryFailure, DeliveryStatus, DisabledReason, WebhookEventKind

_ENDPOINT = "sample-webhook"
_KINDS = (WebhookEventKind.WORKOUT_COMPLETED, WebhookEventKind.GOAL_COMPLETED)
# Its secret is nobody's, and cannot be opened: whoever switches it on rotates it first.
_REGISTER = text(
    "INSERT INTO webhook_endpoint (id, user_id, name, url, kinds, secret, disabled_reason, disabled_at, version, created_at)"
    " VALUES (:id, :user_id, 'Club news', 'https://hooks.example.org/fittracker', :kinds, '', :reason, :now, 2, :made)"
    " ON CONFLICT DO NOTHING"
)
_LOG = text(
    "INSERT INTO webhook_delivery (id, endpoint_id, type, cause, data, occurred_at, created_at, status, due_at, attempts,"
    " attempted_at, response_code, failure) VALUES (:id, :endpoint_id, :type, :id, :data, :at, :at, :status, :at, :attempts,"
    " :at, :response_code, :failure) ON CONFLICT DO NOTHING"
)
_WORKOUTS = text(
    "SELECT id FROM workout WHERE user_id = :user_id AND status = 'COMPLETED' ORDER BY started_at DESC, id LIMIT 3"
)


async def load_webhooks(users: Database, workouts: Database, now: datetime) -> None:
    """Loading again changes nothing."""
    john = read_demo()["people"][0]
    async with workouts.transaction() as transaction:
        finished = (await transaction.scalars(_WORKOUTS, {"user_id": john["id"]})).all()
    made = now - timedelta(days=6)
    async with users.transaction() as transaction:
        endpoint = {
            "id": _ENDPOINT,
            "user_id": john["id"],
            "kinds": [kind.value for kind in _KINDS],
            "reason": DisabledReason.OWNER.value,
            "now": now,
            "made": made,
        }
        await transaction.execute(_REGISTER, endpoint)
        for number, workout_id in enumerate(["ping", *reversed(finished)]):
            is_taken = number != 1
            row = {
                "id": f"msg_sample-{number}",
                "endpoint_id": _ENDPOINT,
                "type": "ping" if number == 0 else WebhookEventKind.WORKOUT_COMPLETED.message_type,
                "data": orjson.dumps({"userId": john["id"], "id": _ENDPOINT if number == 0 else workout_id}).decode(),
                "at": made + timedelta(days=number),
                "status": (DeliveryStatus.DELIVERED if is_taken else DeliveryStatus.FAILED).value,
                "attempts": 1 if is_taken else 9,
                "response_code": 204 if is_taken else 503,
                "failure": None if is_taken else DeliveryFailure.RESPONSE.value,
            }
            await transaction.execute(_LOG, row)
