"""A bad record is parked, listed and replayed; whatever may be the servers' fault, or is not understood, is waited out."""

import asyncio
import tracemalloc
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from random import Random

import msgspec
import pytest
from aiokafka import AIOKafkaProducer
from prometheus_client import REGISTRY

from deploy.event_commands import line_of_parked
from events.consumer import STAMP_BYTES, handle_parked
from events.contracts.users import WeightLogged
from events.envelope import LARGEST_VALUE_BYTES, decode_envelope, encode_envelope
from events.outbox import EventTooLargeError, NewEvent, append_event, outbox_rows
from events.parked import count_parked, order_to_park, parked_ids, read_parked
from events.parked import replay as replay_parked
from events.topics import USERS_BODY
from tests.testkit.event_pipeline import DAY, Pipeline, eventually
from tests.testkit.servers import Postgres


async def test_poison_of_every_kind_is_parked_and_blocks_nobody(pipeline: Pipeline) -> None:
    async with pipeline.running():
        await pipeline.write("w1", 1, "80")
        await pipeline.write("bad", 1, "-1")

        async def published() -> bool:
            return await pipeline.unpublished() == 0

        await eventually(published)
        good = decode_envelope((await pipeline.records(1))[0].value)
        replaced = msgspec.structs.replace
        await pipeline.send(b"no envelope")
        await pipeline.send(b"")
        await pipeline.send(encode_envelope(replaced(good, type="WeightForetold", aggregate=_other(good, "type"))))
        await pipeline.send(encode_envelope(replaced(good, schema_version=9, aggregate=_other(good, "newer"))))
        await pipeline.send(encode_envelope(replaced(good, aggregate=_other(good, "key"))), key=b"somebody else")
        large = msgspec.Raw(b'{"entry_id": "' + b"x" * 700_000 + b'"}')
        await pipeline.send(encode_envelope(replaced(good, payload=large, aggregate=_other(good, "large"))))
        await pipeline.write("w2", 1, "81")

        async def good_ones_arrived() -> bool:
            return await pipeline.weights() == {"w1": "80", "w2": "81"}

        await eventually(good_ones_arrived)

        async def all_parked() -> bool:
            return len(await pipeline.parked()) >= 7

        await eventually(all_parked)
    reasons = sorted(record.error.partition(":")[0] for record in await pipeline.parked())
    assert reasons == [
        "BadRecordError",  # weighs less than nothing
        "BadRecordError",  # under another's key
        "DecodeError",
        "DecodeError",
        "UnknownEventError",
        "UnknownEventError",
        "ValidationError",
    ]
    refused = next(record for record in await pipeline.parked() if "less than nothing" in record.error)
    assert refused.envelope is not None
    assert (refused.topic, refused.key, refused.attempts) == ("users.body.v1", b"u1", 3)
    assert refused.envelope.aggregate.id == "bad"


def _other(envelope, name):  # type: ignore[no-untyped-def]
    return msgspec.structs.replace(envelope.aggregate, id=name)


async def test_records_of_all_sizes_are_handled_or_parked_and_block_nobody(pipeline: Pipeline) -> None:
    """The largest that an outbox takes is handled; what is larger, or has ids that no index takes, is parked."""
    async with pipeline.running():
        await pipeline.write("w1", 1, "80")

        async def published() -> bool:
            return await pipeline.unpublished() == 0

        await eventually(published)
        good = decode_envelope((await pipeline.records(1))[0].value)
        await _write_the_largest(pipeline)
        long = bytes(Random(5).randbytes(20_000)).hex()
        ids = {
            "aggregate": msgspec.structs.replace(good, aggregate=_other(good, long)),
            "contract": msgspec.structs.replace(good, type=long, aggregate=_other(good, "of no type")),
            "entry": msgspec.structs.replace(
                good,
                payload=msgspec.Raw(bytes(good.payload).replace(b'"w1"', b'"%s"' % long.encode())),
                aggregate=_other(good, "entry"),
            ),
        }
        for envelope in ids.values():
            await pipeline.send(encode_envelope(envelope))
        sizes = (LARGEST_VALUE_BYTES + STAMP_BYTES + 1, 1024 * 1024 - 70, 1024 * 1024, 2_000_000, 5_000_000)
        for size in sizes:
            padded = encode_envelope(msgspec.structs.replace(good, aggregate=_other(good, f"of {size}")))
            await pipeline.send(padded + b" " * (size - len(padded)))
        await pipeline.send(b"no envelope", key=b"k" * 2_000_000)
        await pipeline.write("w2", 1, "81")

        async def good_ones_arrived() -> bool:
            return await pipeline.weights() == {"large": "70", "w1": "80", "w2": "81"}

        await eventually(good_ones_arrived)

        async def all_parked() -> bool:
            return len(await pipeline.parked()) == len(ids) + len(sizes) + 1

        await eventually(all_parked)
        assert sorted(len(record.value or b"") for record in await pipeline.parked())[-5:] == sorted(sizes)
        assert sum(loop.restarts for loop in pipeline.loops) == 0


