"""What a fetch from Kafka may unpack to, decided before aiokafka unpacks it. Whoever makes a consumer calls `bound_fetches`.

A fetch is bounded in packed bytes alone, and deflate makes up to a thousand bytes of one: a batch of 1 MB, which brokers take, may be
a gigabyte in memory. And a batch that it cannot unpack or read makes it fail at each fetch from there. What is too large or not to be read
is handed on as one record in its place, which holds the bytes as they came and says by a header why; the consumer sees a record that means
nothing, and goes on behind it.
"""

from __future__ import annotations

import asyncio
import gzip
import zlib
from collections.abc import Sequence
from io import BytesIO
from struct import Struct, pack_into
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:  # loaded only where there is a consumer
    from aiokafka import AIOKafkaConsumer

#: A relay packs 16 kB of events into a batch, or one event of up to 1 MB.
LARGEST_BATCH_BYTES = 16 * 1024 * 1024
#: Of all batches of one answer to a fetch; what is beyond is fetched again once the rest was taken.
LARGEST_FETCH_BYTES = 64 * 1024 * 1024
#: The header of a record that stands for a batch; its value is the reason.
REFUSED = "refused-batch"

# Deflate's best ratio (zlib's technical details).
_MOST_MADE_OF_A_BYTE = 1032
_PORTION_BYTES = 64 * 1024
_OFF_THE_LOOP_BYTES = 256 * 1024
_FETCH = 1  # Kafka's number of this kind of request
# Kafka's protocol, "Message sets" and "Record batch": both begin with an offset and the number of bytes behind it.
_OVERHEAD = Struct(">qi")
_MAGIC_AT = 16
_OF_MESSAGE_SET = Struct(">qiIbb")  # ..., checksum, magic, attributes
# ..., epoch of the leader, magic, checksum, attributes, last offset from the first, time
_OF_BATCH = Struct(">qiibIhiq")
_BATCH_HEADER_BYTES = 61
_CODECS = {1: "gzip", 2: "snappy", 3: "lz4", 4: "zstd"}
_GZIP = 1
_CODEC_BITS = 0x07

Partition: TypeAlias = tuple[Any, ...]


class RefusedBatchError(Exception):
    """A batch that is not unpacked; the text says why."""


def bound_fetches(consumer: AIOKafkaConsumer) -> None:
    """Have every answer to a fetch of this consumer, which has not started yet, looked at before it is unpacked."""
    client = consumer._client  # noqa: SLF001 - nothing public stands between an answer and its unpacking
    send = client.send

    async def send_and_bound(node_id: int, request: Any, **options: Any) -> Any:
        answer = await send(node_id, request, **options)
        if getattr(answer, "API_KEY", None) == _FETCH:
            topics = answer.topics or ()
            packed = sum(len(partition[-1] or b"") for _, partitions in topics for partition in partitions)
            if packed > _OFF_THE_LOOP_BYTES:
                answer.topics = await asyncio.to_thread(_bounded, topics)
            else:
                answer.topics = _bounded(topics)
        return answer

    client.send = send_and_bound


def _bounded(topics: Sequence[tuple[str, Sequence[Partition]]]) -> list[tuple[str, list[Partition]]]:
    answer = FetchAnswer()
    return [
        (topic, [(*partition[:-1], answer.bounded(partition[-1])) for partition in partitions])
        for topic, partitions in topics
    ]


