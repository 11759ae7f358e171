"""Topics as they are on the broker against the settings, and their changes while everything runs. Called by `fittracker
events topics` and `grow`; `broker` makes new topics.

More partitions mean that a key's records go elsewhere from then on. So that nobody reads a later record of a key before an
earlier one, `grow` holds back the one relay that publishes the topic, waits until every group has handled what is there,
adds the partitions, and lets a new relay begin, which knows them.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import for_code

from events.kafka_settings import KafkaSettings
from events.relay import APPLICATION_NAME
from events.topics import Topic

LOOK_SECONDS = 0.2
_HOLD_RELAY = "LOCK TABLE outbox_relay IN ACCESS EXCLUSIVE MODE"
_HOLDER = {"lock_timeout": "10s", "idle_in_transaction_session_timeout": "0"}
# The relay that leads has an advisory lock, and waits for ours before it publishes more.
_RELAYS_AT_WORK = """
    SELECT count(*) FROM pg_stat_activity AS activity JOIN pg_locks AS lock ON lock.pid = activity.pid
    WHERE activity.application_name = $1 AND activity.datname = current_database()
        AND lock.locktype = 'advisory' AND lock.granted AND activity.wait_event_type IS DISTINCT FROM 'Lock'
"""
_END_RELAYS = """
    SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
    WHERE application_name = $1 AND datname = current_database()
"""


class TopicChangeError(Exception):
    """Nothing was changed; the message says why."""


@dataclass(frozen=True, slots=True)
class TopicState:
    """One topic as it is, with those of its settings that we set, and what differs from the wanted in words."""

    name: str
    partitions: int
    replicas: int
    configuration: Mapping[str, str]
    differences: tuple[str, ...]


async def topic_states(admin: AIOKafkaAdminClient, wanted: Sequence[Topic], kafka: KafkaSettings) -> list[TopicState]:
    """Those of the topics that exist. Raises aiokafka's errors."""
    described = {each["topic"]: each for each in await admin.describe_topics([topic.name for topic in wanted])}
    states = []
    for topic in map(kafka.applied_to, wanted):
        partitions = described[topic.name]["partitions"]
        if not partitions:
            continue
        configuration = await _configuration(admin, topic)
        replicas = len(partitions[0]["replicas"])
        differences = [
            f"{name} is {configuration.get(name)}, wanted {value}"
            for name, value in kafka.configuration_of(topic).items()
            if configuration.get(name) != value
        ]
        if len(partitions) != topic.partitions:
            differences.append(f"{len(partitions)} partitions, wanted {topic.partitions}")
        if replicas != kafka.replication_factor:
            differences.append(f"{replicas} replicas, wanted {kafka.replication_factor}")
        states.append(TopicState(topic.name, len(partitions), replicas, configuration, tuple(differences)))
    return states


async def apply_configuration(admin: AIOKafkaAdminClient, topic: Topic, kafka: KafkaSettings) -> None:
    """Retention, cleaning and in-sync replicas as the settings have them. Raises the broker's refusal."""
    resource = ConfigResource(ConfigResourceType.TOPIC, topic.name, kafka.configuration_of(kafka.applied_to(topic)))
    for answer in await admin.alter_configs([resource]):
        for code, message, *_ in answer.resources:
            if code:
                raise for_code(code)(f"{topic.name}: {message}")


async def grow(
    admin: AIOKafkaAdminClient,
    topic: Topic,
    partitions: int,
    *,
    groups: Sequence[str],
    database_url: str,
    kafka: KafkaSettings,
    patience_seconds: float = 60.0,
) -> None:
    """Give the topic of the service with that database so many partitions. `groups` are all that read it.

    Raises TopicChangeError where it has as many already, or the groups do not come to an end in time.
    """
    before = await _count(admin, topic)
    if partitions <= before:
        raise TopicChangeError(f"{topic.name} has {before} partitions already, and they can only become more")
    async with _held_relay(database_url, patience_seconds) as end_relays:
        await _until(
            lambda: _is_read(admin, topic, groups, kafka),
            patience_seconds,
            f"a group of {', '.join(groups)} did not come to the end of {topic.name}",
        )
        await admin.create_partitions({topic.name: NewPartitions(total_count=partitions)})

        async def has_them() -> bool:
            return await _count(admin, topic) == partitions

        await _until(has_them, patience_seconds, f"the broker does not show {partitions} partitions yet")
        await end_relays()  # a producer that lives on would choose among the former partitions for minutes


@asynccontextmanager
async def _held_relay(database_url: str, patience_seconds: float) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """Nothing of the database's outbox is published meanwhile; writing to it goes on."""
    connection = await asyncpg.connect(database_url, timeout=10, server_settings=_HOLDER)
    watcher = await asyncpg.connect(database_url, timeout=10)

    async def is_held() -> bool:
        return int(await watcher.fetchval(_RELAYS_AT_WORK, APPLICATION_NAME)) == 0

    async def end_relays() -> None:
        await watcher.execute(_END_RELAYS, APPLICATION_NAME)

    try:
        async with connection.transaction():
            await connection.execute(_HOLD_RELAY)
            await _until(is_held, patience_seconds, "the relay did not stop for us")
            yield end_relays
    finally:
        await watcher.close()
        await connection.close()


async def _is_read(admin: AIOKafkaAdminClient, topic: Topic, groups: Sequence[str], kafka: KafkaSettings) -> bool:
    """Whether each group has committed all that is on the topic."""
    partitions = [TopicPartition(topic.name, number) for number in range(await _count(admin, topic))]
    reader = AIOKafkaConsumer(**kafka.arguments())
    await reader.start()
    try:
        ends = await reader.end_offsets(partitions)
        starts = await reader.beginning_offsets(partitions)
    finally:
        await reader.stop()
    for group in groups:
        committed = await admin.list_consumer_group_offsets(group, partitions=partitions)
        for partition, end in ends.items():
            if end > starts[partition] and committed[partition].offset < end:
                return False
    return True


async def _until(holds: Callable[[], Awaitable[bool]], seconds: float, otherwise: str) -> None:
    try:
        async with asyncio.timeout(seconds):
            while not await holds():
                await asyncio.sleep(LOOK_SECONDS)
    except TimeoutError:
        raise TopicChangeError(f"{otherwise} within {seconds:g} s") from None


async def _count(admin: AIOKafkaAdminClient, topic: Topic) -> int:
    (described,) = await admin.describe_topics([topic.name])
    return len(described["partitions"])


async def _configuration(admin: AIOKafkaAdminClient, topic: Topic) -> dict[str, str]:
    names = ("cleanup.policy", "retention.ms", "min.insync.replicas")
    resource = ConfigResource(ConfigResourceType.TOPIC, topic.name, dict.fromkeys(names, ""))
    found: dict[str, str] = {}
    for answer in await admin.describe_configs([resource]):
        for _code, _message, _kind, _name, entries in answer.resources:
            found |= {entry[0]: entry[1] for entry in entries}
    return found
