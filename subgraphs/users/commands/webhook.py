"""Endpoints of webhooks: registered, changed, given another secret, tried, and told something once more.

A person has them all; an API key has those that it registered, of what it may read itself.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from events.envelope import new_id
from subgraphs.shell.auth import Viewer
from subgraphs.shell.context import Resources
from subgraphs.shell.errors import Checks, ConflictError, NotFoundError, expect_version
from subgraphs.shell.idempotency import id_of_request, key_columns
from subgraphs.shell.inputs import RequestKey
from subgraphs.shell.public_address import Reach
from subgraphs.shell.sealing import SealingKeys
from subgraphs.shell.settings import Settings
from subgraphs.users.commands.attempts import Pace, count_attempt
from subgraphs.users.commands.webhook_events import Message, queue_messages
from subgraphs.users.domain.webhook import (
    BOTH_SECRETS_FOR,
    MOST_ENDPOINTS,
    PORTS,
    TEST_TYPE,
    DeliveryStatus,
    DisabledReason,
    WebhookEventKind,
    check_webhook,
    new_secret,
    shown_secret,
)
from subgraphs.users.queries.account import lock_existing_account
from subgraphs.users.queries.api_key import api_keys_by_user
from subgraphs.users.queries.webhook import (
    WebhookDeliveryRecord,
    WebhookEndpointRecord,
    webhook_delivery_by_cause,
    webhook_delivery_by_id,
    webhook_endpoints_by_id,
    webhook_endpoints_by_user,
)

#: Tests and repetitions that a person asks for: twenty, then one every half a minute.
REPETITIONS = Pace(free=20, longest_wait=60, forgiven_after=30)

_INSERT = text(
    "INSERT INTO webhook_endpoint (id, user_id, api_key_id, expires_at, name, url, kinds, secret, version, created_at,"
    " idempotency_key, idempotency_content) VALUES (:id, :user_id, :api_key_id, :expires_at, :name, :url, :kinds, :secret,"
    " 1, :now, :idempotency_key, :idempotency_content)"
)
_UPDATE = text(
    "UPDATE webhook_endpoint SET is_slow = is_slow OR url <> :url, name = :name, url = :url, kinds = :kinds,"
    " version = version + 1 WHERE id = :id"
)
_SWITCH_OFF = text(
    "UPDATE webhook_endpoint SET disabled_reason = :reason, disabled_at = :now, next_at = NULL"
    " WHERE id = :id AND disabled_reason IS NULL"
)
# What waits is tried from its first attempt on, so an endpoint that comes back late gets it all.
_SWITCH_ON = text(
    "UPDATE webhook_endpoint SET disabled_reason = NULL, disabled_at = NULL, failures = 0, failing_since = NULL,"
    " rest_until = NULL, is_slow = true, next_at = :now WHERE id = :id AND disabled_reason IS NOT NULL"
)
_BEGIN_ANEW = text(
    "UPDATE webhook_delivery SET due_at = :now, attempts = 0, subject = NULL WHERE endpoint_id = :id AND status = :waiting"
)
_ROTATE = text(
    "UPDATE webhook_endpoint SET previous_secret = secret, previous_until = :until, secret = :secret, version = version + 1"
    " WHERE id = :id"
)
_DELETE = text("DELETE FROM webhook_endpoint WHERE id = :id")
_LOCK = text("SELECT id FROM webhook_endpoint WHERE id = :id FOR UPDATE")
_AGAIN = text(
    "UPDATE webhook_delivery SET status = :waiting, due_at = :now, attempts = 0, subject = NULL, failure = NULL,"
    " response_code = NULL WHERE id = :id"
)
_WAKE = text("UPDATE webhook_endpoint SET next_at = least(next_at, :now) WHERE id = :id AND disabled_reason IS NULL")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEndpoint:
    """An endpoint about to be registered. The same request again finds the first one."""

    url: str
    name: str
    kinds: Collection[WebhookEventKind]
    request: RequestKey | None = None


def reach_of(settings: Settings) -> Reach:
    """Where messages may go."""
    return Reach(ports=PORTS, loopback=settings.webhook_loopback)


def sealing_keys_of(settings: Settings) -> SealingKeys:
    """Raises ConflictError where this platform has no key for webhooks, and so sends none."""
    if settings.webhook_key is None:
        raise ConflictError("This platform sends no webhooks.")
    return SealingKeys(settings.webhook_key, settings.webhook_previous_keys)


async def create_webhook_endpoint(
    viewer: Viewer, new: NewEndpoint, *, resources: Resources
) -> tuple[WebhookEndpointRecord, str | None]:
    """Register an endpoint; returns it, and its secret, which nobody can read again: None for a request that was repeated.

    Raises ValidationError, and ConflictError for too many, a key used otherwise, and where no webhooks are sent.
    """
    keys, now = sealing_keys_of(resources.settings), resources.now()
    _check(viewer, url=new.url, name=new.name, kinds=new.kinds, settings=resources.settings)
    async with resources.database.transaction() as transaction:
        await lock_existing_account(transaction, viewer.id)
        endpoint_id = await id_of_request(transaction, "webhook_endpoint", viewer.id, new.request)
        if endpoint_id is not None:
            return await _own(transaction, viewer, endpoint_id), None
        if len((await webhook_endpoints_by_user(transaction, [viewer.id])).get(viewer.id, ())) >= MOST_ENDPOINTS:
            raise ConflictError(f"There may be at most {MOST_ENDPOINTS} endpoints: delete one first.")
        endpoint_id, secret = new_id(), new_secret()
        row = {
            "id": endpoint_id,
            "user_id": viewer.id,
            **await _key_columns(transaction, viewer),
            "name": new.name.strip(),
            "url": new.url,
            "kinds": _in_order(new.kinds),
            "secret": keys.seal(secret, endpoint_id),
            "now": now,
            **key_columns(new.request),
        }
        await transaction.execute(_INSERT, row)
        return await _own(transaction, viewer, endpoint_id), shown_secret(secret)


async def update_webhook_endpoint(
    viewer: Viewer,
    endpoint_id: str,
    changes: Mapping[str, Any],
    *,
    expected_version: int | None,
    resources: Resources,
) -> WebhookEndpointRecord:
    """Change `url`, `name`, `kinds` or `is_on`. Raises NotFoundError, StaleVersionError, ValidationError, ConflictError."""
    now = resources.now()
    async with resources.database.transaction() as transaction:
        old = await _locked(transaction, viewer, endpoint_id, expected_version)
        row = {
            "id": old.id,
            "name": changes.get("name", old.name).strip(),
            "url": changes.get("url", old.url),
            "kinds": _in_order(changes.get("kinds", [WebhookEventKind(kind) for kind in old.kinds])),
        }
        kinds = [WebhookEventKind(kind) for kind in row["kinds"]]
        _check(viewer, url=row["url"], name=row["name"], kinds=kinds, settings=resources.settings)
        await transaction.execute(_UPDATE, row)
        match changes.get("is_on"):
            case True:
                if (await transaction.execute(_SWITCH_ON, {"id": old.id, "now": now})).rowcount:
                    waiting = {"id": old.id, "now": now, "waiting": DeliveryStatus.WAITING.value}
                    await transaction.execute(_BEGIN_ANEW, waiting)
            case False:
                off = {"id": old.id, "now": now, "reason": DisabledReason.OWNER.value}
                await transaction.execute(_SWITCH_OFF, off)
        return await _own(transaction, viewer, old.id)


async def delete_webhook_endpoint(
    viewer: Viewer, endpoint_id: str, *, expected_version: int | None, resources: Resources
) -> None:
    """With the log of what was sent to it, and what waits for it. Raises NotFoundError, StaleVersionError."""
    async with resources.database.transaction() as transaction:
        await _locked(transaction, viewer, endpoint_id, expected_version)
        await transaction.execute(_DELETE, {"id": endpoint_id})


async def rotate_webhook_secret(
    viewer: Viewer, endpoint_id: str, *, expected_version: int | None, resources: Resources
) -> tuple[WebhookEndpointRecord, str]:
    """Sign with another secret, and for a day with the one before too. Returns the new one, which nobody can read again.

    Raises NotFoundError, StaleVersionError, ConflictError while two hold already.
    """
    keys, now = sealing_keys_of(resources.settings), resources.now()
    async with resources.database.transaction() as transaction:
        old = await _locked(transaction, viewer, endpoint_id, expected_version)
        if old.previous_until is not None and old.previous_until > now:
            raise ConflictError(f"Two secrets hold until {old.previous_until.isoformat()}: wait for that.")
        secret = new_secret()
        row = {"id": old.id, "secret": keys.seal(secret, old.id), "until": now + BOTH_SECRETS_FOR}
        await transaction.execute(_ROTATE, row)
        return await _own(transaction, viewer, old.id), shown_secret(secret)


async def send_test_webhook(viewer: Viewer, endpoint_id: str, *, resources: Resources) -> WebhookDeliveryRecord:
    """Queue a message that says nothing, of type `ping`. Raises NotFoundError, RateLimitedError, ConflictError if it is off."""
    now, cause = resources.now(), f"test:{new_id()}"
    async with resources.database.transaction() as transaction:
        endpoint = await _locked(transaction, viewer, endpoint_id, None)
        await _count_repetition(endpoint, resources)
        data = {"userId": endpoint.user_id, "id": endpoint.id}
        message = Message(endpoint.id, TEST_TYPE, cause, None, now, data)
        await queue_messages(transaction, [message], now)
        queued = await webhook_delivery_by_cause(transaction, endpoint.id, cause)
        if queued is None:
            raise ConflictError("Too many messages wait for this endpoint.")
        return queued


async def redeliver_webhook(viewer: Viewer, delivery_id: str, *, resources: Resources) -> WebhookDeliveryRecord:
    """Send a message once more, as what it was: with its `webhook-id`. One that waits is tried now.

    Raises NotFoundError, RateLimitedError, ConflictError where the endpoint is off.
    """
    async with resources.database.transaction() as transaction:
        found = await webhook_delivery_by_id(transaction, delivery_id)
        if found is None:
            raise _no_delivery()
        try:
            endpoint = await _locked(transaction, viewer, found.endpoint_id, None)
        except NotFoundError:
            raise _no_delivery() from None
        await _count_repetition(endpoint, resources)
        again = {"id": delivery_id, "now": resources.now(), "waiting": DeliveryStatus.WAITING.value}
        await transaction.execute(_AGAIN, again)
        await transaction.execute(_WAKE, {"id": endpoint.id, "now": resources.now()})
        queued = await webhook_delivery_by_id(transaction, delivery_id)
        if queued is None:  # retention was faster
            raise _no_delivery()
        return queued


def _no_delivery() -> NotFoundError:
    return NotFoundError("There is no such delivery.")


async def _count_repetition(endpoint: WebhookEndpointRecord, resources: Resources) -> None:
    if endpoint.disabled_reason is not None:
        raise ConflictError("The endpoint is off: switch it on first.")
    await count_attempt(resources.redis, f"webhook {endpoint.id}", REPETITIONS)


def _check(viewer: Viewer, *, url: str, name: str, kinds: Collection[WebhookEventKind], settings: Settings) -> None:
    checks = Checks()
    check_webhook(checks, url=url, name=name, kinds=kinds, reach=reach_of(settings))
    for place, kind in enumerate(kinds):
        checks.require(viewer.reaches(kind.area), f"kinds.{place}", "tells of what this API key may not read")
    checks.done()


def _in_order(kinds: Collection[WebhookEventKind]) -> list[str]:
    return [kind.value for kind in WebhookEventKind if kind in kinds]


async def _key_columns(transaction: AsyncConnection, viewer: Viewer) -> dict[str, str | datetime | None]:
    """An endpoint that a key registers ends with the key. Raises NotFoundError for one that has ended just now."""
    if viewer.api_key_id is None:
        return {"api_key_id": None, "expires_at": None}
    keys = (await api_keys_by_user(transaction, [viewer.id])).get(viewer.id, ())
    key = next((each for each in keys if each.id == viewer.api_key_id), None)
    if key is None:
        raise NotFoundError("There is no such API key.")
    return {"api_key_id": key.id, "expires_at": key.expires_at}


def is_own(viewer: Viewer, endpoint: WebhookEndpointRecord) -> bool:
    """Whether the viewer may see and change it: the person, or the key that registered it."""
    return endpoint.user_id == viewer.id and viewer.api_key_id in (None, endpoint.api_key_id)


async def _locked(
    transaction: AsyncConnection, viewer: Viewer, endpoint_id: str, expected_version: int | None
) -> WebhookEndpointRecord:
    """The endpoint, which nobody else changes until the transaction ends; the account's row is locked before it."""
    await lock_existing_account(transaction, viewer.id)
    await transaction.execute(_LOCK, {"id": endpoint_id})
    endpoint = await _own(transaction, viewer, endpoint_id)
    expect_version("endpoint", expected=expected_version, current=endpoint.version)
    return endpoint


async def _own(transaction: AsyncConnection, viewer: Viewer, endpoint_id: str) -> WebhookEndpointRecord:
    endpoint = (await webhook_endpoints_by_id(transaction, [endpoint_id])).get(endpoint_id)
    if endpoint is None or not is_own(viewer, endpoint):
        raise NotFoundError("There is no such endpoint.")
    return endpoint
