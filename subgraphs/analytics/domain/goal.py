"""What a goal can be, where it stands, and the bounds of what can be set.

A goal of the weight, or of something else that is measured, has a start, a target and an end: it is reached on the first day from
its start on which the trend weight, or the day's value, has come to the target. Habits recur: each day or week keeps one or not, and none of them ends the goal.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum

from subgraphs.analytics.domain.measure import MUSCLE_MASS, strength_measure, tape_measure
from subgraphs.shell.calendar import WeekStart, first_day_of_week
from subgraphs.shell.errors import Checks
from subgraphs.shell.measurement_kind import MeasurementKind

LONGEST_DESCRIPTION = 500
MOST_GOALS = 100
FARTHEST = timedelta(days=3653)
#: Of a habit that is counted by the day, the full days before today that its value is the mean of.
DAYS_OF_A_MEAN = 7
MOST_PERIODS = 12
_ZERO, _ONE = Decimal(0), Decimal(1)


class GoalKind(StrEnum):
    WEIGHT_KG = "WEIGHT_KG"
    WORKOUTS_PER_WEEK = "WORKOUTS_PER_WEEK"
    WORKOUT_MINUTES_PER_WEEK = "WORKOUT_MINUTES_PER_WEEK"
    DAILY_CALORIES = "DAILY_CALORIES"
    DAILY_PROTEIN_G = "DAILY_PROTEIN_G"
    DAILY_WATER_ML = "DAILY_WATER_ML"
    DAILY_STEPS = "DAILY_STEPS"
    ONE_REP_MAX_KG = "ONE_REP_MAX_KG"
    MEASUREMENT_CM = "MEASUREMENT_CM"
    MUSCLE_MASS_KG = "MUSCLE_MASS_KG"


class GoalDirection(StrEnum):
    AT_LEAST = "AT_LEAST"
    AT_MOST = "AT_MOST"


class GoalStatus(StrEnum):
    ACTIVE = "ACTIVE"
    PAUSED = "PAUSED"
    COMPLETED = "COMPLETED"
    ABANDONED = "ABANDONED"


class Cadence(StrEnum):
    ONCE = "ONCE"
    DAILY = "DAILY"
    WEEKLY = "WEEKLY"


@dataclass(frozen=True, slots=True)
class KindRules:
    """What holds for every goal of a kind. Without a direction of its own, the start says which way to go."""

    cadence: Cadence
    least: int
    most: int
    direction: GoalDirection | None


RULES = {
    GoalKind.WEIGHT_KG: KindRules(Cadence.ONCE, 20, 500, None),
    GoalKind.WORKOUTS_PER_WEEK: KindRules(Cadence.WEEKLY, 1, 50, GoalDirection.AT_LEAST),
    GoalKind.WORKOUT_MINUTES_PER_WEEK: KindRules(Cadence.WEEKLY, 1, 10_080, GoalDirection.AT_LEAST),
    GoalKind.DAILY_CALORIES: KindRules(Cadence.DAILY, 500, 20_000, GoalDirection.AT_MOST),
    GoalKind.DAILY_PROTEIN_G: KindRules(Cadence.DAILY, 1, 1_000, GoalDirection.AT_LEAST),
    GoalKind.DAILY_WATER_ML: KindRules(Cadence.DAILY, 100, 20_000, GoalDirection.AT_LEAST),
    GoalKind.DAILY_STEPS: KindRules(Cadence.DAILY, 100, 100_000, GoalDirection.AT_LEAST),
    GoalKind.ONE_REP_MAX_KG: KindRules(Cadence.ONCE, 1, 1_000, GoalDirection.AT_LEAST),
    GoalKind.MEASUREMENT_CM: KindRules(Cadence.ONCE, 5, 400, None),
    GoalKind.MUSCLE_MASS_KG: KindRules(Cadence.ONCE, 1, 300, None),
}
#: What the facts complete.
REACHED_ONCE = tuple(kind for kind, rules in RULES.items() if rules.cadence is Cadence.ONCE)


@dataclass(frozen=True, slots=True, kw_only=True)
class GoalFacts:
    """What a person sets. A goal that is reached once starts, without `start_value`, where its measure stood on its first day.

    `measure` names what is measured besides the weight, as `domain.measure` does.
    """

    kind: GoalKind
    direction: GoalDirection | None
    start_value: Decimal | None
    target_value: Decimal
    start_date: date
    target_date: date | None
    description: str | None
    measure: str | None = None

    @property
    def rules(self) -> KindRules:
        return RULES[self.kind]

    def way(self, baseline: Decimal | None) -> GoalDirection | None:
        """Which way the value has to go: as set, as usual for the kind, or from the baseline towards the target."""
        usual = self.direction or self.rules.direction
        if usual is not None or baseline is None:
            return usual
        return GoalDirection.AT_MOST if baseline >= self.target_value else GoalDirection.AT_LEAST


def check_goal(checks: Checks, facts: GoalFacts, *, today: date) -> None:
    """Collects every rule that the goal as it would be breaks."""
    rules = facts.rules
    within = f"must be from {rules.least} to {rules.most} for {facts.kind.value}"
    checks.require(rules.least <= facts.target_value <= rules.most, "targetValue", within)
    if facts.start_value is not None:
        has_start = rules.cadence is Cadence.ONCE
        if checks.require(has_start, "startValue", "a habit has none: each of its days or weeks begins anew"):
            checks.require(rules.least <= facts.start_value <= rules.most, "startValue", within)
            is_elsewhere = facts.start_value != facts.target_value
            checks.require(is_elsewhere, "targetValue", "must not be where the goal starts")
    is_strength = facts.kind is GoalKind.ONE_REP_MAX_KG
    upwards = not is_strength or facts.direction is not GoalDirection.AT_MOST
    checks.require(upwards, "direction", "must be AT_LEAST for a strength, which goes up")
    near = today - FARTHEST <= facts.start_date <= today + FARTHEST
    checks.require(near, "startDate", "must be within ten years of today")
    if facts.target_date is not None:
        in_order = facts.start_date <= facts.target_date <= facts.start_date + FARTHEST
        checks.require(in_order, "targetDate", "must be within ten years after the start")
    is_short = facts.description is None or len(facts.description) <= LONGEST_DESCRIPTION
    checks.require(is_short, "description", f"must have at most {LONGEST_DESCRIPTION} characters")


def followed_measure(
    checks: Checks, kind: GoalKind, exercise_id: str | None, measurement: MeasurementKind | None
) -> str | None:
    """What a goal of this kind follows besides days and the weight. Collects what is told of the wrong kind, or not told."""
    of_exercise, of_tape = kind is GoalKind.ONE_REP_MAX_KG, kind is GoalKind.MEASUREMENT_CM
    told = "must be told for {}, and for no other kind"
    checks.require((exercise_id is not None) == of_exercise, "exerciseId", told.format(GoalKind.ONE_REP_MAX_KG))
    checks.require((measurement is not None) == of_tape, "measurement", told.format(GoalKind.MEASUREMENT_CM))
    if exercise_id is not None:
        return strength_measure(exercise_id)
    if measurement is not None:
        return tape_measure(measurement)
    return MUSCLE_MASS if kind is GoalKind.MUSCLE_MASS_KG else None


def progress(facts: GoalFacts, baseline: Decimal | None, current: Decimal | None, way: GoalDirection | None) -> Decimal:
    """From 0 to 1. Of what is reached once, the part of the way from its start; of a habit, the part of the target that is
    kept: at least 5 of which 3 are done is 0.6, at most 2,000 of which 2,500 were eaten is 0.8. Nothing measured is 0.
    """
    if current is None or way is None:
        return _ZERO
    if meets(current, facts.target_value, way):
        return _ONE
    if facts.rules.cadence is not Cadence.ONCE:
        part = current / facts.target_value if way is GoalDirection.AT_LEAST else facts.target_value / current
    elif baseline is None or baseline == facts.target_value:
        part = _ZERO
    else:
        part = (baseline - current) / (baseline - facts.target_value)
    return min(max(part, _ZERO), _ONE)


def meets(value: Decimal, target: Decimal, way: GoalDirection) -> bool:
    return value >= target if way is GoalDirection.AT_LEAST else value <= target


@dataclass(frozen=True, slots=True)
class Period:
    """A day or week of a habit. `value` is None for a day of which nothing was logged.

    `is_kept` is None as long as that is open: while the period runs, and for what was not logged or begun too late.
    """

    first: date
    last: date
    value: Decimal | None
    is_kept: bool | None


def current_value(facts: GoalFacts, days: Mapping[date, Decimal], today: date, week_start: WeekStart) -> Decimal | None:
    """What a habit stands at, from each day's number; days of which nothing was logged have none.

    By the week: the running week so far, from the goal's start, with days of it that are yet to come again for somebody who
    flew west from them. By the day: the mean of the full days with a number among the last seven, from the goal's start; today
    is not over and does not count.
    """
    if facts.rules.cadence is Cadence.WEEKLY:
        first, last = (
            max(first_day_of_week(today, week_start), facts.start_date),
            last_day_read(facts, today, week_start),
        )
        return sum((number for day, number in days.items() if first <= day <= last), _ZERO)
    first = max(today - timedelta(days=DAYS_OF_A_MEAN), facts.start_date)
    full = [number for day, number in days.items() if first <= day < today]
    return sum(full, _ZERO) / len(full) if full else None


def periods(
    facts: GoalFacts, days: Mapping[date, Decimal], today: date, week_start: WeekStart, most: int = MOST_PERIODS
) -> list[Period]:
    """The running period of a habit and those before it back to its start, newest first, up to `most`."""
    way = facts.direction or facts.rules.direction or GoalDirection.AT_LEAST
    return [_period(facts, way, first, last, days, today) for first, last in _spans(facts, today, week_start, most)]


def first_day_read(facts: GoalFacts, today: date, week_start: WeekStart, most: int = MOST_PERIODS) -> date:
    """The earliest day whose number `periods` wants."""
    return min((first for first, _ in _spans(facts, today, week_start, most)), default=today)


def last_day_read(facts: GoalFacts, today: date, week_start: WeekStart) -> date:
    """The last day of the running period, whose number `current_value` and `periods` want."""
    is_weekly = facts.rules.cadence is Cadence.WEEKLY
    return first_day_of_week(today, week_start) + timedelta(days=6) if is_weekly else today


def _spans(facts: GoalFacts, today: date, week_start: WeekStart, most: int) -> Iterable[tuple[date, date]]:
    is_weekly = facts.rules.cadence is Cadence.WEEKLY
    length = timedelta(days=7 if is_weekly else 1)
    first = first_day_of_week(today, week_start) if is_weekly else today
    for _ in range(most):
        last = first + length - timedelta(days=1)
        if last < facts.start_date:
            return
        yield max(first, facts.start_date), last
        first -= length


def _period(
    facts: GoalFacts, way: GoalDirection, first: date, last: date, days: Mapping[date, Decimal], today: date
) -> Period:
    is_weekly = facts.rules.cadence is Cadence.WEEKLY
    numbers = [number for day, number in days.items() if first <= day <= last]
    value = sum(numbers, _ZERO) if numbers or is_weekly else None
    is_full = last < today and (not is_weekly or (last - first).days == 6)
    if value is None:
        return Period(first, last, None, None)
    holds = meets(value, facts.target_value, way)
    # What only grows is settled early: enough stays enough, and too much stays too much.
    is_settled = is_full or (holds if way is GoalDirection.AT_LEAST else not holds)
    return Period(first, last, value, holds if is_settled else None)
