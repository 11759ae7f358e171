"""What people plan to train, as workouts tells it, and when each is to be reminded of it: kept, moved and forgotten.

The loop that reminds: `workout_reminder_delivery`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from subgraphs.users.domain.notification_preference import Preferences
from subgraphs.users.domain.workout_reminder import KEPT_DAYS, WorkoutDue, workout_due
from subgraphs.users.queries.account import AccountRecord
from subgraphs.users.queries.notification_preference import preferences_of
from subgraphs.users.queries.workout_reminder import plans_ahead_by_user

_DROP = text("DELETE FROM plan_ahead WHERE planned_id = ANY(:ids)")
_DROP_OF = text("DELETE FROM plan_ahead WHERE user_id = :user_id AND local_date >= :since")
# Whoever changes zone or preferences waits, and moves what is kept here; somebody who is erased has no account any more.
_CLOCKS = text(
    "SELECT account.id, account.time_zone, preference.choices, preference.quiet_start, preference.quiet_end,"
    " preference.workout_reminder_minutes, preference.workout_reminder_time FROM account"
    " LEFT JOIN notification_preference AS preference ON preference.user_id = account.id"
    " WHERE account.id = ANY(:user_ids) ORDER BY account.id FOR SHARE OF account"
)
# What was reminded of stays so until it is at another time.
_KEEP = text(
    "INSERT INTO plan_ahead AS known (planned_id, user_id, local_date, time_of_day, name, remind_at, is_done)"
    " SELECT * FROM unnest(CAST(:ids AS text[]), CAST(:user_ids AS text[]), CAST(:days AS date[]),"
    " CAST(:clocks AS time[]), CAST(:names AS text[]), CAST(:moments AS timestamptz[]), CAST(:done AS boolean[]))"
    " ON CONFLICT (planned_id) DO UPDATE SET local_date = excluded.local_date, time_of_day = excluded.time_of_day,"
    " name = excluded.name, remind_at = excluded.remind_at, is_done = excluded.is_done OR (known.is_done"
    " AND (known.local_date, known.time_of_day) IS NOT DISTINCT FROM (excluded.local_date, excluded.time_of_day))"
)
_MOVE = text(
    "UPDATE plan_ahead SET remind_at = told.remind_at, is_done = told.is_done FROM unnest(CAST(:ids AS text[]),"
    " CAST(:moments AS timestamptz[]), CAST(:done AS boolean[])) AS told (id, remind_at, is_done)"
    " WHERE plan_ahead.planned_id = told.id"
)
_OLD = text(
    "DELETE FROM plan_ahead WHERE planned_id IN (SELECT planned_id FROM plan_ahead"
    " WHERE local_date < CAST(now() AT TIME ZONE 'UTC' AS date) - CAST(:days AS integer) LIMIT :rows)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldPlan:
    """A planned workout that is to be done, as it was told at a moment."""

    planned_id: str
    user_id: str
    local_date: date
    time_of_day: time | None
    name: str
    told_at: datetime


async def keep_plans(
    transaction: AsyncConnection, to_do: Sequence[ToldPlan], others: Sequence[str], now: datetime
) -> None:
    """Keep those that are not past as they are now, and nothing of others, by id, which were skipped, begun or taken back.

    The caller's inbox gives each plan's newest state only. What is planned or changed when the time of its reminder is over
    already has none: its person has just thought of it.
    """
    ahead = [plan for plan in to_do if plan.local_date >= _since(now)]
    kept = {plan.planned_id for plan in ahead}
    if gone := [*others, *(plan.planned_id for plan in to_do if plan.planned_id not in kept)]:
        await transaction.execute(_DROP, {"ids": gone})
    if ahead:
        rows = await transaction.execute(_CLOCKS, {"user_ids": sorted({plan.user_id for plan in ahead})})
        clocks = {row[0]: (str(row[1]), preferences_of(*row[2:])) for row in rows}
        await transaction.execute(_KEEP, _columns([plan for plan in ahead if plan.user_id in clocks], clocks))


def _columns(plans: Sequence[ToldPlan], clocks: Mapping[str, tuple[str, Preferences]]) -> dict[str, list[Any]]:
    """What is kept of them, by the zone and the preferences of each person."""
    due = [_due(plan.local_date, plan.time_of_day, *clocks[plan.user_id]) for plan in plans]
    return {
        "ids": [plan.planned_id for plan in plans],
        "user_ids": [plan.user_id for plan in plans],
        "days": [plan.local_date for plan in plans],
        "clocks": [plan.time_of_day for plan in plans],
        "names": [plan.name for plan in plans],
        "moments": [each and each.at for each in due],
        "done": [each is not None and each.at <= plan.told_at for plan, each in zip(plans, due, strict=True)],
    }


async def drop_plans_of(transaction: AsyncConnection, user_id: str, now: datetime) -> None:
    """Forget what is kept of a person, but for what is past, which `keep_plans` would not bring back."""
    await transaction.execute(_DROP_OF, {"user_id": user_id, "since": _since(now)})


async def move_workout_reminders(
    transaction: AsyncConnection, account: AccountRecord, preferences: Preferences, now: datetime
) -> None:
    """Set when the person is reminded of what is planned anew, by another zone or by other preferences.

    What is due since less than an hour, or before its workout begins, is still sent; what was sent already is not sent again.
    """
    plans = (await plans_ahead_by_user(transaction, [account.id])).get(account.id, [])
    due = [_due(plan.local_date, plan.time_of_day, account.time_zone, preferences) for plan in plans]
    if plans:
        columns = {
            "ids": [plan.planned_id for plan in plans],
            "moments": [each and each.at for each in due],
            "done": [
                each is not None and (each.until <= now or (plan.is_done and each.at <= now))
                for plan, each in zip(plans, due, strict=True)
            ],
        }
        await transaction.execute(_MOVE, columns)


def _due(day: date, clock: time | None, zone: str, preferences: Preferences) -> WorkoutDue | None:
    return workout_due(day, clock, zone, preferences.workouts, preferences.quiet)


def _since(now: datetime) -> date:
    return now.date() - timedelta(days=KEPT_DAYS)


async def forget_plans(connection: AsyncConnection, rows: int) -> int:
    """Delete planned workouts whose day is over everywhere; returns how many."""
    result = await connection.execute(_OLD, {"days": KEPT_DAYS, "rows": rows})
    return int(result.rowcount)
