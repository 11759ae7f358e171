"""The target in force on each of many days."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import text

from subgraphs.nutrition.domain.nutrient_aim import decode_aims
from subgraphs.nutrition.domain.target import Target
from subgraphs.nutrition.domain.training_target import TargetBasis, decode_training
from subgraphs.nutrition.domain.weekday_target import decode_variations
from subgraphs.shell.read_pool import Reader


@dataclass(frozen=True, slots=True)
class TargetRecord:
    """A person's target as it was set, of a day that was asked about, since when it holds, who set it, if that was
    somebody else by a grant, and whether the person trains on the day, which is asked where the target has values for that.
    """

    usual: Target
    day: date
    effective_from: date
    version: int
    author_id: str | None = None
    is_trained: bool = False

    @property
    def target(self) -> Target:
        """What it is on the day."""
        return self.usual.on(self.day, is_trained=self.is_trained)

    @property
    def basis(self) -> TargetBasis:
        """Which of its sets of values that is."""
        return self.usual.basis_on(self.day, is_trained=self.is_trained)


# Without LIMIT Postgres may hash all days of training of everybody, and look the one up there.
#: Columns of a target, for `read_target`; `{day}` is an expression of the day that is asked about.
TARGET_COLUMNS = (
    "energy_kcal, protein_g, carbs_g, fat_g, water_ml, CAST(nutrient_aims AS text) AS nutrient_aims,"
    " CAST(weekday_targets AS text) AS weekday_targets, CAST(training_target AS text) AS training_target,"
    " effective_from, version, author_id, CASE WHEN training_target IS NULL THEN false ELSE (SELECT true FROM"
    " training_entry WHERE training_entry.user_id = nutrition_target.user_id AND training_entry.local_date = {day}"
    " LIMIT 1) IS NOT NULL END AS is_trained"
)
_TARGETS = text(
    "SELECT asked.user_id, asked.day, found.* FROM"  # noqa: S608 - our names
    " unnest(CAST(:user_ids AS text[]), CAST(:days AS date[])) AS asked (user_id, day) CROSS JOIN LATERAL ("
    f" SELECT {TARGET_COLUMNS.format(day='asked.day')} FROM nutrition_target"
    " WHERE nutrition_target.user_id = asked.user_id AND effective_from <= asked.day"
    " ORDER BY effective_from DESC LIMIT 1) AS found"
)


async def targets_by_day(connection: Reader, days: Sequence[tuple[str, date]]) -> dict[tuple[str, date], TargetRecord]:
    """The target in force on each (user id, local date): the latest that began by then."""
    parameters = {"user_ids": [user_id for user_id, _ in days], "days": [day for _, day in days]}
    rows = await connection.execute(_TARGETS, parameters)
    return {(row[0], row[1]): read_target(row[2:], row[1]) for row in rows}


def read_target(row: Sequence[Any], day: date) -> TargetRecord:
    """Of TARGET_COLUMNS."""
    energy_kcal, protein_g, carbs_g, fat_g, water_ml, aims, weekdays, training, *others = row
    effective_from, version, author_id, is_trained = others
    usual = Target(
        energy_kcal=energy_kcal,
        protein_g=protein_g,
        carbs_g=carbs_g,
        fat_g=fat_g,
        water_ml=water_ml,
        nutrients=decode_aims(aims),
        weekdays=decode_variations(weekdays),
        training_day=decode_training(training),
    )
    return TargetRecord(usual, day, effective_from, version, author_id, is_trained)
