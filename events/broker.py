"""The broker as the loops see it: its topics, and its epoch. Called by `relay` and `consumer` when they connect.

The epoch names one life of a broker's records. It is kept as the name of a topic, so that one metadata call tells it:
a broker that lost its records has lost that topic too, and whoever finds it missing gives the broker a new one.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from math import inf

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.conn import AIOKafkaConnection
from aiokafka.errors import for_code

from events.envelope import new_id
from events.kafka_settings import KafkaSettings
from events.topics import EPOCH_PREFIX, TOPICS, Topic, epoch_topic

_TOPIC_ALREADY_EXISTS = 36
CALL_TIMEOUT_SECONDS = 5.0
ANNOUNCED_METADATA_MS = 300_000
TELLING_POLLS, TELLING_POLL_SECONDS = 50, 0.1
#: For so long an epoch that was read is believed over a connection that stands: a broker that lost its records was restarted.
EPOCH_BELIEVED_SECONDS = 30.0


class BrokerReplacedError(Exception):
    """The broker is not the one the loop connected to: its records are gone."""


class Broker:
    """A connection for questions about the broker itself."""

    def __init__(self, admin: AIOKafkaAdminClient, settings: KafkaSettings) -> None:
        self._admin = admin
        self._settings = settings
        #: when the epoch was read, by the event loop's clock, and what was connected then
        self._read_at = -inf
        self._read_over: list[AIOKafkaConnection] = []

    async def enter(self) -> str:
        """Create what topics are missing and return the broker's epoch, giving it one if it has none."""
        await self.ensure_topics([self._settings.applied_to(topic) for topic in TOPICS])
        epoch = await self.read_epoch()
        if epoch is None:
            await self.ensure_topics([epoch_topic(new_id())])
            epoch = await self._given_epoch()
        return epoch

    async def _given_epoch(self) -> str:
        """The epoch that was given a moment ago, once the broker tells the same one twice: brokers of Apache Kafka hear of a new topic
        from their controller, after whoever made it, and others may give one at the same moment. Raises BrokerReplacedError where
        none is told.
        """
        epoch: str | None = None
        for _ in range(TELLING_POLLS):
            before, epoch = epoch, await self.read_epoch()
            if epoch is not None and epoch == before:
                return epoch
            await asyncio.sleep(TELLING_POLL_SECONDS)
        raise BrokerReplacedError("the broker lost its epoch as soon as it got one")

    async def read_epoch(self) -> str | None:
        """The epoch, or None on a broker that has none. Of several, made at the same moment, the oldest counts."""
        async with asyncio.timeout(CALL_TIMEOUT_SECONDS):
            names = await self._admin.list_topics()
        self._read_at = asyncio.get_running_loop().time()
        self._read_over = list(self._admin._client._conns.values())  # noqa: SLF001 - nothing public says what is connected
        epochs = [name.removeprefix(EPOCH_PREFIX) for name in names if name.startswith(EPOCH_PREFIX)]
        return min(epochs, default=None)

    async def confirm_epoch(self, epoch: str) -> None:
        """Raises BrokerReplacedError unless the broker still is in this epoch."""
        found = await self.read_epoch()
        if found != epoch:
            raise BrokerReplacedError(f"the broker's epoch was {epoch} and is {found}")

    async def watch_epoch(self, epoch: str) -> None:
        """As `confirm_epoch`, for those who ask every few seconds: the broker is asked when nothing is left of what was connected
        as it answered last, and else every EPOCH_BELIEVED_SECONDS, because the list of all topics is much to read.
        """
        age = asyncio.get_running_loop().time() - self._read_at
        if age > EPOCH_BELIEVED_SECONDS or not any(connection.connected() for connection in self._read_over):
            await self.confirm_epoch(epoch)

    async def ensure_topics(self, topics: Iterable[Topic]) -> None:
        """Create those of the topics that do not exist. Raises the Kafka error of any other refusal."""
        async with asyncio.timeout(CALL_TIMEOUT_SECONDS):
            existing = set(await self._admin.list_topics())
        missing = [topic for topic in topics if topic.name not in existing]
        if not missing:
            return
        new_topics = [
            NewTopic(
                name=topic.name,
                num_partitions=topic.partitions,
                replication_factor=self._settings.replication_factor,
                topic_configs=self._settings.configuration_of(topic),
            )
            for topic in missing
        ]
        async with asyncio.timeout(CALL_TIMEOUT_SECONDS):
            answer = await self._admin.create_topics(new_topics)
        for name, code, *_ in answer.topic_errors:
            if code not in (0, _TOPIC_ALREADY_EXISTS):
                raise for_code(code)(f"topic {name} could not be created")


@asynccontextmanager
async def connect_broker(settings: KafkaSettings) -> AsyncIterator[Broker]:
    """Connect, and disconnect at the end of the block."""
    if settings.announced:  # one broker at one address: what `Broker` asks for it asks anew each time
        settings = replace(settings, metadata_max_age_ms=ANNOUNCED_METADATA_MS)
    async with connect_admin(settings) as admin:
        yield Broker(admin, settings)


@asynccontextmanager
async def connect_admin(settings: KafkaSettings) -> AsyncIterator[AIOKafkaAdminClient]:
    """The same without our view of a broker."""
    admin = AIOKafkaAdminClient(**settings.arguments(), request_timeout_ms=5000)
    try:
        async with asyncio.timeout(CALL_TIMEOUT_SECONDS):
            await admin.start()
        yield admin
    finally:
        await admin.close()
