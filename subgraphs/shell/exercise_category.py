"""What exercises train, as workouts says and analytics counts."""

from enum import StrEnum


class ExerciseCategory(StrEnum):
    STRENGTH = "STRENGTH"
    CARDIO = "CARDIO"
    FLEXIBILITY = "FLEXIBILITY"
    CORE = "CORE"
    HIIT = "HIIT"
    PLYOMETRICS = "PLYOMETRICS"
    BODYWEIGHT = "BODYWEIGHT"
