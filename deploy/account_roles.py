"""`fittracker roles`: the roles of an account, set by whoever may reach the database."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

from deploy.databases import reachable_databases
from deploy.errors import FriendlyError


def set_roles(data_dir: Path, address: str, granted: list[str]) -> list[str]:
    """The roles that the account has now. Raises FriendlyError for a role or an account that does not exist."""
    from subgraphs.users.domain.account import Role

    for_good = [role for role in Role if role is not Role.PREMIUM]  # which ends, and is given by `setPremium`
    if unknown := set(granted) - set(for_good):
        raise FriendlyError(f"no such role: {', '.join(sorted(unknown))}", f"one of {', '.join(for_good)}")
    with reachable_databases(data_dir) as urls:
        return asyncio.run(_write(urls["users"], address, [Role(name) for name in granted]))


async def _write(url: str, address: str, granted: list[object]) -> list[str]:
    from subgraphs.shell.database import Database
    from subgraphs.users.commands.administration import set_roles_by_operator
    from subgraphs.users.domain.account import Role, email_key

    database = Database(url)
    try:
        async with database.transaction() as transaction:
            roles = [role for role in granted if isinstance(role, Role)]
            account = await set_roles_by_operator(transaction, email_key(address), roles, datetime.now(UTC))
    finally:
        await database.close()
    if account is None:
        raise FriendlyError(f"no account has the address {address}")
    return account.roles
