"""A person's goals: set, change, pause, reopen, delete; and what becomes of them when what they follow changes.

Each command checks, then writes row and event in one transaction.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TypedDict

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from events.contracts.analytics import GoalCompleted, GoalProgressed
from events.inbox import hold_projection
from events.outbox import NewEvent, append_event
from subgraphs.analytics.commands.achievement import judge_goal_achievements
from subgraphs.analytics.domain.goal import (
    MOST_GOALS,
    REACHED_ONCE,
    GoalDirection,
    GoalFacts,
    GoalKind,
    GoalStatus,
    check_goal,
    followed_measure,
)
from subgraphs.analytics.queries.goal import VALUE_OF_DAY, GoalRecord, goals_by_id, standings
from subgraphs.analytics.queries.person import GROUP, clock_of
from subgraphs.shell.auth import Viewer
from subgraphs.shell.database import Database
from subgraphs.shell.errors import Checks, ConflictError, NotFoundError, expect_version
from subgraphs.shell.grant_area import PlanArea
from subgraphs.shell.idempotency import id_made_before, id_of_request, key_columns
from subgraphs.shell.inputs import RequestKey, made_id_of
from subgraphs.shell.measurement_kind import MeasurementKind
from subgraphs.shell.node import NodeKind, kind_of, new_node_id
from subgraphs.shell.plan_writing import PlanKind, plan_writer, writer_of_row
from subgraphs.shell.telemetry import current_traceparent

_NO_GOAL = "There is no such goal."
_INSERT = text(
    "INSERT INTO goal (id, user_id, kind, direction, start_value, target_value, start_date, counts_from, target_date,"
    " status, description, author_id, idempotency_key, idempotency_content, created_at, measure) VALUES (:id, :user_id, :kind, :direction, :start_value,"
    " :target_value, :start_date, :start_date, :target_date, 'ACTIVE', :description, :author_id, :idempotency_key,"
    " :idempotency_content, :created_at, :measure) ON CONFLICT DO NOTHING"
)
_COUNT = text("SELECT count(*) FROM goal WHERE user_id = :user_id")
_UPDATE = text(
    "UPDATE goal SET direction = :direction, start_value = :start_value, target_value = :target_value,"
    " counts_from = CASE WHEN start_date = :start_date THEN counts_from ELSE :start_date END,"
    " start_date = :start_date, target_date = :target_date, description = :description, author_id = :author_id,"
    " version = version + 1"
    " WHERE id = :id"
)
_SET_STATUS = text(
    "UPDATE goal SET status = :status, completed_at = :completed_at, reached_on = :reached_on,"
    " counts_from = greatest(counts_from, CAST(:counts_from AS date)), version = version + 1 WHERE id = :id"
)
_DELETE = text("DELETE FROM goal WHERE id = :id")
_LOCK = text("SELECT id FROM goal WHERE id = :id AND user_id = :user_id FOR UPDATE")
# Those that the facts may complete, and those that they have completed and may take back.
_LOCK_BY_FACTS = text(
    "SELECT id FROM goal WHERE user_id = ANY(:user_ids) AND kind = ANY(:kinds)"
    " AND (status = 'ACTIVE' OR status = 'COMPLETED' AND reached_on IS NOT NULL) ORDER BY id FOR UPDATE"
)
_REACHED = text(
    "SELECT goal.id, CASE WHEN goal.kind = 'WEIGHT_KG' THEN (SELECT local_date FROM weight_trend AS point WHERE point.user_id = goal.user_id"  # noqa: S608 - our names
    "  AND point.local_date >= goal.counts_from AND CASE told.way WHEN 'AT_MOST' THEN trend_kg <= goal.target_value"
    "  ELSE trend_kg >= goal.target_value END ORDER BY local_date LIMIT 1)"
    f" ELSE (SELECT min(day.local_date) FROM (SELECT fact.local_date, {VALUE_OF_DAY} AS value FROM measure_fact AS fact"
    "   WHERE fact.user_id = goal.user_id AND fact.measure = goal.measure AND fact.local_date >= goal.counts_from"
    "   GROUP BY fact.local_date) AS day"
    "  WHERE CASE told.way WHEN 'AT_MOST' THEN day.value <= goal.target_value ELSE day.value >= goal.target_value END)"
    " END AS local_date"
    " FROM unnest(CAST(:ids AS text[]), CAST(:ways AS text[])) AS told (id, way) JOIN goal USING (id)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewGoal:
    """A goal to set, from today unless told otherwise; for this person, who lets the viewer plan by a grant, and for the viewer
    where None.
    """

    kind: GoalKind
    target_value: Decimal
    direction: GoalDirection | None = None
    start_value: Decimal | None = None
    start_date: date | None = None
    target_date: date | None = None
    description: str | None = None
    exercise_id: str | None = None
    measurement: MeasurementKind | None = None
    person_id: str | None = None
    request: RequestKey | None = None


class GoalChanges(TypedDict, total=False):
    """What is to be different; what is absent stays as it is, and None takes it away."""

    target_value: Decimal
    direction: GoalDirection | None
    start_value: Decimal | None
    start_date: date
    target_date: date | None
    description: str | None


async def create_goal(viewer: Viewer, new: NewGoal, *, database: Database, now: datetime) -> GoalRecord:
    """Set a goal. The same request again finds the first.

    Raises ValidationError, NotFoundError for a person for whom the viewer may not plan, RateLimitedError, and ConflictError for
    more goals than a person may have or a key that was used otherwise.
    """
    async with database.transaction() as transaction:
        # A value that comes now is to find it, or to be found. Before the grant is locked, which news of it wants after this.
        await hold_projection(transaction, GROUP, new.person_id or viewer.id)
        writer = await plan_writer(transaction, viewer, new.person_id, PlanArea.GOALS)
        owner, request = writer.owner, writer.key(new.request)
        today = (await clock_of(transaction, owner)).today(now)
        facts = GoalFacts(
            kind=new.kind,
            direction=new.direction,
            start_value=new.start_value,
            target_value=new.target_value,
            start_date=new.start_date or today,
            target_date=new.target_date,
            description=new.description,
            measure=_measure_of(new),
        )
        _check(facts, today, ends_ahead=True)
        if earlier := await id_made_before(transaction, "goal", owner.id, request):
            return (await goals_by_id(transaction, [earlier]))[earlier]
        goal_id = made_id_of(request) or new_node_id(NodeKind.GOAL)
        row = _values(facts) | {
            "id": goal_id,
            "user_id": owner.id,
            "author_id": writer.author_id,
            **key_columns(request),
            "created_at": now,
        }
        if (await transaction.execute(_INSERT, row)).rowcount == 0:
            earlier = await id_of_request(transaction, "goal", owner.id, request)
            assert earlier is not None  # nothing else makes a conflict
            return (await goals_by_id(transaction, [earlier]))[earlier]
        if int(await transaction.scalar(_COUNT, {"user_id": owner.id}) or 0) > MOST_GOALS:
            raise ConflictError(f"There are {MOST_GOALS} goals, the most there may be: delete one first.")
        await writer.note(transaction, PlanKind.GOAL, goal_id, now)
        return await _followed(transaction, goal_id, now)


async def update_goal(
    viewer: Viewer,
    goal_id: str,
    changes: GoalChanges,
    *,
    expected_version: int | None,
    database: Database,
    now: datetime,
) -> GoalRecord:
    """Change a goal of the viewer, or of a person for whom the viewer may plan.

    Raises ValidationError, NotFoundError, StaleVersionError, RateLimitedError.
    """
    async with database.transaction() as transaction:
        writer = await writer_of_row(transaction, viewer, "goal", goal_id, PlanArea.GOALS, missing=_NO_GOAL)
        goal = await _locked(transaction, writer.owner, goal_id, expected_version)
        today = (await clock_of(transaction, writer.owner)).today(now)
        facts = replace(goal.facts, **changes)
        _check(facts, today, ends_ahead="target_date" in changes)
        await transaction.execute(_UPDATE, _values(facts) | {"id": goal_id, "author_id": writer.author_id})
        await writer.note(transaction, PlanKind.GOAL, goal_id, now)
        return await _followed(transaction, goal_id, now)


async def set_goal_status(
    viewer: Viewer,
    goal_id: str,
    status: GoalStatus,
    *,
    expected_version: int | None,
    database: Database,
    now: datetime,
) -> GoalRecord:
    """Pause, resume, complete, abandon or reopen. Raises NotFoundError, StaleVersionError.

    What completed a goal that is reopened counts no more: it is reached again from the day after.
    """
    async with database.transaction() as transaction:
        await hold_projection(transaction, GROUP, viewer.id)  # a value that comes now is to find it, or to be found
        goal = await _locked(transaction, viewer, goal_id, expected_version)
        if goal.status == status:
            return goal
        counts_from = None
        if goal.status == GoalStatus.COMPLETED:
            counts_from = (await clock_of(transaction, viewer)).today(now) + timedelta(days=1)
        await _set_status(transaction, goal_id, status, now, counts_from=counts_from)
        if status is GoalStatus.ACTIVE:
            return await _followed(transaction, goal_id, now)
        await judge_goal_achievements(transaction, viewer.id, now)
        event = GoalCompleted if status is GoalStatus.COMPLETED else GoalProgressed
        return await _tell(transaction, goal_id, event, now)


async def delete_goal(
    viewer: Viewer, goal_id: str, *, expected_version: int | None, database: Database, now: datetime
) -> GoalRecord:
    """Take a goal back, and return what it was. Raises NotFoundError, StaleVersionError."""
    async with database.transaction() as transaction:
        goal = await _locked(transaction, viewer, goal_id, expected_version)
        await transaction.execute(_DELETE, {"id": goal_id})
        await judge_goal_achievements(transaction, viewer.id, now)
        return goal


async def follow_measures(transaction: AsyncConnection, user_ids: Sequence[str], now: datetime) -> None:
    """Complete the goals that these people's trend and measured values have come to, and reopen those that they turn out not to have.

    Depends on the values alone and not on the order they came about in: a corrected or deleted weighing takes a completion
    back, a later value on the wrong side of the target does not. What a person said of a goal stays.
    """
    ids = list(
        (await transaction.scalars(_LOCK_BY_FACTS, {"user_ids": sorted(user_ids), "kinds": list(REACHED_ONCE)})).all()
    )
    for goal_id, event in (await _apply_facts(transaction, ids, now)).items():
        await _tell(transaction, goal_id, event, now)


async def _followed(transaction: AsyncConnection, goal_id: str, now: datetime) -> GoalRecord:
    """The goal after a change, with what the facts have to say of it; tells of both in one event."""
    goal = (await goals_by_id(transaction, [goal_id]))[goal_id]
    by_facts = goal.kind in REACHED_ONCE and (
        goal.status == GoalStatus.ACTIVE or (goal.status == GoalStatus.COMPLETED and goal.reached_on is not None)
    )
    changed = await _apply_facts(transaction, [goal_id] if by_facts else [], now)
    await judge_goal_achievements(transaction, goal.user_id, now)
    return await _tell(transaction, goal_id, changed.get(goal_id, GoalProgressed), now)


async def _apply_facts(
    transaction: AsyncConnection, goal_ids: Sequence[str], now: datetime
) -> dict[str, type[GoalProgressed]]:
    """Bring the status of locked goals that are reached once in line with what is measured; returns what is to be told of which."""
    if not goal_ids:
        return {}
    goals = await goals_by_id(transaction, goal_ids)
    ways = {goal_id: each.direction for goal_id, each in (await standings(transaction, goal_ids, now)).items()}
    known = [(goal_id, way.value) for goal_id, way in ways.items() if way is not None]
    parameters = {"ids": [goal_id for goal_id, _ in known], "ways": [way for _, way in known]}
    reached: dict[str, date | None] = {row[0]: row[1] for row in await transaction.execute(_REACHED, parameters)}
    changed: dict[str, type[GoalProgressed]] = {}
    for goal_id, goal in goals.items():
        day = reached.get(goal_id)
        if day == goal.reached_on:
            continue
        status = GoalStatus.ACTIVE if day is None else GoalStatus.COMPLETED
        await _set_status(transaction, goal_id, status, now, reached_on=day)
        changed[goal_id] = GoalProgressed if day is None else GoalCompleted
    return changed


async def _set_status(
    transaction: AsyncConnection,
    goal_id: str,
    status: GoalStatus,
    now: datetime,
    *,
    reached_on: date | None = None,
    counts_from: date | None = None,
) -> None:
    row = {
        "id": goal_id,
        "status": status.value,
        "completed_at": now if status is GoalStatus.COMPLETED else None,
        "reached_on": reached_on,
        "counts_from": counts_from,
    }
    await transaction.execute(_SET_STATUS, row)


async def _tell(transaction: AsyncConnection, goal_id: str, event: type[GoalProgressed], now: datetime) -> GoalRecord:
    """Append where the goal stands now, and return it."""
    goal = (await goals_by_id(transaction, [goal_id]))[goal_id]
    standing = (await standings(transaction, [goal_id], now))[goal_id]
    payload = event(
        goal_id=goal.id,
        status=goal.status,
        progress=standing.progress,
        current_value=standing.current,
    )
    await append_event(
        transaction,
        NewEvent(
            payload=payload,
            aggregate_id=goal.id,
            version=goal.version,
            user_id=goal.user_id,
            occurred_at=now,
            traceparent=current_traceparent(),
        ),
    )
    return goal


def _measure_of(new: NewGoal) -> str | None:
    """What the goal follows besides days and the weight. Raises ValidationError for what does not belong to its kind."""
    checks = Checks()
    measure = followed_measure(checks, new.kind, new.exercise_id, new.measurement)
    checks.done()
    is_exercise = new.exercise_id is None or kind_of(new.exercise_id) is NodeKind.EXERCISE
    checks.require(is_exercise, "exerciseId", "must be the id of an exercise")
    checks.done()
    return measure


def _check(facts: GoalFacts, today: date, *, ends_ahead: bool) -> None:
    checks = Checks()
    check_goal(checks, facts, today=today)
    is_ahead = not ends_ahead or facts.target_date is None or facts.target_date >= today
    checks.require(is_ahead, "targetDate", "must not be in the past")
    checks.done()


def _values(facts: GoalFacts) -> dict[str, object]:
    return {
        "kind": facts.kind.value,
        "direction": None if facts.direction is None else facts.direction.value,
        "start_value": facts.start_value,
        "target_value": facts.target_value,
        "start_date": facts.start_date,
        "target_date": facts.target_date,
        "description": facts.description,
        "measure": facts.measure,
    }


async def _locked(
    transaction: AsyncConnection, viewer: Viewer, goal_id: str, expected_version: int | None
) -> GoalRecord:
    if await transaction.scalar(_LOCK, {"id": goal_id, "user_id": viewer.id}) is None:
        raise NotFoundError(_NO_GOAL)
    goal = (await goals_by_id(transaction, [goal_id]))[goal_id]
    expect_version("goal", expected=expected_version, current=goal.version)
    return goal
