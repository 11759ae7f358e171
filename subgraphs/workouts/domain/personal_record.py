"""A person's best of one exercise, in a workout or ever: what counts, and when one covers another."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

from subgraphs.workouts.domain.strength import volume_kg


class WorkingSet(Protocol):
    """What of a set a record is made of."""

    @property
    def exercise_id(self) -> str: ...
    @property
    def reps(self) -> int | None: ...
    @property
    def weight_kg(self) -> Decimal | None: ...
    @property
    def load_kg(self) -> Decimal | None: ...
    @property
    def one_rep_max_kg(self) -> Decimal | None: ...


@dataclass(frozen=True, slots=True)
class Best:
    """The largest of each measure, each perhaps of another set; None where no set says it."""

    max_weight_kg: Decimal | None
    max_reps: int | None
    best_one_rep_max_kg: Decimal | None
    best_set_volume_kg: Decimal | None

    def covers(self, other: "Best") -> bool:
        """Whether no measure of the other is larger."""
        mine = (self.max_weight_kg, self.max_reps, self.best_one_rep_max_kg, self.best_set_volume_kg)
        others = (other.max_weight_kg, other.max_reps, other.best_one_rep_max_kg, other.best_set_volume_kg)
        return all(
            theirs is None or (own is not None and own >= theirs) for own, theirs in zip(mine, others, strict=True)
        )


class RecordKind(StrEnum):
    MAX_WEIGHT = "MAX_WEIGHT"
    MAX_REPS = "MAX_REPS"
    ONE_REP_MAX = "ONE_REP_MAX"
    SET_VOLUME = "SET_VOLUME"

    def of(self, best: Best) -> Decimal | None:
        """What a best says of this kind, in kg or repetitions."""
        measures = {
            RecordKind.MAX_WEIGHT: best.max_weight_kg,
            RecordKind.MAX_REPS: None if best.max_reps is None else Decimal(best.max_reps),
            RecordKind.ONE_REP_MAX: best.best_one_rep_max_kg,
            RecordKind.SET_VOLUME: best.best_set_volume_kg,
        }
        return measures[self]


def records_over(one: Best, earlier: Iterable[Best]) -> list[RecordKind]:
    """The kinds in which a set is more than everything before it. What nothing stood before is a first, no record."""
    before = list(earlier)
    found = []
    for kind in RecordKind:
        mine = kind.of(one)
        others = [value for value in map(kind.of, before) if value is not None]
        if mine is not None and others and mine > max(others):
            found.append(kind)
    return found


def best_by_exercise(sets: Iterable[WorkingSet]) -> dict[str, Best]:
    """The best of each exercise among working sets."""
    by_exercise: defaultdict[str, list[WorkingSet]] = defaultdict(list)
    for one in sets:
        by_exercise[one.exercise_id].append(one)
    return {
        exercise_id: Best(
            max_weight_kg=max((one.weight_kg for one in of_one if one.weight_kg is not None), default=None),
            max_reps=max((one.reps for one in of_one if one.reps is not None), default=None),
            best_one_rep_max_kg=max(
                (one.one_rep_max_kg for one in of_one if one.one_rep_max_kg is not None), default=None
            ),
            best_set_volume_kg=max(
                (
                    volume_kg(one.load_kg, one.reps)
                    for one in of_one
                    if one.load_kg is not None and one.reps is not None
                ),
                default=None,
            ),
        )
        for exercise_id, of_one in by_exercise.items()
    }
