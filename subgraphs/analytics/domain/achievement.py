"""What can be achieved, and how often or how long something has to be done for it. Pure.

An achievement is reached on a day, which the facts of that day and of those before it decide; later ones change nothing.
"""

from collections.abc import Mapping
from datetime import date
from enum import StrEnum


class AchievementKind(StrEnum):
    FIRST_MEAL = "FIRST_MEAL"
    MEALS_7_DAYS = "MEALS_7_DAYS"
    MEALS_30_DAYS = "MEALS_30_DAYS"
    MEALS_100_DAYS = "MEALS_100_DAYS"
    MEALS_365_DAYS = "MEALS_365_DAYS"
    FIRST_WORKOUT = "FIRST_WORKOUT"
    WORKOUTS_10 = "WORKOUTS_10"
    WORKOUTS_50 = "WORKOUTS_50"
    WORKOUTS_100 = "WORKOUTS_100"
    FIRST_GOAL_REACHED = "FIRST_GOAL_REACHED"


#: Days in a row with a meal.
DAYS_IN_A_ROW = {
    AchievementKind.FIRST_MEAL: 1,
    AchievementKind.MEALS_7_DAYS: 7,
    AchievementKind.MEALS_30_DAYS: 30,
    AchievementKind.MEALS_100_DAYS: 100,
    AchievementKind.MEALS_365_DAYS: 365,
}
#: Completed workouts.
WORKOUTS = {
    AchievementKind.FIRST_WORKOUT: 1,
    AchievementKind.WORKOUTS_10: 10,
    AchievementKind.WORKOUTS_50: 50,
    AchievementKind.WORKOUTS_100: 100,
}


def in_question(
    kinds: Mapping[AchievementKind, int], reached: Mapping[AchievementKind, date], first_change: date
) -> list[AchievementKind]:
    """Those of which a change on this day, or on later ones, can say anything new: not reached, or not before that day."""
    return [kind for kind in kinds if kind not in reached or reached[kind] >= first_change]
