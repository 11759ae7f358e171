"""Withdrawing the consent to health data: the account is read-only from then on, and erased a fortnight later.

What the person may still do is what such an account is kept for: read and export everything, agree again, or erase it at once.
"""

from datetime import datetime
from functools import partial

from sqlalchemy import text

from subgraphs.shell.auth import Viewer
from subgraphs.shell.context import Resources
from subgraphs.users.commands.api_key import end_sessions_and_keys_of
from subgraphs.users.commands.audit import keep_entries
from subgraphs.users.commands.consent import entry_of, keep_choices, versions_in_force
from subgraphs.users.commands.due import Queue, is_due
from subgraphs.users.commands.erasure import erase_account
from subgraphs.users.commands.grant import end_grants_of
from subgraphs.users.commands.mail import queue_mail
from subgraphs.users.commands.session import SignIn, open_session_like
from subgraphs.users.domain.account import AuditAction
from subgraphs.users.domain.consent import ERASED_AFTER, ConsentChoice, ConsentPurpose, ConsentWay
from subgraphs.users.domain.mail import MailKind
from subgraphs.users.queries.account import accounts_by_id, lock_account, lock_existing_account

PATIENCE_SECONDS = 120.0
AT_ONCE = 20

_ERASE_LATER = text("UPDATE account SET erase_at = :erase_at WHERE id = :id")
_DUE = text("SELECT id FROM account WHERE erase_at <= :now ORDER BY erase_at LIMIT :most")


async def withdraw_health_data(viewer: Viewer, *, resources: Resources) -> SignIn:
    """End every session, key and grant of the viewer, and open a session that may read, agree again, and erase.

    Withdrawn already, the day of the erasure stays. The person is told by mail.
    """
    now = resources.now()
    version = versions_in_force(resources.settings).get(ConsentPurpose.HEALTH_DATA)
    choice = ConsentChoice(ConsentPurpose.HEALTH_DATA, False, version)
    async with resources.database.transaction() as transaction:
        before = await lock_existing_account(transaction, viewer.id)
        await keep_choices(transaction, viewer.id, [choice], ConsentWay.SETTINGS, now)
        ended = await end_sessions_and_keys_of(transaction, viewer.id, now)
        grants = await end_grants_of(transaction, viewer.id, now)
        if before.erase_at is None:
            due = now + ERASED_AFTER
            await transaction.execute(_ERASE_LATER, {"id": viewer.id, "erase_at": due})
            await keep_entries(transaction, [entry_of(AuditAction.HEALTH_DATA_WITHDRAWN, before, due, now)])
            await queue_mail(transaction, MailKind.HEALTH_DATA_WITHDRAWN, before.email, now, user_id=viewer.id)
        account = (await accounts_by_id(transaction, [viewer.id]))[viewer.id]
        entered = await open_session_like(transaction, viewer.session_id, account, resources)
    await resources.revoked_sessions.announce(ended)
    await resources.ended_grants.announce(grants)
    return entered


async def erase_withdrawn(resources: Resources) -> None:
    """Erase whose time is over, for ever."""
    loop = resources.loops.add("withdrawn-accounts", patience_seconds=PATIENCE_SECONDS)

    async def some() -> bool:
        return await erase_some(resources) == AT_ONCE

    await loop.run(lambda: loop.work_off(some, partial(is_due, resources, Queue.ERASURES)))


async def erase_some(resources: Resources) -> int:
    """Erase up to 20 accounts that are due, each in a transaction of its own; returns how many."""
    now = resources.now()
    async with resources.database.transaction() as transaction:
        due = (await transaction.scalars(_DUE, {"now": now, "most": AT_ONCE})).all()
    return sum([await _erase(user_id, now, resources) for user_id in due])


async def _erase(user_id: str, now: datetime, resources: Resources) -> bool:
    """False where another process was first, or the person agreed again meanwhile."""
    async with resources.database.transaction() as transaction:
        account = await lock_account(transaction, user_id)
        if account is None or account.erase_at is None or account.erase_at > now:
            return False
        ended, grants = await erase_account(transaction, account, now)
    await resources.revoked_sessions.announce(ended)
    await resources.ended_grants.announce(grants)
    return True
