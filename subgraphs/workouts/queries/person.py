"""What is replicated of people: their clock and name, and their body weight on a day."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from subgraphs.shell.auth import Viewer
from subgraphs.shell.read_pool import Reader
from subgraphs.shell.replicated_person import PersonRecord, replicated_person

#: The consumer group that replicates people, `projections.person`.
GROUP = "workouts-person"

_WEIGHTS = text(
    "SELECT person.user_id, found.weight_kg FROM unnest(CAST(:user_ids AS text[])) AS person (user_id) CROSS JOIN LATERAL ("
    " (SELECT weight_kg, 0 AS later FROM person_weight WHERE user_id = person.user_id AND local_date <= :day"
    "  ORDER BY local_date DESC, recorded_at DESC LIMIT 1)"
    " UNION ALL"
    " (SELECT weight_kg, 1 FROM person_weight WHERE user_id = person.user_id AND local_date > :day"
    "  ORDER BY local_date, recorded_at LIMIT 1)"
    " ORDER BY later LIMIT 1) AS found"
)


async def person_of(connection: AsyncConnection, viewer: Viewer) -> PersonRecord:
    """The viewer as replicated, or newer."""
    return await replicated_person(connection, GROUP, viewer)


async def weight_on(connection: AsyncConnection, user_id: str, local_date: date) -> Decimal | None:
    """The weight in force on a day: the latest up to it, else the earliest after it, else None."""
    return (await weights_on(connection, [user_id], local_date)).get(user_id)


async def weights_on(
    connection: Reader | AsyncConnection, user_ids: Sequence[str], local_date: date
) -> dict[str, Decimal]:
    """`weight_on` of several people who have any weighing, in one statement."""
    rows = await connection.execute(_WEIGHTS, {"user_ids": list(user_ids), "day": local_date})
    return {row[0]: row[1] for row in rows}
