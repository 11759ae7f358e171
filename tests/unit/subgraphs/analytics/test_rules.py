"""Progress, trend, streaks and periods, with the vectors of the product's formulas."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subgraphs.analytics.domain.period import add_up
from subgraphs.analytics.domain.streak import WORKOUTS_A_WEEK, Habit, Run, Streak, settle_runs, streak
from subgraphs.analytics.domain.weight_trend import weight_trend
from subgraphs.analytics.queries.summary import empty_summary

D = Decimal
MONDAY = date(2026, 3, 2)


def test_the_trend_of_the_hackers_diet() -> None:
    points = weight_trend([(MONDAY, D("173.2")), (MONDAY + timedelta(days=1), D("171.5"))])
    assert points[1].trend_kg == D("173.03")


def test_a_weighing_after_a_gap_counts_as_if_weighed_on_each_day() -> None:
    every_day = weight_trend([(MONDAY, D(80)), *((MONDAY + timedelta(days=k), D(70)) for k in (1, 2, 3))])
    after_gap = weight_trend([(MONDAY, D(80)), (MONDAY + timedelta(days=3), D(70))])
    assert after_gap[-1].trend_kg == every_day[-1].trend_kg == D(70) + D(10) * D("0.9") ** 3


weighings = st.lists(
    st.tuples(st.integers(0, 400), st.decimals(40, 150, places=2)), max_size=30, unique_by=lambda w: w[0]
)


@given(weighings, st.integers(0, 30))
def test_going_on_from_a_stored_point_gives_what_starting_anew_would(told: list[tuple[int, Decimal]], cut: int) -> None:
    weighed = [(MONDAY + timedelta(days=day), weight) for day, weight in sorted(told)]
    whole = weight_trend(weighed)
    head = weight_trend(weighed[:cut])
    assert head + weight_trend(weighed[cut:], head[-1] if head else None) == whole


def test_the_first_weighing_of_a_day_counts() -> None:
    assert len(weight_trend([(MONDAY, D(80)), (MONDAY, D(90))])) == 1


def days(*offsets: int) -> list[date]:
    return [MONDAY + timedelta(days=offset) for offset in offsets]


@pytest.mark.parametrize(
    ("logged", "today", "expected"),
    [
        (days(0, 1, 2), 2, Streak(3, 3, MONDAY + timedelta(days=2))),
        (days(0, 1, 2), 3, Streak(3, 3, MONDAY + timedelta(days=2))),
        (days(0, 1, 2), 4, Streak(0, 3, MONDAY + timedelta(days=2))),
        (days(0, 1, 2, 5), 5, Streak(1, 3, MONDAY + timedelta(days=5))),
        ([], 5, Streak(0, 0, None)),
    ],
    ids=["today logged", "today may still come", "broken", "begun anew", "never"],
)
def test_a_daily_streak_leaves_today_open(logged: list[date], today: int, expected: Streak) -> None:
    assert _streak(Habit.MEALS, logged, MONDAY + timedelta(days=today)) == expected


def _streak(habit: Habit, units: Iterable[date], today: date) -> Streak:
    runs = settle_runs(habit, (), dict.fromkeys(units, True))
    longest = max((run.length(habit) for run in runs), default=0)
    return streak(habit, runs[-1] if runs else None, longest, today)


def _weekly(workouts: Mapping[date, int], today: date, habit: Habit = Habit.WORKOUTS_MONDAY) -> Streak:
    weeks: Counter[date] = Counter()
    for day, number in workouts.items():
        weeks[habit.unit_of(day)] += number
    return _streak(habit, [week for week, number in weeks.items() if number >= WORKOUTS_A_WEEK], today)


@given(st.lists(st.dictionaries(st.integers(0, 20), st.booleans(), min_size=1), max_size=8))
def test_runs_settled_step_by_step_are_those_of_all_that_is_kept(steps: list[dict[int, bool]]) -> None:
    for habit in (Habit.MEALS, Habit.WORKOUTS_MONDAY):
        kept: set[date] = set()
        runs: set[Run] = set()
        for step in steps:
            changed = {MONDAY + number * habit.step: is_kept for number, is_kept in step.items()}
            kept = {unit for unit in kept | {*changed} if changed.get(unit, True)}
            first, last = min(changed) - habit.step, max(changed) + habit.step
            near = {run for run in runs if run.last >= first and run.first <= last}
            runs = runs - near | set(settle_runs(habit, near, changed))
            starts = sorted(unit for unit in kept if unit - habit.step not in kept)
            ends = sorted(unit for unit in kept if unit + habit.step not in kept)
            assert sorted(runs) == [Run(*ends_of_run) for ends_of_run in zip(starts, ends, strict=True)]


def test_a_weekly_streak_counts_weeks_with_three_workouts_and_leaves_this_one_open() -> None:
    two_good_weeks = dict.fromkeys(days(0, 2, 4), 1) | dict.fromkeys(days(7, 8), 2)
    running_week = two_good_weeks | {MONDAY + timedelta(days=14): 1}
    assert _weekly(running_week, MONDAY + timedelta(days=15)).current == 2
    assert _weekly(running_week, MONDAY + timedelta(days=22)).current == 0


def test_a_week_begins_where_the_persons_does() -> None:
    sunday = MONDAY - timedelta(days=1)
    three_on_a_weekend = dict.fromkeys((sunday - timedelta(days=1), sunday, MONDAY), 1)
    assert _weekly(three_on_a_weekend, MONDAY, Habit.WORKOUTS_MONDAY).longest == 0
    assert _weekly(three_on_a_weekend, MONDAY, Habit.WORKOUTS_SUNDAY).longest == 0
    assert _weekly(three_on_a_weekend, MONDAY, Habit.WORKOUTS_SATURDAY).longest == 1


def test_a_period_of_nothing_has_no_mean() -> None:
    sums = add_up([empty_summary("ann", MONDAY, datetime(2026, 3, 2, tzinfo=UTC))])
    assert (sums.days_logged, sums.mean_daily_calories, sums.calories_consumed) == (0, None, 0)
    assert (sums.steps, sums.mean_daily_steps) == (None, None)


def test_steps_of_a_period_are_of_the_days_that_have_a_count() -> None:
    day = empty_summary("ann", MONDAY, datetime(2026, 3, 2, tzinfo=UTC))
    sums = add_up([day, day._replace(steps=0), day._replace(steps=9_001)])
    assert (sums.steps, sums.mean_daily_steps) == (9_001, D("4500.5"))
