"""The frame around every event: who, what, when, which version. Written by `outbox`, read by `consumer`."""

import os
import time
from datetime import date, datetime
from typing import ClassVar

import msgspec

#: The largest value of a record, in bytes. Kafka's brokers take records of up to 1 MiB with key and headers, unless they are
#: told otherwise (`message.max.bytes`), and the relay adds the epoch of the source and a trace to what the outbox holds.
LARGEST_VALUE_BYTES = 1_000_000


class Payload(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=False):
    """What one event says: the whole state of its aggregate after the change, never a difference.

    Because of that a reader may skip every version but the newest, and reads them in any order.
    A tombstone says that the aggregate is gone; later (lower) versions of it are ignored.
    """

    topic: ClassVar[str]
    aggregate_type: ClassVar[str]
    schema_version: ClassVar[int] = 1
    tombstone: ClassVar[bool] = False


class Aggregate(msgspec.Struct, frozen=True):
    """The thing that changed and the number of its change, from 1 upwards."""

    type: str
    id: str
    version: int


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """One event as it travels. `payload` is raw JSON until `upcast.read_payload` gives it its contract.

    `source_epoch` names the life of the database that the event came from, in milliseconds since 1970: a database that
    was restored or rolled back uses versions again, and what it tells in its new life counts. `relay` fills it in.
    """

    event_id: str
    type: str
    schema_version: int
    aggregate: Aggregate
    user_id: str
    occurred_at: datetime
    recorded_at: datetime
    local_date: date | None = None
    time_zone: str | None = None
    actor: str | None = None
    source: str = "app"
    correlation_id: str | None = None
    causation_id: str | None = None
    traceparent: str | None = None
    tombstone: bool = False
    source_epoch: int = 0
    payload: msgspec.Raw = msgspec.Raw(b"{}")


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Envelope)


def encode_envelope(envelope: Envelope) -> bytes:
    return _encoder.encode(envelope)


def decode_envelope(value: bytes) -> Envelope:
    """Raises msgspec.DecodeError or msgspec.ValidationError on bytes that are no envelope."""
    return _decoder.decode(value)


def encode_payload(payload: Payload) -> msgspec.Raw:
    return msgspec.Raw(_encoder.encode(payload))


def new_id() -> str:
    """A UUIDv7: its text sorts by the millisecond it was made in."""
    milliseconds = time.time_ns() // 1_000_000
    random_bits = int.from_bytes(os.urandom(10), "big")
    value = (milliseconds & ((1 << 48) - 1)) << 80 | random_bits
    value = value & ~(0xF << 76) | (0x7 << 76)
    value = value & ~(0x3 << 62) | (0x2 << 62)
    digits = f"{value:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
