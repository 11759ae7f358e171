"""What a recording of a workout comes to: distance, time in motion, climb, splits, fastest stretches and a series over time. Pure.

The numbers are computed by whoever has the recording, from its positions, which are not told: nobody learns where somebody
lives. `check_track` holds them to what can be.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from subgraphs.shell.errors import Checks
from subgraphs.workouts.domain.series import RateTimes, Series, check_rate_times, check_series
from subgraphs.workouts.domain.workout_set import FARTHEST_M, LONGEST_SECONDS, check_range

HIGHEST_CLIMB_M = 20_000
LEAST_HEART_RATE, MOST_HEART_RATE = 25, 250
MOST_SPLITS = 1_000
#: Whoever computed the numbers may have rounded them.
TOLERANCE_SECONDS = 2


class PaceDistance(StrEnum):
    """Distances that paces are compared over."""

    M400 = "M400"
    KM1 = "KM1"
    MILE1 = "MILE1"
    KM5 = "KM5"
    KM10 = "KM10"
    HALF_MARATHON = "HALF_MARATHON"
    MARATHON = "MARATHON"


METRES = {
    PaceDistance.M400: Decimal(400),
    PaceDistance.KM1: Decimal(1000),
    PaceDistance.MILE1: Decimal("1609.344"),
    PaceDistance.KM5: Decimal(5000),
    PaceDistance.KM10: Decimal(10000),
    PaceDistance.HALF_MARATHON: Decimal("21097.5"),
    PaceDistance.MARATHON: Decimal(42195),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """A kilometre or a mile, or at the end what is left of one. `rise_m` is its end's altitude less its start's."""

    distance_m: Decimal
    seconds: Decimal
    rise_m: Decimal | None = None
    mean_heart_rate: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackDraft:
    """A recording's numbers. `bests` are the fastest stretches in seconds, pauses included."""

    distance_m: Decimal
    moving_seconds: Decimal | None = None
    ascent_m: Decimal | None = None
    descent_m: Decimal | None = None
    mean_heart_rate: int | None = None
    max_heart_rate: int | None = None
    km_splits: Sequence[Split] = ()
    mile_splits: Sequence[Split] = ()
    bests: Sequence[tuple[PaceDistance, Decimal]] = ()
    series: Series | None = None
    rate_times: RateTimes = field(default_factory=RateTimes)


def check_track(checks: Checks, track: TrackDraft, lasts_seconds: Decimal) -> None:
    """Collects what the recording of a workout of so many seconds cannot say."""
    longest = lasts_seconds + TOLERANCE_SECONDS
    check_range(checks, "track.distanceM", track.distance_m, 0, FARTHEST_M)
    fits = track.moving_seconds is None or 0 <= track.moving_seconds <= longest
    checks.require(fits, "track.movingSeconds", "must be from 0 to the seconds that the workout lasts")
    for name, climb in (("ascentM", track.ascent_m), ("descentM", track.descent_m)):
        check_range(checks, f"track.{name}", climb, 0, HIGHEST_CLIMB_M)
    for name, rate in (("meanHeartRate", track.mean_heart_rate), ("maxHeartRate", track.max_heart_rate)):
        check_range(checks, f"track.{name}", rate, LEAST_HEART_RATE, MOST_HEART_RATE)
    for name, splits in (("kmSplits", track.km_splits), ("mileSplits", track.mile_splits)):
        _check_splits(checks, f"track.{name}", splits, longest)
    _check_bests(checks, track, longest)
    if track.series is not None:
        check_series(checks, track.series, longest)
    check_rate_times(checks, track.rate_times, longest)


def _check_splits(checks: Checks, place: str, splits: Sequence[Split], longest: Decimal) -> None:
    if not checks.require(len(splits) <= MOST_SPLITS, place, f"must have at most {MOST_SPLITS} entries"):
        return
    total = sum((split.seconds for split in splits), Decimal(0))
    checks.require(total <= longest + len(splits), place, "must not last longer together than the workout")
    for number, split in enumerate(splits):
        check_range(checks, f"{place}.{number}.distanceM", split.distance_m, 0, FARTHEST_M)
        check_range(checks, f"{place}.{number}.seconds", split.seconds, 0, LONGEST_SECONDS)
        check_range(checks, f"{place}.{number}.riseM", split.rise_m, -HIGHEST_CLIMB_M, HIGHEST_CLIMB_M)
        rate = split.mean_heart_rate
        check_range(checks, f"{place}.{number}.meanHeartRate", rate, LEAST_HEART_RATE, MOST_HEART_RATE)


def _check_bests(checks: Checks, track: TrackDraft, longest: Decimal) -> None:
    distances = [distance for distance, _ in track.bests]
    checks.require(len(set(distances)) == len(distances), "track.bests", "must have each distance once")
    for number, (distance, seconds) in enumerate(track.bests):
        place = f"track.bests.{number}"
        is_within = METRES[distance] <= track.distance_m
        checks.require(is_within, f"{place}.distance", "must not be longer than the track")
        checks.require(0 < seconds <= longest, f"{place}.seconds", "must be above 0 and no longer than the workout")
