"""Shoes, bicycles and what else wears with distance: the bounds of what can be said of them. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from subgraphs.shell.errors import Checks
from subgraphs.shell.text import check_line
from subgraphs.workouts.domain.workout_set import check_range

LONGEST_NAME = 100
#: Of one person, retired ones among them.
MOST_GEAR = 100
#: A million kilometres.
FARTHEST_M = 1_000_000_000
MOST_DEFAULTS = 50


class GearKind(StrEnum):
    SHOES = "SHOES"
    BICYCLE = "BICYCLE"
    BOAT = "BOAT"
    SKIS = "SKIS"
    SKATES = "SKATES"
    OTHER = "OTHER"


@dataclass(frozen=True, slots=True, kw_only=True)
class GearDraft:
    """What a person says of gear. Distances are in metres: `start_distance_m` was done with it before, and `life_distance_m` is
    how far it is meant to last. It is what workouts are done with whose first exercise is among `default_for`, by id.
    """

    name: str
    kind: GearKind
    start_distance_m: Decimal = Decimal(0)
    life_distance_m: Decimal | None = None
    retired_on: date | None = None
    default_for: Sequence[str] = ()


def check_gear(checks: Checks, gear: GearDraft) -> None:
    """Collects every rule that gear breaks."""
    check_line(checks, gear.name, "name", longest=LONGEST_NAME)
    check_range(checks, "startDistanceM", gear.start_distance_m, 0, FARTHEST_M)
    check_range(checks, "lifeDistanceM", gear.life_distance_m, 1, FARTHEST_M)
    fits = len(gear.default_for) <= MOST_DEFAULTS
    checks.require(fits, "defaultForExerciseIds", f"must have at most {MOST_DEFAULTS} entries")
    is_used = gear.retired_on is None or not gear.default_for
    checks.require(is_used, "defaultForExerciseIds", "must be empty for what is retired")
