"""The loop that reminds people when it is time, of planned workouts too, and tells them that a week's report is there.

Any number of processes may run it: what is due is claimed in the transaction that notifies of it and sets the next time, so
each time is handled once, or, if the process dies before its commit, by whoever looks next.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from functools import partial
from typing import Any

from prometheus_client import Counter
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from subgraphs.shell.calendar import local_date
from subgraphs.shell.context import Resources
from subgraphs.users.commands.due import Queue, is_due
from subgraphs.users.commands.logged_entry import expect_reports
from subgraphs.users.commands.notification import notify, tell_subscribers
from subgraphs.users.commands.reminder import due_of, set_due
from subgraphs.users.commands.workout_reminder_delivery import days_planned, remind_of_workouts
from subgraphs.users.domain.notification import NewNotification, NotificationKind
from subgraphs.users.domain.reminder import MOST_LATE, MOST_LATE_REPORT, WHAT_IS_LOGGED, ReminderKind
from subgraphs.users.queries.account import accounts_by_id
from subgraphs.users.queries.reminder import ReminderRecord

REMINDERS = Counter(
    "reminders_total",
    "Reminders that came due, by what became of them: sent, logged already, left to a planned workout, late",
    ["outcome"],
)
PATIENCE_SECONDS = 120.0
AT_ONCE = 200

# Whoever changes settings or reminders has the account's lock first and the reminder's then; these are skipped meanwhile.
_CLAIM = text(
    "SELECT reminder.id, reminder.user_id, reminder.kind, reminder.time_of_day, reminder.weekdays, reminder.is_on,"
    " reminder.next_at, reminder.next_day, reminder.last_day, reminder.version,"
    " account.time_zone, account.day_start_hour, account.status"
    " FROM reminder JOIN account ON account.id = reminder.user_id WHERE reminder.next_at <= :now"
    " ORDER BY reminder.next_at, reminder.id LIMIT :most"
    " FOR UPDATE OF reminder SKIP LOCKED FOR KEY SHARE OF account SKIP LOCKED"
)
_DONE = text(
    "UPDATE reminder SET last_day = told.day FROM unnest(CAST(:ids AS text[]), CAST(:days AS date[])) AS told (id, day)"
    " WHERE reminder.id = told.id"
)
_ASKED = (
    "unnest(CAST(:user_ids AS text[]), CAST(:days AS date[]), CAST(:things AS text[])) AS asked (user_id, day, what)"
)
_LOGGED = text(
    f"SELECT user_id, day, what FROM {_ASKED} WHERE CASE what"  # noqa: S608 - our names
    " WHEN 'WEIGHT' THEN EXISTS (SELECT FROM weight_entry WHERE weight_entry.user_id = asked.user_id"
    "  AND weight_entry.local_date = asked.day AND weight_entry.recorded_at >= asked.day - interval '2 days')"
    " ELSE EXISTS (SELECT FROM logged_entry WHERE logged_entry.user_id = asked.user_id"
    "  AND logged_entry.local_date = asked.day AND logged_entry.what = asked.what) END"
)
_REPORTS = text(
    "DELETE FROM report_due WHERE user_id IN (SELECT report_due.user_id FROM report_due"
    " JOIN account ON account.id = report_due.user_id WHERE report_due.due_at <= :now ORDER BY report_due.due_at"
    " LIMIT :most FOR UPDATE OF report_due SKIP LOCKED FOR KEY SHARE OF account SKIP LOCKED)"
    " RETURNING user_id, week, due_at, EXISTS (SELECT FROM logged_entry WHERE logged_entry.user_id = report_due.user_id"
    "  AND logged_entry.local_date BETWEEN report_due.week AND report_due.week + 6) AS has_entries"
)


async def remind_people(resources: Resources) -> None:
    """Send what is due, for ever."""
    loop = resources.loops.add("reminders", patience_seconds=PATIENCE_SECONDS)

    async def some() -> bool:
        handled = (
            await remind_some(resources),
            await remind_some_of_workouts(resources),
            await tell_some_reports(resources),
        )
        return max(handled) == AT_ONCE

    await loop.run(lambda: loop.work_off(some, partial(is_due, resources, Queue.REMINDERS)))


async def remind_some(resources: Resources) -> int:
    """Handle up to 200 reminders that are due; returns how many there were."""
    now = resources.now()
    async with resources.database.transaction() as transaction:
        rows = (await transaction.execute(_CLAIM, {"now": now, "most": AT_ONCE})).all()
        if not rows:
            return 0
        due = [(ReminderRecord(*row[:10]), row) for row in rows]
        logged = await _logged(transaction, due, now)
        planned = await days_planned(transaction, [_day(each) for each, _ in due if each.kind == ReminderKind.TRAIN])
        outcomes = [_outcome(reminder, row, logged, planned, now) for reminder, row in due]
        news = [_news(reminder) for (reminder, _), outcome in zip(due, outcomes, strict=True) if outcome == "sent"]
        told = await notify(transaction, news, now)
        await _set_next(transaction, due, now)
    for outcome in outcomes:
        REMINDERS.labels(outcome).inc()
    await tell_subscribers(resources.fanout, told)
    return len(rows)


async def remind_some_of_workouts(resources: Resources) -> int:
    """Handle up to 200 planned workouts that are to be reminded of; returns how many there were."""
    outcomes = await remind_of_workouts(resources, AT_ONCE)
    for outcome in outcomes:
        REMINDERS.labels(outcome).inc()
    return len(outcomes)


async def tell_some_reports(resources: Resources) -> int:
    """Tell up to 200 people that the report of their last week is there; returns how many weeks were handled."""
    now = resources.now()
    async with resources.database.transaction() as transaction:
        rows = (await transaction.execute(_REPORTS, {"now": now, "most": AT_ONCE})).all()
        if not rows:
            return 0
        news = [
            NewNotification(
                user_id=row.user_id,
                kind=NotificationKind.WEEKLY_REPORT_READY,
                cause=f"report:{row.week}",
                detail=row.week.isoformat(),
            )
            for row in rows
            if row.has_entries and now - row.due_at <= MOST_LATE_REPORT
        ]
        told = await notify(transaction, news, now)
        accounts = await accounts_by_id(transaction, [row.user_id for row in rows])
        await expect_reports(transaction, list(accounts.values()), now)  # of who has had breakfast by now
    await tell_subscribers(resources.fanout, told)
    return len(rows)


async def _set_next(transaction: AsyncConnection, due: Sequence[tuple[ReminderRecord, Any]], now: datetime) -> None:
    """These days are done. One that is due later today, and less than an hour late already, is next."""
    if due:
        days = [reminder.next_day for reminder, _ in due]
        await transaction.execute(_DONE, {"ids": [reminder.id for reminder, _ in due], "days": days})
        done = [(replace(reminder, last_day=reminder.next_day), row.time_zone) for reminder, row in due]
        await set_due(transaction, [(each, due_of(each, zone, now - MOST_LATE)) for each, zone in done])


def _news(reminder: ReminderRecord) -> NewNotification:
    """Of one version of a reminder and day, once: what was changed is another reminder."""
    return NewNotification(
        user_id=reminder.user_id,
        kind=NotificationKind.REMINDER,
        cause=f"reminder:{reminder.id}:{reminder.version}:{reminder.next_day}",
        subject_id=reminder.id,
        detail=reminder.kind,
    )


async def _logged(
    transaction: AsyncConnection, due: Sequence[tuple[ReminderRecord, Any]], now: datetime
) -> set[tuple[str, date, str]]:
    """What these people have logged today of what they are to be reminded of; the day is theirs, by its own beginning."""
    asked = {
        (reminder.user_id, _today(row, now), WHAT_IS_LOGGED[ReminderKind(reminder.kind)].value) for reminder, row in due
    }
    if not asked:
        return set()
    ordered = sorted(asked)
    columns: dict[str, list[Any]] = {
        "user_ids": [user_id for user_id, _, _ in ordered],
        "days": [day for _, day, _ in ordered],
        "things": [what for _, _, what in ordered],
    }
    return {(row[0], row[1], row[2]) for row in await transaction.execute(_LOGGED, columns)}


def _outcome(
    reminder: ReminderRecord,
    row: Any,
    logged: set[tuple[str, date, str]],
    planned: set[tuple[str, date]],
    now: datetime,
) -> str:
    """A day on which a workout is planned has the reminder of that one, and none of its weekday."""
    if row.status != "ACTIVE" or now - row.next_at > MOST_LATE:
        return "late"
    what = WHAT_IS_LOGGED[ReminderKind(reminder.kind)]
    if (reminder.user_id, _today(row, now), what.value) in logged:
        return "logged"
    return "planned" if reminder.kind == ReminderKind.TRAIN and _day(reminder) in planned else "sent"


def _day(reminder: ReminderRecord) -> tuple[str, date]:
    """Whose it is, and the day that it is due on."""
    assert reminder.next_day is not None  # stored with `next_at`, by which it was found
    return reminder.user_id, reminder.next_day


def _today(row: Any, now: datetime) -> date:
    return local_date(now, row.time_zone, row.day_start_hour)
