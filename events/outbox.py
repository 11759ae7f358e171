"""The outbox: an event is written in the transaction of the change it tells of. `relay` publishes the rows.

Rows stay after publishing, for a broker that lost its records is refilled from them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Protocol

from sqlalchemy import text
from sqlalchemy.sql.elements import TextClause

from events.envelope import Aggregate, Envelope, Payload, encode_envelope, encode_payload, new_id

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


class Transaction(Protocol):
    """What the caller's open transaction must offer: SQLAlchemy's AsyncConnection and AsyncSession both do."""

    async def execute(self, statement: Any, params: Any = None, /) -> Any: ...


@dataclass(frozen=True, slots=True)
class NewEvent:
    """An event about to be written. `aggregate_id` and `version` name the state that `payload` shows."""

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


async def append_event(transaction: Transaction, event: NewEvent) -> str:
    """Write one event in the caller's transaction; returns its id. It travels once that transaction commits."""
    row = _outbox_row(event)
    await transaction.execute(_INSERT, row)
    return str(row["event_id"])


async def append_events(transaction: Transaction, events: Iterable[NewEvent]) -> int:
    """Write many events, in order, in one round trip; returns how many."""
    rows = [_outbox_row(event) for event in events]
    if rows:
        await transaction.execute(_INSERT, rows)
    return len(rows)


def _outbox_row(event: NewEvent) -> Mapping[str, Any]:
    payload = event.payload
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
        correlation_id=event.correlation_id,
        causation_id=event.causation_id,
        traceparent=event.traceparent,
        tombstone=payload.tombstone,
        payload=encode_payload(payload),
    )
    return {
        "event_id": envelope.event_id,
        "topic": payload.topic,
        "key": event.key or event.user_id,
        "aggregate_type": envelope.aggregate.type,
        "aggregate_id": envelope.aggregate.id,
        "version": envelope.aggregate.version,
        "value": encode_envelope(envelope),
    }


_FORGET_SUPERSEDED: TextClause = text(
    "DELETE FROM outbox AS old WHERE old.published_at < now() - make_interval(days => :days) AND EXISTS ("
    " SELECT 1 FROM outbox AS newer WHERE newer.aggregate_type = old.aggregate_type"
    " AND newer.aggregate_id = old.aggregate_id AND newer.version > old.version)"
)


async def forget_superseded(transaction: Transaction, *, after_days: int) -> int:
    """Delete published rows older than this that a newer version of their aggregate replaces; returns how many.

    The newest version of every aggregate stays, so a refill still tells the whole state.
    """
    result = await transaction.execute(_FORGET_SUPERSEDED, {"days": after_days})
    return int(result.rowcount)
