"""Whether a projection says what its sources say, and how it is made to: one person at a time, while all goes on.

Both do the same thing: in a transaction that keeps the consumer from this person, they make the rows anew from the
newest events in the sources' outboxes. `rebuild` commits it, `differences_of` compares and rolls back. Nobody reads a
state in between. Called by `fittracker events check` and `rebuild`.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from events import metrics
from events.consumer import AfterCommit, ProjectedTable, Subscription
from events.inbox import lock_people, set_handled
from events.sources import Sources

SETTLE_SECONDS = 5.0
LOOKS = 3


@dataclass(frozen=True, slots=True)
class Difference:
    """A row that the projection has and its sources do not give (`expected` is None), or the other way round."""

    group: str
    user_id: str
    table: str
    found: str | None
    expected: str | None


class Audit:
    """One group's projection beside its sources."""

    def __init__(self, subscription: Subscription, engine: AsyncEngine, sources: Sources) -> None:
        """Raises ValueError for a subscription that does not say how it is rebuilt."""
        if subscription.rebuild is None or not subscription.tables:
            raise ValueError(f"{subscription.group} has no rebuild")
        self._rebuild = subscription.rebuild
        self._subscription = subscription
        self._engine = engine
        self._sources = sources

    async def people(self) -> list[str]:
        """Everybody whom the projection or a source knows, sorted."""
        known = {user_id async for user_id in self._sources.people(self._subscription.topics)}
        async with self._engine.connect() as connection:
            for table in self._subscription.tables:
                rows = await connection.execute(text(f"SELECT DISTINCT user_id FROM {table.name}"))  # noqa: S608
                known.update(rows.scalars())
        return sorted(known)

    async def rebuild(self, user_id: str) -> None:
        """Make everything that the group keeps of this person anew, and tell the subscribers what changed."""
        async with self._engine.begin() as connection:
            after_commit = await self._made_anew(connection, user_id)
        if after_commit is not None:
            await after_commit()

    async def differences_of(self, user_id: str) -> list[Difference]:
        """What differs, and still does after a while: events may be on their way. That this person was
        compared is counted in the metrics.
        """
        standing = set(await self._look(user_id))
        for _ in range(LOOKS - 1):
            if not standing:
                break
            await asyncio.sleep(SETTLE_SECONDS / (LOOKS - 1))
            standing &= set(await self._look(user_id))
        metrics.PROJECTION_CHECKED.labels(self._subscription.group).inc()
        return sorted(standing, key=lambda one: (one.table, one.found or "", one.expected or ""))

    async def _look(self, user_id: str) -> list[Difference]:
        async with _rolled_back(self._engine) as connection:
            await lock_people(connection, self._subscription.group, [user_id])
            found = await self._rows(connection, user_id)
            await self._made_anew(connection, user_id)
            expected = await self._rows(connection, user_id)
        return [
            Difference(self._subscription.group, user_id, table, one, other)
            for table in found
            for one, other in _unequal(found[table], expected[table])
        ]

    async def _made_anew(self, connection: AsyncConnection, user_id: str) -> AfterCommit:
        # The sources are read under the lock: whatever the consumer handled before it is in them.
        await lock_people(connection, self._subscription.group, [user_id])
        envelopes = await self._sources.newest_events(user_id, self._subscription.topics)
        await set_handled(connection, self._subscription.group, envelopes)
        return await self._rebuild(connection, user_id, envelopes)

    async def _rows(self, connection: AsyncConnection, user_id: str) -> dict[str, set[str]]:
        return {table.name: await _rows_of(connection, table, user_id) for table in self._subscription.tables}


@asynccontextmanager
async def _rolled_back(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    async with engine.connect() as connection:
        transaction = await connection.begin()
        try:
            yield connection
        finally:
            await transaction.rollback()


async def _rows_of(connection: AsyncConnection, table: ProjectedTable, user_id: str) -> set[str]:
    """The person's rows as JSON with sorted names; 80.50 and 80.5 are one number."""
    rows = await connection.execute(
        text(f"SELECT to_jsonb(one)::text FROM {table.name} AS one WHERE user_id = :user_id"),  # noqa: S608 - our names
        {"user_id": user_id},
    )
    result = set()
    for row in rows.scalars():
        fields = json.loads(row, parse_float=_plain, parse_int=_plain)
        result.add(json.dumps({name: fields[name] for name in sorted(fields) if name not in table.ignored}))
    return result


def _plain(number: str) -> str:
    return format(Decimal(number).normalize(), "f")


def _unequal(found: set[str], expected: set[str]) -> list[tuple[str | None, str | None]]:
    wrong: list[tuple[str | None, str | None]] = [(row, None) for row in found - expected]
    return wrong + [(None, row) for row in expected - found]
