"""What a report counts, what it compares, and which changes it calls a trend."""

import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subgraphs.analytics.domain.report import Report, ReportKind, Trend, report, reported_period
from subgraphs.analytics.domain.weight_trend import TrendPoint, weight_trend
from subgraphs.analytics.queries.summary import DailySummaryRecord, empty_summary
from subgraphs.shell.calendar import WeekStart

D = Decimal
MONDAY = date(2026, 3, 9)
NEXT_WEEK = MONDAY + timedelta(days=7)


def day(offset: int, **numbers: int) -> DailySummaryRecord:
    """The Monday of the reported week is 0; numbers by the record's fields. Energy comes with a meal."""
    empty = empty_summary("ann", MONDAY + timedelta(days=offset), datetime(2026, 3, 9, tzinfo=UTC))
    given_numbers = {
        name: D(number) if isinstance(getattr(empty, name), Decimal) else number for name, number in numbers.items()
    }
    if "calories_consumed" in numbers:
        given_numbers["meals_logged"] = 1
    return empty._replace(**given_numbers)


def weekly(days: list[DailySummaryRecord], *, today: date = NEXT_WEEK, trend: tuple[TrendPoint, ...] = ()) -> Report:
    return report(reported_period(ReportKind.WEEK, MONDAY, WeekStart.MONDAY), days, trend, today)


def eaten(before: list[int], now: list[int]) -> list[DailySummaryRecord]:
    return [
        *(day(offset - 7, calories_consumed=kcal) for offset, kcal in enumerate(before)),
        *(day(offset, calories_consumed=kcal) for offset, kcal in enumerate(now)),
    ]


@pytest.mark.parametrize(
    ("kind", "of", "week_start", "expected"),
    [
        (
            ReportKind.WEEK,
            date(2026, 3, 11),
            WeekStart.MONDAY,
            ("2026-03-02", "2026-03-08", "2026-03-09", "2026-03-15"),
        ),
        (ReportKind.WEEK, date(2026, 3, 8), WeekStart.SUNDAY, ("2026-03-01", "2026-03-07", "2026-03-08", "2026-03-14")),
        (
            ReportKind.MONTH,
            date(2026, 3, 31),
            WeekStart.MONDAY,
            ("2026-02-01", "2026-02-28", "2026-03-01", "2026-03-31"),
        ),
        (
            ReportKind.MONTH,
            date(2028, 2, 29),
            WeekStart.MONDAY,
            ("2028-01-01", "2028-01-31", "2028-02-01", "2028-02-29"),
        ),
        (
            ReportKind.MONTH,
            date(2026, 1, 1),
            WeekStart.SUNDAY,
            ("2025-12-01", "2025-12-31", "2026-01-01", "2026-01-31"),
        ),
    ],
    ids=["a week", "a week from Sunday", "March", "leap February", "January"],
)
def test_a_period_and_the_one_before_it(
    kind: ReportKind, of: date, week_start: WeekStart, expected: tuple[str, ...]
) -> None:
    period = reported_period(kind, of, week_start)
    assert tuple(map(str, (period.first_before, period.last_before, period.first, period.last))) == expected


@given(st.dates(date(1900, 1, 1), date(2200, 12, 31)), st.sampled_from(WeekStart), st.sampled_from(ReportKind))
def test_every_day_is_in_its_period_which_follows_the_one_before(
    of: date, week_start: WeekStart, kind: ReportKind
) -> None:
    period = reported_period(kind, of, week_start)
    assert period.first <= of <= period.last
    before = reported_period(kind, period.last_before, week_start)
    assert (before.first, before.last) == (period.first_before, period.last_before)


def test_a_day_of_which_nothing_was_said_is_no_zero() -> None:
    found = weekly([day(0, calories_consumed=2000), day(1, calories_consumed=3000), day(2, water_ml=500)])
    assert (found.full_days, found.days_with_entries) == (7, 3)
    assert (found.energy_kcal.total, found.energy_kcal.days_counted, found.energy_kcal.daily_mean) == (5000, 2, 2500)
    assert (found.water_ml.days_counted, found.water_ml.daily_mean) == (1, 500)


def test_steps_count_on_the_days_that_were_counted_and_make_no_entry() -> None:
    before = [day(offset - 7, steps=number) for offset, number in enumerate((8000, 9000, 8500, 8800))]
    now = [day(0, steps=5000), day(1, steps=5500), day(2, steps=0, workouts_completed=1), day(3, steps=4500)]
    found = weekly([*before, *now, day(4, water_ml=500)])
    assert (found.steps.total, found.steps.days_counted, found.steps.daily_mean) == (15000, 4, 3750)
    assert (found.steps.daily_mean_before, found.steps.trend) == (8575, Trend.FALLING)
    assert (found.days_with_entries, found.workouts.days_counted) == (2, 2)
    near = weekly([*before, *(day(offset, steps=number) for offset, number in enumerate((8200, 9500, 8900, 9000)))])
    assert near.steps.trend is Trend.STEADY


def test_a_day_with_another_entry_is_a_day_without_a_workout() -> None:
    found = weekly([day(0, workouts_completed=1, active_minutes=40, volume_kg=4000), day(1, water_ml=500)])
    assert (found.workouts.total, found.workouts.days_counted, found.workouts.daily_mean) == (1, 2, D("0.5"))
    assert (found.active_minutes.daily_mean, found.volume_kg.daily_mean) == (20, 2000)


def test_today_is_not_over_and_does_not_count() -> None:
    days = [day(0, calories_consumed=2000), day(1, calories_consumed=100)]
    found = weekly(days, today=MONDAY + timedelta(days=1))
    assert (found.full_days, found.energy_kcal.total) == (1, 2000)
    ahead = weekly(days, today=MONDAY - timedelta(days=30))
    assert (ahead.full_days, ahead.days_with_entries, ahead.energy_kcal.daily_mean) == (0, 0, None)


