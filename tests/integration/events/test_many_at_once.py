"""Two projectors, two relays, and one that wakes after its partitions were given away: each state is projected once."""

import asyncio
from contextlib import suppress

import asyncpg

from events.consumer import Subscription, run_consumer
from tests.testkit.conflicts import lose_conflicts
from tests.testkit.event_pipeline import Pipeline, eventually


async def test_two_projectors_of_one_group_project_each_state_once(pipeline: Pipeline) -> None:
    async with pipeline.running(), pipeline.running():
        for number in range(60):
            await pipeline.write(f"w{number:02}", 1, "70", user_id=f"u{number % 7}")
            await pipeline.write(f"w{number:02}", 2, f"{70 + number}", user_id=f"u{number % 7}")
        expected = {f"w{number:02}": f"{70 + number}" for number in range(60)}

        async def arrived() -> bool:
            return await pipeline.weights() == expected

        await eventually(arrived)
    newest = [name for name in pipeline.handled if name.endswith("@2")]
    assert sorted(newest) == sorted(f"w{number:02}@2" for number in range(60))


async def test_a_projector_that_wakes_after_a_rebalance_changes_nothing(pipeline: Pipeline) -> None:
    """It holds records that another one has handled since, in newer versions: they are old to the inbox."""
    asleep, wakes = asyncio.Event(), asyncio.Event()
    subscription = pipeline.subscription

    async def slow_handler(connection, envelopes):  # type: ignore[no-untyped-def]
        # The transaction of the zombie is lost with its connection, as after a pause of minutes.
        asleep.set()
        await wakes.wait()
        return await pipeline.project(connection, envelopes)

    zombie = asyncio.create_task(
        run_consumer(
            Subscription(subscription.group, subscription.topics, slow_handler), pipeline.engine, pipeline.kafka
        )
    )
    try:
        async with pipeline.running(consumer=False):  # alone, it has every partition
            await pipeline.write("a", 1, "80")
            async with asyncio.timeout(60):
                await asleep.wait()
        async with pipeline.running():
            connection = await asyncpg.connect(pipeline.url)
            await connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND state = 'idle in transaction'"
            )
            await connection.close()
            await pipeline.write("a", 2, "81")
            wakes.set()

            async def arrived() -> bool:
                return await pipeline.weights() == {"a": "81"}

            await eventually(arrived)
            await asyncio.sleep(1)
            assert await pipeline.weights() == {"a": "81"}
            assert await pipeline.parked() == []
    finally:
        zombie.cancel()
        with suppress(asyncio.CancelledError):
            await zombie


async def test_a_projection_that_loses_a_conflict_is_begun_anew_where_it_stands(pipeline: Pipeline) -> None:
    """Postgres ends one of two transactions that wait for each other; a group that was joined anew for it would be late by seconds."""
    await lose_conflicts(pipeline.url, "weight", times=2)
    async with pipeline.running():
        await pipeline.write("a", 1, "80")

        async def arrived() -> bool:
            return await pipeline.weights() == {"a": "80"}

        await eventually(arrived)
        assert [loop.restarts for loop in pipeline.loops] == [0, 0]
    assert pipeline.handled == ["a@1"] * 3
