"""Bulk loading for samples: accounts that share a password, and histories of weighings. Called by `fittracker sample-data`.

Everything goes through the same rows and events as the commands write; loading twice changes nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from events.contracts.users import UserRegistered
from events.outbox import append_event
from subgraphs.users.commands.account import NewAccount, insert_account
from subgraphs.users.commands.account_event import account_event
from subgraphs.users.commands.password import hash_password
from subgraphs.users.commands.weight import NewWeighing, write_weighings
from subgraphs.users.queries.account import accounts_by_id


@dataclass(frozen=True, slots=True)
class SampleAccount:
    """An account with an id that is the same on every machine."""

    id: str
    account: NewAccount
    registered_at: datetime


async def load_accounts(connection: AsyncConnection, samples: Iterable[SampleAccount]) -> int:
    """Add accounts in the caller's transaction; ids and addresses that exist are left alone. Returns how many came.

    Equal passwords are hashed once: samples are for trying out, and a hash costs 30 ms.
    """
    hashes: dict[str, str] = {}
    loaded = 0
    for sample in samples:
        password = sample.account.password
        if password not in hashes:
            hashes[password] = await hash_password(password)
        account = await insert_account(connection, sample.account, sample.id, hashes[password], sample.registered_at)
        if account is not None:
            await append_event(connection, account_event(UserRegistered, account, sample.registered_at))
            loaded += 1
    return loaded


async def load_weights(connection: AsyncConnection, user_id: str, weighings: Iterable[NewWeighing]) -> int:
    """Log weighings of one person in the caller's transaction. Returns how many are new, by idempotency key."""
    statement = text("SELECT idempotency_key FROM weight_entry WHERE user_id = :id AND idempotency_key IS NOT NULL")
    known = set((await connection.scalars(statement, {"id": user_id})).all())
    new = [weighing for weighing in weighings if weighing.idempotency_key not in known]
    account = (await accounts_by_id(connection, [user_id]))[user_id]
    await write_weighings(connection, account, new)
    return len(new)
