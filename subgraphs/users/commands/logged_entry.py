"""What people have logged in the last days, as others' events tell it: for reminders that are needless, and reports of weeks."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from subgraphs.shell.calendar import WeekStart, first_day_of_week, local_date
from subgraphs.users.domain.reminder import report_due
from subgraphs.users.queries.account import AccountRecord, accounts_by_id

#: A week, and the morning after it in any zone.
KEPT_DAYS = 10

_FORGET = text("DELETE FROM logged_entry WHERE entry_id = ANY(:ids)")
_KEEP = text(
    "INSERT INTO logged_entry (entry_id, user_id, what, local_date) SELECT * FROM unnest(CAST(:ids AS text[]),"
    " CAST(:user_ids AS text[]), CAST(:things AS text[]), CAST(:days AS date[])) ON CONFLICT DO NOTHING"
)
# The report of a week before comes first: what is logged until then has it locked, so that telling it finds these entries.
_EXPECT_REPORTS = text(
    "INSERT INTO report_due AS known (user_id, week, due_at) SELECT * FROM unnest(CAST(:user_ids AS text[]),"
    " CAST(:weeks AS date[]), CAST(:moments AS timestamptz[])) AS told (user_id, week, due_at) WHERE EXISTS"
    " (SELECT FROM logged_entry WHERE logged_entry.user_id = told.user_id"
    "  AND logged_entry.local_date BETWEEN told.week AND told.week + 6)"
    " ON CONFLICT (user_id) DO UPDATE SET week = known.week"
)
_REPORT = text("SELECT week FROM report_due WHERE user_id = :user_id FOR UPDATE")
_MOVE_REPORT = text("UPDATE report_due SET week = :week, due_at = :due_at WHERE user_id = :user_id")
_OLD = text(
    "DELETE FROM logged_entry WHERE entry_id IN (SELECT entry_id FROM logged_entry"
    " WHERE local_date < CAST(now() AT TIME ZONE 'UTC' AS date) - CAST(:days AS integer) LIMIT :rows)"
)


@dataclass(frozen=True, slots=True)
class LoggedEntry:
    """An entry of somebody: what of, and of which of the person's days; both None for one that is gone."""

    entry_id: str
    user_id: str
    what: str | None
    local_date: date | None


async def keep_logged(transaction: AsyncConnection, entries: Sequence[LoggedEntry], now: datetime) -> None:
    """Keep those of the last days as they are now, and have a report told when their week is over.

    The caller's inbox gives each entry's newest state only.
    """
    if not entries:
        return
    await transaction.execute(_FORGET, {"ids": [entry.entry_id for entry in entries]})
    since = now.date() - timedelta(days=KEPT_DAYS)
    recent = [entry for entry in entries if entry.local_date is not None and entry.local_date >= since]
    accounts = await accounts_by_id(transaction, sorted({entry.user_id for entry in recent})) if recent else {}
    kept = [entry for entry in recent if entry.user_id in accounts]
    if kept:
        columns = {
            "ids": [entry.entry_id for entry in kept],
            "user_ids": [entry.user_id for entry in kept],
            "things": [entry.what for entry in kept],
            "days": [entry.local_date for entry in kept],
        }
        await transaction.execute(_KEEP, columns)
        await expect_reports(transaction, list(accounts.values()), now)


async def expect_reports(transaction: AsyncConnection, accounts: Sequence[AccountRecord], now: datetime) -> None:
    """Of the running week of each of these people who has logged something in it, once that of a week before is told."""
    if accounts:
        ordered = sorted(accounts, key=lambda account: account.id)
        weeks = [_week_of(each, local_date(now, each.time_zone, each.day_start_hour)) for each in ordered]
        columns = {
            "user_ids": [each.id for each in ordered],
            "weeks": weeks,
            "moments": [_due_at(each, week) for each, week in zip(ordered, weeks, strict=True)],
        }
        await transaction.execute(_EXPECT_REPORTS, columns)


async def move_report(transaction: AsyncConnection, account: AccountRecord) -> None:
    """Have the report of the running week told by the person's new clock, and of the week as it begins now."""
    week = await transaction.scalar(_REPORT, {"user_id": account.id})
    if week is not None:
        week = _week_of(account, week)
        row = {"user_id": account.id, "week": week, "due_at": _due_at(account, week)}
        await transaction.execute(_MOVE_REPORT, row)


def _week_of(account: AccountRecord, day: date) -> date:
    return first_day_of_week(day, WeekStart(account.week_start))


def _due_at(account: AccountRecord, week: date) -> datetime:
    return report_due(week, account.time_zone, account.day_start_hour)


async def forget_logged(connection: AsyncConnection, rows: int) -> int:
    """Delete what was logged of days before the last ten; returns how many."""
    result = await connection.execute(_OLD, {"days": KEPT_DAYS, "rows": rows})
    return int(result.rowcount)
