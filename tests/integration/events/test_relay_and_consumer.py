"""Events survive the death of every server between the outbox and the projection."""

import asyncio
import gc
import sys

import msgspec
import pytest
from sqlalchemy import text

from events import consumer
from events.topics import USERS_BODY
from tests.testkit.event_pipeline import Pipeline, eventually
from tests.testkit.servers import Broker, Postgres


async def test_a_committed_event_reaches_the_projection(pipeline: Pipeline) -> None:
    async with pipeline.running():
        await pipeline.write("w1", 1, "80.5")

        async def arrived() -> bool:
            return await pipeline.weights() == {"w1": "80.5"}

        await eventually(arrived)


async def test_a_broker_killed_during_load_and_back_empty_loses_nothing(pipeline: Pipeline, own_broker: Broker) -> None:
    async with pipeline.running():
        for number in range(40):
            await pipeline.write(f"w{number:03}", 1, f"{60 + number}")

        async def first_arrived() -> bool:
            return "w000" in await pipeline.weights()

        await eventually(first_arrived)
        own_broker.kill()
        for number in range(40, 60):
            await pipeline.write(f"w{number:03}", 1, f"{60 + number}")
        own_broker.start()
        for number in range(60, 80):
            await pipeline.write(f"w{number:03}", 1, f"{60 + number}")
        await pipeline.write("w000", 2, "99")

        async def all_arrived() -> bool:
            return len(await pipeline.weights()) == 80 and (await pipeline.weights())["w000"] == "99"

        await eventually(all_arrived)
        assert await pipeline.unpublished() == 0
    expected = {f"w{number:03}": f"{60 + number}" for number in range(80)} | {"w000": "99"}
    assert await pipeline.weights() == expected
    # The new broker holds the whole history, so a group that comes later reads all of it.
    assert len(await pipeline.records(81)) >= 81


async def test_an_epoch_that_cannot_be_entered_is_waited_for_and_not_passed_over(pipeline: Pipeline) -> None:
    """The group has committed offsets, its database knows another epoch, and does not answer while partitions are assigned."""

    async def all_arrived() -> bool:
        return await pipeline.weights() == {"w1": "80", "w2": "81"}

    async with pipeline.running():
        await pipeline.write("w1", 1, "80")
        await pipeline.write("w2", 1, "81")
        await eventually(all_arrived)
    async with pipeline.engine.begin() as connection:
        for statement in (
            "DELETE FROM weight",
            "DELETE FROM inbox",
            "UPDATE inbox_partition SET broker_epoch = 'another'",
            "ALTER TABLE inbox_partition RENAME TO away",
        ):
            await connection.execute(text(statement))
    async with pipeline.running():

        async def has_failed() -> bool:
            return any("inbox_partition" in (loop.last_failure or "") for loop in pipeline.loops)

        await eventually(has_failed)
        async with pipeline.engine.begin() as connection:
            await connection.execute(text("ALTER TABLE away RENAME TO inbox_partition"))
        await eventually(all_arrived)


async def test_postgres_killed_during_load_keeps_every_acknowledged_write(
    pipeline: Pipeline, postgres: Postgres
) -> None:
    acknowledged: dict[str, str] = {}
    async with pipeline.running():
        for number in range(60):
            if number == 30:
                postgres.kill()
                postgres.start()
            try:
                await pipeline.write(f"w{number:03}", 1, f"{60 + number}")
            except Exception:
                continue
            acknowledged[f"w{number:03}"] = f"{60 + number}"

        async def all_arrived() -> bool:
            return acknowledged.items() <= (await pipeline.weights()).items()

        await eventually(all_arrived)
    assert len(acknowledged) >= 55


async def test_duplicates_old_versions_and_late_creates_change_nothing(pipeline: Pipeline) -> None:
    await pipeline.write("a", 3, "83")
    await pipeline.write("a", 2, "82")
    await pipeline.write("a", 3, "83")
    await pipeline.write("gone", 2, None)
    await pipeline.write("gone", 1, "70")
    async with pipeline.running():
        await pipeline.write("last", 1, "60")

        async def last_arrived() -> bool:
            return "last" in await pipeline.weights()

        await eventually(last_arrived)
    assert await pipeline.weights() == {"a": "83", "last": "60"}


async def test_two_relays_publish_each_row_once(pipeline: Pipeline) -> None:
    async with pipeline.running(), pipeline.running():
        for number in range(50):
            await pipeline.write(f"w{number:03}", 1, "70")

        async def published() -> bool:
            return await pipeline.unpublished() == 0 and len(await pipeline.weights()) == 50

        await eventually(published)
        records = await pipeline.records(50)
    keys_in_order = [msgspec.json.decode(record.value)["aggregate"]["id"] for record in records]
    assert keys_in_order == [f"w{number:03}" for number in range(50)]


MEMBER = """
import asyncio, sys
from aiokafka import AIOKafkaConsumer

async def join(servers, group, topic):
    await AIOKafkaConsumer(topic, bootstrap_servers=servers, group_id=group).start()
    print("joined", flush=True)
    await asyncio.Event().wait()

asyncio.run(join(*sys.argv[1:]))
"""


async def test_a_consumer_that_is_not_let_in_takes_a_new_group(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The embedded broker never forgets a member that was killed, and answers nobody who joins after it."""
    async with pipeline.running(consumer=False):  # which makes the topic
        await pipeline.write("w1", 1, "80.5")
        await pipeline.records(1)
    arguments = (pipeline.kafka.bootstrap_servers, pipeline.group, USERS_BODY.name)
    member = await asyncio.create_subprocess_exec(
        sys.executable, "-c", MEMBER, *arguments, stdout=asyncio.subprocess.PIPE
    )
    assert member.stdout is not None
    assert await asyncio.wait_for(member.stdout.readline(), 60) == b"joined\n"
    member.kill()
    await member.wait()
    monkeypatch.setattr(consumer, "START_TIMEOUT_SECONDS", 6.0)
    monkeypatch.setattr(consumer, "STOP_SECONDS", 1.0)
    async with pipeline.running():

        async def arrived() -> bool:
            return await pipeline.weights() == {"w1": "80.5"}

        await eventually(arrived)
        (loop,) = [each for each in pipeline.loops if each.name == "consumer"]
        assert loop.restarts >= 1
    gc.collect()  # a connection that was left open would warn now, which fails the test
