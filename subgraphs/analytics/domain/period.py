"""What several days come to together. Used for weeks and any other range."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol


class Day(Protocol):
    """The numbers of one day that a period adds up."""

    @property
    def calories_consumed(self) -> Decimal: ...
    @property
    def calories_burned(self) -> Decimal: ...
    @property
    def net_calories_burned(self) -> Decimal: ...
    @property
    def meals_logged(self) -> int: ...
    @property
    def workouts_completed(self) -> int: ...
    @property
    def workout_minutes(self) -> Decimal: ...
    @property
    def steps(self) -> int | None: ...


@dataclass(frozen=True, slots=True)
class PeriodSums:
    """Sums over the days; the daily means are over the days with a meal, for a day not logged is not a day of fasting, and over those
    with a count of steps. `steps` is None where no day has one.
    """

    calories_consumed: Decimal
    calories_burned: Decimal
    net_calories: Decimal
    meals_logged: int
    workouts_completed: int
    workout_minutes: Decimal
    days_logged: int
    mean_daily_calories: Decimal | None
    steps: int | None
    mean_daily_steps: Decimal | None


def add_up(days: Sequence[Day]) -> PeriodSums:
    logged = [day for day in days if day.meals_logged]
    walked = [day.steps for day in days if day.steps is not None]
    consumed = sum((day.calories_consumed for day in days), Decimal(0))
    return PeriodSums(
        calories_consumed=consumed,
        calories_burned=sum((day.calories_burned for day in days), Decimal(0)),
        net_calories=consumed - sum((day.net_calories_burned for day in days), Decimal(0)),
        meals_logged=sum(day.meals_logged for day in days),
        workouts_completed=sum(day.workouts_completed for day in days),
        workout_minutes=sum((day.workout_minutes for day in days), Decimal(0)),
        days_logged=len(logged),
        mean_daily_calories=consumed / len(logged) if logged else None,
        steps=sum(walked) if walked else None,
        mean_daily_steps=Decimal(sum(walked)) / len(walked) if walked else None,
    )
