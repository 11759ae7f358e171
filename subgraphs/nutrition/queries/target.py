"""The target in force on each of many days."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import text

from subgraphs.nutrition.domain.nutrient_aim import decode_aims
from subgraphs.nutrition.domain.target import Target
from subgraphs.nutrition.domain.weekday_target import decode_variations
from subgraphs.shell.read_pool import Reader


@dataclass(frozen=True, slots=True)
class TargetRecord:
    """A person's target as it was set, of a day that was asked about, since when it holds, and who set it, if that was
    somebody else by a grant.
    """

    usual: Target
    day: date
    effective_from: date
    version: int
    author_id: str | None = None

    @property
    def target(self) -> Target:
        """What it is on the day."""
        return self.usual.on(self.day)


_TARGETS = text(
    "SELECT asked.user_id, asked.day, found.* FROM"
    " unnest(CAST(:user_ids AS text[]), CAST(:days AS date[])) AS asked (user_id, day) CROSS JOIN LATERAL ("
    " SELECT energy_kcal, protein_g, carbs_g, fat_g, water_ml, CAST(nutrient_aims AS text) AS nutrient_aims,"
    " CAST(weekday_targets AS text) AS weekday_targets, effective_from, version, author_id FROM nutrition_target"
    " WHERE nutrition_target.user_id = asked.user_id AND effective_from <= asked.day"
    " ORDER BY effective_from DESC LIMIT 1) AS found"
)


async def targets_by_day(connection: Reader, days: Sequence[tuple[str, date]]) -> dict[tuple[str, date], TargetRecord]:
    """The target in force on each (user id, local date): the latest that began by then."""
    parameters = {"user_ids": [user_id for user_id, _ in days], "days": [day for _, day in days]}
    rows = await connection.execute(_TARGETS, parameters)
    return {(row[0], row[1]): read_target(row[2:], row[1]) for row in rows}


def read_target(row: Sequence[Any], day: date) -> TargetRecord:
    """Of the columns energy, protein, carbohydrate, fat, water, aims and weekdays as text, first day, version and author."""
    energy_kcal, protein_g, carbs_g, fat_g, water_ml, aims, weekdays, effective_from, version, author_id = row
    usual = Target(
        energy_kcal=energy_kcal,
        protein_g=protein_g,
        carbs_g=carbs_g,
        fat_g=fat_g,
        water_ml=water_ml,
        nutrients=decode_aims(aims),
        weekdays=decode_variations(weekdays),
    )
    return TargetRecord(usual, day, effective_from, version, author_id)
