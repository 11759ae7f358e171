"""Erasing a person: everything here at once, and everything elsewhere as each subgraph hears of it."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from events.contracts.users import UserErased
from events.outbox import NewEvent, append_event, forget_events_of
from subgraphs.shell.auth import Viewer
from subgraphs.shell.change_log import forget_changes_of
from subgraphs.shell.context import Resources
from subgraphs.shell.telemetry import current_traceparent
from subgraphs.users.commands.api_key import end_sessions_and_keys_of
from subgraphs.users.commands.grant import end_grants_of
from subgraphs.users.commands.mail import queue_mail
from subgraphs.users.commands.own_password import check_own_password
from subgraphs.users.domain.account import email_key
from subgraphs.users.domain.mail import MailKind
from subgraphs.users.queries.account import AccountRecord, lock_existing_account

# What is not of the account's row, which takes sessions, keys, tokens, weighings, measurements, invitations and mails with it.
_FORGET = (
    text("DELETE FROM mailed_token WHERE email_key = :email_key"),
    text("DELETE FROM registration WHERE email_key = :email_key"),
    text("DELETE FROM grant_invitation WHERE email_key = :email_key"),
    text("DELETE FROM notification WHERE actor_id = :id"),
    text("DELETE FROM account WHERE id = :id"),
)


async def erase_person(viewer: Viewer, password: str, *, resources: Resources) -> None:
    """Delete the viewer's account with all that it has, for good, and tell every subgraph to do the same.

    Events about the person go too, but for the one that says so. Raises ValidationError for a wrong password,
    RateLimitedError after too many.
    """
    await check_own_password(viewer, password, resources=resources)
    async with resources.database.transaction() as transaction:
        account = await lock_existing_account(transaction, viewer.id)
        ended, grants = await erase_account(transaction, account, resources.now())
    await resources.revoked_sessions.announce(ended)
    await resources.ended_grants.announce(grants)


async def erase_account(
    transaction: AsyncConnection, account: AccountRecord, now: datetime
) -> tuple[Sequence[str], Sequence[str]]:
    """Delete a locked account, and tell of it. Returns the ids of the sessions and API keys, and of the grants, that ended
    with it, to be announced after the commit.
    """
    await forget_events_of(transaction, account.id)
    ended = await end_sessions_and_keys_of(transaction, account.id, now)
    grants = await end_grants_of(transaction, account.id, now)
    for statement in _FORGET:
        await transaction.execute(statement, {"id": account.id, "email_key": email_key(account.email)})
    await forget_changes_of(transaction, account.id)
    await append_event(
        transaction,
        NewEvent(
            payload=UserErased(),
            aggregate_id=account.id,
            version=account.version + 1,
            user_id=account.id,
            occurred_at=now,
            traceparent=current_traceparent(),
        ),
    )
    await queue_mail(transaction, MailKind.ACCOUNT_ERASED, account.email, now)
    return ended, grants
