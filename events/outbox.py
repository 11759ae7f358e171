"""The outbox: an event is written in the transaction of the change it tells of. `relay` publishes the rows.

Rows stay after publishing, for a broker that lost its records is refilled from them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Protocol

from sqlalchemy import text
from sqlalchemy.sql.elements import TextClause

from events.envelope import LARGEST_VALUE_BYTES, Aggregate, Envelope, Payload, encode_envelope, encode_payload, new_id
from events.lineage import lineage_of

NOTIFY_CHANNEL = "outbox"

# Run by each subgraph's first migration, one statement at a time.
OUTBOX_DDL: tuple[str, ...] = (
    """
    CREATE TABLE outbox (
        seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        event_id uuid NOT NULL UNIQUE,
        topic text NOT NULL,
        key text NOT NULL,
        aggregate_type text NOT NULL,
        aggregate_id text NOT NULL,
        version bigint NOT NULL,
        value bytea NOT NULL,
        created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        published_at timestamptz
    )
    """,
    "CREATE INDEX outbox_unpublished ON outbox (seq) WHERE published_at IS NULL",
    "CREATE INDEX outbox_aggregate ON outbox (aggregate_type, aggregate_id, version)",
    """
    CREATE TABLE outbox_relay (
        only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
        broker_epoch text,
        refill_after bigint,
        refill_until bigint
    )
    """,
    "INSERT INTO outbox_relay (only_row) VALUES (true)",
    f"""
    CREATE FUNCTION notify_outbox() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN PERFORM pg_notify('{NOTIFY_CHANNEL}', ''); RETURN NULL; END $$
    """,
    """
    CREATE TRIGGER outbox_wakes_relay AFTER INSERT ON outbox
    FOR EACH STATEMENT EXECUTE FUNCTION notify_outbox()
    """,
)

# Run by the events' own migration: which life of the database this is, and one person's events together.
OUTBOX_EPOCH_DDL: tuple[str, ...] = (
    "ALTER TABLE outbox_relay ADD COLUMN incarnation text, ADD COLUMN source_epoch bigint NOT NULL DEFAULT 0",
    "CREATE INDEX outbox_by_key ON outbox (key, topic)",
)

#: Which life of the database this is: what is copied elsewhere, restored into a new database or table, or promoted, differs
#: in one of the four. Asked of a primary.
INCARNATION = """
    SELECT concat_ws(':', (SELECT system_identifier FROM pg_control_system()),
        left(pg_walfile_name(pg_current_wal_lsn()), 8),
        (SELECT oid FROM pg_database WHERE datname = current_database()), 'outbox'::regclass::oid)
"""


class Transaction(Protocol):
    """What the caller's open transaction must offer: SQLAlchemy's AsyncConnection and AsyncSession both do."""

    async def execute(self, statement: Any, params: Any = None, /) -> Any: ...


@dataclass(frozen=True, slots=True)
class NewEvent:
    """An event about to be written. `aggregate_id` and `version` name the state that `payload` shows.

    Correlation, causation and trace are those of the request or of the event at work, unless they are given.
    """

    payload: Payload
    aggregate_id: str
    version: int
    user_id: str
    occurred_at: datetime
    local_date: date | None = None
    time_zone: str | None = None
    actor: str | None = None
    source: str = "app"
    correlation_id: str | None = None
    causation_id: str | None = None
    traceparent: str | None = None
    key: str | None = None  # the record's key when it is not the user's id (the food catalogue)


_INSERT: TextClause = text(
    "INSERT INTO outbox (event_id, topic, key, aggregate_type, aggregate_id, version, value)"
    " VALUES (CAST(:event_id AS uuid), :topic, :key, :aggregate_type, :aggregate_id, :version, :value)"
)

# However many they are, and numbered in the order given: the relay publishes by number.
_INSERT_MANY: TextClause = text(
    "INSERT INTO outbox (event_id, topic, key, aggregate_type, aggregate_id, version, value)"
    " SELECT event_id, topic, key, aggregate_type, aggregate_id, version, value FROM unnest("
    " CAST(:event_id AS uuid[]), CAST(:topic AS text[]), CAST(:key AS text[]), CAST(:aggregate_type AS text[]),"
    " CAST(:aggregate_id AS text[]), CAST(:version AS bigint[]), CAST(:value AS bytea[])) WITH ORDINALITY"
    " AS new (event_id, topic, key, aggregate_type, aggregate_id, version, value, place) ORDER BY place"
)


async def append_event(transaction: Transaction, event: NewEvent) -> str:
    """Write one event in the caller's transaction; returns its id. It travels once that transaction commits.

    Raises EventTooLargeError.
    """
    row = _outbox_row(event)
    await transaction.execute(_INSERT, row)
    return str(row["event_id"])


async def append_events(transaction: Transaction, events: Iterable[NewEvent]) -> int:
    """Write many events, in order, in one statement; returns how many. Raises EventTooLargeError."""
    rows = outbox_rows(events)
    if rows:
        await transaction.execute(_INSERT_MANY, {name: [row[name] for row in rows] for name in rows[0]})
    return len(rows)


def outbox_rows(events: Iterable[NewEvent]) -> list[Mapping[str, Any]]:
    """What the outbox keeps of these events, in order: for loads that write very many at once.

    Raises EventTooLargeError.
    """
    return [_outbox_row(event) for event in events]


def _outbox_row(event: NewEvent) -> Mapping[str, Any]:
    payload, lineage = event.payload, lineage_of(event.user_id)
    envelope = Envelope(
        event_id=new_id(),
        type=type(payload).__name__,
        schema_version=payload.schema_version,
        aggregate=Aggregate(payload.aggregate_type, event.aggregate_id, event.version),
        user_id=event.user_id,
        occurred_at=event.occurred_at,
        recorded_at=datetime.now(UTC),
        local_date=event.local_date,
        time_zone=event.time_zone,
        actor=event.actor or event.user_id,
        source=event.source,
        correlation_id=event.correlation_id or lineage.correlation_id,
        causation_id=event.causation_id or lineage.causation_id,
        traceparent=event.traceparent or lineage.traceparent,
        tombstone=payload.tombstone,
        payload=encode_payload(payload),
    )
    value = encode_envelope(envelope)
    if len(value) > LARGEST_VALUE_BYTES:
        raise EventTooLargeError(f"a {envelope.type} of {len(value)} bytes, where {LARGEST_VALUE_BYTES} are the most")
    return {
        "event_id": envelope.event_id,
        "topic": payload.topic,
        "key": event.key or event.user_id,
        "aggregate_type": envelope.aggregate.type,
        "aggregate_id": envelope.aggregate.id,
        "version": envelope.aggregate.version,
        "value": value,
    }


class EventTooLargeError(Exception):
    """An event that no broker would take. Written, it would hold up all that come after it in its outbox."""


async def forget_events_of(transaction: Transaction, user_id: str) -> None:
    """Delete every event of a person from this outbox, published or not: the person is erased, and they hold what was told."""
    await transaction.execute(_FORGET_PERSON, {"user_id": user_id})


_FORGET_PERSON = text("DELETE FROM outbox WHERE key = :user_id")
