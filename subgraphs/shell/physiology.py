"""What users know of a body in words, as the formulas of nutrition and workouts ask for it too."""

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
