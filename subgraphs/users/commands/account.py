"""Making and changing accounts. Each command checks, writes the row and its event in one transaction."""

from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import update
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from events.contracts.users import AccountState, ProfileChanged, SettingsChanged, UserRegistered
from events.envelope import new_id
from events.outbox import append_event
from subgraphs.database import Database
from subgraphs.errors import Checks, ConflictError, NotFoundError, StaleVersionError
from subgraphs.scalars import local_date
from subgraphs.users.commands.account_event import account_event
from subgraphs.users.commands.password import hash_password
from subgraphs.users.domain.account import (
    PersonalSettings,
    Profile,
    check_display_name,
    check_email,
    check_password,
    check_profile,
    check_settings,
    email_key,
)
from subgraphs.users.queries.account import AccountRecord, accounts_by_id, lock_account
from subgraphs.users.tables import AccountRow


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAccount:
    """What somebody who registers tells."""

    email: str
    password: str
    display_name: str
    profile: Profile = field(default_factory=Profile)
    settings: PersonalSettings = field(default_factory=PersonalSettings)


async def register(new: NewAccount, *, database: Database, now: datetime) -> AccountRecord:
    """Make an account and announce it. Raises ValidationError, and ConflictError for an address that is taken."""
    checks = Checks()
    check_email(checks, new.email)
    check_password(checks, new.password)
    check_display_name(checks, new.display_name)
    check_settings(checks, new.settings)
    checks.done()
    check_profile(checks, new.profile, local_date(now, new.settings.time_zone, new.settings.day_start_hour))
    checks.done()

    password_hash = await hash_password(new.password)
    async with database.transaction() as transaction:
        account = await insert_account(transaction, new, new_id(), password_hash, now)
        if account is None:
            raise ConflictError("An account with this e-mail address exists.", field="email")
        await append_event(transaction, account_event(UserRegistered, account, now))
    return account


async def insert_account(
    transaction: AsyncConnection, new: NewAccount, user_id: str, password_hash: str, now: datetime
) -> AccountRecord | None:
    """Write the row; None if the address is taken, by an account that may have come a moment ago."""
    values = {
        "id": user_id,
        "email": new.email.strip(),
        "email_key": email_key(new.email),
        "password_hash": password_hash,
        "display_name": new.display_name.strip(),
        "roles": ["USER"],
        "status": "ACTIVE",
        "version": 1,
        "created_at": now,
        **asdict(new.settings),
        **asdict(new.profile),
    }
    statement = postgresql.insert(AccountRow).values(values).on_conflict_do_nothing().returning(col(AccountRow.id))
    if (await transaction.execute(statement)).one_or_none() is None:
        return None
    return (await accounts_by_id(transaction, [user_id]))[user_id]


async def update_profile(
    user_id: str,
    changes: dict[str, Any],
    *,
    display_name: str | None,
    expected_version: int | None,
    database: Database,
    now: datetime,
) -> AccountRecord:
    """Change the named parts of the profile. Raises ValidationError, StaleVersionError."""
    async with database.transaction() as transaction:
        account = await _locked(transaction, user_id, expected_version)
        checks = Checks()
        if display_name is not None:
            check_display_name(checks, display_name)
        profile = replace(_profile(account), **changes)
        check_profile(checks, profile, local_date(now, account.time_zone, account.day_start_hour))
        checks.done()
        values = asdict(profile) | ({} if display_name is None else {"display_name": display_name.strip()})
        return await _write(transaction, account, values, ProfileChanged, now)


async def update_settings(
    user_id: str, changes: dict[str, Any], *, expected_version: int | None, database: Database, now: datetime
) -> AccountRecord:
    """Change the named settings; days that entries were given before stay. Raises ValidationError, StaleVersionError."""
    async with database.transaction() as transaction:
        account = await _locked(transaction, user_id, expected_version)
        settings = replace(_settings(account), **changes)
        checks = Checks()
        check_settings(checks, settings)
        checks.done()
        return await _write(transaction, account, asdict(settings), SettingsChanged, now)


async def _locked(transaction: AsyncConnection, user_id: str, expected_version: int | None) -> AccountRecord:
    account = await lock_account(transaction, user_id)
    if account is None:
        raise NotFoundError("This account does not exist.")
    if expected_version is not None and expected_version != account.version:
        raise StaleVersionError("account", expected=expected_version, current=account.version)
    return account


async def _write(
    transaction: AsyncConnection,
    account: AccountRecord,
    values: dict[str, Any],
    kind: type[AccountState],
    now: datetime,
) -> AccountRecord:
    changed = {name: value for name, value in values.items() if getattr(account, name) != value}
    if not changed:
        return account
    version = account.version + 1
    await transaction.execute(
        update(AccountRow).where(col(AccountRow.id) == account.id).values(**changed, version=version)
    )
    written = replace(account, **changed, version=version)
    await append_event(transaction, account_event(kind, written, now))
    return written


def _profile(account: AccountRecord) -> Profile:
    return Profile(**{name: getattr(account, name) for name in Profile.__slots__})


def _settings(account: AccountRecord) -> PersonalSettings:
    return PersonalSettings(**{name: getattr(account, name) for name in PersonalSettings.__slots__})
