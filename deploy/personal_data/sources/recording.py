"""A recording of a workout, point by point, and what it comes to: distance, time in motion, climb, splits, fastest stretches.

Distance is the device's where it counted it, else the sum of great circles between positions. In motion is what is
faster than 0.5 m/s. Climb is summed over altitudes that are means of 30 seconds, and only where it comes to 3 m before
it turns: barometers and receivers of satellites drift by about that much at rest. Fastest stretches include pauses.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise
from math import asin, cos, inf, radians, sin, sqrt
from statistics import fmean
from typing import Any, TypeVar

from deploy.personal_data.sources.reading import SkippedError
from subgraphs.workouts.domain.series import MOST_POINTS as MOST_SERIES_POINTS
from subgraphs.workouts.domain.series import RateTimes, Series, rate_times, thinned
from subgraphs.workouts.domain.track import METRES
from subgraphs.workouts.domain.workout_set import LONGEST_SECONDS

#: The mean radius of the International Union of Geodesy and Geophysics.
EARTH_M = 6_371_008.8
SLOWEST_MOTION = 0.5
#: In metres a second; what is faster is an error of the receiver.
FASTEST_MOTION = 70.0
SMOOTHED_SECONDS = 30.0
LEAST_CLIMB_M = 3.0
#: A heart rate holds until the next, and no longer than this: a strap that is lost, or a pause, is time without one.
LONGEST_HOLD_SECONDS = 30.0
MOST_POINTS = 500_000
#: In metres, by the graph's names. Those that a recording is long enough for are looked for.
PACE_DISTANCES = {distance.value: float(metres) for distance, metres in METRES.items()}
KM, MILE = PACE_DISTANCES["KM1"], PACE_DISTANCES["MILE1"]

_Told = TypeVar("_Told", int, float)


@dataclass(frozen=True, slots=True)
class Point:
    """A moment in seconds since 1970, and what was recorded then. `metres` counts from the start.

    After a break, in which the recording stood, nothing was covered until this point.
    """

    at: float
    position: tuple[float, float] | None = None
    metres: float | None = None
    altitude: float | None = None
    heart_rate: int | None = None
    cadence: int | None = None
    power: int | None = None
    after_break: bool = False


@dataclass
class Recording:
    """What one file tells. `sport` and `name` are its own words."""

    sport: str = ""
    name: str = ""
    kcal: float | None = None
    points: list[Point] = field(default_factory=list)

    def add(self, point: Point) -> None:
        """Leaves out a point that is no later than the one before it. Raises SkippedError beyond the bound."""
        if len(self.points) >= MOST_POINTS:
            raise SkippedError(f"has more than {MOST_POINTS:,} points")
        if not self.points or point.at > self.points[-1].at:
            self.points.append(point)

    @property
    def started_at(self) -> datetime:
        return datetime.fromtimestamp(round(self.points[0].at), UTC)

    @property
    def ended_at(self) -> datetime:
        return datetime.fromtimestamp(round(self.points[-1].at), UTC)


@dataclass(frozen=True, slots=True)
class Line:
    """The recording as lines between points: `metres` by `seconds`, both from 0, and what else was recorded."""

    seconds: list[float]
    metres: list[float]
    altitudes: list[tuple[float, float]]
    heart_rates: list[tuple[float, int]]
    cadences: list[tuple[float, int]] = field(default_factory=list)
    powers: list[tuple[float, int]] = field(default_factory=list)

    def seconds_at(self, metres: float) -> float:
        """When so much, which is above 0, had been covered for the first time."""
        return self.seconds_before(bisect_left(self.metres, metres), metres)

    def seconds_before(self, end: int, metres: float) -> float:
        """When so much had been covered between the point `end` and the one before it, at an even pace."""
        covered = self.metres[end] - self.metres[end - 1]
        share = (metres - self.metres[end - 1]) / covered
        return self.seconds[end - 1] + share * (self.seconds[end] - self.seconds[end - 1])


def line_of(points: Sequence[Point]) -> Line:
    """Raises SkippedError for fewer than two points, and for more than a day: in a thousand years there are as many kilometres as a
    file of a few lines likes.
    """
    if len(points) < 2:
        raise SkippedError("has fewer than two points with a time")
    if points[-1].at - points[0].at > LONGEST_SECONDS:
        raise SkippedError("lasts longer than a day")
    covered_to = _counted if sum(point.metres is not None for point in points) >= 2 else _measured
    start, last = points[0].at, points[0]
    seconds, metres = [0.0], [0.0]
    for point in points[1:]:
        covered = covered_to(last, point)
        if covered is not None and covered > FASTEST_MOTION * (point.at - start - seconds[-1]):
            continue
        seconds.append(point.at - start)
        metres.append(metres[-1] + (covered or 0.0))
        last = last if covered is None else point
    return Line(
        seconds,
        metres,
        _over_time(points, lambda point: point.altitude),
        _over_time(points, lambda point: point.heart_rate),
        _over_time(points, lambda point: point.cadence),
        _over_time(points, lambda point: point.power),
    )


def _over_time(points: Sequence[Point], told: Callable[[Point], _Told | None]) -> list[tuple[float, _Told]]:
    """What the points tell, each with its seconds from the first point; those that tell nothing are left out."""
    return [(point.at - points[0].at, value) for point in points if (value := told(point)) is not None]


def _counted(last: Point, point: Point) -> float | None:
    """What the device counted between the two, where it counted; None at a point that says nothing of it."""
    if point.metres is None:
        return None
    return 0.0 if last.metres is None else max(0.0, point.metres - last.metres)


def _measured(last: Point, point: Point) -> float | None:
    """Between the positions of the two, and nothing over a break; None at a point without one."""
    if point.position is None:
        return None
    return 0.0 if last.position is None or point.after_break else great_circle(last.position, point.position)


def great_circle(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Metres between two positions in degrees of latitude and longitude, by the haversine formula."""
    latitude, longitude, to_latitude, to_longitude = map(radians, (*one, *other))
    chord = sin((to_latitude - latitude) / 2) ** 2
    chord += cos(latitude) * cos(to_latitude) * sin((to_longitude - longitude) / 2) ** 2
    return 2 * EARTH_M * asin(min(1.0, sqrt(chord)))


