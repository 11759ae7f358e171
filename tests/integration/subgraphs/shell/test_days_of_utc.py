"""What is deleted or told by its day goes by UTC's, whatever the time zone of the session: that of whoever set Postgres up."""

import importlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
from sqlalchemy import text

from events.retention import Forget
from subgraphs.nutrition.commands import meal_plan
from subgraphs.users.commands import logged_entry, workout_reminder
from subgraphs.workouts.commands import planned_workout
from subgraphs.workouts.commands.plan_event import tell_untold_plans
from tests.testkit.servers import Postgres
from tests.testkit.subgraph import SubgraphUnderTest, subgraph_under_test

#: Clocks a whole day away from UTC's, so that the day is another one at any hour.
A_DAY_AWAY = ("<ahead>-24", "<behind>+24")
_UTC_DAY = "CAST(now() AT TIME ZONE 'UTC' AS date)"
_DAYS_BACK = "unnest(CAST(:back AS integer[])) AS back"
_PLANNED = f"""INSERT INTO planned_workout (id, user_id, local_date, name, exercises, created_at, planned_at)
    SELECT CAST(back AS text), 'somebody', {_UTC_DAY} - back, 'Legs', '[]', now(), now() FROM {_DAYS_BACK}"""
_AHEAD = f"""INSERT INTO plan_ahead (planned_id, user_id, local_date, name)
    SELECT CAST(back AS text), 'somebody', {_UTC_DAY} - back, 'Legs' FROM {_DAYS_BACK}"""
_LOGGED = f"""INSERT INTO logged_entry (entry_id, user_id, what, local_date)
    SELECT CAST(back AS text), 'somebody', 'WATER', {_UTC_DAY} - back FROM {_DAYS_BACK}"""
_MEALS = f"""INSERT INTO planned_meal (id, user_id, local_date, position, slot, content)
    SELECT CAST(back AS text), 'somebody', {_UTC_DAY} - back, 0, 'LUNCH', '{{}}' FROM {_DAYS_BACK}"""
#: Of each table: its service, rows of so many days back, for how many days a row is kept, and what deletes the others.
KEPT: dict[str, tuple[str, str, int, Forget]] = {
    "logged_entry": ("users", _LOGGED, logged_entry.KEPT_DAYS, logged_entry.forget_logged),
    "plan_ahead": ("users", _AHEAD, workout_reminder.KEPT_DAYS, workout_reminder.forget_plans),
    "planned_workout": ("workouts", _PLANNED, planned_workout.DAYS_KEPT, planned_workout.forget_planned),
    "planned_meal": ("nutrition", _MEALS, meal_plan.DAYS_KEPT, meal_plan.forget_planned),
}


@pytest.fixture(scope="module")
async def services(postgres: Postgres) -> AsyncIterator[dict[str, SubgraphUnderTest]]:
    async with AsyncExitStack() as stack:
        found = {}
        for name in ("users", "workouts", "nutrition"):
            service = importlib.import_module(f"subgraphs.{name}.app").SUBGRAPH
            url = postgres.create_database(f"days_of_utc_{name}")
            found[name] = await stack.enter_async_context(
                subgraph_under_test(name, url, service.schema, service.make_loaders)
            )
        yield found


@pytest.mark.parametrize("zone", A_DAY_AWAY)
@pytest.mark.parametrize("table", KEPT)
async def test_what_is_kept_for_days_is_kept_by_days_of_utc(
    services: dict[str, SubgraphUnderTest], table: str, zone: str
) -> None:
    service, insert, days, forget = KEPT[table]
    async with services[service].database.writer.connect() as connection:  # nothing of it is committed
        await connection.execute(text(f"SET LOCAL TIME ZONE '{zone}'"))
        await connection.execute(text("SET LOCAL session_replication_role = replica"))  # there need be no account
        assert await connection.scalar(text(f"SELECT current_date <> {_UTC_DAY}"))
        await connection.execute(text(insert), {"back": [days, days + 1]})
        assert await forget(connection, 100) == 1
        left = await connection.scalars(text(f"SELECT {_UTC_DAY} - local_date FROM {table}"))
        assert left.all() == [days]


@pytest.mark.parametrize("zone", A_DAY_AWAY)
async def test_what_an_earlier_release_planned_is_told_from_utcs_yesterday_on(
    services: dict[str, SubgraphUnderTest], zone: str
) -> None:
    async with services["workouts"].database.writer.connect() as connection:
        await connection.execute(text(f"SET LOCAL TIME ZONE '{zone}'"))
        now = await connection.scalar(text("SELECT now()"))
        assert now is not None
        await connection.execute(text(_PLANNED), {"back": [-1, 0, 1, 2]})
        assert await tell_untold_plans(connection, 100, now) == 3
        assert await tell_untold_plans(connection, 100, now) == 0
