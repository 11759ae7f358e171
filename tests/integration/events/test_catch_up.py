"""A history that is loaded at once: the projection has it before the broker does, and what is lived meanwhile wins."""

from datetime import UTC, datetime
from decimal import Decimal

from sqlalchemy import text

from events.audit import Audit
from events.catch_up import catch_up
from events.contracts.users import WeightLogged
from events.outbox import NewEvent
from events.relay import TO_REFILL, tell_from
from events.sources import Sources
from subgraphs.shell.bulk import copy_events
from tests.testkit.event_pipeline import DAY, Pipeline, eventually

AT = datetime(2026, 3, 1, 7, tzinfo=UTC)


async def _load(pipeline: Pipeline, *entry_ids: str) -> int:
    """Weighings of 80 kg. Returns the number of the newest event before them."""
    events = [
        NewEvent(
            WeightLogged(entry_id=entry_id, weight_kg=Decimal(80), recorded_at=AT, local_date=DAY),
            aggregate_id=entry_id,
            version=1,
            user_id="u1",
            occurred_at=AT,
            local_date=DAY,
        )
        for entry_id in entry_ids
    ]
    async with pipeline.engine.begin() as connection:
        before = int(await connection.scalar(text("SELECT coalesce(max(seq), 0) FROM outbox")) or 0)
        await copy_events(connection, events)
    return before


async def test_a_loaded_history_is_projected_without_the_broker_and_only_once(pipeline: Pipeline) -> None:
    await _load(pipeline, "w1", "w2")
    sources = Sources({"users": pipeline.engine})
    assert await catch_up(pipeline.subscription, pipeline.engine, sources, ["u1", "nobody"]) == 2
    assert await pipeline.weights() == {"w1": "80", "w2": "80"}
    assert await catch_up(pipeline.subscription, pipeline.engine, sources, ["u1"]) == 0
    assert await Audit(pipeline.subscription, pipeline.engine, sources).differences_of("u1") == []


async def test_what_is_lived_after_a_load_wins_over_what_the_broker_is_told_late(pipeline: Pipeline) -> None:
    async with pipeline.running():
        await pipeline.write("w0", 1, "70")

        async def first_arrived() -> bool:
            return "w0" in await pipeline.weights()

        await eventually(first_arrived)
        before = await _load(pipeline, "w1", "w2")
        await catch_up(pipeline.subscription, pipeline.engine, Sources({"users": pipeline.engine}), ["u1"])
        await pipeline.write("w1", 2, "81")

        async def corrected() -> bool:
            return (await pipeline.weights())["w1"] == "81"

        await eventually(corrected)
        handled = list(pipeline.handled)
        async with pipeline.engine.begin() as connection:
            await tell_from(connection, before)
        assert len(await pipeline.records(5)) == 5  # w0, the correction, and then the three after `before`
        await pipeline.write("last", 1, "60")

        async def last_arrived() -> bool:
            return "last" in await pipeline.weights()

        await eventually(last_arrived)
        assert pipeline.handled == [*handled, "last@1"]
    assert await pipeline.weights() == {"w0": "70", "w1": "81", "w2": "80", "last": "60"}


async def test_loads_that_end_while_another_is_told_are_all_told(pipeline: Pipeline) -> None:
    async with pipeline.running(consumer=False):
        for number in range(30):
            before = await _load(pipeline, f"w{number:02}")
            async with pipeline.engine.begin() as connection:
                await tell_from(connection, before)

        async def all_told() -> bool:
            async with pipeline.engine.connect() as connection:
                return await connection.scalar(text("SELECT refill_until FROM outbox_relay")) is None

        await eventually(all_told)
        told = {record.value for record in await pipeline.records(30)}
    assert len(told) == 30


async def test_a_batch_of_a_refill_reads_no_row_before_it(pipeline: Pipeline) -> None:
    before = await _load(pipeline, *(f"w{number:04}" for number in range(3_000)))
    explain = f"EXPLAIN (ANALYZE, FORMAT JSON) {TO_REFILL.replace('$1', ':after').replace('$2', ':until').replace('$3', ':most')}"
    async with pipeline.engine.begin() as connection:
        await connection.execute(text("ANALYZE outbox"))
        bounds = {"after": before + 2_000, "until": before + 3_000, "most": 100}
        plan = (await connection.execute(text(explain), bounds)).scalar_one()[0]["Plan"]
    (scan,) = plan["Plans"]
    assert (scan["Node Type"], scan["Actual Rows"], scan.get("Rows Removed by Filter", 0)) == ("Index Scan", 100, 0)
