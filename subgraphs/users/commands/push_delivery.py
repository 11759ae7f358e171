"""The loop that sends push messages, encrypted, to the push services of browsers.

A message is claimed for a minute, sent, and deleted after it left, so a process that dies in between sends it again; its
`Topic` lets the push service keep one of the two. `PublicClient` lets none of them into our own net.
"""

import asyncio
import hashlib
import os
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Self
from urllib.parse import urlsplit

import jwt
import orjson
import structlog
from cryptography.hazmat.primitives.asymmetric import ec
from prometheus_client import Counter
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from subgraphs.shell.context import Resources
from subgraphs.shell.public_address import Reach, origin_of
from subgraphs.shell.public_http import AddressRefusedError, Answer, PublicClient
from subgraphs.users.commands.due import Queue, is_due
from subgraphs.users.domain.notification import NotificationKind, wording
from subgraphs.users.domain.notification_preference import NotificationChannel
from subgraphs.users.domain.web_push import (
    BrowserKeys,
    encrypted,
    new_message_key,
    private_key_of,
    public_key_of,
)
from subgraphs.users.queries.notification_preference import PreferenceRecord, preferences_by_user

_log = structlog.get_logger("users.web_push")
PUSHES = Counter(
    "web_push_total", "Push messages, by what became of them: sent, gone, later, refused, unwanted, old", ["outcome"]
)
PATIENCE_SECONDS = 120.0
SEND_SECONDS = 10.0
AT_ONCE = 20
CLAIMED_FOR = timedelta(minutes=1)
KEPT_FOR = timedelta(days=1)
_SAYS_WHO = timedelta(hours=12)  # RFC 8292 allows a day

_CLAIM = text(
    "UPDATE pending_push SET due_at = :claimed_until, attempts = attempts + 1 WHERE id IN (SELECT id FROM pending_push"
    " WHERE due_at <= :now ORDER BY due_at, id LIMIT :most FOR UPDATE SKIP LOCKED)"
    " RETURNING id, subscription_id, notification_id, created_at, attempts"
)
_MESSAGES = text(
    "SELECT pending_push.id, subscription.endpoint, subscription.p256dh, subscription.auth, notification.id AS about,"
    " notification.user_id, notification.kind, notification.detail, notification.subject_id, notification.read_at"
    " FROM pending_push JOIN push_subscription AS subscription ON subscription.id = pending_push.subscription_id"
    " JOIN notification ON notification.id = pending_push.notification_id WHERE pending_push.id = ANY(:ids)"
)
_DONE = text("DELETE FROM pending_push WHERE id = :id")
_GONE = text("DELETE FROM push_subscription WHERE id = :id")
_LATER = text("UPDATE pending_push SET due_at = :due_at WHERE id = :id")
_OLD = text(
    "DELETE FROM pending_push WHERE id IN (SELECT id FROM pending_push"
    " WHERE created_at < now() - 2 * CAST(:age AS interval) LIMIT :rows)"
)


async def deliver_pushes(resources: Resources) -> None:
    """Send what is due, for ever; without a key, nothing."""
    if resources.settings.web_push_key is None:
        return
    loop = resources.loops.add("web-push", patience_seconds=PATIENCE_SECONDS)

    async def session() -> None:
        async with PushSender(resources) as sender:

            async def some() -> bool:
                return await sender.deliver_some() == AT_ONCE

            await loop.work_off(some, partial(is_due, resources, Queue.PUSHES))

    await loop.run(session)


