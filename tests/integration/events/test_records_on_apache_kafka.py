"""Large records on Apache Kafka itself: its broker refuses them unless it is told otherwise, and then they are parked."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import MessageSizeTooLargeError

from events.kafka_settings import KafkaSettings
from events.topics import USERS_BODY
from tests.testkit.event_pipeline import Pipeline, eventually, open_pipeline
from tests.testkit.local_kafka import LocalKafka, running_kafka
from tests.testkit.servers import Postgres


@pytest.fixture
async def kafka(tmp_path: Path) -> AsyncIterator[LocalKafka]:
    async with running_kafka(tmp_path) as server:
        yield server


@pytest.mark.timeout(300)
async def test_a_large_record_is_refused_by_the_broker_or_parked(postgres: Postgres, kafka: LocalKafka) -> None:
    settings = KafkaSettings(kafka.bootstrap_servers, fetch_max_wait_ms=20)
    async with open_pipeline(postgres, settings) as pipeline, pipeline.running():
        await pipeline.write("w1", 1, "80")
        await until_weights_are(pipeline, {"w1": "80"})
        # A broker whose first two clients come at once may have each begin anew.
        before = sum(loop.restarts for loop in pipeline.loops)
        with pytest.raises(MessageSizeTooLargeError):
            await pipeline.send(b"x" * 5_000_000)
        await let_in(kafka, 6_000_000)
        # The first is what a fetch asks of a partition.
        for size in (1_048_576, 2_000_000, 5_000_000):
            await pipeline.send(b"%d" % size + b" " * size)
        await pipeline.write("w2", 1, "81")
        await until_weights_are(pipeline, {"w1": "80", "w2": "81"})
        assert len(await pipeline.parked()) == 3
        assert sum(loop.restarts for loop in pipeline.loops) == before


async def until_weights_are(pipeline: Pipeline, wanted: dict[str, str]) -> None:
    async def they_are() -> bool:
        return await pipeline.weights() == wanted

    await eventually(they_are, within_seconds=90)


async def let_in(kafka: LocalKafka, size: int) -> None:
    """Records of up to that many bytes, by the topic's own setting."""
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap_servers)
    await admin.start()
    try:
        resource = ConfigResource(ConfigResourceType.TOPIC, USERS_BODY.name, {"max.message.bytes": str(size)})
        await admin.alter_configs([resource])
    finally:
        await admin.close()
