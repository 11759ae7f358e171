"""What users know of a body in words, as the formulas of nutrition and workouts ask for it too."""

from datetime import date
from enum import StrEnum


class Sex(StrEnum):
    MALE = "MALE"
    FEMALE = "FEMALE"
    OTHER = "OTHER"


class ActivityLevel(StrEnum):
    SEDENTARY = "SEDENTARY"
    LIGHT = "LIGHT"
    MODERATE = "MODERATE"
    ACTIVE = "ACTIVE"
    VERY_ACTIVE = "VERY_ACTIVE"


class FitnessGoal(StrEnum):
    LOSE_WEIGHT = "LOSE_WEIGHT"
    MAINTAIN = "MAINTAIN"
    GAIN_WEIGHT = "GAIN_WEIGHT"
    GAIN_MUSCLE = "GAIN_MUSCLE"
    ENDURANCE = "ENDURANCE"
    GENERAL_FITNESS = "GENERAL_FITNESS"


class HeartRateKind(StrEnum):
    RESTING = "RESTING"
    MAXIMUM = "MAXIMUM"


def age_years(born: date, day: date) -> int:
    """Whole years. Someone born on 29 February is a year older from 1 March of other years."""
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))
