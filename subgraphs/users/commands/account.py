"""Making and changing accounts. Each command checks, writes the row and its event in one transaction."""

from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import update
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from events.contracts.users import AccountState, ProfileChanged, SettingsChanged, UserRegistered
from events.outbox import append_event
from subgraphs.shell.calendar import local_date
from subgraphs.shell.database import Database
from subgraphs.shell.errors import Checks, expect_version
from subgraphs.shell.idempotency import key_columns
from subgraphs.shell.inputs import RequestKey
from subgraphs.shell.node import NodeKind, new_node_id
from subgraphs.users.commands.account_event import account_event
from subgraphs.users.commands.consent import keep_choices
from subgraphs.users.commands.logged_entry import move_report
from subgraphs.users.commands.mail import queue_mail
from subgraphs.users.commands.password import hash_password
from subgraphs.users.commands.reminder import move_reminders
from subgraphs.users.commands.workout_reminder import move_workout_reminders
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
from subgraphs.users.domain.consent import ConsentChoice, ConsentWay
from subgraphs.users.domain.mail import MailKind
from subgraphs.users.queries.account import AccountRecord, accounts_by_id, lock_existing_account
from subgraphs.users.queries.notification_preference import PreferenceRecord, preferences_by_user
from subgraphs.users.tables import AccountRow


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAccount:
    """What somebody who registers tells. `consented_at` is when the consents were given; None: just now."""

    email: str
    password: str
    display_name: str
    profile: Profile = field(default_factory=Profile)
    settings: PersonalSettings = field(default_factory=PersonalSettings)
    request: RequestKey | None = None
    email_verified_at: datetime | None = None
    consents: tuple[ConsentChoice, ...] = ()
    consented_at: datetime | None = None


async def make_account(new: NewAccount, *, database: Database, now: datetime) -> AccountRecord | None:
    """Make an account and announce it; None where its address or its idempotency key is taken. Raises ValidationError.

    Its address is asked for a proof by mail.
    """
    check_account(new, now)
    password_hash = await hash_password(new.password)
    async with database.transaction() as transaction:
        account = await add_account(transaction, new, password_hash, now)
        if account is not None:
            await queue_mail(transaction, MailKind.VERIFY_EMAIL, account.email, now, user_id=account.id)
    return account


async def add_account(
    transaction: AsyncConnection, new: NewAccount, password_hash: str, now: datetime
) -> AccountRecord | None:
    """Write and announce an account that was checked; None where its address or its idempotency key is taken."""
    account = await insert_account(transaction, new, new_node_id(NodeKind.USER), password_hash, now)
    if account is not None:
        await keep_choices(transaction, account.id, new.consents, ConsentWay.REGISTRATION, new.consented_at or now)
        await append_event(transaction, account_event(UserRegistered, account, now))
    return account


def check_account(new: NewAccount, now: datetime) -> None:
    """Raises ValidationError with every rule that is broken."""
    checks = Checks()
    check_email(checks, new.email)
    check_password(checks, new.password)
    check_display_name(checks, new.display_name)
    check_settings(checks, new.settings)
    checks.done()
    check_profile(checks, new.profile, local_date(now, new.settings.time_zone, new.settings.day_start_hour))
    checks.done()


async def insert_account(
    transaction: AsyncConnection, new: NewAccount, user_id: str, password_hash: str, now: datetime
) -> AccountRecord | None:
    """Write the row; None if the address or key is taken, by an account that may have come a moment ago."""
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
        "email_verified_at": new.email_verified_at,
        **asdict(new.settings),
        **asdict(new.profile),
        **key_columns(new.request),
    }
    statement = postgresql.insert(AccountRow).values(values).on_conflict_do_nothing().returning(col(AccountRow.id))
    if (await transaction.execute(statement)).one_or_none() is None:
        return None
    return (await accounts_by_id(transaction, [user_id]))[user_id]


async def update_profile(
    user_id: str,
    changes: dict[str, Any],
    *,
    expected_version: int | None,
    database: Database,
    now: datetime,
) -> AccountRecord:
    """Change the named parts of the profile and the display name. Raises ValidationError, StaleVersionError."""
    async with database.transaction() as transaction:
        account = await _locked(transaction, user_id, expected_version)
        checks = Checks()
        display_name = changes.pop("display_name", account.display_name)
        check_display_name(checks, display_name)
        profile = replace(_profile(account), **changes)
        check_profile(checks, profile, local_date(now, account.time_zone, account.day_start_hour))
        checks.done()
        values = asdict(profile) | {"display_name": display_name.strip()}
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
        written = await _write(transaction, account, asdict(settings), SettingsChanged, now)
        if written.time_zone != account.time_zone:
            await move_reminders(transaction, written, now)
            kept = (await preferences_by_user(transaction, [user_id])).get(user_id, PreferenceRecord())
            await move_workout_reminders(transaction, written, kept.preferences, now)
        if written != account:
            await move_report(transaction, written)
        return written


async def _locked(transaction: AsyncConnection, user_id: str, expected_version: int | None) -> AccountRecord:
    account = await lock_existing_account(transaction, user_id)
    expect_version("account", expected=expected_version, current=account.version)
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
    written = account._replace(**changed, version=version)
    await append_event(transaction, account_event(kind, written, now))
    return written


def _profile(account: AccountRecord) -> Profile:
    return Profile(**{name: getattr(account, name) for name in Profile.__slots__})


def _settings(account: AccountRecord) -> PersonalSettings:
    return PersonalSettings(**{name: getattr(account, name) for name in PersonalSettings.__slots__})