async def test_a_batch_that_unpacks_to_very_much_is_parked_packed(pipeline: Pipeline) -> None:
    """Forty kilobytes that are forty megabytes, among good events: neither memory nor whoever waits behind it pays for it."""
    async with pipeline.running():
        await pipeline.write("w1", 1, "80")
        producer = AIOKafkaProducer(
            bootstrap_servers=pipeline.kafka.bootstrap_servers, max_request_size=100_000_000, compression_type="gzip"
        )
        await producer.start()
        await producer.send_and_wait(USERS_BODY.name, bytes(40_000_000), key=b"u1")
        await producer.stop()
        await pipeline.write("w2", 1, "81")

        async def good_ones_arrived() -> bool:
            return await pipeline.weights() == {"w1": "80", "w2": "81"}

        await eventually(good_ones_arrived)
        assert sum(loop.restarts for loop in pipeline.loops) == 0
    (parked,) = await pipeline.parked()
    assert "unpacks to more than" in parked.error
    assert len(parked.value or b"") < 100_000
    async with pipeline.engine.begin() as connection:
        with pytest.raises(msgspec.MsgspecError):
            await handle_parked(pipeline.subscription, connection, parked)


async def _write_the_largest(pipeline: Pipeline) -> None:
    """An event of as many bytes as an outbox takes, which says a weight as any other does."""
    recorded = datetime(2026, 3, 1, 7, tzinfo=UTC)
    payload = WeightLogged(entry_id="large", weight_kg=Decimal(70), recorded_at=recorded, local_date=DAY)
    event = NewEvent(payload, "large", 1, "u1", recorded, DAY, source="")
    (row,) = outbox_rows([event])
    filled = replace(event, source="s" * (LARGEST_VALUE_BYTES - len(row["value"])))
    async with pipeline.engine.begin() as connection:
        await append_event(connection, filled)
    with pytest.raises(EventTooLargeError, match="1000001 bytes"):
        outbox_rows([replace(filled, source=f"{filled.source}s")])


async def test_large_records_are_held_a_few_at_a_time(pipeline: Pipeline) -> None:
    """A hundred and fifty megabytes that wait when a consumer starts, and what it has of memory for them at any moment."""
    await pipeline.write("w1", 1, "80")
    async with pipeline.running(consumer=False):

        async def published() -> bool:
            return await pipeline.unpublished() == 0

        await eventually(published)
    for number in range(30):
        await pipeline.send(b"%d" % number + b" " * 5_000_000)
    tracemalloc.start()
    try:
        async with pipeline.running():

            async def all_parked() -> bool:
                async with pipeline.engine.connect() as connection:
                    return await count_parked(connection) == {pipeline.group: 30}

            await eventually(all_parked)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 60_000_000
    assert await pipeline.weights() == {"w1": "80"}
    await _list_and_replay_a_few_at_a_time(pipeline)


async def _list_and_replay_a_few_at_a_time(pipeline: Pipeline) -> None:
    async with pipeline.engine.connect() as connection:
        ids = await parked_ids(connection, pipeline.group)
    tracemalloc.start()
    try:
        shown = [line_of_parked(record) async for record in read_parked(pipeline.engine, ids)]
        outcome = await replay_parked(pipeline.engine, ids, partial(handle_parked, pipeline.subscription))
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(shown) == 30
    assert max(map(len, shown)) < 500
    assert len(outcome.failed) + len(outcome.held_back) == 30
    assert most < 40_000_000


async def test_while_many_are_parked_the_loop_is_well_and_tells_how_many_are_left(pipeline: Pipeline) -> None:
    async with pipeline.running():
        await pipeline.write("w1", 1, "80")

        async def arrived() -> bool:
            return await pipeline.weights() == {"w1": "80"}

        await eventually(arrived)
        (loop,) = [loop for loop in pipeline.loops if loop.group is not None]
        assert loop.lag is not None
        loop.patience_seconds = 1.0  # a fraction of what they take together
        for number in range(20):
            await pipeline.send(b"no envelope %d" % number)
        most = 0
        while len(await pipeline.parked()) < 20:
            assert loop.is_well
            most = max(most, int(sum((await loop.lag()).values())))
            await asyncio.sleep(0.02)
        assert most >= 10  # the batch in hand is not handled

        async def none_is_left() -> bool:
            return loop.lag is not None and sum((await loop.lag()).values()) == 0

        await eventually(none_is_left)


