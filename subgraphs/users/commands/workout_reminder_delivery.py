"""Reminding people of planned workouts that are due. Run by the loop of `reminder_delivery`, in any number of processes.

What is due is claimed in the transaction that notifies of it, and the notification's cause names the plan with its day and time:
one is sent for each, whoever dies when, and however often it comes due again.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from subgraphs.shell.context import Resources
from subgraphs.users.commands.notification import notify, tell_subscribers
from subgraphs.users.domain.notification import NewNotification, NotificationKind, planned_detail
from subgraphs.users.domain.workout_reminder import until

_CLAIM = text(
    "SELECT plan.planned_id, plan.user_id, plan.local_date, plan.time_of_day, plan.name, plan.remind_at,"
    " account.time_zone, account.status FROM plan_ahead AS plan JOIN account ON account.id = plan.user_id"
    " WHERE plan.remind_at <= :now AND NOT plan.is_done ORDER BY plan.remind_at, plan.planned_id LIMIT :most"
    " FOR UPDATE OF plan SKIP LOCKED FOR KEY SHARE OF account SKIP LOCKED"
)
_DONE = text("UPDATE plan_ahead SET is_done = true WHERE planned_id = ANY(:ids)")
_PLANNED = text(
    "SELECT DISTINCT plan.user_id, plan.local_date FROM unnest(CAST(:user_ids AS text[]), CAST(:days AS date[]))"
    " AS asked (user_id, day) JOIN plan_ahead AS plan ON plan.user_id = asked.user_id AND plan.local_date = asked.day"
    " WHERE plan.remind_at IS NOT NULL"
)


async def remind_of_workouts(resources: Resources, most: int) -> list[str]:
    """Handle up to so many planned workouts that are due; returns what became of each: sent, late."""
    now = resources.now()
    async with resources.database.transaction() as transaction:
        rows = (await transaction.execute(_CLAIM, {"now": now, "most": most})).all()
        if not rows:
            return []
        outcomes = [_outcome(row, now) for row in rows]
        news = [_news(row) for row, outcome in zip(rows, outcomes, strict=True) if outcome == "sent"]
        told = await notify(transaction, news, now)
        await transaction.execute(_DONE, {"ids": [row.planned_id for row in rows]})
    await tell_subscribers(resources.fanout, told)
    return outcomes


async def days_planned(transaction: AsyncConnection, asked: Sequence[tuple[str, date]]) -> set[tuple[str, date]]:
    """On which of these people's days a workout is planned, not begun, of which they are or were reminded by itself."""
    if not asked:
        return set()
    columns = {"user_ids": [user_id for user_id, _ in asked], "days": [day for _, day in asked]}
    return {(row[0], row[1]) for row in await transaction.execute(_PLANNED, columns)}


def _outcome(row: Any, now: datetime) -> str:
    is_late = now > until(row.local_date, row.time_of_day, row.time_zone, row.remind_at)
    return "late" if is_late or row.status != "ACTIVE" else "sent"


def _news(row: Any) -> NewNotification:
    return NewNotification(
        user_id=row.user_id,
        kind=NotificationKind.REMINDER,
        cause=f"planned:{row.planned_id}:{row.local_date}:{row.time_of_day or ''}",
        subject_id=row.planned_id,
        detail=planned_detail(row.local_date, row.time_of_day, row.name),
        is_hushed=True,
    )
