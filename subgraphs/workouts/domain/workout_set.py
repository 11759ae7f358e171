"""What one set of an exercise says, and the bounds of what can be said. Every path to a stored set checks here."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from subgraphs.shell.errors import Checks


class SetKind(StrEnum):
    NORMAL = "NORMAL"
    WARM_UP = "WARM_UP"
    DROP = "DROP"
    FAILURE = "FAILURE"
    TIMED = "TIMED"
    AMRAP = "AMRAP"


# Warm-ups count neither for volume nor for records.
WORKING_KINDS = frozenset(SetKind) - {SetKind.WARM_UP}
MOST_REPS = 10_000
HEAVIEST_KG = 2_000
LONGEST_SECONDS = 86_400
FARTHEST_M = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SetDraft:
    """What was done in one set; at least one of repetitions, time and distance."""

    kind: SetKind = SetKind.NORMAL
    reps: int | None = None
    weight_kg: Decimal | None = None
    duration_seconds: int | None = None
    distance_m: Decimal | None = None
    rpe: Decimal | None = None


def check_set(checks: Checks, one: SetDraft, place: str = "") -> None:
    """Collects what the set cannot say. `place` is the path of the set in the input, with its dot: "sets.0."."""
    is_measured = one.reps is not None or one.duration_seconds is not None or one.distance_m is not None
    checks.require(is_measured, f"{place}reps", "a set needs repetitions, a duration or a distance")
    check_range(checks, f"{place}reps", one.reps, 1, MOST_REPS)
    check_range(checks, f"{place}weightKg", one.weight_kg, 0, HEAVIEST_KG)
    check_range(checks, f"{place}durationSeconds", one.duration_seconds, 1, LONGEST_SECONDS)
    check_range(checks, f"{place}distanceM", one.distance_m, 0, FARTHEST_M)
    check_range(checks, f"{place}rpe", one.rpe, 1, 10)


def check_range(checks: Checks, name: str, value: int | Decimal | None, least: int, most: int) -> None:
    checks.require(value is None or least <= value <= most, name, f"must be from {least} to {most}")
