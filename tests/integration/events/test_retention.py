"""The outbox lets go of what nobody can need, and keeps what fills a lost broker or makes a projection anew."""

from sqlalchemy import text

from events.retention import OUTBOX, TOMBSTONE_DAYS, forget_in_batches
from tests.testkit.event_pipeline import Pipeline, eventually
from tests.testkit.servers import Broker


async def grow_old(pipeline: Pipeline, days: int) -> None:
    async with pipeline.engine.begin() as connection:
        await connection.execute(
            text("UPDATE outbox SET published_at = published_at - make_interval(days => :days)"), {"days": days}
        )


async def kept(pipeline: Pipeline) -> list[str]:
    async with pipeline.engine.connect() as connection:
        rows = await connection.execute(text("SELECT aggregate_id || '@' || version FROM outbox ORDER BY seq"))
        return list(rows.scalars())


async def forget_all(pipeline: Pipeline) -> int:
    return sum([await forget_in_batches(pipeline.engine.begin, forget) for forget in OUTBOX])


async def test_superseded_versions_go_after_a_week_and_a_lost_broker_is_filled_from_the_rest(
    pipeline: Pipeline, own_broker: Broker
) -> None:
    async with pipeline.running():
        for version in range(1, 4):
            await pipeline.write("a", version, f"{80 + version}")
        await pipeline.write("b", 1, "90")
        await pipeline.write("gone", 1, "70")
        await pipeline.write("gone", 2, None)

        async def handled() -> bool:
            return await pipeline.unpublished() == 0 and await pipeline.weights() == {"a": "83", "b": "90"}

        await eventually(handled)
        assert await forget_all(pipeline) == 0
        await grow_old(pipeline, 8)
        assert await forget_all(pipeline) == 3
        assert await kept(pipeline) == ["a@3", "b@1", "gone@2"]

        own_broker.kill()
        own_broker.start()
        async with pipeline.engine.begin() as connection:
            for table in ("weight", "inbox", "inbox_partition"):
                await connection.execute(text(f"DELETE FROM {table}"))
        await eventually(handled)


async def test_a_version_that_only_an_unpublished_one_replaces_stays(pipeline: Pipeline) -> None:
    await pipeline.write("a", 1, "80")
    async with pipeline.engine.begin() as connection:
        await connection.execute(text("UPDATE outbox SET published_at = now()"))
    await grow_old(pipeline, 30)
    await pipeline.write("a", 2, "81")
    assert await forget_all(pipeline) == 0


async def test_a_tombstone_goes_when_no_topic_can_hold_an_earlier_version(pipeline: Pipeline) -> None:
    await pipeline.write("gone", 2, None)
    await pipeline.write("alive", 1, "80")
    async with pipeline.engine.begin() as connection:
        await connection.execute(text("UPDATE outbox SET published_at = now()"))
    await grow_old(pipeline, TOMBSTONE_DAYS - 1)
    assert await forget_all(pipeline) == 0
    await grow_old(pipeline, 2)
    assert await forget_all(pipeline) == 1
    assert await kept(pipeline) == ["alive@1"]


async def test_one_process_at_a_time_forgets(pipeline: Pipeline) -> None:
    await pipeline.write("a", 1, "80")
    await pipeline.write("a", 2, "80")
    async with pipeline.engine.begin() as connection:
        await connection.execute(text("UPDATE outbox SET published_at = now()"))
    await grow_old(pipeline, 8)
    async with pipeline.engine.begin() as other:
        await other.execute(text("SELECT pg_advisory_xact_lock(hashtextextended('retention', 0))"))
        assert await forget_all(pipeline) == 0
    assert await forget_all(pipeline) == 1
