"""What a fetch may unpack to: batches that are bombs, of another codec or broken become records that say so."""

import gzip
import tracemalloc
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.record.default_records import DefaultRecordBatch, DefaultRecordBatchBuilder
from aiokafka.record.legacy_records import LegacyRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords

from router import bounded_fetch
from router.bounded_fetch import LARGEST_BATCH_BYTES, REFUSED, FetchAnswer, bound_fetches

HEADER = 61
NONE, GZIP, LZ4 = 0, 1, 3


def a_batch(values: list[bytes], *, base: int = 0, codec: int = GZIP) -> bytearray:
    builder = DefaultRecordBatchBuilder(
        magic=2, compression_type=codec, is_transactional=0, producer_id=-1, producer_epoch=-1, base_sequence=-1,
        batch_size=2**31 - 1,
    )  # fmt: skip
    for offset, value in enumerate(values):
        assert builder.append(offset, 1_700_000_000_000, b"key", value, []) is not None
    return with_base(builder.build(), base)


def with_base(batch: bytearray, base: int) -> bytearray:
    batch[:8] = base.to_bytes(8, "big")
    return batch


def filled(packed: bytes, *, base: int = 0, last: int = 0, codec: int = GZIP) -> bytearray:
    """A batch with these bytes for its records."""
    batch = bytearray(a_batch([b"x"], codec=NONE)[:HEADER]) + packed
    batch[8:12] = (len(batch) - 12).to_bytes(4, "big")
    batch[21:23] = codec.to_bytes(2, "big")
    batch[23:27] = last.to_bytes(4, "big")
    return with_base(batch, base)


def bomb(unpacked: int, *, base: int = 0, last: int = 0) -> bytearray:
    return filled(gzip.compress(bytes(unpacked)), base=base, last=last)


def with_a_header_that_is_no_text() -> bytearray:
    """Brokers take it, for it is only bytes to them."""
    builder = DefaultRecordBatchBuilder(
        magic=2, compression_type=NONE, is_transactional=0, producer_id=-1, producer_epoch=-1, base_sequence=-1,
        batch_size=1_000,
    )  # fmt: skip
    builder.append(0, 1_700_000_000_000, b"key", b"value", [("name", b"x")])
    return bytearray(bytes(builder.build()).replace(b"name", b"\xff\xfe\xfd\xfc"))


def read(records: bytes | None) -> list[tuple[int, bytes | None, list[tuple[str, bytes | None]]]]:
    """Offset, value and headers of each, as aiokafka reads them, which proves the checksums too."""
    found = []
    batches = MemoryRecords(records or b"")
    while batches.has_next():
        batch = batches.next_batch()
        assert batch is not None
        assert batch.validate_crc()
        found += [(record.offset, record.value, list(record.headers)) for record in batch]
    return found


def bounded(*batches: bytes | bytearray) -> bytes | None:
    data = b"".join(batches)
    return FetchAnswer().bounded(data)


def test_what_relays_send_passes_byte_for_byte() -> None:
    for data in (
        b"",
        bytes(a_batch([b"a", b"b"])),
        bytes(a_batch([b"a" * 900_000], base=7)),
        b"".join(a_batch([bytes([number]) * 16_000], base=number) for number in range(90)),
        bytes(a_batch([b"plain" * 300_000], codec=NONE)),
        bytes(a_batch([b"cut"]))[:-1],
        b"\0" * 11,
    ):
        assert FetchAnswer().bounded(data) == data
    assert FetchAnswer().bounded(None) is None


def test_a_bomb_becomes_a_record_that_says_so_and_what_is_around_it_stays() -> None:
    explosive = bomb(LARGEST_BATCH_BYTES + 1, base=11, last=4)
    records = read(bounded(a_batch([b"before"], base=10), explosive, a_batch([b"behind"], base=16)))
    assert [(offset, value) for offset, value, _ in records] == [
        (10, b"before"),
        (15, bytes(explosive)),
        (16, b"behind"),
    ]
    ((name, reason),) = records[1][2]
    assert name == REFUSED
    assert reason is not None
    assert b"unpacks to more than" in reason


