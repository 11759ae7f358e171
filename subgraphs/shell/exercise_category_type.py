"""What exercises train, in GraphQL: one description for each subgraph that has it."""

from subgraphs.shell.exercise_category import ExerciseCategory
from subgraphs.shell.scalars import describe_enum

__all__ = ["ExerciseCategory"]

describe_enum(
    ExerciseCategory,
    "What an exercise trains above all.",
    STRENGTH="Strength, against a weight or a machine.",
    CARDIO="Endurance.",
    FLEXIBILITY="Range of motion.",
    CORE="The trunk.",
    HIIT="Intervals of high intensity.",
    PLYOMETRICS="Jumps and throws.",
    BODYWEIGHT="Strength, against the body's own weight.",
)
