"""How far a goal is reached, whichever way its value has to move. Used for goals and their events."""

from decimal import Decimal
from enum import StrEnum


class GoalKind(StrEnum):
    """What a goal measures: the trend weight in kg, or per week of its running time a mean or a sum."""

    WEIGHT_KG = "WEIGHT_KG"
    WORKOUTS_PER_WEEK = "WORKOUTS_PER_WEEK"
    WORKOUT_MINUTES_PER_WEEK = "WORKOUT_MINUTES_PER_WEEK"
    DAILY_CALORIES = "DAILY_CALORIES"
    DAILY_PROTEIN_G = "DAILY_PROTEIN_G"
    DAILY_WATER_ML = "DAILY_WATER_ML"


class GoalStatus(StrEnum):
    ACTIVE = "ACTIVE"
    PAUSED = "PAUSED"
    COMPLETED = "COMPLETED"
    ABANDONED = "ABANDONED"


def progress(start: Decimal, target: Decimal, current: Decimal | None) -> Decimal:
    """0 at the start value, 1 at the target or past it; losing and gaining alike. Nothing measured is 0."""
    if start == target:
        return Decimal(1)
    if current is None:
        return Decimal(0)
    return min(max((start - current) / (start - target), Decimal(0)), Decimal(1))
