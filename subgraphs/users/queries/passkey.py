"""Passkeys as they are read: of people in batches, and by what a browser shows of one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from subgraphs.shell.person_lists import list_of_each
from subgraphs.shell.read_pool import Reader, any_of

_COLUMNS = (
    "id, user_id, name, credential_id, credential, sign_count, is_synced, version, created_at, last_used_at, blocked_at"
)
_OF_USERS = text(
    f"SELECT {_COLUMNS} FROM passkey WHERE user_id = {any_of('user_ids')} ORDER BY created_at DESC, id DESC"  # noqa: S608
)
_LOCK = text(f"SELECT {_COLUMNS} FROM passkey WHERE id = :id AND user_id = :user_id FOR UPDATE")  # noqa: S608
_BY_CREDENTIAL = text(f"SELECT {_COLUMNS} FROM passkey WHERE credential_id = :credential_id")  # noqa: S608


@dataclass(frozen=True, slots=True)
class PasskeyRecord:
    """A passkey. `credential` holds the public key, and `sign_count` how often it has signed, by its own counter."""

    id: str
    user_id: str
    name: str
    credential_id: bytes
    credential: bytes
    sign_count: int
    is_synced: bool
    version: int
    created_at: datetime
    last_used_at: datetime | None
    blocked_at: datetime | None


async def passkeys_by_user(
    connection: Reader | AsyncConnection, user_ids: Sequence[str]
) -> dict[str, list[PasskeyRecord]]:
    """The passkeys of each person, newest first; the quota bounds them."""
    return await list_of_each(connection, _OF_USERS, {"user_ids": list(user_ids)}, PasskeyRecord)


async def passkey_by_credential_id(connection: AsyncConnection, credential_id: bytes) -> PasskeyRecord | None:
    row = (await connection.execute(_BY_CREDENTIAL, {"credential_id": credential_id})).one_or_none()
    return None if row is None else PasskeyRecord(*row)


async def lock_passkey(connection: AsyncConnection, user_id: str, passkey_id: str) -> PasskeyRecord | None:
    """The person's passkey, which nobody else changes until the transaction ends; None where there is none."""
    row = (await connection.execute(_LOCK, {"id": passkey_id, "user_id": user_id})).one_or_none()
    return None if row is None else PasskeyRecord(*row)
