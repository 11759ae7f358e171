"""The target of a week: what the body was seen to use, and the pace at which the weight is to change, or a share of it. Pure.

Adults' common guidance, no medical advice: never below the floor of `target.LEAST_KCAL`.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from subgraphs.nutrition.domain.basal import Body
from subgraphs.nutrition.domain.target import LEAST_KCAL, MOST_TARGET_KCAL, PROTEIN_G_PER_KG, Target, share_energy
from subgraphs.shell.physiology import Sex

#: Energy of a kilogram of changed weight, an assumption (7,700 kcal, the 3,500 of a pound; Wishnofsky 1958).
KCAL_PER_KG = Decimal(7700)
# Of lean mass: what holds it in a deficit (Helms et al. 2014, IJSNEM 24:127, the low end of 2.3 to 3.1), and elsewhere
# what Morton's 1.6 g/kg come to at 20 % of fat.
PROTEIN_G_PER_LEAN_KG_IN_DEFICIT, PROTEIN_G_PER_LEAN_KG = Decimal("2.3"), Decimal(2)


class GoalAdjustment(StrEnum):
    MAINTAIN = "MAINTAIN"
    RECOMPOSITION = "RECOMPOSITION"
    CUT = "CUT"
    HARD_CUT = "HARD_CUT"
    LEAN_BULK = "LEAN_BULK"
    BULK = "BULK"


#: In percent of the expenditure. The surpluses are the ends of what Iraki et al. 2019 (Sports 7:154) recommend, 10 to 20 %; the
#: deficits are a convention among trackers of food.
ADJUSTMENT_PERCENT = {
    GoalAdjustment.MAINTAIN: 0,
    GoalAdjustment.RECOMPOSITION: -10,
    GoalAdjustment.CUT: -15,
    GoalAdjustment.HARD_CUT: -20,
    GoalAdjustment.LEAN_BULK: 10,
    GoalAdjustment.BULK: 20,
}


@dataclass(frozen=True, slots=True)
class WeeklyTarget:
    """`daily_difference_kcal` is what the pace or the adjustment asks for; `is_at_floor` says that less than that was taken off."""

    target: Target
    expenditure_kcal: Decimal
    daily_difference_kcal: Decimal
    is_at_floor: bool


def weekly_target(
    expenditure_kcal: Decimal, kg_per_week: Decimal, body: Body, adjustment: GoalAdjustment | None = None
) -> WeeklyTarget:
    """What to eat on each day of the week: a deficit for a falling pace, a surplus for a rising one.

    An adjustment takes the place of the pace: a share of the expenditure less or more.
    """
    if adjustment is None:
        difference = kg_per_week * KCAL_PER_KG / 7
    else:
        difference = expenditure_kcal * ADJUSTMENT_PERCENT[adjustment] / 100
    wanted = expenditure_kcal + difference
    floor = LEAST_KCAL[body.sex or Sex.OTHER]
    energy = min(max(wanted, floor), Decimal(MOST_TARGET_KCAL))
    target = share_energy(energy, protein_g(body, in_deficit=difference < 0), body.sex)
    return WeeklyTarget(target, expenditure_kcal, difference, is_at_floor=wanted < floor)


def protein_g(body: Body, *, in_deficit: bool) -> Decimal:
    """In grams a day: by lean mass where that is known, else 1.6 g a kilogram of the whole."""
    if body.lean_kg is None:
        return PROTEIN_G_PER_KG * body.weight_kg
    return body.lean_kg * (PROTEIN_G_PER_LEAN_KG_IN_DEFICIT if in_deficit else PROTEIN_G_PER_LEAN_KG)
