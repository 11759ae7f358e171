"""What administrators do to accounts: suspend, reinstate, give and take roles, and PREMIUM until a moment. Each leaves an entry in the audit trail.

Whoever is suspended, has other roles or loses PREMIUM is signed out, so that no token tells what was true before; API keys, whose
tokens tell of no role, end with a suspension alone. Whoever is given PREMIUM, or more of it, stays signed in, and has it with the next
`refresh`.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from events.contracts.users import StatusChanged
from events.envelope import new_id
from events.outbox import append_event
from subgraphs.shell.auth import Viewer
from subgraphs.shell.context import Resources
from subgraphs.shell.errors import Checks, NotFoundError, expect_version
from subgraphs.users.commands.account_event import account_event
from subgraphs.users.commands.api_key import end_keys_of
from subgraphs.users.commands.audit import keep_entries
from subgraphs.users.commands.ended_session import end_sessions
from subgraphs.users.domain.account import LONGEST_PREMIUM, AccountStatus, AuditAction, Role, check_reason
from subgraphs.users.queries.account import AccountRecord, account_by_email, lock_account
from subgraphs.users.queries.audit import AuditRecord
from subgraphs.users.tables import SessionRow

#: Who acts where somebody with access to the database does, and nobody who is signed in.
OPERATOR = "operator"

_CHANGE = text(
    "UPDATE account SET status = :status, roles = :roles, premium_until = :premium_until, version = version + 1 WHERE id = :id"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """Which account to change, why, and from which version of it."""

    user_id: str
    reason: str
    expected_version: int | None = None


async def set_status(viewer: Viewer, status: AccountStatus, measure: Measure, *, resources: Resources) -> AccountRecord:
    """Suspend or reinstate an account. Raises ValidationError, NotFoundError, StaleVersionError."""
    action = AuditAction.SUSPENDED if status is AccountStatus.SUSPENDED else AuditAction.REINSTATED
    return await _change(viewer, action, measure, {"status": status.value}, resources)


async def set_roles(
    viewer: Viewer, roles: Collection[Role], measure: Measure, *, resources: Resources
) -> AccountRecord:
    """Give an account these roles for good, and no others; everybody is a USER. PREMIUM, which ends, is not among them.

    Raises as `set_status` does.
    """
    checks = Checks()
    checks.require(Role.PREMIUM not in roles, "roles", "cannot name PREMIUM, which has an end: use setPremium")
    checks.done()
    return await _change(viewer, AuditAction.ROLES_CHANGED, measure, {"roles": _stored(roles)}, resources)


async def set_premium(viewer: Viewer, until: datetime, measure: Measure, *, resources: Resources) -> AccountRecord:
    """Give an account the role PREMIUM until a moment; one that is past takes it away. Raises as `set_status` does."""
    checks = Checks()
    checks.require(until <= resources.now() + LONGEST_PREMIUM, "until", "must be within ten years")
    checks.done()
    return await _change(viewer, AuditAction.PREMIUM_SET, measure, {"premium_until": until}, resources)


async def set_roles_by_operator(
    transaction: AsyncConnection, email_key: str, roles: Collection[Role], now: datetime
) -> AccountRecord | None:
    """As `set_roles`, for an operator with access to the database: how the first administrator comes about.

    None where the address has no account.
    """
    account = await account_by_email(transaction, email_key)
    if account is None:
        return None
    written, _ = await _write(
        transaction, account, {"roles": _stored(roles)}, AuditAction.ROLES_CHANGED, (OPERATOR, "by command"), now
    )
    return written


async def _change(
    viewer: Viewer, action: AuditAction, measure: Measure, change: Mapping[str, Any], resources: Resources
) -> AccountRecord:
    checks = Checks()
    check_reason(checks, measure.reason)
    checks.require(measure.user_id != viewer.id, "userId", "must be another person's: nobody locks themselves out")
    checks.done()
    now = resources.now()
    async with resources.database.transaction() as transaction:
        account = await lock_account(transaction, measure.user_id)
        if account is None:
            raise NotFoundError("There is no such account.")
        expect_version("account", expected=measure.expected_version, current=account.version)
        written, ended = await _write(transaction, account, change, action, (viewer.id, measure.reason.strip()), now)
    await resources.revoked_sessions.announce(ended)
    return written


async def _write(
    transaction: AsyncConnection,
    account: AccountRecord,
    change: Mapping[str, Any],
    action: AuditAction,
    by: tuple[str, str],
    now: datetime,
) -> tuple[AccountRecord, Sequence[str]]:
    """The account as it is now, and the sessions and API keys that ended, to be announced after the commit. `by`: who, and why."""
    written = account._replace(**change, version=account.version + 1)
    before, after = _told(account, change), _told(written, change)
    if before == after:
        return account, ()
    columns = {"status": written.status, "roles": written.roles, "premium_until": written.premium_until}
    await transaction.execute(_CHANGE, {"id": account.id, **columns})
    actor, reason = by
    entry = AuditRecord(
        id=new_id(),
        at=now,
        action=action.value,
        actor_id=actor,
        subject_id=account.id,
        reason=reason,
        before=before,
        after=after,
    )
    await keep_entries(transaction, [entry])
    await append_event(transaction, account_event(StatusChanged, written, now))
    if action is AuditAction.PREMIUM_SET and not _loses_premium(account, written, now):
        return written, ()
    ended = await end_sessions(transaction, col(SessionRow.user_id) == account.id, now)
    if written.status == AccountStatus.SUSPENDED:
        ended = [*ended, *await end_keys_of(transaction, account.id, now)]
    return written, ended


def _loses_premium(before: AccountRecord, after: AccountRecord, now: datetime) -> bool:
    """Whether tokens that were issued before may hold for longer than the role does now."""
    had, has = before.premium_until or now, after.premium_until or now
    return had > now and has < had


def _stored(roles: Collection[Role]) -> list[str]:
    return [role.value for role in Role if role in roles or role is Role.USER]


def _told(account: AccountRecord, change: Mapping[str, Any]) -> str:
    """What changes of an account, as the audit trail has it."""
    if "premium_until" in change:
        return "none" if account.premium_until is None else account.premium_until.isoformat()
    return ", ".join(account.roles) if "roles" in change else account.status
