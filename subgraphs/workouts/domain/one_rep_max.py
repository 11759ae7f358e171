"""The weight that one repetition would allow, by the published formulas, from a set that had some left. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from math import exp

#: Past this many repetitions, those left included, formulas drift apart and mislead.
RELIABLE_REPS = 12


class OneRepMaxFormula(StrEnum):
    EPLEY = "EPLEY"
    BRZYCKI = "BRZYCKI"
    LOMBARDI = "LOMBARDI"
    MAYHEW = "MAYHEW"
    WATHAN = "WATHAN"
    O_CONNER = "O_CONNER"


@dataclass(frozen=True, slots=True)
class OneRepMax:
    """`reps_to_failure` are those done and those left; `is_reliable` where they are 12 or fewer."""

    formula: OneRepMaxFormula
    kg: Decimal
    reps_to_failure: Decimal
    is_reliable: bool


def reps_in_reserve(rpe: Decimal | None) -> Decimal | None:
    """Repetitions left after a set: 10 less its exertion (Zourdos et al. 2016), told from 5 on; None below or untold."""
    return 10 - rpe if rpe is not None and rpe >= 5 else None


def one_rep_maxes(weight_kg: Decimal | None, reps: int | None, rpe: Decimal | None) -> Iterator[OneRepMax]:
    """By each formula that has a value; nothing without a weight or repetitions. Untold exertion counts as to failure."""
    if weight_kg is None or reps is None or weight_kg <= 0 or reps < 1:
        return
    total = reps + (reps_in_reserve(rpe) or Decimal(0))
    for formula in OneRepMaxFormula:
        kg = one_rep_max_by(formula, weight_kg, total)
        if kg is not None:
            yield OneRepMax(formula, kg, total, total <= RELIABLE_REPS)


def one_rep_max_by(formula: OneRepMaxFormula, weight_kg: Decimal, reps: Decimal) -> Decimal | None:
    """In kg from repetitions to failure; one is its own measure. None where a formula has no value: Brzycki from 37 on."""
    if reps == 1:
        return weight_kg
    factor = _factor(formula, float(reps))
    return None if factor is None else weight_kg * Decimal(repr(factor))


def _factor(formula: OneRepMaxFormula, reps: float) -> float | None:
    match formula:
        case OneRepMaxFormula.EPLEY:  # 1985
            return 1 + reps / 30
        case OneRepMaxFormula.BRZYCKI:  # 1993, JOPERD 64:88
            return 36 / (37 - reps) if reps < 37 else None
        case OneRepMaxFormula.LOMBARDI:  # 1989
            return float(reps**0.10)
        case OneRepMaxFormula.MAYHEW:  # 1992
            return 100 / (52.2 + 41.9 * exp(-0.055 * reps))
        case OneRepMaxFormula.WATHAN:  # 1994
            return 100 / (48.8 + 53.8 * exp(-0.075 * reps))
        case OneRepMaxFormula.O_CONNER:  # 1989
            return 1 + 0.025 * reps