async def test_a_server_that_is_starting_up_parks_no_good_event(pipeline: Pipeline, postgres: Postgres) -> None:
    async with pipeline.running():
        await pipeline.write("w1", 1, "80")

        async def arrived() -> bool:
            return await pipeline.weights() == {"w1": "80"}

        await eventually(arrived)
        good = decode_envelope((await pipeline.records(1))[0].value)
        postgres.kill()
        postgres.start_refusing()
        try:
            for number in range(20):
                await pipeline.send(
                    encode_envelope(msgspec.structs.replace(good, aggregate=_other(good, f"more-{number}")))
                )
            before = sum(loop.restarts for loop in pipeline.loops)

            async def failed_some_times() -> bool:
                return sum(loop.restarts for loop in pipeline.loops) >= before + 3

            await eventually(failed_some_times)
            assert not all(loop.is_well for loop in pipeline.loops)
        finally:
            postgres.stop_refusing()
            postgres.start()

        async def handled() -> bool:
            return len({name for name in pipeline.handled if name.startswith("more-")}) == 20

        await eventually(handled)
    assert await pipeline.parked() == []


async def test_a_failure_that_nobody_foresaw_waits_and_raises_an_alarm(pipeline: Pipeline) -> None:
    pipeline.is_broken = True
    async with pipeline.running():
        await pipeline.write("w1", 1, "80")
        await pipeline.write("odd", 1, "81")

        async def alarmed() -> bool:
            return bool(REGISTRY.get_sample_value("consumer_blocked_total", {"group": pipeline.group}))

        await eventually(alarmed)
        assert await pipeline.weights() == {"w1": "80"}  # what was before it is handled
        assert await pipeline.parked() == []
        pipeline.is_broken = False

        async def arrived() -> bool:
            return await pipeline.weights() == {"w1": "80", "odd": "81"}

        await eventually(arrived)


async def test_a_record_that_blocks_is_let_go_by_order(pipeline: Pipeline) -> None:
    pipeline.is_broken = True
    async with pipeline.running():
        await pipeline.write("odd", 1, "81")
        await pipeline.write("w2", 1, "82")

        async def alarmed() -> bool:
            return bool(REGISTRY.get_sample_value("consumer_blocked_total", {"group": pipeline.group}))

        await eventually(alarmed)
        record = (await pipeline.records(1))[0]
        async with pipeline.engine.begin() as connection:
            await order_to_park(connection, pipeline.group, record.topic, record.partition, record.offset)

        async def let_go() -> bool:
            return await pipeline.weights() == {"w2": "82"} and len(await pipeline.parked()) == 1

        await eventually(let_go)
        pipeline.is_broken = False
        outcome = await replay_parked(
            pipeline.engine,
            [record.id for record in await pipeline.parked()],
            partial(handle_parked, pipeline.subscription),
        )
    assert len(outcome.handled) == 1
    assert await pipeline.parked() == []
    assert await pipeline.weights() == {"odd": "81", "w2": "82"}


async def test_replay_keeps_the_order_of_each_key_and_strikes_off_what_is_known(pipeline: Pipeline) -> None:
    await pipeline.write("a", 1, "-1", user_id="ann")
    await pipeline.write("b", 1, "-2", user_id="ann")
    await pipeline.write("c", 1, "-3", user_id="bob")
    async with pipeline.running():

        async def all_parked() -> bool:
            return len(await pipeline.parked()) == 3

        await eventually(all_parked)
        await pipeline.write("c", 2, "63", user_id="bob")

        async def corrected() -> bool:
            return await pipeline.weights() == {"c": "63"}

        await eventually(corrected)
    parked = await pipeline.parked()  # a record that was delivered again meanwhile has been tried more often
    first, second, superseded = (record.id for record in parked)
    outcome = await replay_parked(
        pipeline.engine, [first, second, superseded], partial(handle_parked, pipeline.subscription)
    )
    assert (outcome.failed, outcome.held_back, outcome.superseded) == ([first], [second], [superseded])
    assert [(record.id, record.attempts) for record in await pipeline.parked()] == [
        (first, parked[0].attempts + 1),
        (second, parked[1].attempts),
    ]


@pytest.mark.parametrize("copies", [2, 3])
async def test_a_replay_from_zero_in_any_order_changes_nothing(pipeline: Pipeline, copies: int) -> None:
    async with pipeline.running():
        for number in range(10):
            await pipeline.write(f"w{number}", 1, "70")
            await pipeline.write(f"w{number}", 2, f"{70 + number}")
        await pipeline.write("w3", 3, None)

        async def arrived() -> bool:
            return len(await pipeline.weights()) == 9 and await pipeline.unpublished() == 0

        await eventually(arrived)
        before = await pipeline.weights()
        records = await pipeline.records(21)
        for _ in range(copies):
            for record in reversed(records):
                await pipeline.send(record.value, record.key)
        await pipeline.write("last", 1, "60")

        async def last_arrived() -> bool:
            return "last" in await pipeline.weights()

        await eventually(last_arrived)
    assert await pipeline.weights() == before | {"last": "60"}
