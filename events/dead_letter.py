"""Records that a consumer group could not handle, parked with why and where they came from. Called by `consumer`."""

import asyncio
from collections.abc import Sequence

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.structs import ConsumerRecord

from events import metrics
from events.topics import dead_letter_topic

_log = structlog.get_logger("events.dead_letter")

SEND_TIMEOUT_SECONDS = 10.0


async def park(
    producer: AIOKafkaProducer,
    group: str,
    record: ConsumerRecord,
    failure: Exception,
    attempts: int,
) -> None:
    """Send the record, bytes unchanged, to the group's dead letter topic; its headers tell the rest."""
    headers: Sequence[tuple[str, bytes]] = [
        *record.headers,
        ("dead-letter-topic", record.topic.encode()),
        ("dead-letter-partition", str(record.partition).encode()),
        ("dead-letter-offset", str(record.offset).encode()),
        ("dead-letter-error", f"{type(failure).__name__}: {failure}"[:2000].encode()),
        ("dead-letter-attempts", str(attempts).encode()),
    ]
    sending = producer.send_and_wait(dead_letter_topic(group).name, record.value, key=record.key, headers=headers)
    await asyncio.wait_for(sending, SEND_TIMEOUT_SECONDS)
    metrics.DEAD_LETTERS.labels(group).inc()
    _log.error(
        "record_parked",
        group=group,
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        error=f"{type(failure).__name__}: {failure}",
        attempts=attempts,
    )