def test_weighing_a_bomb_takes_no_memory() -> None:
    explosive = bytes(bomb(300_000_000))
    assert len(explosive) < 400_000
    tracemalloc.start()
    bounded(explosive)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 4_000_000


def test_several_members_are_one_weight() -> None:
    half = gzip.compress(bytes(LARGEST_BATCH_BYTES // 2))
    assert b"cannot be read" in (read(bounded(filled(half + half)))[0][2][0][1] or b"")
    assert read(bounded(filled(half + half + gzip.compress(b"1"))))[0][2][0][1] == (
        b"a batch of %d bytes that unpacks to more than %d"
        % (2 * len(half) + len(gzip.compress(b"1")), LARGEST_BATCH_BYTES)
    )


@pytest.mark.parametrize(
    ("batch", "reason"),
    [
        (filled(b"lz4 or anything", codec=LZ4), b"packed by lz4"),
        (filled(b"of no codec", codec=7), b"packed by 7"),
        (filled(b"no gzip" * 5_000), b"does not unpack"),
        (filled(gzip.compress(Random(1).randbytes(9_000))[:-30]), b"does not unpack"),
        (filled(gzip.compress(b"no records at all")), b"cannot be read"),
        (filled(b"", codec=NONE), b"cannot be read"),
        (with_a_header_that_is_no_text(), b"cannot be read"),
    ],
)
def test_what_nothing_here_unpacks_is_told(batch: bytearray, reason: bytes) -> None:
    ((_, value, headers),) = read(bounded(batch))
    assert value == bytes(batch)
    assert reason in (headers[0][1] or b"")


def test_messages_of_the_old_form_pass_unless_they_are_large_and_packed() -> None:
    def message(value: bytes, codec: int) -> bytes:
        builder = LegacyRecordBatchBuilder(magic=1, compression_type=codec, batch_size=2**31 - 1)
        builder.append(0, 1_700_000_000_000, None, value)
        return bytes(builder.build())

    for passing in (message(b"x", NONE), message(b"x" * 40_000, NONE), message(b"x" * 1_000, GZIP)):
        assert bounded(passing) == passing
    ((_, _, headers),) = read(bounded(message(bytes(30_000_000), GZIP)))
    assert b"old form" in (headers[0][1] or b"")


def test_batches_beyond_what_one_answer_unpacks_to_are_left_for_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded_fetch, "LARGEST_FETCH_BYTES", 400_000)
    batch = bytes(a_batch([bytes(99_900)]))
    answer = FetchAnswer()
    assert answer.bounded(batch * 7) == batch * 4
    assert answer.bounded(batch) == b"", "of another partition"
    assert answer.bounded(bytes(a_batch([b"small"], codec=NONE))) != b""


async def test_answers_to_fetches_are_looked_at_and_no_others() -> None:
    explosive = bytes(bomb(LARGEST_BATCH_BYTES * 3))
    fetched = SimpleNamespace(API_KEY=1, topics=[("topic", [(0, 0, 9, explosive), (1, 0, 9, None)])])
    other = SimpleNamespace(API_KEY=3, topics=[("topic", [(0, 0, 9, explosive)])])
    answers: dict[int, Any] = {1: fetched, 3: other}

    async def send(node_id: int, request: Any, **options: Any) -> Any:
        assert (node_id, options) == (4, {"group": "a group"})
        return answers[request]

    client = SimpleNamespace(send=send)
    bound_fetches(SimpleNamespace(_client=client))  # type: ignore[arg-type]
    answer = await client.send(4, 1, group="a group")
    ((_, ((*before, records), last)),) = answer.topics
    assert (before, last) == ([0, 0, 9], (1, 0, 9, None))
    assert read(records)[0][2][0][0] == REFUSED
    assert (await client.send(4, 3, group="a group")).topics == [("topic", [(0, 0, 9, explosive)])]


def test_the_number_of_records_and_offsets_may_be_anything() -> None:
    for last in (0, 2**31 - 1):
        ((offset, _, _),) = read(bounded(filled(b"x", codec=LZ4, base=5, last=last)))
        assert offset == 5 + last
        batch = DefaultRecordBatch(bounded(filled(b"x", codec=LZ4, base=5, last=last)) or b"")
        assert batch.next_offset == 6 + last
