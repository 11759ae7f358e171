"""One exercise and one public template that are nobody's, in a running stack without sample data."""

from __future__ import annotations

from subgraphs.shell.context import utc_now
from subgraphs.shell.database import Database
from subgraphs.workouts.sample_data import load_exercises, load_public_templates
from tests.testkit.running_stack import RunningStack

EXERCISE = {
    "id": "catalogue-step-up",
    "name": "Step-up",
    "category": "STRENGTH",
    "level": "BEGINNER",
    "tracking": "REPS",
}
TEMPLATE = {
    "id": "catalogue-steps",
    "name": "Steps",
    "kind": "STRENGTH",
    "level": "BEGINNER",
    "exercises": [{"exercise": "Step-up", "sets": "3"}],
}


async def with_catalogue(stack: RunningStack) -> tuple[str, str]:
    """The ids of the exercise and of the template, which are there from now on."""
    database = Database(stack.state.environment["DATABASE_URL_WORKOUTS"], pool_size=1, name="tests")
    try:
        async with database.transaction() as connection:
            await load_exercises(connection, [EXERCISE], utc_now())
            await load_public_templates(connection, [TEMPLATE], utc_now())
    finally:
        await database.close()
    return str(EXERCISE["id"]), str(TEMPLATE["id"])
