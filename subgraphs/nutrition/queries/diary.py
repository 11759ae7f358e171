"""What a diary day shows beside its meals: the water drunk, and the target in force. Both for many days at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import text

from subgraphs.nutrition.domain.target import Target
from subgraphs.read_pool import Reader


@dataclass(frozen=True, slots=True)
class TargetRecord:
    """A person's target and since when it holds."""

    target: Target
    effective_from: date
    version: int


_WATER = text(
    "SELECT user_id, local_date, sum(amount_ml) FROM water WHERE (user_id, local_date) IN"
    " (SELECT * FROM unnest(CAST(:user_ids AS text[]), CAST(:days AS date[]))) GROUP BY user_id, local_date"
)
_TARGETS = text(
    "SELECT asked.user_id, asked.day, found.* FROM"
    " unnest(CAST(:user_ids AS text[]), CAST(:days AS date[])) AS asked (user_id, day) CROSS JOIN LATERAL ("
    " SELECT energy_kcal, protein_g, carbs_g, fat_g, water_ml, effective_from, version FROM nutrition_target"
    " WHERE nutrition_target.user_id = asked.user_id AND effective_from <= asked.day"
    " ORDER BY effective_from DESC LIMIT 1) AS found"
)


async def water_by_day(connection: Reader, days: Sequence[tuple[str, date]]) -> dict[tuple[str, date], int]:
    """The millilitres drunk on each (user id, local date) that has any."""
    rows = await connection.execute(_WATER, _asked(days))
    return {(user_id, day): int(amount) for user_id, day, amount in rows}


async def targets_by_day(connection: Reader, days: Sequence[tuple[str, date]]) -> dict[tuple[str, date], TargetRecord]:
    """The target in force on each (user id, local date): the latest that began by then."""
    rows = await connection.execute(_TARGETS, _asked(days))
    return {(row[0], row[1]): TargetRecord(Target(*row[2:7]), row[7], row[8]) for row in rows}


def _asked(days: Sequence[tuple[str, date]]) -> dict[str, list[object]]:
    return {"user_ids": [user_id for user_id, _ in days], "days": [day for _, day in days]}
