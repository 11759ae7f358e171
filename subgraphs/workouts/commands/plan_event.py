"""What is told of planned workouts: each change of one is an event, in the transaction of the change.

Users makes reminders of them; nobody else reads the topic. Called by the commands of planned workouts, of routines and of workouts.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from events.contracts.workouts import (
    PlannedWorkoutCancelled,
    PlannedWorkoutFreed,
    PlannedWorkoutState,
    WorkoutPlanned,
)
from events.outbox import NewEvent, append_events
from subgraphs.shell.telemetry import current_traceparent
from subgraphs.workouts.domain.workout import WorkoutStatus
from subgraphs.workouts.queries.planned_workout import PlannedWorkoutRecord, planned_workouts_by_id

#: Of a workout that counts: one that was given up leaves its plan as it was.
BEGUN = (WorkoutStatus.IN_PROGRESS, WorkoutStatus.COMPLETED)

_FREE = text(
    "UPDATE planned_workout SET workout_id = CASE WHEN :is_gone THEN NULL ELSE workout_id END, version = version + 1"
    " WHERE workout_id = :workout_id RETURNING id"
)
# What is past wants no reminder, whatever its person's zone: on UTC's yesterday it still is that day somewhere.
_UNTOLD = text(
    "SELECT id FROM planned_workout AS planned WHERE local_date >= :since AND NOT EXISTS (SELECT FROM outbox"
    "  WHERE outbox.aggregate_type = 'planned_workout' AND outbox.aggregate_id = planned.id)"
    " ORDER BY id LIMIT :limit FOR UPDATE SKIP LOCKED"
)


class GonePlan(NamedTuple):
    """A planned workout that was deleted: the columns of its row that are told, `version` as it was last."""

    id: str
    user_id: str
    local_date: date
    version: int


async def tell_plans(
    transaction: AsyncConnection, planned_ids: Sequence[str], event: type[PlannedWorkoutState], now: datetime
) -> None:
    """Append what these planned workouts are now, each as an `event`."""
    records = await planned_workouts_by_id(transaction, planned_ids)
    await append_events(transaction, [_state(event, records[planned_id], now) for planned_id in planned_ids])


async def tell_gone(transaction: AsyncConnection, gone: Sequence[GonePlan], now: datetime) -> None:
    """Append that these planned workouts were taken off the calendar."""
    events = [
        NewEvent(
            payload=PlannedWorkoutCancelled(planned_id=plan.id, local_date=plan.local_date),
            aggregate_id=plan.id,
            version=plan.version + 1,
            user_id=plan.user_id,
            occurred_at=now,
            local_date=plan.local_date,
            traceparent=current_traceparent(),
        )
        for plan in gone
    ]
    await append_events(transaction, events)


async def free_plan_of(transaction: AsyncConnection, workout_id: str, now: datetime, *, is_gone: bool = False) -> None:
    """Count up the version of what was planned as this workout, which was given up or is about to be deleted, and tell it."""
    freed = await transaction.scalars(_FREE, {"workout_id": workout_id, "is_gone": is_gone})
    if ids := list(freed):
        await tell_plans(transaction, ids, PlannedWorkoutFreed, now)


async def tell_untold_plans(transaction: AsyncConnection, limit: int, now: datetime) -> int:
    """Tell up to `limit` of what an earlier release planned and told nobody; returns how many there were."""
    ids = list(await transaction.scalars(_UNTOLD, {"since": now.date() - timedelta(days=1), "limit": limit}))
    if ids:
        await tell_plans(transaction, ids, WorkoutPlanned, now)
    return len(ids)


def _state(event: type[PlannedWorkoutState], planned: PlannedWorkoutRecord, now: datetime) -> NewEvent:
    payload = event(
        planned_id=planned.id,
        name=planned.name,
        local_date=planned.local_date,
        time_of_day=planned.time_of_day,
        is_skipped=planned.is_skipped,
        has_begun=planned.workout_status in BEGUN,
    )
    return NewEvent(
        payload=payload,
        aggregate_id=planned.id,
        version=planned.version,
        user_id=planned.user_id,
        occurred_at=now,
        local_date=planned.local_date,
        traceparent=current_traceparent(),
    )
