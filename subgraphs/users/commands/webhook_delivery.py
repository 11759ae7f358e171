"""The loop that sends messages to endpoints of webhooks, signed, and tries again later what was not taken.

An endpoint is sent one message at a time, and left alone for longer and longer while it takes none. Those that failed or
were slow last, and those that never took one, share half of the places, so that they hold up nobody who answers. An endpoint is claimed for a minute, and
what becomes of the message is written afterwards: a process that dies in between sends it again, with the same `webhook-id`.
"""

import asyncio
import ssl
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self

import structlog
from prometheus_client import Counter
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from subgraphs.shell.context import Resources
from subgraphs.shell.public_http import AddressRefusedError, Answer, PublicClient
from subgraphs.users.commands.due import Queue, is_due
from subgraphs.users.commands.notification import notify, tell_subscribers
from subgraphs.users.commands.webhook import reach_of, sealing_keys_of
from subgraphs.users.domain.notification import NewNotification, NotificationKind
from subgraphs.users.domain.webhook import (
    KEPT_DAYS,
    MOST_WAITING,
    PAUSE_BETWEEN,
    DeliveryFailure,
    DeliveryStatus,
    DisabledReason,
    body_of,
    is_given_up,
    next_attempt,
    rest_of_endpoint,
    signature,
)
from subgraphs.users.queries.account import lock_account

_log = structlog.get_logger("users.webhook")
ATTEMPTS = Counter("webhook_attempts_total", "Messages that were sent to endpoints, by what became of it", ["outcome"])
DISABLED = Counter("webhook_endpoints_disabled_total", "Endpoints that were switched off, by why", ["reason"])
PATIENCE_SECONDS = 120.0
SEND_SECONDS = 10.0
SLOW_SECONDS = 2.0
PLACES = 40
SLOW_PLACES = PLACES // 2
CLAIMED_FOR = timedelta(minutes=1)
_LONGEST_ASKED_REST = timedelta(days=1)
_SUSPENDED_REST = timedelta(hours=1)

