"""What is planned of an exercise, and the bounds of a plan. How it grows: `progression`. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from subgraphs.shell.errors import Checks
from subgraphs.shell.text import check_line
from subgraphs.workouts.domain.one_rep_max import OneRepMaxFormula
from subgraphs.workouts.domain.workout_set import HEAVIEST_KG, MOST_REPS, check_notes, check_range

LONGEST_NAME = 255
MOST_TEMPLATES = 200
MOST_EXERCISES = 50
MOST_PLANNED_SETS = 50
LONGEST_REST = 3_600
MOST_INCREMENT_KG = 100
LEAST_PERCENT = 10
MOST_PERCENT = 120
LEAST_TARGET_RPE = 5
MOST_STEP_KG = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """So many sets of `least_reps` to `most_reps` with a weight. Exercises of one `superset` are done in turns.

    `increment_kg` is what is added once every set came to the most repetitions, to the weight, or to the training max where
    there is one. `percent` is of `training_max_kg`, or of the one-repetition maximum that `formula` gives. `target_rpe` is how
    hard the sets are to be. Planned weights are multiples of `step_kg`. `progression` says what each rule makes of them.
    """

    sets: int
    least_reps: int | None = None
    most_reps: int | None = None
    weight_kg: Decimal | None = None
    rest_seconds: int | None = None
    superset: int | None = None
    increment_kg: Decimal | None = None
    percent: Decimal | None = None
    training_max_kg: Decimal | None = None
    formula: OneRepMaxFormula | None = None
    target_rpe: Decimal | None = None
    step_kg: Decimal | None = None


def check_template(checks: Checks, name: str, notes: str | None, plans: Sequence[Plan] | None) -> None:
    """Collects every rule that a template breaks; plans that stay as they are, None, break none."""
    check_line(checks, name, "name", longest=LONGEST_NAME)
    check_notes(checks, "notes", notes)
    if plans is None:
        return
    fits = 1 <= len(plans) <= MOST_EXERCISES
    checks.require(fits, "exercises", f"must have 1 to {MOST_EXERCISES} entries")
    for number, plan in enumerate(plans):
        check_plan(checks, plan, f"exercises.{number}.")


def check_plan(checks: Checks, plan: Plan, place: str) -> None:
    """Collects what cannot be planned of an exercise. `place` is the path of it in the input, with its dot."""
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
    _check_rule(checks, plan, place)


def _check_rule(checks: Checks, plan: Plan, place: str) -> None:
    """The bounds of what plans by percentage and by exertion name, and that a plan grows by one rule."""
    check_range(checks, f"{place}percentOfMax", plan.percent, LEAST_PERCENT, MOST_PERCENT)
    check_range(checks, f"{place}trainingMaxKg", plan.training_max_kg, 1, HEAVIEST_KG)
    check_range(checks, f"{place}targetRpe", plan.target_rpe, LEAST_TARGET_RPE, 10)
    is_half = plan.target_rpe is None or plan.target_rpe * 2 % 1 == 0
    checks.require(is_half, f"{place}targetRpe", "must be a whole or a half")
    has_step = plan.step_kg is None or 0 < plan.step_kg <= MOST_STEP_KG
    checks.require(has_step, f"{place}weightStepKg", f"must be above 0 and at most {MOST_STEP_KG}")
    has_percent = plan.percent is not None
    checks.require(has_percent or plan.training_max_kg is None, f"{place}trainingMaxKg", "needs a percentage of it")
    if plan.target_rpe is not None:
        alone = not has_percent and plan.increment_kg is None
        checks.require(alone, f"{place}targetRpe", "excludes a percentage and an increment: a plan grows by one rule")
        checks.require(plan.most_reps is not None, f"{place}mostReps", "is needed for sets of a planned exertion")
    if has_percent and plan.training_max_kg is None:
        grows = plan.increment_kg is None
        checks.require(grows, f"{place}incrementKg", "needs a training max: an estimated maximum grows by itself")
