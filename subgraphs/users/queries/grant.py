"""Grants and invitations as they are read: in pages of whoever gave or was given them."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Literal

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from subgraphs.shell.grants import Grant
from subgraphs.shell.keyset import Page, PageShape, SortOrder
from subgraphs.shell.person_lists import count_of_each, list_of_each, page_of_each
from subgraphs.shell.read_pool import Reader, any_of

Side = Literal["owner_id", "reader_id"]

_GRANT = "id, owner_id, reader_id, relation, areas, granted_at, expires_at, plans"
_INVITATION = "id, owner_id, relation, areas, days, email, created_at, expires_at, plans"
_HOLDS = "access_grant.expires_at > now()"
_ORDER = SortOrder(("granted_at", "id"), descending=True)
_MOST_RECEIVED = 20


@dataclass(frozen=True, slots=True)
class InvitationRecord:
    """An offer that nobody has accepted yet. `email` is None where a code is what accepts it."""

    id: str
    owner_id: str
    relation: str
    areas: list[str]
    days: int
    email: str | None
    created_at: datetime
    expires_at: datetime
    plans: list[str]


@cache
def _pages(side: Side, shape: PageShape) -> TextClause:
    return text(
        "SELECT found.* FROM unnest(CAST(:user_ids AS text[])) AS person (user_id) CROSS JOIN LATERAL ("  # noqa: S608
        f" SELECT {_GRANT} FROM access_grant WHERE access_grant.{side} = person.user_id AND {_HOLDS}"
        f" AND {_ORDER.beyond(shape)} ORDER BY {_ORDER.order_by(shape)} LIMIT :limit) AS found"
    )


@cache
def _counts(side: Side) -> TextClause:
    return text(
        f"SELECT {side}, count(*) FROM access_grant WHERE {side} = ANY(:user_ids) AND {_HOLDS} GROUP BY {side}"  # noqa: S608
    )


_SENT = text(
    f"SELECT {_INVITATION} FROM grant_invitation WHERE owner_id = {any_of('owner_ids')} AND expires_at > now()"  # noqa: S608
    " ORDER BY created_at DESC, id DESC"
)
_RECEIVED = text(
    "SELECT person.email_key, found.* FROM unnest(CAST(:email_keys AS text[])) AS person (email_key)"  # noqa: S608
    f" CROSS JOIN LATERAL (SELECT {_INVITATION} FROM grant_invitation"
    " WHERE grant_invitation.email_key = person.email_key AND expires_at > now()"
    " ORDER BY created_at DESC, id DESC LIMIT :most) AS found"
)


async def grants_by_owner(connection: Reader, owner_ids: Sequence[str], page: Page) -> dict[str, list[Grant]]:
    """The same page of what several people gave: nearest to the page's cursor first, up to its limit each."""
    return await page_of_each(connection, _pages("owner_id", page.shape), owner_ids, page, Grant)


async def grants_by_reader(connection: Reader, reader_ids: Sequence[str], page: Page) -> dict[str, list[Grant]]:
    """As `grants_by_owner`, of what several people were given."""
    return await page_of_each(connection, _pages("reader_id", page.shape), reader_ids, page, Grant, owner=2)


async def grant_counts_by_owner(connection: Reader | AsyncConnection, owner_ids: Sequence[str]) -> dict[str, int]:
    """How many grants each person gave that hold."""
    return await count_of_each(connection, _counts("owner_id"), owner_ids)


async def grant_counts_by_reader(connection: Reader | AsyncConnection, reader_ids: Sequence[str]) -> dict[str, int]:
    """How many grants each person was given that hold."""
    return await count_of_each(connection, _counts("reader_id"), reader_ids)


async def invitations_by_owner(
    connection: Reader | AsyncConnection, owner_ids: Sequence[str]
) -> dict[str, list[InvitationRecord]]:
    """The invitations of each person that wait, newest first; the quota bounds them."""
    return await list_of_each(connection, _SENT, {"owner_ids": list(owner_ids)}, InvitationRecord)


async def invitations_by_email(connection: Reader, email_keys: Sequence[str]) -> dict[str, list[InvitationRecord]]:
    """The newest 20 invitations that wait for each address."""
    parameters = {"email_keys": list(email_keys), "most": _MOST_RECEIVED}
    by_email: defaultdict[str, list[InvitationRecord]] = defaultdict(list)
    for row in await connection.execute(_RECEIVED, parameters):
        by_email[row[0]].append(InvitationRecord(*row[1:]))
    return by_email