_CLAIM = text(
    "UPDATE webhook_endpoint SET claimed_until = :until WHERE id IN (SELECT id FROM webhook_endpoint WHERE next_at <= :now"
    " AND is_slow = :is_slow AND (claimed_until IS NULL OR claimed_until <= :now) ORDER BY next_at, id LIMIT :most"
    " FOR UPDATE SKIP LOCKED) RETURNING id"
)
_PICK = text(
    "UPDATE webhook_delivery AS delivery SET attempts = delivery.attempts + 1, attempted_at = :now"
    " FROM webhook_endpoint AS endpoint JOIN account ON account.id = endpoint.user_id"
    " WHERE delivery.endpoint_id = endpoint.id AND account.status = 'ACTIVE' AND endpoint.disabled_reason IS NULL"
    " AND (endpoint.expires_at IS NULL OR endpoint.expires_at > :now) AND delivery.id IN (SELECT (SELECT waiting.id"
    " FROM webhook_delivery AS waiting WHERE waiting.endpoint_id = claimed.id AND waiting.status = :waiting"
    " AND waiting.due_at <= :now ORDER BY waiting.due_at, waiting.id LIMIT 1)"
    " FROM unnest(CAST(:ids AS text[])) AS claimed (id))"
    " RETURNING delivery.id, delivery.endpoint_id, delivery.type, delivery.data, delivery.occurred_at, delivery.attempts,"
    " endpoint.user_id, endpoint.url, endpoint.secret, endpoint.previous_secret, endpoint.previous_until"
)
_NEXT = (
    "(SELECT greatest(min(due_at), {not_before}) FROM webhook_delivery WHERE endpoint_id = webhook_endpoint.id"
    " AND status = :waiting HAVING min(due_at) IS NOT NULL)"
)
_NEXT_OF_IDLE = _NEXT.format(not_before="CASE WHEN min(due_at) <= :now THEN CAST(:later AS timestamptz) END")
_NEXT_OF_SETTLED = _NEXT.format(not_before="CAST(:rest_until AS timestamptz)")
_IDLE = text(
    f"UPDATE webhook_endpoint SET claimed_until = NULL, next_at = {_NEXT_OF_IDLE} WHERE id = ANY(:ids)"  # noqa: S608
)
_LOCK = text("SELECT disabled_reason, failures, failing_since, version FROM webhook_endpoint WHERE id = :id FOR UPDATE")
_TOLD = text(
    "UPDATE webhook_delivery SET status = :status, due_at = coalesce(:due_at, due_at), response_code = :response_code,"
    " failure = :failure WHERE id = :id"
)
_SETTLE = text(
    "UPDATE webhook_endpoint SET claimed_until = NULL, rest_until = :rest_until, failures = :failures,"  # noqa: S608
    " failing_since = :failing_since, is_slow = :is_slow,"
    f" next_at = CASE WHEN disabled_reason IS NULL THEN {_NEXT_OF_SETTLED} END WHERE id = :id"
)
_DISABLE = text(
    "UPDATE webhook_endpoint SET disabled_reason = :reason, disabled_at = :now, next_at = NULL, version = version + 1"
    " WHERE id = :id"
)
_WAITING = text(
    "SELECT count(*) FROM (SELECT FROM webhook_delivery WHERE endpoint_id = :id AND status = :waiting LIMIT :most) AS waiting"
)
_SEALED_BEFORE = text(
    "SELECT id, secret, previous_secret FROM webhook_endpoint WHERE substr(secret, 1, 4) = ANY(CAST(:ids AS bytea[]))"
    " OR substr(previous_secret, 1, 4) = ANY(CAST(:ids AS bytea[])) ORDER BY id LIMIT 100 FOR UPDATE"
)
_SEAL = text("UPDATE webhook_endpoint SET secret = :secret, previous_secret = :previous_secret WHERE id = :id")
_OLD = text(
    "DELETE FROM webhook_delivery WHERE id IN (SELECT id FROM webhook_delivery"
    " WHERE created_at < now() - make_interval(days => :days) LIMIT :rows)"
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an endpoint said to a message; `rest` is how long it asks to be left alone, `is_slow` how long it took."""

    response_code: int | None = None
    failure: DeliveryFailure | None = None
    rest: timedelta = timedelta()
    is_slow: bool = False

    @property
    def is_delivered(self) -> bool:
        return self.failure is None

    @property
    def is_gone(self) -> bool:
        return self.response_code == 410


async def deliver_webhooks(resources: Resources) -> None:
    """Send what is due, for ever; without a key, nothing."""
    if resources.settings.webhook_key is None:
        return
    loop = resources.loops.add("webhooks", patience_seconds=PATIENCE_SECONDS)

    async def session() -> None:
        while await seal_anew(resources):
            loop.progress()
        async with WebhookSender(resources) as sender:
            await loop.work_off(sender.send_some, sender.is_due)

    await loop.run(session)


async def seal_anew(resources: Resources) -> int:
    """Seal with the newest key what one before it has sealed, of up to a hundred endpoints; returns of how many."""
    keys = sealing_keys_of(resources.settings)
    if not keys.previous_ids:
        return 0
    async with resources.database.transaction() as transaction:
        rows = (await transaction.execute(_SEALED_BEFORE, {"ids": keys.previous_ids})).all()
        for row in rows:
            secrets = [
                each and keys.seal(keys.open(each, row.id), row.id) for each in (row.secret, row.previous_secret)
            ]
            await transaction.execute(_SEAL, {"id": row.id, "secret": secrets[0], "previous_secret": secrets[1]})
    return len(rows)


class WebhookSender:
    """Sends what is due, up to forty messages side by side, none of which waits for another. Used as a context manager."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        self._keys = sealing_keys_of(resources.settings)
        self._reach = reach_of(resources.settings)
        self._running: set[asyncio.Task[None]] = set()
        self._slow = 0

    async def __aenter__(self) -> Self:
        self._http = PublicClient(self._reach, most=PLACES, timeout_seconds=SEND_SECONDS)
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        self._http.close()

    async def send_some(self) -> bool:
        """Begin to send what is due, as far as there are places; whether there may be more. Waits for a place if there is none.

        Raises what a transaction raised that was to write down what became of a message.
        """
        if len(self._running) >= PLACES:
            await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)
        self._raise_failures()
        well = await self._begin(PLACES - len(self._running), is_slow=False)
        slow = await self._begin(min(SLOW_PLACES - self._slow, PLACES - len(self._running)), is_slow=True)
        return well or slow

    async def is_due(self) -> bool:
        """After a while, whether something is to be sent. Raises what `send_some` does."""
        found = await is_due(self._resources, Queue.WEBHOOKS)
        self._raise_failures()
        return found

    async def finish(self) -> None:
        """Wait until what was begun is settled."""
        while self._running:
            await asyncio.wait(self._running)
            self._raise_failures()

    def _raise_failures(self) -> None:
        for task in [each for each in self._running if each.done()]:
            self._running.discard(task)
            task.result()

    async def _begin(self, most: int, *, is_slow: bool) -> bool:
        """Whether as many endpoints were due as there were places."""
        if most <= 0:
            return False
        now = self._resources.now()
        async with self._resources.database.transaction() as transaction:
            claim = {"now": now, "until": now + CLAIMED_FOR, "most": most, "is_slow": is_slow}
            claimed = (await transaction.scalars(_CLAIM, claim)).all()
            if not claimed:
                return False
            waiting = {"now": now, "waiting": DeliveryStatus.WAITING.value}
            picked = (await transaction.execute(_PICK, {"ids": list(claimed), **waiting})).all()
            idle = sorted(set(claimed) - {row.endpoint_id for row in picked})
            if idle:
                # Nothing is due, or the account is suspended, or the key has expired: these are looked at again later.
                await transaction.execute(_IDLE, {"ids": idle, "later": now + _SUSPENDED_REST, **waiting})
        for message in picked:
            self._running.add(task := asyncio.create_task(self._handle(message)))
            if is_slow:
                self._slow += 1
                task.add_done_callback(self._free_slow_place)
        return len(claimed) == most

    def _free_slow_place(self, _: "asyncio.Task[None]") -> None:
        self._slow -= 1

    async def _handle(self, message: Any) -> None:
        started = time.monotonic()
        outcome = await self._send(message)
        is_slow = not outcome.is_delivered or time.monotonic() - started > SLOW_SECONDS
        ATTEMPTS.labels("delivered" if outcome.failure is None else outcome.failure.value.lower()).inc()
        told = await self._settle(message, outcome, is_slow)
        await tell_subscribers(self._resources.fanout, told)

    async def _send(self, message: Any) -> Outcome:
        """Post it, signed."""
        body = body_of(message.type, message.occurred_at, message.data)
        try:
            headers = self._headers(message, body)
        except ValueError as failure:  # the keys here are others than those that sealed it
            _log.error("webhook_secret_unreadable", endpoint=message.endpoint_id, reason=str(failure))
            return Outcome(failure=DeliveryFailure.SECRET)
        try:
            return _outcome(await self._http.post(message.url, body, headers))
        except OSError as failure:
            return Outcome(failure=_failure(failure))

    def _headers(self, message: Any, body: bytes) -> dict[str, str]:
        now = self._resources.now()
        signing = [self._keys.open(message.secret, message.endpoint_id)]
        if message.previous_until is not None and message.previous_until > now:
            with suppress(ValueError):  # it may be why there is a new one
                signing.append(self._keys.open(message.previous_secret, message.endpoint_id))
        timestamp = int(now.timestamp())
        return {
            "Content-Type": "application/json",
            "User-Agent": "FitTracker-Webhooks/1",
            "webhook-id": message.id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": signature(message.id, timestamp, body, signing),
        }

    async def _settle(self, message: Any, outcome: Outcome, is_slow: bool) -> set[str]:
        """Write down what became of it, and when the endpoint is sent something next; returns whom to tell of a notification."""
        now = self._resources.now()
        async with self._resources.database.transaction() as transaction:
            await lock_account(transaction, message.user_id)  # before the endpoint, as whoever changes one does
            endpoint = (await transaction.execute(_LOCK, {"id": message.endpoint_id})).one_or_none()
            if endpoint is None:  # it was deleted meanwhile, with its messages
                return set()
            failures = 0 if outcome.is_delivered else endpoint.failures + 1
            failing_since = None if outcome.is_delivered else endpoint.failing_since or now
            await transaction.execute(_TOLD, _told(message, outcome, now))
            rest = max(outcome.rest, rest_of_endpoint(failures)) if failures else PAUSE_BETWEEN
            settled = {
                "id": message.endpoint_id,
                "failures": failures,
                "failing_since": failing_since,
                "is_slow": is_slow,
                "rest_until": now + rest,
                "waiting": DeliveryStatus.WAITING.value,
            }
            await transaction.execute(_SETTLE, settled)
            if endpoint.disabled_reason is not None:
                return set()
            reason = await _reason_to_disable(transaction, message.endpoint_id, outcome, failures, failing_since, now)
            return set() if reason is None else await _disable(transaction, message, endpoint.version, reason, now)


