"""Protected days keep a streak and add nothing to it; how many there may be is bounded."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subgraphs.analytics.domain.streak import Habit, Run, Streak, settle_runs, streak
from subgraphs.analytics.domain.streak_protection import (
    MOST_DAYS_A_YEAR,
    ProtectedSpan,
    ProtectionReason,
    check_spans,
    rested_streak,
    resting_units,
    rests,
    runs_beside,
)
from subgraphs.shell.errors import Checks

MONDAY = date(2026, 3, 2)


def day(offset: int) -> date:
    return MONDAY + timedelta(days=offset)


def span(first: int, last: int) -> ProtectedSpan:
    return ProtectedSpan(day(first), day(last), ProtectionReason.HOLIDAY)


def streak_with(kept: set[int], spans: list[ProtectedSpan], today: int) -> Streak:
    runs = settle_runs(Habit.MEALS, [], {day(each): True for each in kept})
    newest = max(runs, default=None)
    longest = max((run.length(Habit.MEALS) for run in runs), default=0)
    plain = streak(Habit.MEALS, newest, longest, day(today))
    resting = resting_units(Habit.MEALS, spans)
    near = [run for run in runs if run is newest or any(_touch(run, rest) for rest in rests(Habit.MEALS, resting))]
    return rested_streak(Habit.MEALS, plain, near, resting, day(today))


def _touch(run: Run, rest: Run) -> bool:
    step = timedelta(days=1)
    return run.last >= rest.first - step and run.first <= rest.last + step


@pytest.mark.parametrize(
    ("kept", "spans", "today", "expected"),
    [
        ({0, 1, 2}, [span(3, 9)], 10, (3, 3)),  # today is open, all between is protected
        ({0, 1, 2}, [span(3, 9)], 11, (0, 3)),
        ({0, 1, 2, 10, 11}, [span(3, 9)], 11, (5, 5)),
        ({0, 1, 2, 10, 11}, [span(3, 8)], 11, (2, 3)),  # one day too few
        ({0, 1, 5, 9}, [span(2, 4), span(6, 8)], 9, (4, 4)),
        ({0, 1, 2, 5}, [span(1, 4)], 5, (4, 4)),  # a protected day with a meal counts as any
        ({0}, [span(-3, -1), span(1, 20)], 5, (1, 1)),
        (set(), [span(0, 5)], 5, (0, 0)),
    ],
)
def test_a_streak_goes_on_over_protected_days_and_does_not_grow_by_them(
    kept: set[int], spans: list[ProtectedSpan], today: int, expected: tuple[int, int]
) -> None:
    found = streak_with(kept, spans, today)
    assert (found.current, found.longest) == expected
    assert found.last == (day(max(kept)) if kept else None)


@given(st.sets(st.integers(0, 40)), st.sets(st.integers(-3, 45), max_size=25), st.integers(0, 3))
def test_any_days_give_what_walking_them_gives(kept: set[int], protected: set[int], since: int) -> None:
    today = max(kept, default=0) + since
    length = longest = 0
    for offset in range(today + 1):
        if offset in kept:
            length += 1
        elif offset not in protected and offset < today:
            length = 0
        longest = max(longest, length)
    found = streak_with(kept, [span(each, each) for each in sorted(protected)], today)
    assert (found.current, found.longest) == (length, longest)


def test_a_week_rests_when_four_of_its_days_are_protected() -> None:
    monday = Habit.WORKOUTS_MONDAY
    assert resting_units(monday, [span(3, 6)]) == {MONDAY}
    assert resting_units(monday, [span(4, 6)]) == set()
    assert resting_units(monday, [span(0, 1), span(5, 9)]) == {MONDAY}
    assert resting_units(monday, [span(0, 13)]) == {MONDAY, day(7)}
    assert rests(monday, {day(7), MONDAY, day(28)}) == [Run(MONDAY, day(7)), Run(day(28), day(28))]
    plain = Streak(1, 2, day(14))
    runs = [Run(day(-14), day(-7)), Run(day(14), day(14))]
    assert rested_streak(monday, plain, runs, frozenset({MONDAY, day(7)}), day(16)) == Streak(3, 3, day(14))


def problems(*spans: ProtectedSpan) -> list[tuple[str, str]]:
    checks = Checks()
    check_spans(checks, spans, MONDAY)
    return checks.violations


def test_what_may_be_protected_is_bounded() -> None:
    assert problems(span(0, 41), span(365, 365)) == []
    assert problems(span(0, 41), span(-1, -1)) == [
        ("spans", "must protect at most 42 of any 365 days in a row"),
    ]
    # the year runs from any day: 43 days within it are one too many
    assert [name for name, _ in problems(span(0, 20), span(343, 364))] == ["spans"]
    assert problems(span(0, 20), span(344, 364)) == []
    assert problems(span(0, 20), span(345, 365)) == []
    assert problems(span(3, 2)) == [("spans.0.last", "must not be before `first`")]
    assert [name for name, _ in problems(span(0, MOST_DAYS_A_YEAR))] == ["spans.0.last"]
    assert problems(span(0, 3), span(3, 5)) == [("spans", "must not share a day")]
    assert [name for name, _ in problems(span(0, 0), span(366, 366))] == ["spans.1.last"]
    assert [name for name, _ in problems(*(span(-20 * n, -20 * n) for n in range(51)))] == ["spans"]


@given(
    st.sampled_from([Habit.MEALS, Habit.WORKOUTS_MONDAY, Habit.WORKOUTS_SUNDAY]),
    st.sets(st.integers(0, 25)),
    st.lists(st.tuples(st.integers(0, 150), st.integers(0, 20)), max_size=4),
)
def test_runs_near_the_spans_are_all_that_their_rests_may_join(
    habit: Habit, kept: set[int], spans: list[tuple[int, int]]
) -> None:
    """As the query reads them: those that end in a span or up to 13 days before it, and the next one."""
    first_unit = habit.unit_of(MONDAY)
    runs = settle_runs(habit, [], {first_unit + each * habit.step: True for each in kept})
    protected = [span(first, first + length) for first, length in spans]
    near = set()
    for each in protected:
        near.update(run for run in runs if each.first - timedelta(days=13) <= run.last <= each.last)
        near.update(sorted(run for run in runs if run.last > each.last)[:1])
    stretches = rests(habit, resting_units(habit, protected))
    assert runs_beside(habit, stretches, near) == runs_beside(habit, stretches, runs)
