"""A recording over time: what is kept of its points, and what they say of speed and of the zones of the heart."""

from decimal import Decimal

import pytest

from subgraphs.shell.errors import Checks, ValidationError
from subgraphs.workouts.domain.heart_rate import ZoneMethod, edwards_load, times_in_zones, zones
from subgraphs.workouts.domain.series import (
    MOST_POINTS,
    RateTimes,
    Series,
    check_rate_times,
    check_series,
    rate_times,
    speeds,
    thinned,
)

HOUR = Decimal(3600)


def test_fewer_points_are_means_of_their_neighbours_at_the_end_of_each_span() -> None:
    series = Series(
        seconds=[0, 1, 2, 3, 4, 5],
        distance_cm=[0, 300, 600, None, 1200, 1500],
        heart_rate=[100, 110, None, 130, None, None],
    )
    assert thinned(series, 3) == Series(seconds=[1, 3, 5], distance_cm=[300, 600, 1500], heart_rate=[105, 130, None])
    assert thinned(series, 6) is series


def test_a_span_in_which_nothing_was_recorded_is_no_point() -> None:
    with_a_pause = Series(seconds=[0, 1, 2, 3000, 3001], power=[200, 210, 220, 100, 110])
    assert thinned(with_a_pause, 4) == Series(seconds=[2, 3001], power=[210, 105])


@pytest.mark.parametrize("points", [1, 2, 7, 999, MOST_POINTS])
def test_never_more_points_than_are_asked_for_and_the_last_stays_the_last(points: int) -> None:
    day = Series(seconds=range(86_400), distance_cm=range(86_400))
    found = thinned(day, points)
    assert len(found.seconds) == points
    assert (found.seconds[-1], found.distance_cm and found.distance_cm[-1]) == (86_399, 86_399)


def test_speed_is_what_was_covered_since_the_point_before_that_has_a_distance() -> None:
    series = Series(seconds=[0, 10, 20, 40], distance_cm=[0, 3000, None, 12000])
    assert speeds(series) == [None, 3.0, None, 3.0]
    assert speeds(Series(seconds=[10, 20], distance_cm=[2500, 2500])) == [2.5, 0.0]
    assert speeds(Series(seconds=[10])) is None


@pytest.mark.parametrize(
    ("series", "field"),
    [
        (Series(seconds=[]), "seconds"),
        (Series(seconds=range(MOST_POINTS + 1)), "seconds"),
        (Series(seconds=[1, 1]), "seconds"),
        (Series(seconds=[-1, 1]), "seconds"),
        (Series(seconds=[3601]), "seconds"),
        (Series(seconds=[1, 2], distance_cm=[2, 1]), "distanceM"),
        (Series(seconds=[1, 2], distance_cm=[1]), "distanceM"),
        (Series(seconds=[1], distance_cm=[100_000_001]), "distanceM"),
        (Series(seconds=[1], altitude_dm=[-10_001]), "altitudeM"),
        (Series(seconds=[1], heart_rate=[24]), "heartRate"),
        (Series(seconds=[1], cadence=[301]), "cadence"),
        (Series(seconds=[1], power=[-1]), "power"),
    ],
)
def test_what_no_recording_says_is_refused(series: Series, field: str) -> None:
    checks = Checks()
    check_series(checks, series, HOUR)
    with pytest.raises(ValidationError) as refused:
        checks.done()
    assert [problem[0] for problem in refused.value.violations] == [f"track.series.{field}"]


@pytest.mark.parametrize(
    ("times", "field"),
    [
        (RateTimes([24], [Decimal(1)]), "beatsPerMinute"),
        (RateTimes([100, 100], [Decimal(1)] * 2), "beatsPerMinute"),
        (RateTimes([100], []), "seconds"),
        (RateTimes([100], [Decimal(-1)]), "seconds"),
        (RateTimes([100, 101], [Decimal(1801)] * 2), "seconds"),
    ],
)
def test_what_no_heart_does_is_refused(times: RateTimes, field: str) -> None:
    checks = Checks()
    check_rate_times(checks, times, HOUR)
    with pytest.raises(ValidationError) as refused:
        checks.done()
    assert [problem[0] for problem in refused.value.violations] == [f"track.heartRateTimes.{field}"]


def test_a_session_of_intervals_has_the_load_of_its_parts_and_not_of_its_mean() -> None:
    """Ten times a minute at 185 and one at 115 have a mean of 150: 20 minutes in zone 3 are a load of 60, and these are 70."""
    times = rate_times([(185, Decimal(60)), (115, Decimal(60))] * 10)
    assert times == RateTimes([115, 185], [Decimal(600)] * 2)
    told = [(Decimal(rate), seconds) for rate, seconds in zip(times.rates, times.seconds, strict=True)]
    below, *within = times_in_zones(told, zones(ZoneMethod.MAX, Decimal(190), None))
    assert (below, within) == (0, [0, 600, 0, 0, 600])
    assert edwards_load([seconds / 60 for seconds in within]) == 10 * 2 + 10 * 5


def test_bounds_of_zones_belong_to_the_higher_one_and_what_is_above_all_to_the_highest() -> None:
    of_the_reserve = zones(ZoneMethod.RESERVE, Decimal(190), Decimal(50))  # 120, 134, 148, 162, 176
    told = [(Decimal(rate), Decimal(1)) for rate in (119, 120, 133, 134, 176, 200)]
    assert times_in_zones(told, of_the_reserve) == [1, 2, 1, 0, 0, 2]