def _outcome(answer: Answer) -> Outcome:
    """2xx takes the message, and everything else does not; 429 and 503 may say for how long."""
    if 200 <= answer.status < 300:
        return Outcome(response_code=answer.status)
    asked = answer.headers.get("retry-after", "") if answer.status in (429, 503) else ""
    rest = timedelta(seconds=int(asked)) if asked.isdecimal() and asked.isascii() and len(asked) < 9 else timedelta()
    return Outcome(answer.status, DeliveryFailure.RESPONSE, min(rest, _LONGEST_ASKED_REST))


def _failure(failure: OSError) -> DeliveryFailure:
    match failure:
        case AddressRefusedError():
            return DeliveryFailure.ADDRESS
        case TimeoutError():
            return DeliveryFailure.TIMEOUT
        case ssl.SSLError():
            return DeliveryFailure.TLS
        case _:
            return DeliveryFailure.CONNECTION


def _told(message: Any, outcome: Outcome, now: datetime) -> dict[str, object]:
    status, due_at = DeliveryStatus.DELIVERED, None
    if not outcome.is_delivered:
        due_at = None if outcome.is_gone else next_attempt(message.attempts, now)
        status = DeliveryStatus.FAILED if due_at is None else DeliveryStatus.WAITING
    return {
        "id": message.id,
        "status": status.value,
        "due_at": due_at,
        "response_code": outcome.response_code,
        "failure": None if outcome.failure is None else outcome.failure.value,
    }


