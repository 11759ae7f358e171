"""Many rows and events at once, by COPY in the caller's transaction: for the catalogue, and for whole histories that are loaded."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from operator import itemgetter
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from events.outbox import NewEvent, outbox_rows


async def copy_rows(connection: AsyncConnection, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Add rows that all have the same columns; other columns get their defaults. Raises what Postgres refuses."""
    if not rows:
        return
    columns = list(rows[0])
    # SQLAlchemy begins a transaction with the first statement of its own, and COPY does not go through it.
    await connection.execute(text("SELECT 1"))
    raw = await connection.get_raw_connection()
    records = map(itemgetter(*columns), rows) if len(columns) > 1 else [(row[columns[0]],) for row in rows]
    await raw.driver_connection.copy_records_to_table(table, records=records, columns=columns)  # type: ignore[union-attr]


async def copy_events(connection: AsyncConnection, events: Iterable[NewEvent]) -> None:
    """Keep very many events as published, though no relay has them: whoever loads them has the projections catch up, and
    the relay tell of them afterwards (`events.catch_up`, `events.relay.tell_from`, decision 0190).
    """
    published = {"published_at": datetime.now(UTC)}
    await copy_rows(connection, "outbox", [{**row, **published} for row in outbox_rows(events)])
