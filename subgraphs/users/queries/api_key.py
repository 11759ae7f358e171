"""API keys as they are read: those of a person that hold, and the one that a program shows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from subgraphs.shell.person_lists import list_of_each
from subgraphs.shell.read_pool import Reader, any_of

_COLUMNS = "id, user_id, name, scopes, hint, created_at, expires_at, last_used_on"
_OF_USERS = text(
    f"SELECT {_COLUMNS} FROM api_key WHERE user_id = {any_of('user_ids')} AND expires_at > now()"  # noqa: S608
    " ORDER BY created_at DESC, id DESC"
)
_BY_HASH = text(f"SELECT {_COLUMNS} FROM api_key WHERE key_hash = :hash")  # noqa: S608


@dataclass(frozen=True, slots=True)
class ApiKeyRecord:
    """A key, without what would let anybody use it. `last_used_on` is a day in UTC; None before the first use."""

    id: str
    user_id: str
    name: str
    scopes: list[str]
    hint: str
    created_at: datetime
    expires_at: datetime
    last_used_on: date | None


async def api_keys_by_user(
    connection: Reader | AsyncConnection, user_ids: Sequence[str]
) -> dict[str, list[ApiKeyRecord]]:
    """The keys of each person that have not expired, newest first; the quota bounds them."""
    return await list_of_each(connection, _OF_USERS, {"user_ids": list(user_ids)}, ApiKeyRecord)


async def api_key_by_hash(connection: AsyncConnection, key_hash: bytes) -> ApiKeyRecord | None:
    """Whether or not it has expired."""
    row = (await connection.execute(_BY_HASH, {"hash": key_hash})).one_or_none()
    return None if row is None else ApiKeyRecord(*row)