class PushSender:
    """Sends what is due through one client. Used as a context manager."""

    def __init__(self, resources: Resources) -> None:
        settings = resources.settings
        self._resources = resources
        self._key = private_key_of(settings.web_push_key or "")
        self._reach = Reach(trusted=frozenset(settings.web_push_trusted))

    async def __aenter__(self) -> Self:
        self._http = PublicClient(self._reach, most=AT_ONCE, timeout_seconds=SEND_SECONDS)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._http.close()

    async def deliver_some(self) -> int:
        """Handle up to 20 messages that are due, side by side; returns how many there were."""
        now = self._resources.now()
        async with self._resources.database.transaction() as transaction:
            claim = {"now": now, "claimed_until": now + CLAIMED_FOR, "most": AT_ONCE}
            claimed = (await transaction.execute(_CLAIM, claim)).all()
            if not claimed:
                return 0
            ids = [row.id for row in claimed]
            messages = {row.id: row for row in await transaction.execute(_MESSAGES, {"ids": ids})}
            people = sorted({row.user_id for row in messages.values()})
            wanted = await preferences_by_user(transaction, people)
        await asyncio.gather(*(self._handle(row, messages.get(row.id), wanted, now) for row in claimed))
        return len(claimed)

    async def _handle(self, claim: Any, message: Any, wanted: Mapping[str, PreferenceRecord], now: datetime) -> None:
        outcome, pause = "unwanted", timedelta()
        if message is not None and _is_wanted(message, wanted):
            outcome, pause = await self._send(message, now)
        if outcome == "later" and now - claim.created_at >= KEPT_FOR:
            outcome = "old"
        PUSHES.labels(outcome).inc()
        async with self._resources.database.transaction() as transaction:
            await _settle(transaction, claim, outcome, now + max(pause, _backoff(claim.attempts)))

    async def _send(self, message: Any, now: datetime) -> tuple[str, timedelta]:
        """What became of it, and how long the push service asks to be left alone."""
        keys = BrowserKeys(message.p256dh, message.auth)
        body = encrypted(_content(message), keys, salt=os.urandom(16), sender=new_message_key())
        headers = _headers(message, now, self._key, self._resources.settings.web_push_contact)
        try:
            answer = await self._http.post(message.endpoint, body, headers)
        except AddressRefusedError:
            return "gone", timedelta()
        except OSError as failure:  # TimeoutError and TLS's are some
            _log.warning("push_put_off", host=urlsplit(message.endpoint).hostname, reason=type(failure).__name__)
            return "later", timedelta()
        return _outcome(answer, urlsplit(message.endpoint).hostname)


def _is_wanted(message: Any, wanted: Mapping[str, PreferenceRecord]) -> bool:
    """Not read meanwhile, and still wanted there."""
    preferences = wanted.get(message.user_id, PreferenceRecord()).preferences
    return message.read_at is None and preferences.wants(NotificationKind(message.kind), NotificationChannel.PUSH)


def _content(message: Any) -> bytes:
    """What the browser's service worker gets, as JSON."""
    words = wording(NotificationKind(message.kind), message.detail)
    told = {"id": message.about, "kind": message.kind, "title": words.title, "body": words.body}
    return orjson.dumps(told | {"subjectId": message.subject_id})


def _headers(message: Any, now: datetime, key: ec.EllipticCurvePrivateKey, contact: str) -> dict[str, str]:
    claims = {"aud": origin_of(urlsplit(message.endpoint)), "exp": int((now + _SAYS_WHO).timestamp()), "sub": contact}
    return {
        "Authorization": f"vapid t={jwt.encode(claims, key, 'ES256')}, k={public_key_of(key)}",
        "Content-Encoding": "aes128gcm",
        "Content-Type": "application/octet-stream",
        "TTL": str(int(KEPT_FOR.total_seconds())),
        "Topic": hashlib.sha256(message.about.encode()).hexdigest()[:32],
    }


def _outcome(answer: Answer, host: str | None) -> tuple[str, timedelta]:
    """RFC 8030: 404 and 410 say that the subscription is over, 429 that there is too much."""
    if 200 <= answer.status < 300:
        return "sent", timedelta()
    if answer.status in (404, 410):
        return "gone", timedelta()
    if answer.status == 429 or answer.status >= 500:
        asked = answer.headers.get("retry-after", "")
        return "later", timedelta(seconds=int(asked)) if asked.isdecimal() and len(asked) < 6 else timedelta()
    _log.warning("push_refused", host=host, status=answer.status)
    return "refused", timedelta()


def _backoff(attempts: int) -> timedelta:
    return timedelta(seconds=5 * 2 ** min(attempts, 10))


async def _settle(transaction: AsyncConnection, claim: Any, outcome: str, due_at: datetime) -> None:
    if outcome == "gone":
        await transaction.execute(_GONE, {"id": claim.subscription_id})  # and with it whatever waits for it
    elif outcome == "later":
        latest = claim.created_at + KEPT_FOR
        await transaction.execute(_LATER, {"id": claim.id, "due_at": min(due_at, latest)})
    else:
        await transaction.execute(_DONE, {"id": claim.id})


async def forget_pushes(connection: AsyncConnection, rows: int) -> int:
    """Delete messages that nobody sent for two days; returns how many."""
    result = await connection.execute(_OLD, {"age": KEPT_FOR, "rows": rows})
    return int(result.rowcount)