async def _reason_to_disable(
    transaction: AsyncConnection,
    endpoint_id: str,
    outcome: Outcome,
    failures: int,
    failing_since: datetime | None,
    now: datetime,
) -> DisabledReason | None:
    if outcome.is_gone:
        return DisabledReason.GONE
    if failing_since is not None and is_given_up(failures, failing_since, now):
        return DisabledReason.FAILING
    counted = {"id": endpoint_id, "waiting": DeliveryStatus.WAITING.value, "most": MOST_WAITING}
    waiting = int(await transaction.scalar(_WAITING, counted) or 0)
    return DisabledReason.TOO_MANY_WAITING if waiting >= MOST_WAITING else None


async def _disable(
    transaction: AsyncConnection, message: Any, version: int, reason: DisabledReason, now: datetime
) -> set[str]:
    """Switch it off and notify its owner; returns whom `tell_subscribers` is to tell of it."""
    await transaction.execute(_DISABLE, {"id": message.endpoint_id, "reason": reason.value, "now": now})
    DISABLED.labels(reason.value).inc()
    _log.info("webhook_endpoint_disabled", endpoint=message.endpoint_id, reason=reason.value)
    news = NewNotification(
        user_id=message.user_id,
        kind=NotificationKind.WEBHOOK_DISABLED,
        cause=f"webhook:{message.endpoint_id}:{version}",
        subject_id=message.endpoint_id,
        detail=reason.value,
    )
    return await notify(transaction, [news], now)


async def forget_deliveries(connection: AsyncConnection, rows: int) -> int:
    """Delete messages and the log of them after ten days; returns how many."""
    return int((await connection.execute(_OLD, {"days": KEPT_DAYS, "rows": rows})).rowcount)
