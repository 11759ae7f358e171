"""A database that was restored tells its truth again, though the versions it gives were given before."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from types import SimpleNamespace

import asyncpg
import pytest

from events import relay
from events.broker import connect_admin
from events.relay import ClocksDisagreeError, begin_source_epoch, run_relay
from events.topics import USERS_BODY
from tests.testkit.event_pipeline import Pipeline, eventually, open_pipeline
from tests.testkit.servers import Broker, Postgres

TEN_YEARS = 10 * 365.25 * 86_400


@pytest.fixture
def own_postgres() -> Iterator[Postgres]:
    server = Postgres()
    server.start()
    yield server
    server.stop()


@pytest.fixture
async def source(own_postgres: Postgres, own_broker: Broker) -> AsyncIterator[Pipeline]:
    """Another database than the one whose projection reads its events."""
    async with open_pipeline(own_postgres, own_broker) as pipeline:
        yield pipeline


@asynccontextmanager
async def relayed(source: Pipeline) -> AsyncIterator[None]:
    relay = asyncio.create_task(run_relay("test", source.url, source.kafka))
    try:
        yield
    finally:
        relay.cancel()
        with suppress(asyncio.CancelledError):
            await relay


async def projected(pipeline: Pipeline, expected: dict[str, str]) -> None:
    async def arrived() -> bool:
        return await pipeline.weights() == expected

    await eventually(arrived)


async def test_what_a_restored_database_says_replaces_what_its_former_life_said(
    pipeline: Pipeline, source: Pipeline, own_postgres: Postgres
) -> None:
    async with pipeline.running():
        async with relayed(source):
            await source.write("a", 1, "80")
            await source.write("b", 1, "90")
            await projected(pipeline, {"a": "80", "b": "90"})
        name = source.url.rpartition("/")[2]
        await source.engine.dispose()
        own_postgres.create_database("backup", template=name)
        async with relayed(source):
            await source.write("a", 2, "81")
            await source.write("a", 3, "82")
            await projected(pipeline, {"a": "82", "b": "90"})
        await source.engine.dispose()

        restored = own_postgres.create_database("restored", template="backup")
        source.url = restored
        async with relayed(source):
            # The state of the backup, though the group had handled version 3; then version 2 once more, of another life.
            await projected(pipeline, {"a": "80", "b": "90"})
            connection = await asyncpg.connect(restored)
            value = await connection.fetchval("SELECT value FROM outbox WHERE aggregate_id = 'a'")
            await connection.execute(
                "INSERT INTO outbox (event_id, topic, key, aggregate_type, aggregate_id, version, value)"
                " SELECT gen_random_uuid(), topic, key, aggregate_type, aggregate_id, 2, $1 FROM outbox"
                " WHERE aggregate_id = 'a'",
                value.replace(b'"version":1', b'"version":2').replace(b'"80"', b'"99"'),
            )
            await connection.close()
            await projected(pipeline, {"a": "99", "b": "90"})


async def test_a_new_epoch_by_order_tells_the_whole_state_anew(pipeline: Pipeline) -> None:
    async with pipeline.running():
        await pipeline.write("a", 1, "80")
        await pipeline.write("a", 2, "81")
        await projected(pipeline, {"a": "81"})
        # A snapshot of the disk is put back: the second version never was, and nothing inside can tell.
        connection = await asyncpg.connect(pipeline.url)
        await connection.execute("DELETE FROM outbox WHERE version = 2")
        first = await connection.fetchval("SELECT source_epoch FROM outbox_relay")
        assert await begin_source_epoch(connection) > first
        await connection.close()
        await projected(pipeline, {"a": "80"})


async def test_no_epoch_is_given_by_a_clock_that_is_wrong_by_years(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One of years to come would make consumers deaf to the next life of the database; until the clocks agree, events wait."""
    await pipeline.write("a", 1, "80")
    with monkeypatch.context() as wrong:
        wrong.setattr(relay, "time", SimpleNamespace(time=lambda: time.time() + TEN_YEARS))
        async with pipeline.running():
            await eventually(lambda: _refuses(pipeline))
        connection = await asyncpg.connect(pipeline.url)
        with pytest.raises(ClocksDisagreeError):
            await begin_source_epoch(connection)
        assert await connection.fetchval("SELECT source_epoch FROM outbox_relay") < time.time() * 1000
        await connection.close()
        assert await pipeline.weights() == {}
    async with pipeline.running():
        await projected(pipeline, {"a": "80"})


async def _refuses(pipeline: Pipeline) -> bool:
    """Whether the relay stands still for that reason."""
    return any("ClocksDisagreeError" in (loop.last_failure or "") for loop in pipeline.loops if loop.name == "relay")


async def test_a_database_of_which_nothing_changed_keeps_its_epoch(pipeline: Pipeline) -> None:
    epochs = set()
    for number in range(2):
        async with pipeline.running():
            await pipeline.write(f"w{number}", 1, "80")
            await projected(pipeline, {f"w{each}": "80" for each in range(number + 1)})
        connection = await asyncpg.connect(pipeline.url)
        epochs.add(await connection.fetchval("SELECT source_epoch FROM outbox_relay"))
        await connection.close()
    assert len(epochs) == 1
    assert len(await pipeline.records(2)) == 2  # and nothing was sent twice


async def test_a_topic_that_was_deleted_is_made_again_and_an_epoch_tells_what_it_had(pipeline: Pipeline) -> None:
    """The broker itself is the same, so nothing tells that records are gone: new events come by themselves, those of before
    by order, to a group that had read none of them too.
    """
    async with pipeline.running(consumer=False):
        await pipeline.write("a", 1, "80")
        assert len(await pipeline.records(1)) == 1
        async with connect_admin(pipeline.kafka) as admin:
            await admin.delete_topics([USERS_BODY.name])
    async with pipeline.running():
        await pipeline.write("b", 1, "90")
        await projected(pipeline, {"b": "90"})
        connection = await asyncpg.connect(pipeline.url)
        await begin_source_epoch(connection)
        await connection.close()
        await projected(pipeline, {"a": "80", "b": "90"})
