"""What `fittracker events topics`, `grow`, `dump` and `load` do: topics as they are against the settings, more partitions for one,
and their records as files and back.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from aiokafka.errors import KafkaError

from deploy.backup.topic_dump import dump_topics, load_topics
from deploy.data_directory import DataDirectory
from deploy.databases import database_urls
from deploy.embedded import HOST
from deploy.errors import FriendlyError
from deploy.event_commands import open_rooms
from events.broker import connect_admin
from events.kafka_settings import KafkaSettings
from events.topic_changes import TopicChangeError, apply_configuration, grow, topic_states
from events.topic_files import TopicFileError
from events.topics import TOPICS, service_of
from subgraphs.shell.settings import SettingsError, read_kafka

if TYPE_CHECKING:
    from deploy.terminal import Terminal

_WAY_OUT = "look at KAFKA_BOOTSTRAP_SERVERS and its neighbours"


async def show_topics(data_dir: Path, terminal: Terminal, *, apply: bool) -> bool:
    """Each topic with what differs from the settings; with `apply`, what can be changed in place is. Whether all agree."""
    kafka = _real_kafka_of(data_dir)
    with _failures_told():
        async with connect_admin(kafka) as admin:
            states = await topic_states(admin, TOPICS, kafka)
            if apply:
                for topic in TOPICS:
                    if any(state.name == topic.name and state.differences for state in states):
                        await apply_configuration(admin, topic, kafka)
                states = await topic_states(admin, TOPICS, kafka)
    for state in states:
        terminal.say(f"{state.name}: {state.partitions} partitions, {state.replicas} replicas")
        for difference in state.differences:
            terminal.say(f"  {difference}")
    for name in {topic.name for topic in TOPICS} - {state.name for state in states}:
        terminal.say(f"{name}: not there; the first relay or consumer makes it")
    return all(not state.differences for state in states) and len(states) == len(TOPICS)


async def grow_topic(name: str, partitions: int, seconds: float, data_dir: Path, terminal: Terminal) -> None:
    """Raises FriendlyError where the topic is none of ours, or nothing could be changed."""
    topic = next((topic for topic in TOPICS if topic.name == name), None)
    if topic is None:
        raise FriendlyError(f"no topic is named {name}", f"there are {', '.join(topic.name for topic in TOPICS)}")
    kafka = _real_kafka_of(data_dir)
    async with open_rooms(data_dir) as rooms:
        readers = [group for group, (_, each) in rooms.subscriptions.items() if name in each.topics]
    with _failures_told():
        async with connect_admin(kafka) as admin:
            await grow(
                admin,
                topic,
                partitions,
                groups=readers,
                database_url=database_urls(data_dir)[service_of(name)],
                kafka=kafka,
                patience_seconds=seconds,
            )
    terminal.say(
        f"{name}: {partitions} partitions. Set KAFKA_PARTITIONS, or `fittracker events topics` will tell of it"
    )


async def dump(names: Sequence[str], to: Path, passphrase: str | None, data_dir: Path, terminal: Terminal) -> None:
    """The topics, or all of ours, into a new folder under `to`. Raises FriendlyError; then no folder is left."""
    kafka = _real_kafka_of(data_dir)
    with _failures_told():
        folder, records = await dump_topics(names or [topic.name for topic in TOPICS], to, kafka, passphrase)
    terminal.say(f"{folder}: {records} records")


async def load(folder: Path, passphrase: str | None, data_dir: Path, terminal: Terminal) -> None:
    """A dump into topics that are empty, or not there yet. Raises FriendlyError."""
    kafka = _real_kafka_of(data_dir)
    with _failures_told():
        await load_topics(folder, TOPICS, kafka, passphrase, terminal.say)


def _real_kafka_of(data_dir: Path) -> KafkaSettings:
    """As `kafka_of`; raises FriendlyError for the embedded broker, whose topics have no settings."""
    kafka, state = kafka_of(data_dir), DataDirectory(data_dir).read_state()
    if state is not None and kafka.bootstrap_servers == f"{HOST}:{state.ports.get('broker')}":
        raise FriendlyError(
            "the embedded broker keeps its topics in memory, and has no settings of theirs",
            "name a Kafka with KAFKA_BOOTSTRAP_SERVERS",
        )
    return kafka


def kafka_of(data_dir: Path) -> KafkaSettings:
    """What the environment says, else what the running stack was given. Raises FriendlyError."""
    state = DataDirectory(data_dir).read_state()
    environment = {**(state.environment if state is not None else {}), **os.environ}
    try:
        kafka = read_kafka(environment)
    except SettingsError as error:
        raise FriendlyError(str(error), "set them as the subgraphs have them") from None
    if kafka is None:
        raise FriendlyError("KAFKA_BOOTSTRAP_SERVERS is not set, and no stack runs", "name the brokers")
    return kafka


@contextmanager
def _failures_told() -> Iterator[None]:
    try:
        yield
    except TopicChangeError as error:
        raise FriendlyError(str(error), "nothing was changed; look at `fittracker events lag` and try again") from None
    except TopicFileError as error:
        raise FriendlyError(str(error), "see deploy/backup/README.md") from None
    except (KafkaError, ssl.SSLError, OSError, TimeoutError) as error:
        raise FriendlyError(f"Kafka refused, or is not there: {type(error).__name__}: {error}", _WAY_OUT) from None
