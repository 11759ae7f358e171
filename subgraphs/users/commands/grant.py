"""Letting others read and plan: inviting, accepting, and ending what was granted. Every subgraph hears of it by events."""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from events.contracts.users import AccessEnded, AccessGranted
from events.envelope import Payload, new_id
from events.outbox import NewEvent, append_events
from subgraphs.shell.auth import Viewer
from subgraphs.shell.context import Resources, utc_now
from subgraphs.shell.database import take_turns
from subgraphs.shell.errors import ConflictError, NotFoundError, ValidationError
from subgraphs.shell.grants import Grant, forget_grants_of, keep_grant
from subgraphs.shell.telemetry import current_traceparent
from subgraphs.users.commands.attempts import count_attempt, forget_attempts
from subgraphs.users.commands.mail import queue_mail
from subgraphs.users.commands.notification import notify, tell_subscribers
from subgraphs.users.domain.account import email_key
from subgraphs.users.domain.grant import INVITATION_LIFE, MOST_CLIENTS, MOST_INVITATIONS, MOST_READERS, Offer
from subgraphs.users.domain.mail import MailKind
from subgraphs.users.domain.notification import NewNotification, NotificationKind
from subgraphs.users.queries.account import AccountRecord, lock_existing_account
from subgraphs.users.queries.grant import (
    InvitationRecord,
    grant_counts_by_owner,
    grant_counts_by_reader,
    invitations_by_owner,
)

EXPIRED_DAYS = 30

_INVITE = text(
    "INSERT INTO grant_invitation"
    " (id, owner_id, relation, areas, plans, days, email, email_key, code_hash, created_at, expires_at)"
    " VALUES (:id, :owner_id, :relation, :areas, :plans, :days, :email, :email_key, :code_hash, :now, :expires_at)"
)
_TAKE = text(
    "DELETE FROM grant_invitation WHERE expires_at > :now AND (code_hash = CAST(:code_hash AS bytea)"
    " OR (id = CAST(:id AS text) AND email_key = CAST(:email_key AS text)))"
    " RETURNING id, owner_id, relation, areas, plans, days"
)
_WITHDRAW = text("DELETE FROM grant_invitation WHERE id = :id AND owner_id = :user_id")
_REVOKE = text(
    "DELETE FROM access_grant WHERE id = :id AND (owner_id = :user_id OR reader_id = :user_id) RETURNING id, owner_id, reader_id,"
    " relation"
)
_MINE = text(
    "SELECT id, owner_id, reader_id, relation, areas, granted_at, expires_at, plans FROM access_grant"
    " WHERE id = :id AND (owner_id = :user_id OR reader_id = :user_id) FOR UPDATE"
)
_OF_PERSON = text("SELECT id, owner_id FROM access_grant WHERE owner_id = :user_id OR reader_id = :user_id")
_FORGET_EVENTS = text("DELETE FROM outbox WHERE aggregate_type = 'access_grant' AND aggregate_id = ANY(:ids)")
_OLD_INVITATIONS = text(
    "DELETE FROM grant_invitation WHERE id IN (SELECT id FROM grant_invitation WHERE expires_at < now() LIMIT :rows)"
)
_OLD_GRANTS = text(
    "DELETE FROM access_grant WHERE id IN (SELECT id FROM access_grant"
    " WHERE expires_at < now() - make_interval(days => :days) LIMIT :rows) RETURNING id, owner_id"
)


