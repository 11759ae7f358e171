"""Where goals stand: progress either way, habits that recur, full days only, and the bounds of what can be set."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subgraphs.analytics.domain.goal import (
    REACHED_ONCE,
    RULES,
    Cadence,
    GoalDirection,
    GoalFacts,
    GoalKind,
    check_goal,
    current_value,
    first_day_read,
    periods,
    progress,
)
from subgraphs.shell.calendar import WeekStart
from subgraphs.shell.errors import Checks

D = Decimal
MONDAY = date(2026, 3, 2)
SUNDAY = MONDAY + timedelta(days=6)
AT_LEAST, AT_MOST = GoalDirection.AT_LEAST, GoalDirection.AT_MOST


def goal(kind: GoalKind, target: int, start_date: date = MONDAY, start: int | None = None) -> GoalFacts:
    return GoalFacts(
        kind=kind,
        direction=None,
        start_value=None if start is None else D(start),
        target_value=D(target),
        start_date=start_date,
        target_date=None,
        description=None,
    )


@pytest.mark.parametrize(
    ("baseline", "target", "current", "way", "expected"),
    [
        (90, 80, 85, AT_MOST, "0.5"),
        (60, 70, 65, AT_LEAST, "0.5"),
        (90, 80, 95, AT_MOST, "0"),
        (90, 80, 75, AT_MOST, "1"),
        (80, 80, 80, AT_MOST, "1"),
        (90, 80, None, AT_MOST, "0"),
        (None, 80, None, None, "0"),
    ],
    ids=["losing", "gaining", "the wrong way", "past the target", "there", "nothing measured", "no start"],
)
def test_progress_goes_from_the_start_to_the_target_whichever_way(
    baseline: int | None, target: int, current: int | None, way: GoalDirection | None, expected: str
) -> None:
    facts = goal(GoalKind.WEIGHT_KG, target)
    start, now = (None if number is None else D(number) for number in (baseline, current))
    assert facts.way(start) is way
    assert progress(facts, start, now, way) == D(expected)


numbers = st.decimals(min_value=0, max_value=1000, places=2)
kinds = st.sampled_from(list(GoalKind))


@given(
    kinds, numbers, st.decimals(min_value=1, max_value=1000, places=2), numbers, st.sampled_from([AT_LEAST, AT_MOST])
)
def test_progress_is_from_0_to_1_and_1_only_at_the_target(
    kind: GoalKind, start: Decimal, target: Decimal, current: Decimal, way: GoalDirection
) -> None:
    part = progress(replace(goal(kind, 1), target_value=target), start, current, way)
    assert 0 <= part <= 1
    kept = current >= target if way is AT_LEAST else current <= target
    assert (part == 1) == kept or (part == 1 and kind in REACHED_ONCE)


@pytest.mark.parametrize(
    ("kind", "current", "expected"),
    [(GoalKind.WORKOUTS_PER_WEEK, 3, "0.6"), (GoalKind.WORKOUTS_PER_WEEK, 7, "1"), (GoalKind.DAILY_CALORIES, 4, "1")],
)
def test_a_habit_is_kept_in_part(kind: GoalKind, current: int, expected: str) -> None:
    facts = goal(kind, 5)
    assert progress(facts, None, D(current), facts.way(None)) == D(expected)


def test_too_many_calories_keep_the_target_in_part() -> None:
    facts = goal(GoalKind.DAILY_CALORIES, 2000)
    assert progress(facts, None, D(2500), facts.way(None)) == D("0.8")


def days(*pairs: tuple[int, int]) -> dict[date, Decimal]:
    return {MONDAY + timedelta(days=offset): D(number) for offset, number in pairs}


def test_the_value_of_a_daily_habit_is_the_mean_of_full_days_since_its_start() -> None:
    facts = goal(GoalKind.DAILY_PROTEIN_G, 100, MONDAY)
    eaten = days((-1, 500), (0, 80), (2, 120), (3, 10))
    assert current_value(facts, eaten, MONDAY + timedelta(days=3), WeekStart.MONDAY) == 100
    assert current_value(facts, eaten, MONDAY, WeekStart.MONDAY) is None
    old = goal(GoalKind.DAILY_PROTEIN_G, 100, MONDAY - timedelta(days=100))
    assert current_value(old, days((-8, 900), (-7, 50), (-1, 70)), MONDAY, WeekStart.MONDAY) == 60


def test_the_value_of_a_weekly_habit_is_the_running_week_since_its_start() -> None:
    facts = goal(GoalKind.WORKOUTS_PER_WEEK, 3, MONDAY + timedelta(days=1))
    done = days((-1, 1), (0, 1), (2, 2))
    assert current_value(facts, done, MONDAY + timedelta(days=2), WeekStart.MONDAY) == 2
    older = replace(facts, start_date=MONDAY - timedelta(days=70))
    assert current_value(older, done, MONDAY + timedelta(days=2), WeekStart.MONDAY) == 3
    assert current_value(older, done, MONDAY + timedelta(days=2), WeekStart.SUNDAY) == 4
    assert current_value(older, {}, MONDAY, WeekStart.MONDAY) == 0


def test_weeks_are_judged_when_they_are_over_or_settled() -> None:
    facts = goal(GoalKind.WORKOUTS_PER_WEEK, 3, MONDAY - timedelta(days=18))  # a Thursday
    done = days((-16, 2), (-14, 3), (-6, 2), (0, 1))
    judged = [(each.first, each.value, each.is_kept) for each in periods(facts, done, MONDAY, WeekStart.MONDAY)]
    assert judged == [
        (MONDAY, D(1), None),
        (MONDAY - timedelta(days=7), D(2), False),
        (MONDAY - timedelta(days=14), D(3), True),
        (MONDAY - timedelta(days=18), D(2), None),
    ]
    assert first_day_read(facts, MONDAY, WeekStart.MONDAY) == MONDAY - timedelta(days=18)
    early = periods(facts, days((0, 4)), MONDAY, WeekStart.MONDAY)[0]
    assert early.is_kept is True


def test_days_are_judged_when_they_are_over_or_settled() -> None:
    facts = goal(GoalKind.DAILY_CALORIES, 2000, MONDAY - timedelta(days=2))
    eaten = days((-2, 2500), (0, 1500))
    judged = [(each.value, each.is_kept) for each in periods(facts, eaten, MONDAY, WeekStart.MONDAY)]
    assert judged == [(D(1500), None), (None, None), (D(2500), False)]
    assert periods(facts, days((0, 2100)), MONDAY, WeekStart.MONDAY)[0].is_kept is False


def test_no_more_periods_than_asked_for_and_none_before_the_start() -> None:
    facts = goal(GoalKind.DAILY_WATER_ML, 2000, MONDAY - timedelta(days=400))
    assert len(periods(facts, {}, MONDAY, WeekStart.MONDAY)) == 12
    assert periods(replace(facts, start_date=SUNDAY), {}, MONDAY, WeekStart.MONDAY) == []


@pytest.mark.parametrize(
    ("facts", "fields"),
    [
        (goal(GoalKind.WEIGHT_KG, 19), ["targetValue"]),
        (goal(GoalKind.WEIGHT_KG, 501), ["targetValue"]),
        (goal(GoalKind.WEIGHT_KG, 80, start=0), ["startValue"]),
        (goal(GoalKind.WEIGHT_KG, 80, start=80), ["targetValue"]),
        (goal(GoalKind.WORKOUTS_PER_WEEK, 3, start=1), ["startValue"]),
        (goal(GoalKind.WORKOUTS_PER_WEEK, 0), ["targetValue"]),
        (replace(goal(GoalKind.DAILY_CALORIES, 2000), target_value=D("1e30")), ["targetValue"]),
        (replace(goal(GoalKind.DAILY_CALORIES, 2000), target_date=MONDAY - timedelta(days=1)), ["targetDate"]),
        (goal(GoalKind.DAILY_CALORIES, 2000, date(1990, 1, 1)), ["startDate"]),
        (replace(goal(GoalKind.DAILY_CALORIES, 2000), description="x" * 501), ["description"]),
        (goal(GoalKind.DAILY_CALORIES, 2000), []),
        (goal(GoalKind.WEIGHT_KG, 80, start=90), []),
    ],
)
def test_what_a_goal_cannot_be_is_told_with_its_field(facts: GoalFacts, fields: list[str]) -> None:
    checks = Checks()
    check_goal(checks, facts, today=MONDAY)
    assert [field for field, _ in checks.violations] == fields


def test_every_kind_has_rules_and_only_what_is_measured_is_reached_once() -> None:
    assert set(RULES) == set(GoalKind)
    measured = {GoalKind.WEIGHT_KG, GoalKind.ONE_REP_MAX_KG, GoalKind.MEASUREMENT_CM, GoalKind.MUSCLE_MASS_KG}
    assert {kind for kind, rules in RULES.items() if rules.cadence is Cadence.ONCE} == measured
