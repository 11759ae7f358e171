"""How a plan grows from one workout to the next, by the rule that it names. Pure.

- By repetitions: the weight rises by an increment once every set came to the most of them. Linear progression where least
  and most are the same, double progression where they are not.
- By percentage: the weight is a share of a training max, which rises by an increment in the same way (Wendler 2009, "5/3/1",
  sets it to 90 % of the one-repetition maximum), or of the one-repetition maximum that the last 90 days show.
- By exertion: the weight is what allows the repetitions with as many left as planned: 10 less the exertion (Zourdos et al.
  2016, J Strength Cond Res 30:267; Helms et al. 2016, Strength Cond J 38:42).

One-repetition maxima are by the plan's formula, from sets of up to 12 repetitions, those left included.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

from subgraphs.workouts.domain.one_rep_max import (
    RELIABLE_REPS,
    OneRepMaxFormula,
    one_rep_max_by,
    reps_in_reserve,
)
from subgraphs.workouts.domain.plan import Plan
from subgraphs.workouts.domain.plates import PlateInventory, loadable_kg
from subgraphs.workouts.domain.workout_set import HEAVIEST_KG, STRENGTH_KINDS, WORKING_KINDS

#: An estimate of older sets says little of today.
ESTIMATE_DAYS = 90
DEFAULT_FORMULA = OneRepMaxFormula.EPLEY
#: The smallest pair of plates of most gyms, and so what weights are multiples of where a plan names nothing.
DEFAULT_STEP_KG = Decimal("2.5")
#: From one workout to the next, exertion moves the weight by a tenth at most: one odd answer is no new strength.
MOST_CHANGE = Decimal("0.1")


class ProgressionRule(StrEnum):
    NONE = "NONE"
    LINEAR = "LINEAR"
    DOUBLE = "DOUBLE"
    TRAINING_MAX = "TRAINING_MAX"
    ONE_REP_MAX = "ONE_REP_MAX"
    EXERTION = "EXERTION"


class DoneSet(Protocol):
    """What of a working set a plan grows by."""

    @property
    def reps(self) -> int | None: ...
    @property
    def weight_kg(self) -> Decimal | None: ...
    @property
    def rpe(self) -> Decimal | None: ...


@dataclass(frozen=True, slots=True)
class LastTime:
    """The last workout with an exercise: its working sets, and the weight and training max that it planned.

    `follows_plan` is False where the plan was told after it began: then what the plan tells counts before what was done.
    """

    sets: Sequence[DoneSet] = ()
    weight_kg: Decimal | None = None
    training_max_kg: Decimal | None = None
    follows_plan: bool = True


class WorkoutSet(DoneSet, Protocol):
    """A set of a workout, which may be a warm-up."""

    @property
    def kind(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was done of a plan: working sets, those of them as planned, and how hard they were, where that was told."""

    working_sets: int
    sets_as_planned: int
    mean_rpe: Decimal | None
    rpe_over_target: Decimal | None


def outcome_of(plan: Plan, sets: Iterable[WorkoutSet]) -> Outcome:
    """A set is as planned with the planned weight or more and the least repetitions or more; what is open is met by any, but for
    sets of partial repetitions or with pauses.
    """
    working = [one for one in sets if one.kind in WORKING_KINDS]
    told = [one.rpe for one in working if one.rpe is not None]
    mean = sum(told, Decimal(0)) / len(told) if told else None
    over = mean - plan.target_rpe if mean is not None and plan.target_rpe is not None else None
    return Outcome(
        len(working), sum(_is_as_planned(plan, one) for one in working if one.kind in STRENGTH_KINDS), mean, over
    )


def _is_as_planned(plan: Plan, one: DoneSet) -> bool:
    least_reps = plan.least_reps or plan.most_reps or 0
    is_heavy = plan.weight_kg is None or (one.weight_kg or 0) >= plan.weight_kg
    return is_heavy and (one.reps or 0) >= least_reps


def rule_of(plan: Plan) -> ProgressionRule:
    """The one rule by which a plan grows; `check_template` refuses plans of several."""
    if plan.target_rpe is not None:
        return ProgressionRule.EXERTION
    if plan.percent is not None:
        return ProgressionRule.ONE_REP_MAX if plan.training_max_kg is None else ProgressionRule.TRAINING_MAX
    if plan.increment_kg is None or plan.most_reps is None:
        return ProgressionRule.NONE
    return ProgressionRule.LINEAR if plan.least_reps == plan.most_reps else ProgressionRule.DOUBLE


def grown(
    plan: Plan, last: LastTime, strongest: Iterable[DoneSet] = (), inventory: PlateInventory | None = None
) -> Plan:
    """The plan of the next workout, from the last one with the exercise, and `strongest`, the best sets of 90 days.

    Where nothing that the rule asks was done, the plan stays as it is. Weights by percentage and exertion are what `inventory`
    loads, where there is one and the plan names no step.
    """
    match rule_of(plan):
        case ProgressionRule.LINEAR | ProgressionRule.DOUBLE:
            return _by_repetitions(plan, last)
        case ProgressionRule.TRAINING_MAX:
            return _by_training_max(plan, last, inventory)
        case ProgressionRule.ONE_REP_MAX:
            return _by_one_rep_max(plan, strongest, inventory)
        case ProgressionRule.EXERTION:
            return _by_exertion(plan, last, inventory)
        case ProgressionRule.NONE:
            return plan


