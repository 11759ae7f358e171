"""Endpoints that are told what happens, and the log of what was sent to them, as they are read."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from subgraphs.shell.keyset import Page, PageShape, SortOrder
from subgraphs.shell.person_lists import list_of_each, page_of_each
from subgraphs.shell.read_pool import Reader, any_of

_COLUMNS = (
    "id, user_id, api_key_id, expires_at, name, url, kinds, previous_until, disabled_reason, disabled_at, failing_since,"
    " version, created_at"
)
_BY_USER = text(
    f"SELECT {_COLUMNS} FROM webhook_endpoint WHERE user_id = {any_of('user_ids')}"  # noqa: S608
    " ORDER BY created_at DESC, id DESC"
)
_BY_ID = text(f"SELECT {_COLUMNS} FROM webhook_endpoint WHERE id = {any_of('ids')}")  # noqa: S608
_DELIVERY = "id, endpoint_id, type, data, occurred_at, created_at, status, due_at, attempts, attempted_at, response_code, failure"
_DELIVERY_BY_ID = text(f"SELECT {_DELIVERY} FROM webhook_delivery WHERE id = :id")  # noqa: S608
_DELIVERY_BY_CAUSE = text(
    f"SELECT {_DELIVERY} FROM webhook_delivery WHERE endpoint_id = :endpoint_id AND cause = :cause"  # noqa: S608
)
_ORDER = SortOrder(("created_at", "id"), descending=True)


@dataclass(frozen=True, slots=True)
class WebhookEndpointRecord:
    """An endpoint without its secrets. `api_key_id` is None where a person made it; `disabled_reason` is None while it is on."""

    id: str
    user_id: str
    api_key_id: str | None
    expires_at: datetime | None
    name: str
    url: str
    kinds: list[str]
    previous_until: datetime | None
    disabled_reason: str | None
    disabled_at: datetime | None
    failing_since: datetime | None
    version: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class WebhookDeliveryRecord:
    """A message to an endpoint and what became of it. `data` is a JSON object; `response_code` is of the last attempt."""

    id: str
    endpoint_id: str
    type: str
    data: str
    occurred_at: datetime
    created_at: datetime
    status: str
    due_at: datetime
    attempts: int
    attempted_at: datetime | None
    response_code: int | None
    failure: str | None


async def webhook_endpoints_by_user(
    connection: Reader | AsyncConnection, user_ids: Sequence[str]
) -> dict[str, list[WebhookEndpointRecord]]:
    """All of each person, the newest first; the quota bounds them."""
    return await list_of_each(connection, _BY_USER, {"user_ids": list(user_ids)}, WebhookEndpointRecord)


async def webhook_endpoints_by_id(
    connection: Reader | AsyncConnection, ids: Sequence[str]
) -> dict[str, WebhookEndpointRecord]:
    return {row[0]: WebhookEndpointRecord(*row) for row in await connection.execute(_BY_ID, {"ids": list(ids)})}


async def webhook_delivery_by_cause(
    connection: AsyncConnection, endpoint_id: str, cause: str
) -> WebhookDeliveryRecord | None:
    row = (await connection.execute(_DELIVERY_BY_CAUSE, {"endpoint_id": endpoint_id, "cause": cause})).one_or_none()
    return None if row is None else WebhookDeliveryRecord(*row)


async def webhook_delivery_by_id(connection: AsyncConnection, delivery_id: str) -> WebhookDeliveryRecord | None:
    row = (await connection.execute(_DELIVERY_BY_ID, {"id": delivery_id})).one_or_none()
    return None if row is None else WebhookDeliveryRecord(*row)


@cache
def _pages(shape: PageShape) -> TextClause:
    return text(
        "SELECT found.* FROM unnest(CAST(:user_ids AS text[])) AS endpoint (id) CROSS JOIN LATERAL ("  # noqa: S608
        f" SELECT {_DELIVERY} FROM webhook_delivery WHERE endpoint_id = endpoint.id"
        f" AND {_ORDER.beyond(shape)} ORDER BY {_ORDER.order_by(shape)} LIMIT :limit) AS found"
    )


async def webhook_deliveries_by_endpoint(
    connection: Reader, endpoint_ids: Sequence[str], page: Page
) -> dict[str, list[WebhookDeliveryRecord]]:
    """The same page for several endpoints in one statement: nearest to the page's cursor first, up to its limit each."""
    return await page_of_each(connection, _pages(page.shape), endpoint_ids, page, WebhookDeliveryRecord)
