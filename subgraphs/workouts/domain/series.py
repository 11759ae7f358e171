"""What a recording says over time, as columns of one length, and how long the heart beat at each rate. Pure.

A workout keeps at most `MOST_POINTS` points. Each stands for the time since the point before it: time and distance are of its
end, everything else is a mean. Positions are no part of it.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from decimal import Decimal
from itertools import groupby, pairwise
from statistics import fmean

from subgraphs.shell.errors import Checks
from subgraphs.workouts.domain.heart_rate import FASTEST, SLOWEST
from subgraphs.workouts.domain.workout_set import FARTHEST_M

MOST_POINTS = 1_000
FASTEST_CADENCE = 300
MOST_WATTS = 5_000
LOWEST_M, HIGHEST_M = -1_000, 20_000

#: One number a point, None at points that have none. None in place of it all where nothing of the kind was recorded.
Column = Sequence[int | None] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """`seconds` since the start rise from point to point. Distance counts from the start, in centimetres; altitude is in
    decimetres, the heart in beats a minute, cadence in turns a minute, power in watts.
    """

    seconds: Sequence[int]
    distance_cm: Column = None
    altitude_dm: Column = None
    heart_rate: Column = None
    cadence: Column = None
    power: Column = None


@dataclass(frozen=True, slots=True)
class RateTimes:
    """For how many seconds of the whole recording the heart beat at each of these rates, in beats a minute."""

    rates: Sequence[int] = ()
    seconds: Sequence[Decimal] = ()


MEASURES = tuple(field.name for field in fields(Series) if field.name != "seconds")
#: Of each measure: its name in the graph, what of its column is one unit there, and the least and most of that unit.
_BOUNDS = {
    "distance_cm": ("distanceM", 100, 0, FARTHEST_M),
    "altitude_dm": ("altitudeM", 10, LOWEST_M, HIGHEST_M),
    "heart_rate": ("heartRate", 1, SLOWEST, FASTEST),
    "cadence": ("cadence", 1, 0, FASTEST_CADENCE),
    "power": ("power", 1, 0, MOST_WATTS),
}


def thinned(series: Series, most: int) -> Series:
    """At most so many points: the whole time in as many equal spans, each that has points as one point."""
    if len(series.seconds) <= most:
        return series
    length = series.seconds[-1] + 1
    return grouped(series, lambda seconds: seconds * most // length)


def grouped(series: Series, span_of: Callable[[int], int]) -> Series:
    """The points of each span, which `span_of` tells by their time, as one point."""
    spans = [
        list(each) for _, each in groupby(range(len(series.seconds)), lambda place: span_of(series.seconds[place]))
    ]
    columns = {name: _merged(getattr(series, name), spans, name) for name in MEASURES}
    return Series(seconds=[series.seconds[span[-1]] for span in spans], **columns)


def _merged(column: Column, spans: Sequence[Sequence[int]], name: str) -> Column:
    if column is None:
        return None
    told = ([value for place in span if (value := column[place]) is not None] for span in spans)
    if name == "distance_cm":
        return [values[-1] if values else None for values in told]
    return [round(fmean(values)) if values else None for values in told]


def speeds(series: Series) -> list[float | None] | None:
    """Metres a second since the point before that has a distance, and from the start before the first. None where the
    recording has no distances, and at points without one or without time before them.
    """
    if series.distance_cm is None:
        return None
    found: list[float | None] = []
    before, covered = 0, 0
    for seconds, distance in zip(series.seconds, series.distance_cm, strict=True):
        if distance is None or seconds == before:
            found.append(None)
            continue
        found.append((distance - covered) / 100 / (seconds - before))
        before, covered = seconds, distance
    return found


def check_series(checks: Checks, series: Series, longest: Decimal) -> None:
    """Collects what the series of a workout of at most so many seconds cannot say."""
    seconds, count = series.seconds, len(series.seconds)
    if not checks.require(1 <= count <= MOST_POINTS, "track.series.seconds", f"must have 1 to {MOST_POINTS} entries"):
        return
    rises = all(one < other for one, other in pairwise(seconds))
    fits = rises and seconds[0] >= 0 and seconds[-1] <= longest
    checks.require(fits, "track.series.seconds", "must rise, from 0 at least to the seconds that the workout lasts")
    for name, (graph_name, unit, least, most) in _BOUNDS.items():
        column: Column = getattr(series, name)
        if column is None:
            continue
        place = f"track.series.{graph_name}"
        checks.require(len(column) == count, place, "must have as many entries as seconds")
        is_within = all(value is None or least * unit <= value <= most * unit for value in column)
        checks.require(is_within, place, f"must be from {least} to {most}")
    distances = [value for value in series.distance_cm or () if value is not None]
    is_forward = all(one <= other for one, other in pairwise(distances))
    checks.require(is_forward, "track.series.distanceM", "must not fall")


def check_rate_times(checks: Checks, times: RateTimes, longest: Decimal) -> None:
    """Collects what the heart of a workout of at most so many seconds cannot have done."""
    place = "track.heartRateTimes"
    is_within = all(SLOWEST <= rate <= FASTEST for rate in times.rates)
    is_once = len(set(times.rates)) == len(times.rates)
    words = f"must be from {SLOWEST} to {FASTEST}, each rate once"
    checks.require(is_within and is_once, f"{place}.beatsPerMinute", words)
    checks.require(
        len(times.seconds) == len(times.rates), f"{place}.seconds", "must have as many entries as beatsPerMinute"
    )
    fits = all(each >= 0 for each in times.seconds) and sum(times.seconds) <= longest
    checks.require(fits, f"{place}.seconds", "must not be negative, nor longer together than the workout")


def rate_times(told: Iterable[tuple[int, Decimal]]) -> RateTimes:
    """The (rate, seconds) added up by rate, the lowest first."""
    found: dict[int, Decimal] = {}
    for rate, seconds in told:
        found[rate] = found.get(rate, Decimal(0)) + seconds
    rates = sorted(found)
    return RateTimes(rates, [found[rate] for rate in rates])
