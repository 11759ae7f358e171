"""What John set himself: steps a day, a squat and a waist. Loading again changes nothing, whenever it is."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from deploy.sample_data import read_demo
from deploy.sample_data.people import day_of_john, signed_in
from subgraphs.analytics.commands.goal import NewGoal, create_goal
from subgraphs.analytics.domain.goal import GoalKind
from subgraphs.shell.database import Database
from subgraphs.shell.inputs import RequestKey
from subgraphs.shell.measurement_kind import MeasurementKind
from subgraphs.shell.scalars import IdempotencyKey
from subgraphs.workouts.sample_data import catalogue_by_name

_BEGAN, _ENDS = timedelta(days=60), timedelta(days=120)


async def load_goals(analytics: Database, workouts: Database, now: datetime) -> None:
    """Through the command that clients' requests run."""
    john = signed_in(read_demo()["people"][0])
    async with workouts.transaction() as transaction:
        squat = (await catalogue_by_name(transaction))["Barbell Squat"].id
    start, end = day_of_john(now) - _BEGAN, day_of_john(now) + _ENDS
    for goal in (
        NewGoal(
            kind=GoalKind.DAILY_STEPS,
            target_value=Decimal(8_000),
            start_date=start,
            request=RequestKey(IdempotencyKey("sample:steps")),
        ),
        NewGoal(
            kind=GoalKind.ONE_REP_MAX_KG,
            exercise_id=squat,
            target_value=Decimal(120),
            start_date=start,
            target_date=end,
            request=RequestKey(IdempotencyKey("sample:squat")),
        ),
        NewGoal(
            kind=GoalKind.MEASUREMENT_CM,
            measurement=MeasurementKind.WAIST,
            target_value=Decimal(88),
            start_date=start,
            target_date=end,
            request=RequestKey(IdempotencyKey("sample:waist")),
        ),
    ):
        await create_goal(john, goal, database=analytics, now=now)