def track_of(line: Line) -> dict[str, Any]:
    """What it comes to, in the shape that the export gives to a workout's track."""
    smooth = smoothed(line.altitudes)
    ascent, descent = climb(smooth)
    rates = [rate for _, rate in line.heart_rates]
    times = rate_times(held_rates(line))
    return {
        "distanceM": round(line.metres[-1], 2),
        "movingSeconds": round(moving_seconds(line), 1),
        "ascentM": ascent,
        "descentM": descent,
        "meanHeartRate": _mean_rate(line.heart_rates, 0.0, line.seconds[-1]),
        "maxHeartRate": max(rates) if rates else None,
        "kmSplits": splits(line, smooth, KM),
        "mileSplits": splits(line, smooth, MILE),
        "bests": [
            {"distance": name, "seconds": round(seconds, 1)}
            for name, metres in PACE_DISTANCES.items()
            if (seconds := fastest(line, metres)) is not None
        ],
        "series": told_series(series_of(line)),
        "heartRateTimes": told_times(times),
    }


def series_of(line: Line) -> Series:
    """The recording over time, by the second where it fits, else thinned to what a workout keeps."""
    distances = {int(at): round(metres * 100) for at, metres in zip(line.seconds, line.metres, strict=True)}
    columns: dict[str, dict[int, list[float]]] = {}
    for name, told, unit in (
        ("altitude_dm", line.altitudes, 10),
        ("heart_rate", line.heart_rates, 1),
        ("cadence", line.cadences, 1),
        ("power", line.powers, 1),
    ):
        for at, value in told:
            columns.setdefault(name, {}).setdefault(int(at), []).append(value * unit)
    seconds = sorted(set(distances).union(*columns.values()))
    whole: dict[str, list[int | None]] = {
        name: [round(fmean(by_second[second])) if second in by_second else None for second in seconds]
        for name, by_second in columns.items()
    }
    if line.metres[-1] > 0:
        whole["distance_cm"] = [distances.get(second) for second in seconds]
    return thinned(Series(seconds=seconds, **whole), MOST_SERIES_POINTS)


def held_rates(line: Line) -> Iterator[tuple[int, Decimal]]:
    """Each heart rate with the seconds for which it held."""
    for (at, rate), (end, _) in pairwise([*line.heart_rates, (line.seconds[-1], 0)]):
        if end > at:
            yield rate, Decimal(str(round(min(end - at, LONGEST_HOLD_SECONDS), 3)))


def told_series(series: Series) -> dict[str, Any]:
    """As the graph takes it."""
    return {
        "seconds": list(series.seconds),
        "distanceM": _in_units(series.distance_cm, 100),
        "altitudeM": _in_units(series.altitude_dm, 10),
        "heartRate": series.heart_rate,
        "cadence": series.cadence,
        "power": series.power,
    }


