"""What a day may still hold by its target, in the ways that exercise can count. Pure.

An activity factor already holds an average of exercise, so earning it back on top is for targets that leave it out.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum


class CalorieMode(StrEnum):
    FIXED = "FIXED"
    EARN_BACK = "EARN_BACK"


@dataclass(frozen=True, slots=True)
class Budget:
    """In kcal: what the target allows, what exercise adds to it, and what is left, negative where it was exceeded."""

    target_kcal: Decimal
    earned_kcal: Decimal
    remaining_kcal: Decimal


def calorie_budget(
    target_kcal: Decimal, eaten_kcal: Decimal, net_burned_kcal: Decimal, mode: CalorieMode, percent: int
) -> Budget:
    """Exercise counts with its net energy, above rest, and only by EARN_BACK; `percent` of it, from 0 to 100."""
    earned = net_burned_kcal * percent / 100 if mode is CalorieMode.EARN_BACK else Decimal(0)
    return Budget(target_kcal, earned, target_kcal + earned - eaten_kcal)
