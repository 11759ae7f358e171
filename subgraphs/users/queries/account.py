"""Accounts as they are read: by id in batches, and by e-mail address for signing in."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from subgraphs.shell.errors import NotFoundError
from subgraphs.shell.read_pool import Reader

_COLUMNS = (
    "id, email, display_name, roles, status, time_zone, day_start_hour, week_start, units, date_of_birth, sex,"
    " height_cm, activity_level, fitness_goal, target_weight_kg, version, created_at, email_verified_at, totp_confirmed_at,"
    " premium_until"
)


@dataclass(frozen=True, slots=True)
class AccountRecord:
    """An account without its password."""

    id: str
    email: str
    display_name: str
    roles: list[str]
    status: str
    time_zone: str
    day_start_hour: int
    week_start: str
    units: str
    date_of_birth: date | None
    sex: str | None
    height_cm: Decimal | None
    activity_level: str | None
    fitness_goal: str | None
    target_weight_kg: Decimal | None
    version: int
    created_at: datetime
    email_verified_at: datetime | None
    totp_confirmed_at: datetime | None
    premium_until: datetime | None


@dataclass(frozen=True, slots=True)
class Credentials:
    """What signing in needs to know."""

    user_id: str
    password_hash: str
    status: str


@dataclass(frozen=True, slots=True)
class Registration:
    """The account that a request made, and the hash of what that request said beside the password."""

    credentials: Credentials
    content: bytes | None


_BY_ID = text(f"SELECT {_COLUMNS} FROM account WHERE id = ANY(:ids)")  # noqa: S608 - our names
_BY_EMAIL = text(f"SELECT {_COLUMNS} FROM account WHERE email_key = :email_key")  # noqa: S608 - our names
_LOCK = text(f"SELECT {_COLUMNS} FROM account WHERE id = :id FOR UPDATE")  # noqa: S608 - our names


async def accounts_by_id(connection: Reader, ids: Sequence[str]) -> dict[str, AccountRecord]:
    return {row[0]: AccountRecord(*row) for row in await connection.execute(_BY_ID, {"ids": list(ids)})}


async def lock_account(connection: AsyncConnection, user_id: str) -> AccountRecord | None:
    """The account, which nobody else changes until the transaction ends."""
    row = (await connection.execute(_LOCK, {"id": user_id})).one_or_none()
    return None if row is None else AccountRecord(*row)


async def lock_existing_account(connection: AsyncConnection, user_id: str) -> AccountRecord:
    """As `lock_account`. Raises NotFoundError where there is none."""
    account = await lock_account(connection, user_id)
    if account is None:
        raise NotFoundError("This account does not exist.")
    return account


async def account_by_email(connection: AsyncConnection, email_key: str) -> AccountRecord | None:
    row = (await connection.execute(_BY_EMAIL, {"email_key": email_key})).one_or_none()
    return None if row is None else AccountRecord(*row)


async def credentials_by_email(connection: AsyncConnection, email_key: str) -> Credentials | None:
    statement = text("SELECT id, password_hash, status FROM account WHERE email_key = :email_key")
    return _credentials((await connection.execute(statement, {"email_key": email_key})).one_or_none())


async def credentials_by_id(connection: AsyncConnection, user_id: str) -> Credentials | None:
    statement = text("SELECT id, password_hash, status FROM account WHERE id = :id")
    return _credentials((await connection.execute(statement, {"id": user_id})).one_or_none())


async def registration_by_key(connection: AsyncConnection, key: str) -> Registration | None:
    statement = text("SELECT id, password_hash, status, idempotency_content FROM account WHERE idempotency_key = :key")
    row = (await connection.execute(statement, {"key": key})).one_or_none()
    return None if row is None else Registration(Credentials(*row[:3]), row[3])


def _credentials(row: Any) -> Credentials | None:
    return None if row is None else Credentials(*row)
