"""Gear as it is read: by id, page by page, and how far each went by the workouts that there are."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache

from sqlalchemy import TextClause, text

from subgraphs.shell.keyset import Page, PageShape, SortOrder
from subgraphs.shell.person_lists import count_of_each, page_of_each
from subgraphs.shell.read_pool import Reader, any_of

_COLUMNS = "id, user_id, name, kind, start_distance_m, life_distance_m, retired_on, default_for, version, created_at"


@dataclass(frozen=True, slots=True)
class GearRecord:
    """One pair of shoes, bicycle or the like. Distances are in metres; `default_for` are ids of exercises."""

    id: str
    user_id: str
    name: str
    kind: str
    start_distance_m: Decimal
    life_distance_m: Decimal | None
    retired_on: date | None
    default_for: list[str]
    version: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class GearUse:
    """How many finished workouts were done with gear, and how many metres they were together."""

    workouts: int
    distance_m: Decimal


_BY_ID = text(f"SELECT {_COLUMNS} FROM gear WHERE id = {any_of('ids')}")  # noqa: S608 - our names
_COUNTS = text("SELECT user_id, count(*) FROM gear WHERE user_id = ANY(:user_ids) GROUP BY user_id")
# A recording knows the distance best; without one it is what the sets say.
_USES = text(
    """
    SELECT workout.gear_id, count(*), sum(coalesce(track.distance_m, done.distance_m, 0))
    FROM workout LEFT JOIN LATERAL (
        SELECT t.distance_m FROM workout_track AS t WHERE t.workout_id = workout.id LIMIT 1
    ) AS track ON true
    LEFT JOIN LATERAL (
        SELECT sum(s.distance_m) AS distance_m FROM workout_exercise AS place
        CROSS JOIN LATERAL (SELECT * FROM workout_set WHERE workout_set.workout_exercise_id = place.id LIMIT 500) AS s
        WHERE place.workout_id = workout.id
    ) AS done ON track.distance_m IS NULL
    WHERE workout.gear_id = ANY(:ids) AND workout.status = 'COMPLETED'
    GROUP BY workout.gear_id
    """
)
_ORDER = SortOrder(("created_at", "id"))


@cache
def _pages(shape: PageShape) -> TextClause:
    return text(
        "SELECT found.* FROM unnest(CAST(:user_ids AS text[])) AS person (id) CROSS JOIN LATERAL ("  # noqa: S608
        f" SELECT {_COLUMNS} FROM gear WHERE gear.user_id = person.id"
        f" AND {_ORDER.beyond(shape)} ORDER BY {_ORDER.order_by(shape)} LIMIT :limit) AS found"
    )


async def gear_by_id(connection: Reader, ids: Sequence[str]) -> dict[str, GearRecord]:
    return {row[0]: GearRecord(*row) for row in await connection.execute(_BY_ID, {"ids": list(ids)})}


async def gear_by_user(connection: Reader, user_ids: Sequence[str], page: Page) -> dict[str, list[GearRecord]]:
    """A page of each person's, the oldest first."""
    return await page_of_each(connection, _pages(page.shape), user_ids, page, GearRecord)


async def gear_counts(connection: Reader, user_ids: Sequence[str]) -> dict[str, int]:
    """How much gear each person has."""
    return await count_of_each(connection, _COUNTS, user_ids)


async def gear_uses(connection: Reader, ids: Sequence[str]) -> dict[str, GearUse]:
    """How far each went in finished workouts, by what these say now; gear without one is left out."""
    return {row[0]: GearUse(row[1], row[2]) for row in await connection.execute(_USES, {"ids": list(ids)})}
