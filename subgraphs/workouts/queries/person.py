"""What is replicated of people: their clock and name, and their body weight on a day."""

from datetime import date
from decimal import Decimal

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from subgraphs.shell.auth import Viewer
from subgraphs.shell.replicated_person import PersonRecord, replicated_person

#: The consumer group that replicates people, `projections.person`.
GROUP = "workouts-person"


async def person_of(connection: AsyncConnection, viewer: Viewer) -> PersonRecord:
    """The viewer as replicated, or newer."""
    return await replicated_person(connection, GROUP, viewer)


async def weight_on(connection: AsyncConnection, user_id: str, local_date: date) -> Decimal | None:
    """The weight in force on a day: the latest up to it, else the earliest after it, else None."""
    statement = text(
        "(SELECT weight_kg, 0 AS later FROM person_weight WHERE user_id = :user_id AND local_date <= :day"
        "  ORDER BY local_date DESC, recorded_at DESC LIMIT 1)"
        " UNION ALL"
        " (SELECT weight_kg, 1 FROM person_weight WHERE user_id = :user_id AND local_date > :day"
        "  ORDER BY local_date, recorded_at LIMIT 1)"
        " ORDER BY later LIMIT 1"
    )
    weight: Decimal | None = await connection.scalar(statement, {"user_id": user_id, "day": local_date})
    return weight