async def invite_reader(viewer: Viewer, offer: Offer, *, resources: Resources) -> tuple[InvitationRecord, str | None]:
    """Offer somebody to read; returns the invitation, and the code that accepts it where no address does.

    Raises ConflictError while too many wait, RateLimitedError, NotFoundError.
    """
    await count_attempt(resources.redis, f"invite {viewer.id}")
    now = resources.now()
    code = None if offer.email else secrets.token_urlsafe(16)
    row: dict[str, Any] = {
        "id": new_id(),
        "owner_id": viewer.id,
        "relation": offer.relation.value,
        "areas": [area.value for area in offer.areas],
        "plans": [plan.value for plan in offer.plans],
        "days": offer.days,
        "email": offer.email and offer.email.strip(),
        "email_key": offer.email and email_key(offer.email),
        "code_hash": code and _hash(code),
        "now": now,
        "expires_at": now + INVITATION_LIFE,
    }
    async with resources.database.transaction() as transaction:
        await lock_existing_account(transaction, viewer.id)  # and calls of one person take turns, for the quota
        waiting = (await invitations_by_owner(transaction, [viewer.id])).get(viewer.id, ())
        if len(waiting) >= MOST_INVITATIONS:
            raise ConflictError(f"At most {MOST_INVITATIONS} invitations may wait: withdraw one first.")
        await transaction.execute(_INVITE, row)
        if row["email"]:
            await queue_mail(transaction, MailKind.GRANT_INVITATION, row["email"], now)
    record = InvitationRecord(
        id=row["id"],
        owner_id=viewer.id,
        relation=row["relation"],
        areas=row["areas"],
        days=offer.days,
        email=row["email"],
        created_at=now,
        expires_at=row["expires_at"],
        plans=row["plans"],
    )
    return record, code


async def accept_invitation(
    viewer: Viewer, *, code: str | None, invitation_id: str | None, resources: Resources
) -> Grant:
    """Become the reader that an invitation asks for: by its code, or by its id for whoever has proven its address.

    Raises ValidationError for one that does not hold, ConflictError for one's own and where either side has too many grants,
    RateLimitedError after too many guesses.
    """
    if (code is None) == (invitation_id is None):
        raise ValidationError(("code", "or id is needed, and not both"))
    await count_attempt(resources.redis, f"accept {viewer.id}")
    now = resources.now()
    async with resources.database.transaction() as transaction:
        account = await lock_existing_account(transaction, viewer.id)
        field = "id" if code is None else "code"
        offered = await _take(transaction, account, code, invitation_id, now)
        if offered is None:
            raise ValidationError((field, "does not hold: it was used, has expired, or is not for this account"))
        await _check_parties(transaction, offered.owner_id, viewer.id, field)
        grant = Grant(
            id=offered.id,
            owner_id=offered.owner_id,
            reader_id=viewer.id,
            relation=offered.relation,
            areas=tuple(offered.areas),
            granted_at=now,
            expires_at=now + timedelta(days=offered.days),
            plans=tuple(offered.plans),
        )
        told = await write_grant(transaction, grant, now)
    await tell_subscribers(resources.fanout, told)
    await forget_attempts(resources.redis, f"accept {viewer.id}")
    return grant


async def write_grant(transaction: AsyncConnection, grant: Grant, now: datetime) -> set[str]:
    """Store a grant that is new, and tell of it; returns whom `tell_subscribers` is to tell after the commit."""
    await keep_grant(transaction, grant)
    await append_events(transaction, [_event(_granted(grant), grant.id, grant.owner_id, 1, now)])
    return await notify(transaction, [_news(NotificationKind.ACCESS_GRANTED, grant.owner_id, grant)], now)


async def _take(
    transaction: AsyncConnection, account: AccountRecord, code: str | None, invitation_id: str | None, now: datetime
) -> Any:
    """The invitation, which is used up with this transaction; None for one that does not hold."""
    is_reached = account.email_verified_at is not None and account.invitable_by_email
    proven = email_key(account.email) if is_reached else None
    wanted = {"code_hash": None if code is None else _hash(code), "id": invitation_id, "email_key": proven, "now": now}
    return (await transaction.execute(_TAKE, wanted)).one_or_none()


async def _check_parties(transaction: AsyncConnection, owner_id: str, reader_id: str, field: str) -> None:
    if owner_id == reader_id:
        raise ConflictError("This invitation is for somebody else than who made it.", field=field)
    await take_turns(transaction, "grant", owner_id)
    if (await grant_counts_by_owner(transaction, [owner_id])).get(owner_id, 0) >= MOST_READERS:
        raise ConflictError(f"A person may have at most {MOST_READERS} readers.", field=field)
    if (await grant_counts_by_reader(transaction, [reader_id])).get(reader_id, 0) >= MOST_CLIENTS:
        raise ConflictError(f"A reader may have at most {MOST_CLIENTS} grants.", field=field)


