"""A person's goals: set, change, pause, delete; and what happens to them when a summary changes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from events.contracts.analytics import GoalCompleted, GoalProgressed
from events.envelope import new_id
from events.outbox import NewEvent, append_event
from subgraphs.analytics.domain.progress import GoalKind, GoalStatus, progress
from subgraphs.analytics.queries.goal import GoalRecord, current_values, goals_by_id
from subgraphs.analytics.queries.summary import today_of
from subgraphs.errors import ConflictError, NotFoundError, StaleVersionError, ValidationError


@dataclass(frozen=True, slots=True)
class NewGoal:
    """A goal to set; without a start value it starts where the facts stand."""

    kind: GoalKind
    target_value: Decimal
    start_value: Decimal | None = None
    start_date: date | None = None
    target_date: date | None = None
    description: str | None = None
    idempotency_key: str | None = None


@dataclass(frozen=True, slots=True)
class GoalChange:
    """What to change of a goal; None leaves it."""

    target_value: Decimal | None = None
    start_value: Decimal | None = None
    target_date: date | None = None
    description: str | None = None


async def create_goal(engine: AsyncEngine, viewer_id: str, new: NewGoal) -> str:
    """Write a goal and return its id; the same idempotency key gives the goal of the first call."""
    _check(new.target_value, new.description)
    async with engine.begin() as connection:
        today = await today_of(connection, viewer_id, datetime.now(UTC))
        if new.target_date is not None and new.target_date < today:
            raise ValidationError(("targetDate", "must not be in the past"))
        start = new.start_value
        if start is None:
            start = (await current_values(connection, [viewer_id])).get((viewer_id, new.kind.value)) or Decimal(0)
        inserted = await connection.scalar(
            text(
                "INSERT INTO goal (id, user_id, kind, start_value, target_value, start_date, target_date, status,"
                " description, idempotency_key) VALUES (:id, :user_id, :kind, :start_value, :target_value, :start_date,"
                " :target_date, 'ACTIVE', :description, :idempotency_key)"
                " ON CONFLICT (user_id, idempotency_key) DO NOTHING RETURNING id"
            ),
            {
                "id": new_id(),
                "user_id": viewer_id,
                "kind": new.kind.value,
                "start_value": start,
                "target_value": new.target_value,
                "start_date": new.start_date or today,
                "target_date": new.target_date,
                "description": new.description,
                "idempotency_key": new.idempotency_key,
            },
        )
        if inserted is None:
            known = text("SELECT id FROM goal WHERE user_id = :user_id AND idempotency_key = :key")
            return str(await connection.scalar(known, {"user_id": viewer_id, "key": new.idempotency_key}))
        await _tell(connection, inserted, GoalProgressed)
        return str(inserted)


async def update_goal(
    engine: AsyncEngine, viewer_id: str, goal_id: str, change: GoalChange, expected_version: int | None = None
) -> None:
    async with engine.begin() as connection:
        goal = await _lock(connection, viewer_id, goal_id, expected_version)
        _check(change.target_value or goal.target_value, change.description)
        await connection.execute(
            text(
                "UPDATE goal SET target_value = :target_value, start_value = :start_value, target_date = :target_date,"
                " description = :description, version = version + 1 WHERE id = :id"
            ),
            {
                "id": goal_id,
                "target_value": goal.target_value if change.target_value is None else change.target_value,
                "start_value": goal.start_value if change.start_value is None else change.start_value,
                "target_date": change.target_date or goal.target_date,
                "description": goal.description if change.description is None else change.description,
            },
        )
        await _tell(connection, goal_id, GoalProgressed)


async def set_goal_status(
    engine: AsyncEngine, viewer_id: str, goal_id: str, status: GoalStatus, expected_version: int | None = None
) -> None:
    """Pause, resume, complete or abandon. Raises ConflictError on a goal that is completed already."""
    async with engine.begin() as connection:
        goal = await _lock(connection, viewer_id, goal_id, expected_version)
        if goal.status == GoalStatus.COMPLETED:
            raise ConflictError("A completed goal keeps its status.")
        await _set_status(connection, goal_id, status)
        await _tell(connection, goal_id, GoalCompleted if status is GoalStatus.COMPLETED else GoalProgressed)


async def delete_goal(engine: AsyncEngine, viewer_id: str, goal_id: str, expected_version: int | None = None) -> None:
    async with engine.begin() as connection:
        await _lock(connection, viewer_id, goal_id, expected_version)
        await connection.execute(text("DELETE FROM goal WHERE id = :id"), {"id": goal_id})


async def complete_reached_goals(connection: AsyncConnection, user_ids: Sequence[str]) -> list[GoalRecord]:
    """Complete the running goals whose value has come to its target, in the projector's transaction.

    A completion stays, even if a later correction takes the value back: it was reached, and was said to be.
    """
    statement = text("SELECT id FROM goal WHERE user_id = ANY(:user_ids) AND status = 'ACTIVE' ORDER BY id FOR UPDATE")
    ids = list((await connection.scalars(statement, {"user_ids": sorted(user_ids)})).all())
    if not ids:
        return []
    values = await current_values(connection, sorted(user_ids))
    reached = [
        goal
        for goal in (await goals_by_id(connection, ids)).values()
        if progress(goal.start_value, goal.target_value, values.get((goal.user_id, goal.kind))) == 1
    ]
    for goal in reached:
        await _set_status(connection, goal.id, GoalStatus.COMPLETED)
        await _tell(connection, goal.id, GoalCompleted)
    return reached


async def _set_status(connection: AsyncConnection, goal_id: str, status: GoalStatus) -> None:
    completed_at = datetime.now(UTC) if status is GoalStatus.COMPLETED else None
    await connection.execute(
        text("UPDATE goal SET status = :status, completed_at = :completed_at, version = version + 1 WHERE id = :id"),
        {"id": goal_id, "status": status.value, "completed_at": completed_at},
    )


async def _tell(connection: AsyncConnection, goal_id: str, event: type[GoalProgressed]) -> None:
    goal = (await goals_by_id(connection, [goal_id]))[goal_id]
    current = (await current_values(connection, [goal.user_id])).get((goal.user_id, goal.kind))
    payload = event(
        goal_id=goal.id,
        status=goal.status,
        progress=progress(goal.start_value, goal.target_value, current),
        current_value=current,
    )
    await append_event(connection, NewEvent(payload, goal.id, goal.version, goal.user_id, datetime.now(UTC)))


async def _lock(connection: AsyncConnection, viewer_id: str, goal_id: str, expected_version: int | None) -> GoalRecord:
    locked = text("SELECT id FROM goal WHERE id = :id AND user_id = :user_id FOR UPDATE")
    if await connection.scalar(locked, {"id": goal_id, "user_id": viewer_id}) is None:
        raise NotFoundError(f"There is no goal {goal_id}.")
    goal = (await goals_by_id(connection, [goal_id]))[goal_id]
    if expected_version is not None and expected_version != goal.version:
        raise StaleVersionError("goal", expected=expected_version, current=goal.version)
    return goal


def _check(target_value: Decimal, description: str | None) -> None:
    if target_value < 0:
        raise ValidationError(("targetValue", "must not be negative"))
    if description is not None and len(description) > 500:
        raise ValidationError(("description", "must have at most 500 characters"))
