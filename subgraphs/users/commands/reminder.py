"""Reminders: set, changed, deleted, and set anew where the clock of their person is another.

The account is locked before any reminder of it, as the loop that sends them does it.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from events.envelope import new_id
from subgraphs.shell.auth import Viewer
from subgraphs.shell.calendar import Weekday
from subgraphs.shell.database import Database
from subgraphs.shell.errors import Checks, ConflictError, NotFoundError, expect_version
from subgraphs.shell.idempotency import id_of_request, key_columns
from subgraphs.shell.inputs import RequestKey, made_id_of
from subgraphs.users.domain.reminder import (
    MOST_LATE,
    MOST_REMINDERS,
    Due,
    ReminderKind,
    check_weekdays,
    in_order,
    next_due,
)
from subgraphs.users.queries.account import AccountRecord, lock_existing_account
from subgraphs.users.queries.reminder import ReminderRecord, reminders_by_id, reminders_by_user

_INSERT = text(
    "INSERT INTO reminder (id, user_id, kind, time_of_day, weekdays, is_on, next_at, next_day, version,"
    " idempotency_key, idempotency_content) VALUES (:id, :user_id, :kind, :time_of_day, :weekdays, true, :next_at,"
    " :next_day, 1, :idempotency_key, :idempotency_content)"
)
# What was changed is another reminder, so the day on which it was sent last counts no more.
_UPDATE = text(
    "UPDATE reminder SET time_of_day = :time_of_day, weekdays = :weekdays, is_on = :is_on, next_at = :next_at,"
    " next_day = :next_day, last_day = NULL, version = version + 1 WHERE id = :id"
)
_MOVE = text(
    "UPDATE reminder SET next_at = told.next_at, next_day = told.next_day FROM unnest(CAST(:ids AS text[]),"
    " CAST(:moments AS timestamptz[]), CAST(:days AS date[])) AS told (id, next_at, next_day) WHERE reminder.id = told.id"
)
_DELETE = text("DELETE FROM reminder WHERE id = :id")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewReminder:
    """A reminder about to be set, by the clock of its person. The same request again finds the first one."""

    kind: ReminderKind
    time_of_day: time
    weekdays: Collection[Weekday]
    request: RequestKey | None = None


async def create_reminder(viewer: Viewer, new: NewReminder, *, database: Database, now: datetime) -> ReminderRecord:
    """Set a reminder. Raises ValidationError, and ConflictError for too many or a key used otherwise."""
    _check(new.weekdays)
    async with database.transaction() as transaction:
        account = await lock_existing_account(transaction, viewer.id)
        reminder_id = await id_of_request(transaction, "reminder", viewer.id, new.request)
        if reminder_id is None:
            if len((await reminders_by_user(transaction, [viewer.id])).get(viewer.id, ())) >= MOST_REMINDERS:
                raise ConflictError(f"There may be at most {MOST_REMINDERS} reminders: delete one first.")
            reminder_id = made_id_of(new.request) or new_id()
            due = next_due(new.time_of_day, new.weekdays, account.time_zone, after=now, last_day=None)
            row = {
                "id": reminder_id,
                "user_id": viewer.id,
                "kind": new.kind.value,
                "time_of_day": new.time_of_day,
                "weekdays": [day.value for day in in_order(new.weekdays)],
                **_due_columns(due),
                **key_columns(new.request),
            }
            await transaction.execute(_INSERT, row)
        return (await reminders_by_id(transaction, [reminder_id]))[reminder_id]


async def update_reminder(
    viewer: Viewer,
    reminder_id: str,
    changes: Mapping[str, Any],
    *,
    expected_version: int | None,
    database: Database,
    now: datetime,
) -> ReminderRecord:
    """Change `time_of_day`, `weekdays` or `is_on`. Raises NotFoundError, StaleVersionError, ValidationError."""
    async with database.transaction() as transaction:
        account = await lock_existing_account(transaction, viewer.id)
        old = await _own(transaction, viewer, reminder_id, expected_version)
        weekdays: Collection[Weekday] = changes.get("weekdays", [Weekday(day) for day in old.weekdays])
        _check(weekdays)
        clock, is_on = changes.get("time_of_day", old.time_of_day), changes.get("is_on", old.is_on)
        due = next_due(clock, weekdays, account.time_zone, after=now, last_day=None) if is_on else None
        row = {
            "id": reminder_id,
            "time_of_day": clock,
            "weekdays": [day.value for day in in_order(weekdays)],
            "is_on": is_on,
            **_due_columns(due),
        }
        await transaction.execute(_UPDATE, row)
        return (await reminders_by_id(transaction, [reminder_id]))[reminder_id]


async def delete_reminder(
    viewer: Viewer, reminder_id: str, *, expected_version: int | None, database: Database
) -> None:
    """What it reminded of stays among the notifications. Raises NotFoundError, StaleVersionError."""
    async with database.transaction() as transaction:
        await lock_existing_account(transaction, viewer.id)
        await _own(transaction, viewer, reminder_id, expected_version)
        await transaction.execute(_DELETE, {"id": reminder_id})


async def move_reminders(transaction: AsyncConnection, account: AccountRecord, now: datetime) -> None:
    """Set the person's reminders anew by the clock of another zone. A day that is done stays done.

    What the new clock has shown less than an hour ago is still sent; what it has shown before, not any more.
    """
    reminders = [
        each for each in (await reminders_by_user(transaction, [account.id])).get(account.id, ()) if each.is_on
    ]
    await set_due(transaction, [(each, due_of(each, account.time_zone, now - MOST_LATE)) for each in reminders])


async def set_due(transaction: AsyncConnection, due: Sequence[tuple[ReminderRecord, Due | None]]) -> None:
    """Store when these reminders are due next, in one statement."""
    if due:
        columns = {
            "ids": [reminder.id for reminder, _ in due],
            "moments": [None if each is None else each.at for _, each in due],
            "days": [None if each is None else each.day for _, each in due],
        }
        await transaction.execute(_MOVE, columns)


def due_of(reminder: ReminderRecord, zone: str, after: datetime) -> Due | None:
    """When it is due next after an instant, by the clock of a zone."""
    weekdays = [Weekday(day) for day in reminder.weekdays]
    return next_due(reminder.time_of_day, weekdays, zone, after=after, last_day=reminder.last_day)


def _due_columns(due: Due | None) -> dict[str, object]:
    return {"next_at": None if due is None else due.at, "next_day": None if due is None else due.day}


def _check(weekdays: Collection[Weekday]) -> None:
    checks = Checks()
    check_weekdays(checks, weekdays)
    checks.done()


async def _own(
    transaction: AsyncConnection, viewer: Viewer, reminder_id: str, expected_version: int | None
) -> ReminderRecord:
    reminder = (await reminders_by_id(transaction, [reminder_id])).get(reminder_id)
    if reminder is None or reminder.user_id != viewer.id:
        raise NotFoundError("There is no such reminder.")
    expect_version("reminder", expected=expected_version, current=reminder.version)
    return reminder
