"""Many rows and events at once, by COPY in the caller's transaction: for loads of whole populations, in `sample_data`."""

from collections.abc import Iterable, Mapping, Sequence
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
    """What `append_events` does, for very many."""
    await copy_rows(connection, "outbox", outbox_rows(events))
