"""Keeps the search index of exercises: written with each exercise, and renewed when names are read in another way."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from subgraphs.shell.database import Database
from subgraphs.shell.search.renewal import renew_index
from subgraphs.shell.search.store import Entry, write_entries
from subgraphs.workouts.domain.exercise_name import read_exercise_name
from subgraphs.workouts.queries.exercise_search import EXERCISE_INDEX

EVERYDAY = 3.0  # what an exercise is preferred by that people do every day
_OUTDATED = text(
    "SELECT exercise.id, exercise.name, created_by FROM exercise"
    " LEFT JOIN search_entry ON search_entry.id = exercise.id"
    " WHERE exercise.id > :after AND index_version IS DISTINCT FROM :version ORDER BY exercise.id LIMIT :limit"
    " FOR UPDATE OF exercise SKIP LOCKED"
)


async def index_exercises(
    connection: AsyncConnection, rows: Sequence[Mapping[str, Any]], everyday: Collection[str] = ()
) -> None:
    """Make exercises findable. Rows have id, name, created_by; `everyday` holds names."""
    await write_entries(connection, EXERCISE_INDEX, [_entry(row, everyday) for row in rows])


async def renew_exercise_index(database: Database) -> int:
    """Index every exercise that is not, or was by another version of the rules. Returns how many."""
    return await renew_index(database.transaction, EXERCISE_INDEX, _OUTDATED, index_exercises)


def _entry(row: Mapping[str, Any], everyday: Collection[str]) -> Entry:
    named = read_exercise_name(row["name"])
    return Entry(
        id=row["id"],
        owner=row["created_by"],
        name=row["name"],
        words=named.words,
        heads=named.heads,
        rank=named.rank,
        favour=EVERYDAY if row["created_by"] is None and row["name"] in everyday else 0.0,
    )
