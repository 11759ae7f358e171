"""Accounts as they are read: by id in batches, and by e-mail address for signing in."""

from collections.abc import Container, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from subgraphs.shell.errors import NotFoundError
from subgraphs.shell.keyset import Page, PageShape, SortOrder
from subgraphs.shell.read_pool import Reader, any_of, opaque
from subgraphs.users.domain.account import AccountStatus, Role
from subgraphs.users.queries.weight import WEIGHT_COLUMNS, WeightRecord

_COLUMNS = (
    "id, email, display_name, roles, status, time_zone, day_start_hour, week_start, units, date_of_birth, sex,"
    " height_cm, activity_level, fitness_goal, target_weight_kg, version, created_at, email_verified_at, totp_confirmed_at,"
    " premium_until, language, theme, date_format, erase_at, invitable_by_email"
)


class AccountRecord(NamedTuple):
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
    language: str | None
    theme: str
    date_format: str
    erase_at: datetime | None
    invitable_by_email: bool


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


_BY_ID = text(f"SELECT {_COLUMNS} FROM account WHERE id = {any_of('ids')}")  # noqa: S608 - our names
_BY_EMAIL = text(f"SELECT {_COLUMNS} FROM account WHERE email_key = :email_key")  # noqa: S608 - our names
_LOCK = text(f"SELECT {_COLUMNS} FROM account WHERE id = :id FOR UPDATE")  # noqa: S608 - our names


# The newest weighing is null where it is not wanted, and where there is none.
_WITH_WEIGHT = text(
    f"SELECT CASE WHEN asked.with_weight THEN (SELECT ROW({WEIGHT_COLUMNS}) FROM weight_entry"  # noqa: S608 - our names
    "  WHERE user_id = account.id ORDER BY recorded_at DESC, id DESC LIMIT 1) END,"
    f" {_COLUMNS} FROM unnest({opaque('ids', 'text[]')}, {opaque('with_weight', 'boolean[]')}) AS asked (account_id, with_weight)"
    " JOIN account ON account.id = asked.account_id"
)


async def accounts_with_weights(
    connection: Reader, ids: Sequence[str], weighed: Container[str]
) -> tuple[dict[str, AccountRecord], dict[str, WeightRecord | None]]:
    """Accounts by their ids, and the newest weighings of those of them who are among `weighed`; None before the first."""
    accounts: dict[str, AccountRecord] = {}
    weights: dict[str, WeightRecord | None] = {}
    parameters = {"ids": list(ids), "with_weight": [each in weighed for each in ids]}
    for weight, *columns in await connection.execute(_WITH_WEIGHT, parameters):
        account = AccountRecord(*columns)
        accounts[account.id] = account
        if account.id in weighed:
            weights[account.id] = None if weight is None else WeightRecord(*weight)
    return accounts, weights


async def accounts_by_id(connection: Reader, ids: Sequence[str]) -> dict[str, AccountRecord]:
    return {row[0]: AccountRecord(*row) for row in await connection.execute(_BY_ID, {"ids": list(ids)})}


@dataclass(frozen=True, slots=True)
class PeopleFilter:
    """Which accounts a list of all people has; None is any. `now` is when PREMIUM has to hold."""

    status: AccountStatus | None
    role: Role | None
    now: datetime


_NEWEST_FIRST = SortOrder(("created_at", "id"), descending=True)
# Each has an index of its own, of the few whom it is about.
_OF_STATUS = {
    None: "TRUE",
    AccountStatus.ACTIVE: "status = 'ACTIVE'",
    AccountStatus.SUSPENDED: "status <> 'ACTIVE' AND status = 'SUSPENDED'",
}
_OF_ROLE = {
    None: "TRUE",
    Role.USER: "TRUE",
    Role.PREMIUM: "premium_until IS NOT NULL AND premium_until > :now",
    Role.ADMIN: "'ADMIN' = ANY(roles)",
}


@cache
def _people(shape: PageShape, status: AccountStatus | None, role: Role | None) -> TextClause:
    return text(
        f"SELECT {_COLUMNS} FROM account WHERE {_OF_STATUS[status]} AND {_OF_ROLE[role]}"  # noqa: S608 - our names
        f" AND {_NEWEST_FIRST.beyond(shape)} ORDER BY {_NEWEST_FIRST.order_by(shape)} LIMIT :limit"
    )


async def people_page(connection: Reader, wanted: PeopleFilter, page: Page) -> list[AccountRecord]:
    """A page of everybody, the newest account first: nearest to the page's cursor first."""
    parameters: dict[str, Any] = {"limit": page.limit, **page.keys}
    if wanted.role is Role.PREMIUM:
        parameters["now"] = wanted.now
    rows = await connection.execute(_people(page.shape, wanted.status, wanted.role), parameters)
    return [AccountRecord(*row) for row in rows]


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