class FetchAnswer:
    """One answer to a fetch: what its batches may still unpack to."""

    def __init__(self) -> None:
        self._left = LARGEST_FETCH_BYTES

    def bounded(self, records: bytes | None) -> bytes | None:
        """A partition's batches as they are handed on: the same bytes, but for batches that are refused or come too late."""
        data, taken = memoryview(records or b""), 0
        parts: list[bytes | memoryview] = []
        while len(data) - taken >= _OVERHEAD.size:
            end = taken + _OVERHEAD.size + _OVERHEAD.unpack_from(data, taken)[1]
            if not taken + _OF_MESSAGE_SET.size <= end <= len(data):
                break  # the last batch, which the bound of the fetch has cut; aiokafka knows those
            batch = data[taken:end]
            try:
                weight = self._weight(batch)
            except RefusedBatchError as refusal:
                parts.append(_record_in_place_of(batch, str(refusal)))
            else:
                if weight > self._left:
                    return b"".join(parts)
                self._left -= weight
                parts.append(batch)
            taken = end
        if all(isinstance(part, memoryview) for part in parts):
            return records
        return b"".join([*parts, data[taken:]])

    def _weight(self, batch: memoryview) -> int:
        """How many bytes unpacking makes of it, 0 where that is nothing. Raises RefusedBatchError."""
        is_batch = batch[_MAGIC_AT] >= 2
        if is_batch and len(batch) < _BATCH_HEADER_BYTES:
            raise RefusedBatchError("a batch that is shorter than its head")
        attributes = _OF_BATCH.unpack_from(batch)[5] if is_batch else _OF_MESSAGE_SET.unpack_from(batch)[4]
        codec = attributes & _CODEC_BITS
        weight = 0
        if codec and not _is_known(codec):
            raise RefusedBatchError(
                f"a batch that is packed by {_CODECS.get(codec, codec)}, which is not unpacked here"
            )
        if codec == _GZIP and is_batch:
            weight = _unpacked_bytes(batch[_BATCH_HEADER_BYTES:])
        elif codec == _GZIP:  # packed messages within a message, which no client has sent since Kafka 0.11
            weight = len(batch) * _MOST_MADE_OF_A_BYTE
            if weight > LARGEST_BATCH_BYTES:
                raise RefusedBatchError(f"packed messages of an old form, {len(batch)} bytes of them")
        _read_whole(batch)
        return weight


def _is_known(codec: int) -> bool:
    """Whether aiokafka can unpack it here: all but gzip want a library of their own."""
    from aiokafka import codec as codecs

    asked = {_GZIP: codecs.has_gzip, 2: codecs.has_snappy, 3: codecs.has_lz4, 4: codecs.has_zstd}
    return codec in asked and asked[codec]()


def _unpacked_bytes(packed: memoryview) -> int:
    """Counted a portion at a time and thrown away, up to the bound. Raises RefusedBatchError."""
    total = 0
    try:
        with gzip.GzipFile(fileobj=BytesIO(packed)) as unpacking:
            while portion := unpacking.read(_PORTION_BYTES):
                total += len(portion)
                if total > LARGEST_BATCH_BYTES:
                    raise RefusedBatchError(
                        f"a batch of {len(packed)} bytes that unpacks to more than {LARGEST_BATCH_BYTES}"
                    )
    except (OSError, EOFError, zlib.error) as error:
        raise RefusedBatchError(f"a batch that does not unpack: {error}") from None
    return total


def _read_whole(batch: memoryview) -> None:
    """As aiokafka will, which raises at a number of records that is not there, or a header's name that is no UTF-8, and would do
    so at each fetch from there. Raises RefusedBatchError.
    """
    from aiokafka.record.default_records import DefaultRecordBatch
    from aiokafka.record.legacy_records import LegacyRecordBatch

    magic = batch[_MAGIC_AT]
    try:
        for _ in DefaultRecordBatch(bytes(batch)) if magic >= 2 else LegacyRecordBatch(bytes(batch), magic):
            pass
    except MemoryError:
        raise
    except Exception as error:
        raise RefusedBatchError(f"a batch that cannot be read: {error!r:.300}") from None


def _record_in_place_of(batch: memoryview, reason: str) -> bytes:
    """A batch of one record, the last that the refused one has: so the next fetch begins behind it."""
    from aiokafka.record.default_records import DefaultRecordBatchBuilder

    last, at_ms = 0, 0
    if batch[_MAGIC_AT] >= 2 and len(batch) >= _OF_BATCH.size:
        *_, last, at_ms = _OF_BATCH.unpack_from(batch)
    builder = DefaultRecordBatchBuilder(
        magic=2,
        compression_type=0,
        is_transactional=0,
        producer_id=-1,
        producer_epoch=-1,
        base_sequence=-1,
        batch_size=len(batch) + 1000,
    )
    builder.append(max(last, 0), max(at_ms, 0), None, bytes(batch), [(REFUSED, reason.encode())])
    made = builder.build()
    pack_into(">q", made, 0, _OVERHEAD.unpack_from(batch)[0])  # before what the checksum is of
    return bytes(made)
