"""`fittracker events dump` and `load`: Kafka's topics as a folder of files with checksums, encrypted where a passphrase is given.

Recovery does not need them (decision 0255). They hold what people did, as the databases' dumps do, and are kept like those.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from deploy.backup.create import whole_or_nothing
from deploy.backup.encryption import encrypt, is_encrypted, plain_file
from deploy.backup.manifest import now, sha256_of
from deploy.errors import FriendlyError
from events.broker import connect_broker
from events.kafka_settings import KafkaSettings
from events.topic_files import PartitionFile, load_partition, refuse_unless_empty, write_topics
from events.topics import Topic

FILE = "topics.json"
FORMAT = 1


@dataclass(frozen=True, slots=True)
class DumpedPartition:
    """As `manifest.Dump`, for a partition: `sha256` is that of the file as it lies there, encrypted or not."""

    written: PartitionFile
    file: str
    sha256: str


async def dump_topics(
    names: Sequence[str], target: Path, kafka: KafkaSettings, passphrase: str | None
) -> tuple[Path, int]:
    """The new folder under `target`, and how many records it has. Raises as `write_topics`; then no folder is left."""
    started = now()
    await asyncio.to_thread(target.mkdir, mode=0o700, parents=True, exist_ok=True)
    folder = target / f"topics-{started:%Y%m%dT%H%M%S}Z"
    with whole_or_nothing(folder) as partial:
        partitions = [_sealed(each, partial, passphrase) for each in await write_topics(names, partial, kafka)]
        described = {
            "format": FORMAT,
            "created_at": started.isoformat(),
            "partitions": [asdict(each) for each in partitions],
        }
        (partial / FILE).write_text(json.dumps(described, indent=1) + "\n", encoding="utf-8")
    return folder, sum(each.written.records for each in partitions)


async def load_topics(
    folder: Path,
    known: Sequence[Topic],
    kafka: KafkaSettings,
    passphrase: str | None,
    say: Callable[[str], None],
) -> None:
    """Topics that are not there are made with as many partitions as were dumped; those that are have to be empty.

    Every file and topic is looked at before the first record is sent. Raises FriendlyError, and as `load_partition`.
    """
    partitions = read_dump(folder)
    topics = {topic.name: topic for topic in known}
    counts = Counter(each.written.topic for each in partitions)
    if foreign := sorted(set(counts) - set(topics)):
        raise FriendlyError(f"the dump has topics that this release does not know: {', '.join(foreign)}")
    if passphrase is None and any(is_encrypted(folder / each.file) for each in partitions):
        raise FriendlyError(f"{folder} is encrypted", "name the file with its passphrase: --passphrase-file")
    for name, count in counts.items():
        as_dumped = replace(kafka, partitions=count)
        async with connect_broker(as_dumped) as broker:
            await broker.ensure_topics([as_dumped.applied_to(topics[name])])
        await refuse_unless_empty(name, count, kafka)
    for each in partitions:
        with plain_file(folder / each.file, passphrase) as file:
            sent = await load_partition(each.written.topic, each.written.partition, file, kafka)
        if sent != each.written.records:
            raise FriendlyError(f"{each.file} has {sent} records, {each.written.records} were dumped")
        say(f"{each.written.topic} {each.written.partition}: {sent} records")


def read_dump(folder: Path) -> list[DumpedPartition]:
    """Raises FriendlyError where the folder is no dump of topics, or a file is absent or is not what was written."""
    try:
        values = json.loads((folder / FILE).read_text(encoding="utf-8"))
        if values["format"] != FORMAT:
            raise FriendlyError(f"{folder} has format {values['format']}; this release reads format {FORMAT}")
        partitions = [
            DumpedPartition(PartitionFile(**each["written"]), str(each["file"]), str(each["sha256"]))
            for each in values["partitions"]
        ]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise FriendlyError(f"{folder} is no dump of topics: {error!r}") from None
    for each in partitions:
        if Path(each.file).name != each.file or not (folder / each.file).is_file():
            raise FriendlyError(f"{folder / each.file} is absent")
        if sha256_of(folder / each.file) != each.sha256:
            raise FriendlyError(f"{folder / each.file} was changed: it has another SHA-256 than was written")
    return partitions


def _sealed(written: PartitionFile, folder: Path, passphrase: str | None) -> DumpedPartition:
    file = folder / written.file
    if passphrase is not None:
        sealed = folder / f"{written.file}.enc"
        encrypt(file, sealed, passphrase)
        file.unlink()
        file = sealed
    return DumpedPartition(written, file.name, sha256_of(file))
