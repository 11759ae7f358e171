"""On which days people train, as workouts tells it: kept, moved and forgotten. A row stands for a workout or for a plan of one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

_KEEP = text(
    "INSERT INTO training_entry (id, user_id, local_date)"
    " SELECT * FROM unnest(CAST(:ids AS text[]), CAST(:user_ids AS text[]), CAST(:days AS date[]))"
    " ON CONFLICT (id) DO UPDATE SET local_date = excluded.local_date"
)
_DROP = text("DELETE FROM training_entry WHERE id = ANY(:ids)")
_FORGET = text(
    "DELETE FROM training_entry WHERE id IN (SELECT id FROM training_entry"
    " WHERE kept_at BETWEEN now() - interval '3 days' AND now() - interval '1 day'"
    " AND NOT EXISTS (SELECT FROM person WHERE person.user_id = training_entry.user_id) LIMIT :rows)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingEntry:
    """A workout that runs or is done, or one that is planned and not skipped, on a person's calendar day."""

    id: str
    user_id: str
    local_date: date


async def keep_training(transaction: AsyncConnection, entries: Sequence[TrainingEntry], gone: Sequence[str]) -> None:
    """Keep these entries as they are now, and nothing of those that are gone, by id."""
    if gone:
        await transaction.execute(_DROP, {"ids": list(gone)})
    if entries:
        columns = {
            "ids": [each.id for each in entries],
            "user_ids": [each.user_id for each in entries],
            "days": [each.local_date for each in entries],
        }
        await transaction.execute(_KEEP, columns)


async def forget_training(connection: AsyncConnection, rows: int) -> int:
    """What was kept a day ago or more of people who are not known, at most so many; returns how many went.

    They were erased: accounts are read by another group, so the last of their workouts may come after that.
    """
    return int((await connection.execute(_FORGET, {"rows": rows})).rowcount)
