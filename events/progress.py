"""How far publishing and handling are, read from outboxes and inboxes alone, whatever the broker can tell."""

from collections.abc import Mapping

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from events.consumer import Subscription
from events.topics import service_of

NEWEST_EVENTS = 5000

_UNPUBLISHED = text(
    "SELECT count(*) AS waiting,"
    " coalesce(extract(epoch FROM clock_timestamp() - min(created_at)), 0)::float AS oldest_age_seconds"
    " FROM outbox WHERE published_at IS NULL"
)
_NEWEST = text(
    "SELECT aggregate_type, aggregate_id, version,"
    " extract(epoch FROM clock_timestamp() - created_at)::float AS age_seconds FROM outbox"
    " WHERE topic = ANY(:topics) ORDER BY seq DESC LIMIT :most"
)
_HANDLED = text(
    "SELECT aggregate_type, aggregate_id, version FROM inbox WHERE consumer_group = :consumer_group"
    " AND (aggregate_type, aggregate_id) IN (SELECT t, i"
    " FROM unnest(CAST(:types AS text[]), CAST(:ids AS text[])) AS wanted (t, i))"
)


async def unpublished(connection: AsyncConnection) -> tuple[int, float]:
    """Events that are not in Kafka yet, and the age of the oldest in seconds."""
    row = (await connection.execute(_UNPUBLISHED)).one()
    return row.waiting, row.oldest_age_seconds


async def behind(
    subscription: Subscription, engine: AsyncEngine, sources: Mapping[str, AsyncEngine]
) -> tuple[int, float]:
    """Aggregates of which the group has not handled the newest version, and the age in seconds of the oldest of those.

    Of each source the newest 5,000 events are looked at.
    """
    late: list[float] = []
    for service in {service_of(topic) for topic in subscription.topics}:
        topics = [topic for topic in subscription.topics if service_of(topic) == service]
        async with sources[service].connect() as connection:
            rows = list(await connection.execute(_NEWEST, {"topics": topics, "most": NEWEST_EVENTS}))
        newest: dict[tuple[str, str], tuple[int, float]] = {}
        for row in rows:
            newest.setdefault((row.aggregate_type, row.aggregate_id), (row.version, row.age_seconds))
        handled = await _handled(engine, subscription.group, list(newest))
        late += [age for identity, (version, age) in newest.items() if handled.get(identity, 0) < version]
    return len(late), max(late, default=0.0)


async def _handled(engine: AsyncEngine, group: str, identities: list[tuple[str, str]]) -> dict[tuple[str, str], int]:
    parameters = {
        "consumer_group": group,
        "types": [aggregate_type for aggregate_type, _ in identities],
        "ids": [aggregate_id for _, aggregate_id in identities],
    }
    async with engine.connect() as connection:
        rows = await connection.execute(_HANDLED, parameters)
        return {(row.aggregate_type, row.aggregate_id): row.version for row in rows}
