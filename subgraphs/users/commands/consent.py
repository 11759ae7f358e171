"""Keeping what people agree to: at registration, and whenever they decide anew."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from events.envelope import new_id
from subgraphs.shell.auth import Viewer
from subgraphs.shell.context import Resources
from subgraphs.shell.errors import Checks
from subgraphs.shell.settings import Settings
from subgraphs.users.commands.attempts import CONSENTS, count_attempt
from subgraphs.users.commands.audit import keep_entries
from subgraphs.users.domain.account import AuditAction
from subgraphs.users.domain.consent import (
    MOST_KEPT,
    ConsentChoice,
    ConsentPurpose,
    ConsentWay,
    check_choices,
    check_required,
)
from subgraphs.users.queries.account import AccountRecord, lock_existing_account
from subgraphs.users.queries.audit import AuditRecord
from subgraphs.users.queries.consent import consents_by_user

_PAST = text(
    "UPDATE consent SET is_current = false WHERE user_id = :user_id AND purpose = ANY(:purposes) AND is_current"
)
_DECIDED = text(
    "INSERT INTO consent (id, user_id, purpose, is_given, version, decided_at, way, is_current)"
    " VALUES (:id, :user_id, :purpose, :is_given, :version, :now, :way, true)"
)
_FORGET_OLDEST = text(
    "DELETE FROM consent WHERE id IN (SELECT id FROM consent WHERE user_id = :user_id"
    " ORDER BY decided_at DESC, id DESC OFFSET :most) AND NOT is_current"
)
_TAKEN_UP = text("UPDATE account SET erase_at = NULL WHERE id = :user_id")


def versions_in_force(settings: Settings) -> dict[ConsentPurpose, str]:
    """The version of each text that this platform puts before people; a purpose without one is not asked about."""
    versions = {
        ConsentPurpose.TERMS: settings.consents.terms,
        ConsentPurpose.HEALTH_DATA: settings.consents.health_data,
        ConsentPurpose.EMAILS: settings.consents.emails,
        ConsentPurpose.STATISTICS: settings.consents.statistics,
    }
    return {purpose: version for purpose, version in versions.items() if version is not None}


def check_consents_of_registration(choices: Sequence[ConsentChoice], settings: Settings) -> None:
    """Raises ValidationError where something required is missing, or another text was agreed to than the one in force."""
    in_force = versions_in_force(settings)
    checks = Checks()
    check_choices(checks, choices, in_force)
    check_required(checks, choices, in_force)
    checks.done()


async def update_consents(viewer: Viewer, choices: Sequence[ConsentChoice], *, resources: Resources) -> None:
    """Keep what the viewer decides. Who agrees to health data again within the time for that keeps the account.

    Raises ValidationError, also for withdrawing what an account cannot be without, and RateLimitedError.
    """
    checks = Checks()
    check_choices(checks, choices, versions_in_force(resources.settings))
    for place, choice in enumerate(choices):
        instead = _INSTEAD.get(choice.purpose)
        checks.require(choice.is_given or instead is None, f"consents.{place}.isGiven", f"cannot be false: {instead}")
    checks.done()
    await count_attempt(resources.redis, f"consents {viewer.id}", CONSENTS)
    async with resources.database.transaction() as transaction:
        account, now = await lock_existing_account(transaction, viewer.id), resources.now()
        await keep_choices(transaction, viewer.id, choices, ConsentWay.SETTINGS, now)
        if account.erase_at is not None and any(each.purpose is ConsentPurpose.HEALTH_DATA for each in choices):
            await transaction.execute(_TAKEN_UP, {"user_id": viewer.id})
            await keep_entries(transaction, [entry_of(AuditAction.HEALTH_DATA_AGREED_AGAIN, account, None, now)])


_INSTEAD: Mapping[ConsentPurpose, str] = {
    ConsentPurpose.TERMS: "the contract ends with the account, by deleteAccount",
    ConsentPurpose.HEALTH_DATA: "use withdrawHealthDataConsent, which has the account erased",
}


def entry_of(action: AuditAction, account: AccountRecord, erase_at: datetime | None, now: datetime) -> AuditRecord:
    """What the audit trail says of a person who decides when their account is erased; None: not any more."""
    return AuditRecord(
        id=new_id(),
        at=now,
        action=action.value,
        actor_id=account.id,
        subject_id=account.id,
        reason="by the person",
        before=_told(account.erase_at),
        after=_told(erase_at),
    )


def _told(erase_at: datetime | None) -> str:
    return "stays" if erase_at is None else f"erased at {erase_at.isoformat()}"


async def keep_choices(
    transaction: AsyncConnection, user_id: str, choices: Sequence[ConsentChoice], way: ConsentWay, now: datetime
) -> None:
    """Write down each decision that differs from what holds. The caller has the account's lock, or has just made it."""
    held = (await consents_by_user(transaction, [user_id])).get(user_id, [])
    holds = {(each.purpose, each.is_given, each.version) for each in held}
    new = [choice for choice in choices if (choice.purpose, choice.is_given, choice.version) not in holds]
    if not new:
        return
    await transaction.execute(_PAST, {"user_id": user_id, "purposes": [choice.purpose.value for choice in new]})
    rows = [
        {
            "id": new_id(),
            "user_id": user_id,
            "purpose": choice.purpose.value,
            "is_given": choice.is_given,
            "version": choice.version,
            "way": way.value,
            "now": now,
        }
        for choice in new
    ]
    await transaction.execute(_DECIDED, rows)
    await transaction.execute(_FORGET_OLDEST, {"user_id": user_id, "most": MOST_KEPT})
