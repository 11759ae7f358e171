"""John's templates of workouts, by demo.json: one plan for each rule by which plans grow. Loading again changes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from deploy.sample_data import read_demo
from deploy.sample_data.people import signed_in
from subgraphs.shell.database import Database
from subgraphs.shell.inputs import RequestKey
from subgraphs.shell.scalars import IdempotencyKey
from subgraphs.workouts.commands.template import NewTemplate, create_template
from subgraphs.workouts.domain.plan import Plan
from subgraphs.workouts.sample_data import catalogue_by_name


async def load_gym(database: Database, now: datetime) -> None:
    """Through the command that clients' requests run; the exercises of demo.json must be there."""
    demo = read_demo()
    john = demo["people"][0]
    viewer = signed_in(john)
    async with database.transaction() as connection:
        catalogue = await catalogue_by_name(connection)
    for row in demo["templates"]:
        exercises = [(catalogue[each["exercise"]].id, _plan(each)) for each in row["exercises"]]
        request = RequestKey(IdempotencyKey(f"sample:{row['name']}"))
        new = NewTemplate(name=row["name"], exercises=exercises, notes=row["notes"], request=request)
        await create_template(viewer, new, database=database, now=now)


def _plan(row: Mapping[str, Any]) -> Plan:
    return Plan(
        sets=row["sets"],
        least_reps=row["reps"][0],
        most_reps=row["reps"][-1],
        rest_seconds=row["restSeconds"],
        weight_kg=_number(row, "weightKg"),
        increment_kg=_number(row, "incrementKg"),
        percent=_number(row, "percentOfMax"),
        training_max_kg=_number(row, "trainingMaxKg"),
        target_rpe=_number(row, "targetRpe"),
    )


def _number(row: Mapping[str, Any], name: str) -> Decimal | None:
    return Decimal(str(row[name])) if name in row else None
