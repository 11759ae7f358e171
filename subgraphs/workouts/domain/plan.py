"""What is planned of an exercise, the bounds of a plan, and how it grows from one workout to the next. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Protocol

from subgraphs.shell.errors import Checks
from subgraphs.shell.text import check_line
from subgraphs.workouts.domain.workout_set import HEAVIEST_KG, MOST_REPS, check_range

LONGEST_NAME = 255
LONGEST_NOTES = 500
MOST_TEMPLATES = 200
MOST_EXERCISES = 50
MOST_PLANNED_SETS = 50
LONGEST_REST = 3_600
MOST_INCREMENT_KG = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """So many sets of `least_reps` to `most_reps` with a weight. Exercises of one `superset` are done in turns.

    `increment_kg` is what is added once every set came to the most repetitions: linear progression where least and most
    are the same, double progression where they are not. None adds nothing.
    """

    sets: int
    least_reps: int | None = None
    most_reps: int | None = None
    weight_kg: Decimal | None = None
    rest_seconds: int | None = None
    superset: int | None = None
    increment_kg: Decimal | None = None


class DoneSet(Protocol):
    """What of a working set a plan grows by."""

    @property
    def reps(self) -> int | None: ...
    @property
    def weight_kg(self) -> Decimal | None: ...


def grown(plan: Plan, last: Sequence[DoneSet]) -> Plan:
    """The plan of the next workout, from the working sets of the last one with the exercise.

    The heaviest weight done is gone on with; it rises by the increment if as many sets as planned were done with it and
    each came to the most repetitions. Nothing done, or no increment, leaves the plan as it is.
    """
    if plan.increment_kg is None or plan.most_reps is None:
        return plan
    heaviest = max((one.weight_kg for one in last if one.weight_kg is not None), default=None)
    if heaviest is None:
        return plan
    with_it = [one.reps or 0 for one in last if one.weight_kg == heaviest]
    is_done = len(with_it) >= plan.sets and min(with_it) >= plan.most_reps
    rises = plan.increment_kg if is_done else Decimal(0)
    return replace(plan, weight_kg=min(heaviest + rises, Decimal(HEAVIEST_KG)))


def check_template(checks: Checks, name: str, notes: str | None, plans: Sequence[Plan]) -> None:
    """Collects every rule that a template breaks."""
    check_line(checks, name, "name", longest=LONGEST_NAME)
    is_short = notes is None or len(notes) <= LONGEST_NOTES
    checks.require(is_short, "notes", f"must have at most {LONGEST_NOTES} characters")
    fits = 1 <= len(plans) <= MOST_EXERCISES
    checks.require(fits, "exercises", f"must have 1 to {MOST_EXERCISES} entries")
    for number, plan in enumerate(plans):
        _check_plan(checks, plan, f"exercises.{number}.")


def _check_plan(checks: Checks, plan: Plan, place: str) -> None:
    check_range(checks, f"{place}sets", plan.sets, 1, MOST_PLANNED_SETS)
    check_range(checks, f"{place}leastReps", plan.least_reps, 1, MOST_REPS)
    check_range(checks, f"{place}mostReps", plan.most_reps, 1, MOST_REPS)
    if plan.least_reps is not None and plan.most_reps is not None:
        in_order = plan.least_reps <= plan.most_reps
        checks.require(in_order, f"{place}mostReps", "must not be below the least repetitions")
    check_range(checks, f"{place}weightKg", plan.weight_kg, 0, HEAVIEST_KG)
    check_range(checks, f"{place}restSeconds", plan.rest_seconds, 0, LONGEST_REST)
    check_range(checks, f"{place}superset", plan.superset, 1, MOST_EXERCISES)
    check_range(checks, f"{place}incrementKg", plan.increment_kg, 0, MOST_INCREMENT_KG)
