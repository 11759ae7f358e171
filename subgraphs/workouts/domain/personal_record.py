"""A person's best of one exercise, in a workout or ever: what counts, and when one covers another."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from typing import Protocol, TypeVar

from subgraphs.workouts.domain.strength import volume_kg

_Measure = TypeVar("_Measure", int, Decimal)


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
    @property
    def distance_m(self) -> Decimal | None: ...
    @property
    def duration_seconds(self) -> int | None: ...


@dataclass(frozen=True, slots=True)
class Best:
    """The largest of each measure, each perhaps of another set; None where nothing says it."""

    max_weight_kg: Decimal | None
    max_reps: int | None
    best_one_rep_max_kg: Decimal | None
    best_set_volume_kg: Decimal | None
    max_distance_m: Decimal | None = None
    max_duration_seconds: int | None = None

    def covers(self, other: "Best") -> bool:
        """Whether no measure of the other is larger."""
        pairs = ((kind.of(self), kind.of(other)) for kind in RecordKind)
        return all(theirs is None or (own is not None and own >= theirs) for own, theirs in pairs)


_NOTHING = Best(None, None, None, None)


class RecordKind(StrEnum):
    MAX_WEIGHT = "MAX_WEIGHT"
    MAX_REPS = "MAX_REPS"
    ONE_REP_MAX = "ONE_REP_MAX"
    SET_VOLUME = "SET_VOLUME"
    MAX_DISTANCE = "MAX_DISTANCE"
    MAX_DURATION = "MAX_DURATION"

    def of(self, best: Best) -> Decimal | None:
        """What a best says of this kind, in kg, repetitions, metres or seconds."""
        measures = {
            RecordKind.MAX_WEIGHT: best.max_weight_kg,
            RecordKind.MAX_REPS: None if best.max_reps is None else Decimal(best.max_reps),
            RecordKind.ONE_REP_MAX: best.best_one_rep_max_kg,
            RecordKind.SET_VOLUME: best.best_set_volume_kg,
            RecordKind.MAX_DISTANCE: best.max_distance_m,
            RecordKind.MAX_DURATION: None if best.max_duration_seconds is None else Decimal(best.max_duration_seconds),
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


def best_by_exercise(sets: Iterable[WorkingSet], without_sets: Iterable[tuple[str, int]] = ()) -> dict[str, Best]:
    """The best of each exercise among working sets; of exercises that were done without any, (id, seconds), the longest time."""
    by_exercise: defaultdict[str, list[WorkingSet]] = defaultdict(list)
    for one in sets:
        by_exercise[one.exercise_id].append(one)
    found = {exercise_id: _best_of(of_one) for exercise_id, of_one in by_exercise.items()}
    for exercise_id, seconds in without_sets:
        before = found.get(exercise_id, _NOTHING)
        found[exercise_id] = replace(before, max_duration_seconds=max(seconds, before.max_duration_seconds or 0))
    return found


def _best_of(sets: Sequence[WorkingSet]) -> Best:
    """Of sets of one exercise."""
    volumes = [volume_kg(one.load_kg, one.reps) for one in sets if one.load_kg is not None and one.reps is not None]
    return Best(
        max_weight_kg=_largest(one.weight_kg for one in sets),
        max_reps=_largest(one.reps for one in sets),
        best_one_rep_max_kg=_largest(one.one_rep_max_kg for one in sets),
        best_set_volume_kg=_largest(volumes),
        max_distance_m=_largest(one.distance_m for one in sets),
        max_duration_seconds=_largest(one.duration_seconds for one in sets),
    )


def _largest(values: Iterable[_Measure | None]) -> _Measure | None:
    """Of those that were told; None where none was."""
    return max((value for value in values if value is not None), default=None)
