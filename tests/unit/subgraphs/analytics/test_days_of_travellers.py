"""Streaks, goals, weeks, reports and means over changes of the clocks and over flights: nothing is lost, counted twice or broken."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subgraphs.analytics.domain.expenditure import Confidence, expenditure
from subgraphs.analytics.domain.goal import (
    GoalFacts,
    GoalKind,
    current_value,
    first_day_read,
    last_day_read,
    periods,
)
from subgraphs.analytics.domain.period import add_up
from subgraphs.analytics.domain.projection import project, recent
from subgraphs.analytics.domain.report import ReportKind, report, reported_period
from subgraphs.analytics.domain.rolling import day_means
from subgraphs.analytics.domain.streak import (
    WORKOUTS_A_WEEK,
    Habit,
    Streak,
    settle_runs,
    streak,
    workouts_habit,
)
from subgraphs.analytics.domain.streak_protection import (
    ProtectedSpan,
    ProtectionReason,
    rested_streak,
    resting_units,
)
from subgraphs.analytics.domain.weight_trend import weight_trend
from subgraphs.shell.calendar import WeekStart, first_day_of_week, instant_of_clock, local_date
from tests.testkit.zones import CHANGING, ZONES, Journey, days_of_change, journeys, travelled

DAY = timedelta(days=1)
#: Clocks of which no two are more than a day apart, on both sides of the date line.
LESS_THAN_A_DAY_APART = tuple(zone for zone in ZONES if zone != "Pacific/Pago_Pago")
week_starts = st.sampled_from(list(WeekStart))
# (zone, day of change, clock): at an hour that is after any beginning of the day up to six
mornings = st.builds(
    lambda change, hour, minute: (*change, time(hour, minute)),
    st.sampled_from([(zone, day) for zone in CHANGING for day in days_of_change(zone)]),
    st.integers(6, 23),
    st.integers(0, 59),
)


@dataclass(frozen=True, slots=True)
class Summary:
    """A day of a meal of 2,000 kcal and a workout of half an hour for each entry."""

    local_date: date
    entries: int = 1
    weight_kg: Decimal | None = None
    has_entries: bool = True
    protein_g: Decimal = Decimal(0)
    carbs_g: Decimal = Decimal(0)
    fat_g: Decimal = Decimal(0)
    water_ml: int = 0
    active_minutes: Decimal = Decimal(30)
    volume_kg: Decimal = Decimal(0)
    steps: int | None = None

    @property
    def meals_logged(self) -> int:
        return self.entries

    @property
    def workouts_completed(self) -> int:
        return self.entries

    @property
    def workout_minutes(self) -> Decimal:
        return 30 * Decimal(self.entries)

    @property
    def calories_consumed(self) -> Decimal:
        return 2000 * Decimal(self.entries)

    @property
    def calories_burned(self) -> Decimal:
        return Decimal(0)

    @property
    def net_calories_burned(self) -> Decimal:
        return Decimal(0)


def entries_of(journey: Journey) -> Counter[date]:
    """How many entries each day has of somebody who logs one at each tick."""
    return Counter(tick.day for tick in journey.ticks)


def streak_of(habit: Habit, units: set[date], today: date) -> Streak:
    runs = settle_runs(habit, [], dict.fromkeys(units, True))
    return streak(habit, max(runs), max(run.length(habit) for run in runs), today)


def habit_of(kind: GoalKind, start: date) -> GoalFacts:
    return GoalFacts(
        kind=kind,
        direction=None,
        start_value=None,
        target_value=Decimal(3),
        start_date=start,
        target_date=None,
        description=None,
    )


def days_from(change: tuple[str, date, time], count: int) -> list[date]:
    """The days of what is logged at one clock of so many days in a row, around a day of change, by instants and back."""
    zone, day, clock = change
    wanted = [day + (number - count // 2) * DAY for number in range(count)]
    days = [local_date(instant_of_clock(each, clock, zone), zone, day_start_hour=6) for each in wanted]
    assert days == wanted
    return days


@given(journey=journeys(LESS_THAN_A_DAY_APART))
def test_a_daily_streak_goes_on_over_flights_and_counts_each_day_once(journey: Journey) -> None:
    days = set(entries_of(journey))
    found = streak_of(Habit.MEALS, days, journey.today)
    assert found.current == found.longest == (max(days) - min(days)).days + 1
    assert found.last == max(days)


@given(journey=journeys(LESS_THAN_A_DAY_APART), later=st.integers(0, 1))
def test_a_streak_ends_after_a_journey_when_a_whole_day_has_none_and_not_before(journey: Journey, later: int) -> None:
    days = set(entries_of(journey))
    assert streak_of(Habit.MEALS, days, max(days) + (1 + later) * DAY).current == (0 if later else len(days))


def test_a_day_that_a_flight_skips_rests_a_streak_where_it_is_protected() -> None:
    """Clocks of Kiritimati are 25 hours ahead of those of Pago Pago: between 23:00 and 24:00 a move skips a whole day."""
    monday_night = datetime(2026, 3, 3, 10, 30, tzinfo=UTC)
    journey = travelled(monday_night - timedelta(hours=3), [("Pacific/Pago_Pago", 3), ("Pacific/Kiritimati", 3)], 0)
    monday, wednesday = date(2026, 3, 2), date(2026, 3, 4)
    days = set(entries_of(journey))
    assert days == {monday, wednesday}
    plain = streak_of(Habit.MEALS, days, journey.today)
    assert plain.current == 1
    resting = resting_units(Habit.MEALS, [ProtectedSpan(monday + DAY, monday + DAY, ProtectionReason.OTHER)])
    runs = settle_runs(Habit.MEALS, [], dict.fromkeys(days, True))
    assert rested_streak(Habit.MEALS, plain, runs, resting, journey.today).current == 2


@given(journey=journeys(), week_start=week_starts)
def test_every_entry_of_a_journey_is_in_one_week_and_a_week_is_kept_by_its_own(
    journey: Journey, week_start: WeekStart
) -> None:
    entries = entries_of(journey)
    days = [Summary(day, count) for day, count in entries.items()]
    weeks = {first_day_of_week(day, week_start) for day in entries}
    sums = {
        week: add_up([day for day in days if week <= day.local_date <= week + 6 * DAY]).workouts_completed
        for week in weeks
    }
    assert sum(sums.values()) == len(journey.ticks)
    habit = workouts_habit(week_start)
    kept = {week for week, workouts in sums.items() if workouts >= WORKOUTS_A_WEEK}
    assert kept <= {habit.unit_of(day) for day in entries}
    if kept:
        assert streak_of(habit, kept, journey.today).longest <= len(weeks)


@given(journey=journeys(), week_start=week_starts)
def test_a_weekly_goal_loses_nothing_by_a_flight_and_counts_nothing_twice(
    journey: Journey, week_start: WeekStart
) -> None:
    entries = entries_of(journey)
    facts = habit_of(GoalKind.WORKOUTS_PER_WEEK, min(entries) - 7 * DAY)
    numbers = {day: Decimal(count) for day, count in entries.items()}
    week = first_day_of_week(journey.today, week_start)
    of_the_week = sum(count for day, count in entries.items() if week <= day <= week + 6 * DAY)
    read = (first_day_read(facts, journey.today, week_start), last_day_read(facts, journey.today, week_start))
    told = {day: number for day, number in numbers.items() if read[0] <= day <= read[1]}
    assert current_value(facts, told, journey.today, week_start) == of_the_week
    judged = periods(facts, told, journey.today, week_start)
    assert judged[0].value == of_the_week
    assert sum(each.value or 0 for each in judged) == sum(entries[day] for day in told)


def test_a_workout_of_wednesday_counts_on_tuesday_after_a_flight_to_the_west() -> None:
    monday = date(2026, 3, 2)
    facts = habit_of(GoalKind.WORKOUTS_PER_WEEK, monday)
    done = {monday: Decimal(1), monday + 2 * DAY: Decimal(1)}
    assert current_value(facts, done, monday + 2 * DAY, WeekStart.MONDAY) == 2
    assert current_value(facts, done, monday + 1 * DAY, WeekStart.MONDAY) == 2
    assert last_day_read(facts, monday + DAY, WeekStart.MONDAY) == monday + 6 * DAY
    assert last_day_read(habit_of(GoalKind.DAILY_STEPS, monday), monday + DAY, WeekStart.MONDAY) == monday + DAY


@given(journey=journeys(), week_start=week_starts, kind=st.sampled_from([ReportKind.WEEK, ReportKind.MONTH]))
def test_reports_made_after_a_journey_count_each_entry_once_when_its_day_is_over(
    journey: Journey, week_start: WeekStart, kind: ReportKind
) -> None:
    entries = entries_of(journey)
    days = [Summary(day, count) for day, count in entries.items()]
    kept = {reported_period(kind, day, week_start) for day in entries}
    reports = [report(period, days, [], journey.today) for period in kept]
    assert sum(each.workouts.total for each in reports) == sum(
        count for day, count in entries.items() if day < journey.today
    )
    after = [report(period, days, [], max(entries) + DAY) for period in kept]
    assert sum(each.workouts.total for each in after) == len(journey.ticks)
    assert sum(each.days_with_entries for each in after) == len(entries)


@given(journey=journeys())
def test_means_of_the_last_days_after_a_journey_are_of_days_that_are_over(journey: Journey) -> None:
    entries = entries_of(journey)
    days = [Summary(day, count) for day, count in entries.items()]
    means = day_means(days, journey.today, 28, journey.today)
    over = [count for day, count in entries.items() if day < journey.today]
    assert means.days_with_meals == len(over)
    assert means.energy_kcal == (2000 * Decimal(sum(over)) / len(over) if over else None)


@given(change=mornings, week_start=week_starts)
def test_what_is_logged_at_one_clock_each_day_is_of_days_in_a_row_over_a_change_of_the_clocks(
    change: tuple[str, date, time], week_start: WeekStart
) -> None:
    days = days_from(change, 28)
    today = days[-1] + DAY
    assert streak_of(Habit.MEALS, set(days), today) == Streak(28, 28, days[-1])
    summaries = [Summary(day) for day in days]
    assert day_means(summaries, today - DAY, 7, today).days_with_meals == 7
    week = reported_period(ReportKind.WEEK, change[1], week_start)
    found = report(week, summaries, [], today)
    assert (found.full_days, found.days_with_entries) == (7, 7)
    facts = habit_of(GoalKind.DAILY_STEPS, days[0])
    judged = periods(facts, dict.fromkeys(days, Decimal(5)), today, week_start)
    assert [each.is_kept for each in judged] == [None, *[True] * 11]


@given(change=mornings, grams=st.integers(-300, 300).filter(bool))
def test_a_trend_a_pace_and_an_expenditure_do_not_see_that_a_day_was_short_or_long(
    change: tuple[str, date, time], grams: int
) -> None:
    days = days_from(change, 49)
    weights = [80 + Decimal(grams * number) / 1000 for number in range(49)]
    trend = weight_trend(zip(days, weights, strict=True))
    plain_days = [date(2025, 6, 2) + number * DAY for number in range(49)]  # clocks change on none of these
    plain = weight_trend(zip(plain_days, weights, strict=True))
    assert [point.trend_kg for point in trend] == [point.trend_kg for point in plain]
    target, today, plain_today = weights[-1] + 10 * (1 if grams > 0 else -1), days[-1] + DAY, plain_days[-1] + DAY
    found = project(trend[-28:], target, is_reached=False, target_date=today + 70 * DAY, today=today)
    usual = project(plain[-28:], target, is_reached=False, target_date=plain_today + 70 * DAY, today=plain_today)
    assert found is not None
    assert usual is not None
    assert (found.kg_per_week, found.needed_kg_per_week) == (usual.kg_per_week, usual.needed_kg_per_week)
    assert (found.reached_on and found.reached_on - today) == (usual.reached_on and usual.reached_on - plain_today)
    eaten = dict.fromkeys(days, Decimal(2500))
    used = expenditure(eaten, trend, None, today)
    assert used.confidence is Confidence.HIGH
    assert used.days_with_intake == used.days_weighed == 28


@given(journey=journeys(), more=st.integers(0, 40))
def test_a_pace_is_of_the_28_days_up_to_the_newest_weighing_also_after_a_flight_to_the_west(
    journey: Journey, more: int
) -> None:
    newest = max(tick.day for tick in journey.ticks)
    first = min(newest, journey.today) - more * DAY
    days = [first + number * DAY for number in range((newest - first).days + 1)]
    points = recent(weight_trend((day, 80 - Decimal(number) / 10) for number, day in enumerate(days)), journey.today)
    assert [point.local_date for point in points] == days[-28:]
    found = project(points, Decimal(50), is_reached=False, target_date=None, today=journey.today)
    assert found is not None
    assert found.remaining_kg == 50 - points[-1].trend_kg


@pytest.mark.parametrize("zone", ZONES)
def test_a_year_of_meals_is_a_streak_of_a_year_in_each_zone(zone: str) -> None:
    first = date(2026, 1, 1)
    days = {local_date(instant_of_clock(first + n * DAY, time(12, 30), zone), zone, 4) for n in range(365)}
    assert streak_of(Habit.MEALS, days, first + 365 * DAY) == Streak(365, 365, first + 364 * DAY)
