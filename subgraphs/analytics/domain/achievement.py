"""What can be achieved: a catalogue of measures and of how much of each is needed. Pure.

An achievement is reached on a day, which the facts of that day and of those before it decide; later ones change nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

#: A completed workout so many days after the one before it is a comeback.
COMEBACK_DAYS = 30
#: On the clock that the workout's day follows: begun before the one hour, or at or after the other.
EARLY_BEFORE_HOUR, LATE_FROM_HOUR = 6, 23


class Measure(StrEnum):
    """What of a person is counted. All but the first and the last are of completed workouts and only ever add up."""

    MEAL_DAYS_IN_A_ROW = "MEAL_DAYS_IN_A_ROW"
    WORKOUTS = "WORKOUTS"
    VOLUME_KG = "VOLUME_KG"
    WEEKEND_WORKOUTS = "WEEKEND_WORKOUTS"
    EARLY_WORKOUTS = "EARLY_WORKOUTS"
    LATE_WORKOUTS = "LATE_WORKOUTS"
    NEW_YEARS_DAYS = "NEW_YEARS_DAYS"
    COMEBACKS = "COMEBACKS"
    RECORDS = "RECORDS"
    WEIGHT_GOALS = "WEIGHT_GOALS"


TRAINING_MEASURES = tuple(each for each in Measure if each not in (Measure.MEAL_DAYS_IN_A_ROW, Measure.WEIGHT_GOALS))


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
    VOLUME_5000_KG = "VOLUME_5000_KG"
    VOLUME_25000_KG = "VOLUME_25000_KG"
    VOLUME_100000_KG = "VOLUME_100000_KG"
    VOLUME_500000_KG = "VOLUME_500000_KG"
    VOLUME_1000000_KG = "VOLUME_1000000_KG"
    VOLUME_5000000_KG = "VOLUME_5000000_KG"
    VOLUME_10000000_KG = "VOLUME_10000000_KG"
    WEEKEND_WORKOUTS_25 = "WEEKEND_WORKOUTS_25"
    EARLY_WORKOUTS_25 = "EARLY_WORKOUTS_25"
    LATE_WORKOUTS_25 = "LATE_WORKOUTS_25"
    FIRST_RECORD = "FIRST_RECORD"
    RECORDS_10 = "RECORDS_10"
    RECORDS_100 = "RECORDS_100"
    NEW_YEARS_DAY = "NEW_YEARS_DAY"
    COMEBACK = "COMEBACK"
    FIRST_GOAL_REACHED = "FIRST_GOAL_REACHED"


@dataclass(frozen=True, slots=True)
class Definition:
    """How much of a measure it takes. What `repeats` is counted each time; what `is_hidden` is not shown on the way."""

    measure: Measure
    needed: int
    repeats: bool = False
    is_hidden: bool = False


CATALOGUE = {
    AchievementKind.FIRST_MEAL: Definition(Measure.MEAL_DAYS_IN_A_ROW, 1),
    AchievementKind.MEALS_7_DAYS: Definition(Measure.MEAL_DAYS_IN_A_ROW, 7),
    AchievementKind.MEALS_30_DAYS: Definition(Measure.MEAL_DAYS_IN_A_ROW, 30),
    AchievementKind.MEALS_100_DAYS: Definition(Measure.MEAL_DAYS_IN_A_ROW, 100),
    AchievementKind.MEALS_365_DAYS: Definition(Measure.MEAL_DAYS_IN_A_ROW, 365),
    AchievementKind.FIRST_WORKOUT: Definition(Measure.WORKOUTS, 1),
    AchievementKind.WORKOUTS_10: Definition(Measure.WORKOUTS, 10),
    AchievementKind.WORKOUTS_50: Definition(Measure.WORKOUTS, 50),
    AchievementKind.WORKOUTS_100: Definition(Measure.WORKOUTS, 100),
    AchievementKind.VOLUME_5000_KG: Definition(Measure.VOLUME_KG, 5_000),
    AchievementKind.VOLUME_25000_KG: Definition(Measure.VOLUME_KG, 25_000),
    AchievementKind.VOLUME_100000_KG: Definition(Measure.VOLUME_KG, 100_000),
    AchievementKind.VOLUME_500000_KG: Definition(Measure.VOLUME_KG, 500_000),
    AchievementKind.VOLUME_1000000_KG: Definition(Measure.VOLUME_KG, 1_000_000),
    AchievementKind.VOLUME_5000000_KG: Definition(Measure.VOLUME_KG, 5_000_000),
    AchievementKind.VOLUME_10000000_KG: Definition(Measure.VOLUME_KG, 10_000_000),
    AchievementKind.WEEKEND_WORKOUTS_25: Definition(Measure.WEEKEND_WORKOUTS, 25),
    AchievementKind.EARLY_WORKOUTS_25: Definition(Measure.EARLY_WORKOUTS, 25),
    AchievementKind.LATE_WORKOUTS_25: Definition(Measure.LATE_WORKOUTS, 25),
    AchievementKind.FIRST_RECORD: Definition(Measure.RECORDS, 1),
    AchievementKind.RECORDS_10: Definition(Measure.RECORDS, 10),
    AchievementKind.RECORDS_100: Definition(Measure.RECORDS, 100),
    AchievementKind.NEW_YEARS_DAY: Definition(Measure.NEW_YEARS_DAYS, 1, repeats=True, is_hidden=True),
    # Nobody is to stay away for a month because a list says so.
    AchievementKind.COMEBACK: Definition(Measure.COMEBACKS, 1, repeats=True, is_hidden=True),
    AchievementKind.FIRST_GOAL_REACHED: Definition(Measure.WEIGHT_GOALS, 1),
}


def kinds_by(*measures: Measure) -> dict[AchievementKind, int]:
    """Those that these measures decide, with how much is needed."""
    return {kind: each.needed for kind, each in CATALOGUE.items() if each.measure in measures}


#: Days in a row with a meal; completed workouts and what they come to; weight goals that were reached.
DAYS_IN_A_ROW = kinds_by(Measure.MEAL_DAYS_IN_A_ROW)
TRAINING = kinds_by(*TRAINING_MEASURES)
GOALS = kinds_by(Measure.WEIGHT_GOALS)


def in_question(
    kinds: Mapping[AchievementKind, int], reached: Mapping[AchievementKind, date], first_change: date
) -> list[AchievementKind]:
    """Those of which a change on this day, or on later ones, can say anything new: not reached, or not before that day."""
    return [kind for kind in kinds if kind not in reached or reached[kind] >= first_change]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a person is on the way to an achievement. `times` is how often it was reached, once where it does not repeat."""

    kind: AchievementKind
    value: Decimal
    needed: int
    times: int

    @property
    def share(self) -> Decimal:
        """From 0 to 1."""
        return min(self.value / self.needed, Decimal(1))


def progress(totals: Mapping[Measure, Decimal], days_running: int, days_at_best: int) -> list[Progress]:
    """Of every achievement that the person may see, in the order of the catalogue.

    `totals` are of all measures but days in a row. A run of days is on its way as it stands now, and is reached by the best.
    """
    found = []
    for kind, each in CATALOGUE.items():
        value = totals.get(each.measure, Decimal(0))
        if each.measure is Measure.MEAL_DAYS_IN_A_ROW:
            value = Decimal(days_at_best if days_at_best >= each.needed else days_running)
        times = int(value // each.needed) if each.repeats else int(value >= each.needed)
        if times or not each.is_hidden:
            found.append(Progress(kind, value, each.needed, times))
    return found