async def revoke_access(viewer: Viewer, grant_id: str, *, resources: Resources) -> None:
    """End a grant, as whoever gave it or was given it, or withdraw an invitation. Raises NotFoundError, for others' too."""
    now = resources.now()
    whose = {"id": grant_id, "user_id": viewer.id}
    async with resources.database.transaction() as transaction:
        if (await transaction.execute(_WITHDRAW, whose)).rowcount:
            return
        ended = (await transaction.execute(_REVOKE, whose)).all()
        if not ended:
            raise NotFoundError("There is no such grant or invitation.")
        await _tell_ended(transaction, ended, now)
        others = [(grant.reader_id if grant.owner_id == viewer.id else grant.owner_id, grant) for grant in ended]
        news = [_news(NotificationKind.ACCESS_ENDED, other_id, grant) for other_id, grant in others]
        told = await notify(transaction, news, now)
    await tell_subscribers(resources.fanout, told)
    await resources.ended_grants.announce(grant.id for grant in ended)


async def end_plans(viewer: Viewer, grant_id: str, *, resources: Resources) -> None:
    """Let a grant plan nothing any more, as whoever gave it or was given it; reading goes on. One that plans nothing stays.

    Raises NotFoundError, for others' too.
    """
    now = resources.now()
    async with resources.database.transaction() as transaction:
        row = (await transaction.execute(_MINE, {"id": grant_id, "user_id": viewer.id})).one_or_none()
        if row is None:
            raise NotFoundError("There is no such grant.")
        grant = Grant(*row)
        if not grant.plans:
            return
        reading = replace(grant, plans=())
        await keep_grant(transaction, reading)
        await append_events(transaction, [_event(_granted(reading), grant.id, grant.owner_id, 2, now)])
        other_id = grant.reader_id if grant.owner_id == viewer.id else grant.owner_id
        told = await notify(transaction, [_news(NotificationKind.PLANNING_ENDED, other_id, grant)], now)
    await tell_subscribers(resources.fanout, told)
    await resources.ended_grants.announce_plans(grant.id)


def _news(kind: NotificationKind, user_id: str, grant: Any) -> NewNotification:
    """What one side of a grant is told of what the other side did to it."""
    cause = f"{kind.value}:{grant.id}"
    return NewNotification(user_id=user_id, kind=kind, cause=cause, subject_id=grant.id, detail=grant.relation)


async def end_grants_of(transaction: AsyncConnection, user_id: str, now: datetime) -> list[str]:
    """End what a person gave and was given, and forget what was told of it: the person is erased, or withdrew what it
    rested on.

    Returns the ids of what ended, to be announced after the commit.
    """
    ended = (await transaction.execute(_OF_PERSON, {"user_id": user_id})).all()
    await transaction.execute(_FORGET_EVENTS, {"ids": [grant.id for grant in ended]})
    await forget_grants_of(transaction, user_id)
    await _tell_ended(transaction, ended, now)
    return [grant.id for grant in ended]


async def forget_grants(connection: AsyncConnection, rows: int) -> int:
    """Delete invitations that expired, and grants a month after they did; returns how many."""
    invitations = await connection.execute(_OLD_INVITATIONS, {"rows": rows})
    grants = (await connection.execute(_OLD_GRANTS, {"rows": rows, "days": EXPIRED_DAYS})).all()
    await _tell_ended(connection, grants, utc_now())
    return int(invitations.rowcount) + len(grants)


async def _tell_ended(transaction: AsyncConnection, ended: Sequence[Any], now: datetime) -> None:
    await append_events(transaction, [_event(AccessEnded(), grant.id, grant.owner_id, 3, now) for grant in ended])


def _granted(grant: Grant) -> AccessGranted:
    return AccessGranted(
        reader_id=grant.reader_id,
        relation=grant.relation,
        areas=grant.areas,
        granted_at=grant.granted_at,
        expires_at=grant.expires_at,
        plans=grant.plans,
    )


def _event(payload: Payload, grant_id: str, owner_id: str, version: int, now: datetime) -> NewEvent:
    return NewEvent(
        payload=payload,
        aggregate_id=grant_id,
        version=version,
        user_id=owner_id,
        occurred_at=now,
        traceparent=current_traceparent(),
    )


def _hash(code: str) -> bytes:
    return hashlib.sha256(code.encode()).digest()