def weight_for(formula: OneRepMaxFormula, one_rep_max_kg: Decimal, reps: Decimal) -> Decimal | None:
    """The weight, in kg, that allows so many repetitions to failure: the formula turned around. None where it has no value."""
    factor = one_rep_max_by(formula, Decimal(1), reps)
    return None if factor is None else one_rep_max_kg / factor


def _by_repetitions(plan: Plan, last: LastTime) -> Plan:
    """The heaviest weight done is gone on with; it rises if as many sets as planned came to the most repetitions with it."""
    heaviest = _heaviest(last)
    if heaviest is None or _is_told_anew(plan, last):
        return plan
    rises = (plan.increment_kg or Decimal(0)) if _is_done(plan, last, heaviest, exactly=True) else Decimal(0)
    return replace(plan, weight_kg=min(heaviest + rises, Decimal(HEAVIEST_KG)))


def _by_training_max(plan: Plan, last: LastTime, inventory: PlateInventory | None) -> Plan:
    """The last workout's training max is gone on with; it rises if as many sets as planned were done with their weight."""
    assert plan.training_max_kg is not None  # the rule is this one because there is
    if last.training_max_kg is None or last.weight_kg is None or not last.follows_plan:
        return _percentage(plan, plan.training_max_kg, inventory)
    is_done = plan.most_reps is not None and _is_done(plan, last, last.weight_kg)
    rises = (plan.increment_kg or Decimal(0)) if is_done else Decimal(0)
    return _percentage(plan, min(last.training_max_kg + rises, Decimal(HEAVIEST_KG)), inventory)


def _by_one_rep_max(plan: Plan, strongest: Iterable[DoneSet], inventory: PlateInventory | None) -> Plan:
    most = max(_estimates(plan, strongest, untold_is_failure=True), default=None)
    return plan if most is None else _percentage(plan, most, inventory)


def _by_exertion(plan: Plan, last: LastTime, inventory: PlateInventory | None) -> Plan:
    """From the mean of what the sets that told their exertion show; without one, the heaviest weight is gone on with."""
    heaviest = _heaviest(last)
    if heaviest is None or _is_told_anew(plan, last):
        return plan
    shown = list(_estimates(plan, last.sets, untold_is_failure=False))
    left = reps_in_reserve(plan.target_rpe)
    if (
        not shown or left is None or plan.most_reps is None or heaviest <= 0
    ):  # a weight that helps has no tenth to move by
        return replace(plan, weight_kg=heaviest)
    wanted = weight_for(plan.formula or DEFAULT_FORMULA, sum(shown, Decimal(0)) / len(shown), plan.most_reps + left)
    if wanted is None:
        return replace(plan, weight_kg=heaviest)
    bounded = min(max(wanted, heaviest * (1 - MOST_CHANGE)), heaviest * (1 + MOST_CHANGE), Decimal(HEAVIEST_KG))
    return replace(plan, weight_kg=_on_the_bar(plan, bounded, inventory))


def _percentage(plan: Plan, most: Decimal, inventory: PlateInventory | None) -> Plan:
    assert plan.percent is not None
    weight = min(most * plan.percent / 100, Decimal(HEAVIEST_KG))
    return replace(plan, training_max_kg=most.quantize(Decimal("0.01")), weight_kg=_on_the_bar(plan, weight, inventory))


def _on_the_bar(plan: Plan, weight: Decimal, inventory: PlateInventory | None) -> Decimal:
    """Down to what the plates load, or to a multiple of the plan's step, so that it is never more than the rule gives."""
    if inventory is not None and plan.step_kg is None:
        loadable = loadable_kg(inventory, weight)
        if loadable is not None:  # less than the bar is lifted with something else
            return loadable
    step = plan.step_kg or DEFAULT_STEP_KG
    return (weight // step) * step


def _is_told_anew(plan: Plan, last: LastTime) -> bool:
    """Whether a weight was told since the last workout: it is begun with, whatever was done before."""
    return plan.weight_kg is not None and not last.follows_plan


def _heaviest(last: LastTime) -> Decimal | None:
    return max((one.weight_kg for one in last.sets if one.weight_kg is not None), default=None)


def _is_done(plan: Plan, last: LastTime, weight_kg: Decimal, *, exactly: bool = False) -> bool:
    """Whether as many sets as planned had this weight, or more unless `exactly`, and each came to the most repetitions."""
    told = [(one.weight_kg, one.reps or 0) for one in last.sets if one.weight_kg is not None]
    reps = [reps for weight, reps in told if weight == weight_kg or (weight > weight_kg and not exactly)]
    return len(reps) >= plan.sets and min(reps) >= (plan.most_reps or 0)


def _estimates(plan: Plan, sets: Iterable[DoneSet], *, untold_is_failure: bool) -> Iterable[Decimal]:
    """One-repetition maxima in kg of the sets that can be relied on."""
    for one in sets:
        left = reps_in_reserve(one.rpe)
        if left is None and untold_is_failure and one.rpe is None:
            left = Decimal(0)
        if left is None or not one.weight_kg or not one.reps or one.reps + left > RELIABLE_REPS:
            continue
        most = one_rep_max_by(plan.formula or DEFAULT_FORMULA, one.weight_kg, one.reps + left)
        if most is not None:
            yield most
