"""Sarah coaches John: she reads his training and progress, and plans both for him. Loading again changes nothing.

The grant is written as users writes one that is accepted, and into the database of each subgraph that a plan is written in
at once, where the event of it comes later.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy import text

from deploy.sample_data import read_demo, sample_id
from deploy.sample_data.people import signed_in
from subgraphs.analytics.commands.goal import NewGoal, create_goal
from subgraphs.analytics.domain.goal import GoalKind
from subgraphs.shell.database import Database
from subgraphs.shell.grant_area import GrantArea, PlanArea
from subgraphs.shell.grants import Grant, keep_grant
from subgraphs.shell.inputs import RequestKey
from subgraphs.shell.scalars import IdempotencyKey
from subgraphs.users.commands.grant import write_grant
from subgraphs.users.domain.grant import LONGEST_GRANT_DAYS, GrantRelation
from subgraphs.workouts.commands.template import NewTemplate, create_template
from subgraphs.workouts.domain.plan import Plan
from subgraphs.workouts.sample_data import catalogue_by_name

_THERE = text("SELECT id FROM access_grant WHERE id = :id")
_DEADLIFTS = Plan(sets=3, least_reps=5, most_reps=5, rest_seconds=180, target_rpe=Decimal(8))


async def load_coaching(databases: Mapping[str, Database], now: datetime) -> None:
    """The exercises of the catalogue, John and Sarah must be there."""
    john, _, _, sarah, *_ = read_demo()["people"]
    grant = Grant(
        id=sample_id("grant", sarah["id"]),
        owner_id=john["id"],
        reader_id=sarah["id"],
        relation=GrantRelation.COACH.value,
        areas=(GrantArea.TRAINING.value, GrantArea.PROGRESS.value),
        granted_at=now,
        expires_at=now + timedelta(days=LONGEST_GRANT_DAYS),
        plans=(PlanArea.TRAINING.value, PlanArea.GOALS.value),
    )
    async with databases["users"].transaction() as transaction:
        if await transaction.scalar(_THERE, {"id": grant.id}) is not None:
            return
        await write_grant(transaction, grant, now)
    coach = signed_in(sarah)
    request = RequestKey(IdempotencyKey("sample:coaching"))
    async with databases["workouts"].transaction() as transaction:
        await keep_grant(transaction, grant)
        deadlift = (await catalogue_by_name(transaction))["Barbell Deadlift"].id
    template = NewTemplate(
        name="Deadlifts by feel",
        exercises=[(deadlift, _DEADLIFTS)],
        notes="Stop with two left in you.",
        person_id=john["id"],
        request=request,
    )
    await create_template(coach, template, database=databases["workouts"], now=now)
    async with databases["analytics"].transaction() as transaction:
        await keep_grant(transaction, grant)
    goal = NewGoal(
        kind=GoalKind.WORKOUTS_PER_WEEK,
        target_value=Decimal(4),
        description="Four sessions a week, one of them deadlifts.",
        person_id=john["id"],
        request=request,
    )
    await create_goal(coach, goal, database=databases["analytics"], now=now)
