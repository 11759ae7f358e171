"""Progress, trend, streaks and periods, with the vectors of the product's formulas."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subgraphs.analytics.domain.period import add_up
from subgraphs.analytics.domain.progress import progress
from subgraphs.analytics.domain.streak import Streak, daily_streak, weekly_streak
from subgraphs.analytics.domain.trend import weight_trend
from subgraphs.analytics.queries.summary import empty_summary

D = Decimal
MONDAY = date(2026, 3, 2)


@pytest.mark.parametrize(
    ("start", "target", "current", "expected"),
    [
        (90, 80, 85, "0.5"),
        (60, 70, 65, "0.5"),
        (90, 80, 95, "0"),
        (90, 80, 75, "1"),
        (80, 80, 90, "1"),
        (90, 80, None, "0"),
    ],
    ids=["losing", "gaining", "the wrong way", "past the target", "already there", "nothing measured"],
)
def test_progress_goes_from_start_to_target_whichever_way(
    start: int, target: int, current: int | None, expected: str
) -> None:
    assert progress(D(start), D(target), None if current is None else D(current)) == D(expected)


numbers = st.decimals(min_value=0, max_value=1000, places=2)


@given(start=numbers, target=numbers, current=numbers)
def test_progress_is_never_outside_0_to_1(start: Decimal, target: Decimal, current: Decimal) -> None:
    assert 0 <= progress(start, target, current) <= 1


def test_the_trend_of_the_hackers_diet() -> None:
    points = weight_trend([(MONDAY, D("173.2")), (MONDAY + timedelta(days=1), D("171.5"))])
    assert points[1].trend_kg == D("173.03")


def test_a_weighing_after_a_gap_counts_as_if_weighed_on_each_day() -> None:
    every_day = weight_trend([(MONDAY, D(80)), *((MONDAY + timedelta(days=k), D(70)) for k in (1, 2, 3))])
    after_gap = weight_trend([(MONDAY, D(80)), (MONDAY + timedelta(days=3), D(70))])
    assert after_gap[-1].trend_kg == every_day[-1].trend_kg == D(70) + D(10) * D("0.9") ** 3


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
    assert daily_streak(logged, MONDAY + timedelta(days=today)) == expected


def test_a_weekly_streak_counts_weeks_with_three_workouts_and_leaves_this_one_open() -> None:
    two_good_weeks = dict.fromkeys(days(0, 2, 4), 1) | dict.fromkeys(days(7, 8), 2)
    running_week = two_good_weeks | {MONDAY + timedelta(days=14): 1}
    assert weekly_streak(running_week, MONDAY + timedelta(days=15)).current == 2
    assert weekly_streak(running_week, MONDAY + timedelta(days=22)).current == 0


def test_a_period_of_nothing_has_no_mean() -> None:
    sums = add_up([empty_summary("ann", MONDAY)])
    assert (sums.days_logged, sums.mean_daily_calories, sums.calories_consumed) == (0, None, 0)
