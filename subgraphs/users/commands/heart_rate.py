"""Keeping, correcting and taking back heart rates. Others read them with the physiology, so no event goes out."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, TypedDict

from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncConnection

from events.envelope import new_id
from subgraphs.shell.auth import Viewer
from subgraphs.shell.calendar import local_date
from subgraphs.shell.database import Database
from subgraphs.shell.errors import Checks, ConflictError, NotFoundError, expect_version
from subgraphs.shell.idempotency import id_of_request, key_columns
from subgraphs.shell.inputs import RequestKey, made_id_of
from subgraphs.shell.physiology import HeartRateKind
from subgraphs.users.domain.heart_rate import MOST_HEART_RATES, check_heart_rate
from subgraphs.users.queries.account import lock_account, lock_existing_account
from subgraphs.users.queries.heart_rate import (
    HeartRateRecord,
    heart_rate_counts,
    heart_rate_of_day,
    heart_rates_by_id,
)
from subgraphs.users.tables import HeartRateRow

_UPDATE = text(
    "UPDATE heart_rate SET beats_per_minute = :beats_per_minute, since = :since, notes = :notes, version = version + 1"
    " WHERE id = :id"
)
_DELETE = text("DELETE FROM heart_rate WHERE id = :id")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewHeartRate:
    """A heart rate about to be kept. `since` None is the person's day now. The same request again finds the first one."""

    kind: HeartRateKind
    beats_per_minute: int
    since: date | None = None
    notes: str | None = None
    request: RequestKey | None = None


class HeartRateChanges(TypedDict, total=False):
    """What is to be different; what is absent stays as it is, and None takes the notes away."""

    beats_per_minute: int
    since: date
    notes: str | None


async def log_heart_rate(viewer: Viewer, new: NewHeartRate, *, database: Database, now: datetime) -> HeartRateRecord:
    """Keep a heart rate from its day on. Raises ValidationError, and ConflictError for too many, for a second one of the
    kind from the same day on, or for a key used otherwise.
    """
    async with database.transaction() as transaction:
        # The lock makes calls of one person take turns: for the idempotency key, the day and the quota.
        account = await lock_existing_account(transaction, viewer.id)
        since = new.since or local_date(now, account.time_zone, account.day_start_hour)
        entry_id = await id_of_request(transaction, "heart_rate", viewer.id, new.request)
        if entry_id is None:
            _check(new, since, now)
            if (await heart_rate_counts(transaction, [viewer.id])).get(viewer.id, 0) >= MOST_HEART_RATES:
                raise ConflictError(f"There may be at most {MOST_HEART_RATES} heart rates: delete one first.")
            row = heart_rate_row(account.id, new, since)
            entry_id = row["id"]
            await _refuse_same_day(transaction, row)
            await transaction.execute(insert(HeartRateRow), [row])
        return (await heart_rates_by_id(transaction, [entry_id]))[entry_id]


async def edit_heart_rate(
    viewer: Viewer,
    entry_id: str,
    changes: HeartRateChanges,
    *,
    expected_version: int | None,
    database: Database,
    now: datetime,
) -> HeartRateRecord:
    """Correct a heart rate; its kind stays. Raises ValidationError, StaleVersionError, ConflictError for a day that another
    of its kind has, and NotFoundError for another person's too.
    """
    async with database.transaction() as transaction:
        account = await lock_account(transaction, viewer.id)
        stored = await _own(transaction, viewer, entry_id, expected_version)
        assert account is not None  # else its heart rates were gone with it
        before = NewHeartRate(
            kind=HeartRateKind(stored.kind),
            beats_per_minute=stored.beats_per_minute,
            since=stored.since,
            notes=stored.notes,
        )
        after = replace(before, **changes)
        since = after.since or stored.since
        _check(after, since, now)
        row = heart_rate_row(account.id, after, since) | {"id": entry_id}
        await _refuse_same_day(transaction, row)
        await transaction.execute(_UPDATE, row)
        return (await heart_rates_by_id(transaction, [entry_id]))[entry_id]


async def delete_heart_rate(viewer: Viewer, entry_id: str, *, expected_version: int | None, database: Database) -> None:
    """Take a heart rate back; that before it holds again. Raises NotFoundError, for another person's too, and
    StaleVersionError.
    """
    async with database.transaction() as transaction:
        await lock_account(transaction, viewer.id)
        await _own(transaction, viewer, entry_id, expected_version)
        await transaction.execute(_DELETE, {"id": entry_id})


def heart_rate_row(user_id: str, new: NewHeartRate, since: date) -> dict[str, Any]:
    """The columns of a new heart rate that holds from the day `since` on."""
    return {
        "id": made_id_of(new.request) or new_id(),
        "user_id": user_id,
        "kind": new.kind.value,
        "beats_per_minute": new.beats_per_minute,
        "since": since,
        "notes": new.notes,
        "version": 1,
        **key_columns(new.request),
    }


def _check(new: NewHeartRate, since: date, now: datetime) -> None:
    checks = Checks()
    check_heart_rate(
        checks, kind=new.kind, beats_per_minute=new.beats_per_minute, since=since, notes=new.notes, now=now
    )
    checks.done()


async def _own(
    transaction: AsyncConnection, viewer: Viewer, entry_id: str, expected_version: int | None
) -> HeartRateRecord:
    stored = (await heart_rates_by_id(transaction, [entry_id])).get(entry_id)
    if stored is None or stored.user_id != viewer.id:
        raise NotFoundError("There is no such heart rate.")
    expect_version("heart rate", expected=expected_version, current=stored.version)
    return stored


async def _refuse_same_day(transaction: AsyncConnection, row: dict[str, Any]) -> None:
    """Two of a kind from one day on would leave open which of them holds."""
    there = await heart_rate_of_day(transaction, row["user_id"], row["kind"], row["since"])
    if there not in (None, row["id"]):
        raise ConflictError("Another heart rate of this kind holds from this day on: edit that one.", field="since")