def told_times(times: RateTimes) -> dict[str, Any] | None:
    """As the graph takes it; None where no heart beat."""
    if not times.rates:
        return None
    return {"beatsPerMinute": list(times.rates), "seconds": [round(float(each), 1) for each in times.seconds]}


def _in_units(column: Sequence[int | None] | None, unit: int) -> list[float | None] | None:
    return None if column is None else [None if each is None else each / unit for each in column]


def moving_seconds(line: Line) -> float:
    steps = zip(pairwise(line.seconds), pairwise(line.metres), strict=True)
    return sum(
        end - start for (start, end), (before, after) in steps if after - before >= SLOWEST_MOTION * (end - start)
    )


def smoothed(altitudes: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Each altitude as the mean of those half of `SMOOTHED_SECONDS` around it."""
    found, first, last, total = [], 0, 0, 0.0
    for at, _ in altitudes:
        while last < len(altitudes) and altitudes[last][0] <= at + SMOOTHED_SECONDS / 2:
            total += altitudes[last][1]
            last += 1
        while altitudes[first][0] < at - SMOOTHED_SECONDS / 2:
            total -= altitudes[first][1]
            first += 1
        found.append((at, total / (last - first)))
    return found


def climb(altitudes: Sequence[tuple[float, float]]) -> tuple[float | None, float | None]:
    """(up, down) in metres. A rise or fall counts from where it turned, once it comes to `LEAST_CLIMB_M`."""
    if not altitudes:
        return None, None
    up = down = 0.0
    turned = altitudes[0][1]
    for _, altitude in altitudes[1:]:
        if altitude - turned >= LEAST_CLIMB_M:
            up += altitude - turned
            turned = altitude
        elif turned - altitude >= LEAST_CLIMB_M:
            down += turned - altitude
            turned = altitude
    return round(up, 1), round(down, 1)


def splits(line: Line, smooth: Sequence[tuple[float, float]], unit: float) -> list[dict[str, Any]]:
    """Unit by unit, and what is left of one at the end."""
    total = line.metres[-1]
    ends = [unit * number for number in range(1, int(total / unit) + 1)]
    if total - (ends[-1] if ends else 0.0) >= 1.0:
        ends.append(total)
    found, start, begun = [], 0.0, 0.0
    for end in ends:
        ended = line.seconds_at(end) if end < total else line.seconds[-1]
        found.append(
            {
                "distanceM": round(end - start, 2),
                "seconds": round(ended - begun, 1),
                "riseM": _rise(smooth, begun, ended),
                "meanHeartRate": _mean_rate(line.heart_rates, begun, ended),
            }
        )
        start, begun = end, ended
    return found


def fastest(line: Line, metres: float) -> float | None:
    """The least seconds in which so much was covered; None where less was covered altogether.

    Between points the pace is even, so the fastest stretch begins or ends at a point.
    """
    if line.metres[-1] < metres:
        return None
    best, end = inf, 0
    for start, covered in enumerate(line.metres):
        while end < len(line.metres) and line.metres[end] < covered + metres:
            end += 1
        if end == len(line.metres):
            break
        best = min(best, line.seconds_before(end, covered + metres) - line.seconds[start])
    beyond = 1
    for end, covered in enumerate(line.metres):
        if covered < metres:
            continue
        while line.metres[beyond] <= covered - metres:
            beyond += 1
        best = min(best, line.seconds[end] - line.seconds_before(beyond, covered - metres))
    return best


def _rise(smooth: Sequence[tuple[float, float]], begun: float, ended: float) -> float | None:
    if not smooth:
        return None
    return round(_altitude(smooth, ended) - _altitude(smooth, begun), 1)


def _altitude(smooth: Sequence[tuple[float, float]], at: float) -> float:
    """Of the nearest moment at which there was one, not before."""
    found = bisect_left(smooth, (at, -inf))
    return smooth[min(found, len(smooth) - 1)][1]


def _mean_rate(rates: Sequence[tuple[float, int]], begun: float, ended: float) -> int | None:
    """Each rate counts until the next one; None where none was recorded in that time."""
    first, beyond = bisect_left(rates, (begun, 0)), bisect_left(rates, (ended, 1000))
    within = rates[first:beyond]
    if not within:
        return None
    lasted = [later - at for (at, _), (later, _) in pairwise([*within, (ended, 0)])]
    total = sum(lasted)
    if total <= 0:
        return within[-1][1]
    return round(sum(rate * seconds for (_, rate), seconds in zip(within, lasted, strict=True)) / total)