def test_the_change_is_null_where_there_is_nothing_to_compare_with() -> None:
    alone = weekly(eaten([], [2000] * 7)).energy_kcal
    assert (alone.daily_mean_before, alone.change, alone.change_percent, alone.trend) == (None, None, None, None)
    fasted = weekly(eaten([0] * 7, [2000] * 7)).energy_kcal
    assert (fasted.change, fasted.change_percent, fasted.trend) == (2000, None, Trend.RISING)
    beside = weekly(eaten([2000] * 7, [1500] * 7)).energy_kcal
    assert (beside.change, beside.change_percent, beside.trend) == (-500, -25, Trend.FALLING)


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        ([2000] * 7, [2099] * 7, Trend.STEADY),
        ([2000] * 7, [2100] * 7, Trend.RISING),
        ([2000] * 7, [1900] * 7, Trend.FALLING),
        ([1500, 2500] * 3, [1700, 2700] * 3, Trend.STEADY),  # 10 % more, within what the days scatter
        ([2000] * 2, [3000] * 7, None),
        ([2000] * 7, [3000] * 2, None),
        ([2000] * 7, [2000] * 7, Trend.STEADY),
    ],
    ids=["under 5 %", "5 % more", "5 % less", "scattered", "two days before", "two days", "the same"],
)
def test_a_change_of_what_is_eaten_has_a_name_beyond_5_percent_and_the_days_scatter(
    before: list[int], now: list[int], expected: Trend | None
) -> None:
    assert weekly(eaten(before, now)).energy_kcal.trend is expected


def test_weeks_of_one_habit_are_seldom_told_apart_and_a_habit_that_changed_mostly_is() -> None:
    """Days of one habit scatter by a fifth; 400 pairs of weeks, drawn by a fixed seed."""
    draw = random.Random(20260309)

    def week(mean: int) -> list[int]:
        return [max(round(draw.gauss(mean, mean / 5)), 1) for _ in range(7)]

    same = [weekly(eaten(week(2000), week(2000))).energy_kcal.trend for _ in range(400)]
    assert sum(trend is not Trend.STEADY for trend in same) < 400 * 0.1
    changed = [weekly(eaten(week(2000), week(2800))).energy_kcal.trend for _ in range(400)]
    assert sum(trend is Trend.RISING for trend in changed) > 400 * 0.8


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        (11, 12, Trend.STEADY),
        (10, 11, Trend.RISING),
        (10, 9, Trend.FALLING),
        (0, 1, Trend.RISING),
        (0, 0, Trend.STEADY),
    ],
)
def test_a_change_of_training_has_a_name_from_a_tenth_on(before: int, now: int, expected: Trend) -> None:
    days = [day(0, workouts_completed=now, water_ml=1), day(-7, workouts_completed=before, water_ml=1)]
    others = [day(offset, water_ml=1) for offset in (1, 2, -6, -5)]
    assert weekly([*days, *others]).workouts.trend is expected


def points(*told: tuple[int, str]) -> tuple[TrendPoint, ...]:
    return tuple(TrendPoint(MONDAY + timedelta(days=offset), D(80), D(trend)) for offset, trend in told)


def test_the_weight_changes_from_where_it_stood_when_the_period_began() -> None:
    found = weekly([], trend=points((-9, "81"), (-8, "80.9"), (-2, "80.5"), (1, "80.4"), (5, "80"))).weight
    assert found is not None
    assert (found.kg, found.kg_before, found.trend) == (D("-0.5"), D("-0.4"), Trend.FALLING)


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (((0, "80"), (6, "80.39")), Trend.STEADY),
        (((0, "80"), (6, "80.4")), Trend.RISING),
        (((0, "80"), (6, "79.6")), Trend.FALLING),
        (((0, "80"), (2, "79")), None),
    ],
    ids=["under 0.5 %", "0.5 % more", "0.5 % less", "two days"],
)
def test_a_change_of_weight_has_a_name_from_half_a_percent_on(
    told: tuple[tuple[int, str], ...], expected: Trend | None
) -> None:
    found = weekly([], trend=points(*told)).weight
    assert found is not None
    assert found.trend is expected


@pytest.mark.parametrize("told", [(), ((3, "80"),), ((-3, "80"), (-1, "79")), ((-8, "80"), (3, "79"))])
def test_without_two_weighings_nothing_is_said_of_the_weight(told: tuple[tuple[int, str], ...]) -> None:
    assert weekly([], trend=points(*told)).weight is None


def test_the_scale_alone_seldom_moves_the_weight_and_a_kilogram_lost_in_a_month_does() -> None:
    """Weighings scatter by 0.75 kg; a hundred Marches after a year of weighing each, drawn by a fixed seed."""
    draw = random.Random(20260309)
    march = reported_period(ReportKind.MONTH, date(2026, 3, 9), WeekStart.MONDAY)

    def told(lost_a_day: float) -> Trend | None:
        days = [date(2025, 4, 1) + timedelta(days=offset) for offset in range(365)]
        weighed = [(each, D(str(round(draw.gauss(80 - lost_a_day * n, 0.75), 1)))) for n, each in enumerate(days)]
        found = report(march, [], weight_trend(weighed), date(2026, 4, 1)).weight
        return None if found is None else found.trend

    assert sum(told(0) is not Trend.STEADY for _ in range(100)) <= 15
    assert sum(told(1 / 31) is Trend.FALLING for _ in range(100)) >= 90
