"""What one set of an exercise says, what it counts for, and the bounds of what can be said. Every path to a stored set checks here.

What a set counts for follows from its kind:

| kind | volume | hard sets | one-repetition maximum, records, progression |
|---|---|---|---|
| WARM_UP | no | no | no |
| NORMAL, DROP, FAILURE, AMRAP, TIMED | yes | yes | yes |
| MYO_REPS | all of its repetitions | one | no: it has pauses, so its repetitions are not of one go |
| PARTIAL | yes | yes | no: it moves the weight over a part of the way |

| side | volume | hard sets |
|---|---|---|
| not told | as told | one |
| LEFT, RIGHT | as told, of this side | half: the other side has the other half |
| EACH: as many repetitions with each side | twice | one |

Records and estimates are of one side, whichever it was. A set without repetitions, such as a timed hold, has no volume and is no hard set; its weight is a record as any other.
"""

import re
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
    MYO_REPS = "MYO_REPS"
    PARTIAL = "PARTIAL"


class SetSide(StrEnum):
    LEFT = "LEFT"
    RIGHT = "RIGHT"
    EACH = "EACH"


# Warm-ups count for nothing.
WORKING_KINDS = frozenset(SetKind) - {SetKind.WARM_UP}
# What estimates of strength, records and progression are made of.
STRENGTH_KINDS = WORKING_KINDS - {SetKind.MYO_REPS, SetKind.PARTIAL}
MOST_REPS = 10_000
HEAVIEST_KG = 2_000
#: A weight that helps, as of a machine for chin-ups or a band, is told below zero.
MOST_HELP_KG = 500
LONGEST_SECONDS = 86_400
FARTHEST_M = 1_000_000
LONGEST_NOTES = 500
#: Seconds down, held below, up and held above, as coaches write it: 3-1-1-0; X is as fast as can be (Poliquin 1997).
_TEMPO = re.compile(r"(\d{1,2}|X)(-(\d{1,2}|X)){3}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SetDraft:
    """What was done in one set; at least one of repetitions, time and distance."""

    kind: SetKind = SetKind.NORMAL
    reps: int | None = None
    weight_kg: Decimal | None = None
    duration_seconds: int | None = None
    distance_m: Decimal | None = None
    rpe: Decimal | None = None
    tempo: str | None = None
    notes: str | None = None
    side: SetSide | None = None


def times_done(side: str | None) -> int:
    """How often the repetitions of a set were done: with each side, or once."""
    return 2 if side == SetSide.EACH else 1


def check_set(checks: Checks, one: SetDraft, place: str = "") -> None:
    """Collects what the set cannot say. `place` is the path of the set in the input, with its dot: "sets.0."."""
    is_measured = one.reps is not None or one.duration_seconds is not None or one.distance_m is not None
    checks.require(is_measured, f"{place}reps", "a set needs repetitions, a duration or a distance")
    check_range(checks, f"{place}reps", one.reps, 1, MOST_REPS)
    check_range(checks, f"{place}weightKg", one.weight_kg, -MOST_HELP_KG, HEAVIEST_KG)
    check_range(checks, f"{place}durationSeconds", one.duration_seconds, 1, LONGEST_SECONDS)
    check_range(checks, f"{place}distanceM", one.distance_m, 0, FARTHEST_M)
    check_range(checks, f"{place}rpe", one.rpe, 1, 10)
    has_tempo = one.tempo is None or _TEMPO.fullmatch(one.tempo) is not None
    checks.require(has_tempo, f"{place}tempo", "must be four numbers of seconds up to 99, or X, such as 3-1-X-0")
    check_notes(checks, f"{place}notes", one.notes)


def check_help(checks: Checks, one: SetDraft, body_weight_share: Decimal, place: str = "") -> None:
    """Whether what helps has something to help with: an exercise that lifts the body, or a share of it. `place` as in `check_set`."""
    is_held = one.weight_kg is None or one.weight_kg >= 0
    told = "must be from 0: this exercise lifts nothing of the body that a weight could help with"
    checks.require(is_held or body_weight_share > 0, f"{place}weightKg", told)


def check_notes(checks: Checks, name: str, notes: str | None) -> None:
    """The person's own words, at most so long. `name` is the path of them in the input."""
    is_short = notes is None or len(notes) <= LONGEST_NOTES
    checks.require(is_short, name, f"must have at most {LONGEST_NOTES} characters")


def check_range(checks: Checks, name: str, value: int | Decimal | None, least: int, most: int) -> None:
    checks.require(value is None or least <= value <= most, name, f"must be from {least} to {most}")
