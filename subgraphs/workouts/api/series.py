"""A recording over time in GraphQL, in columns: what is drawn as lines is read as lists of numbers, and told so."""

from collections.abc import Sequence

import strawberry

from subgraphs.shell.scalars import decimal_of, rounded
from subgraphs.workouts.domain import series as domain

DEFAULT_POINTS = 200
_MISSING = "null at points without one, and in place of the list where none was recorded"


@strawberry.type(
    description="A recording over time: lists of one length, with an entry for each point. A point stands for the time since the"
    " one before it. Positions are not kept."
)
class TrackSeries:
    seconds: list[int] = strawberry.field(description="When each point is, since the start; they rise.")
    distance_m: list[float | None] | None = strawberry.field(
        description=f"How far it was from the start until then, in metres; {_MISSING}."
    )
    speed: list[float | None] | None = strawberry.field(
        description="Metres a second since the point before, pauses included; null at points without a distance or without"
        " time before them, and in place of the list where no distance was recorded."
    )
    altitude_m: list[float | None] | None = strawberry.field(description=f"The mean in metres; {_MISSING}.")
    heart_rate: list[int | None] | None = strawberry.field(description=f"The mean in beats a minute; {_MISSING}.")
    cadence: list[int | None] | None = strawberry.field(
        description=f"The mean of the crank's turns a minute or, on foot, of one foot's steps; {_MISSING}."
    )
    power: list[int | None] | None = strawberry.field(description=f"The mean in watts; {_MISSING}.")


#: Lists of which `points` says how long they are.
COLUMNS = ["seconds", "distanceM", "speed", "altitudeM", "heartRate", "cadence", "power"]


@strawberry.type(
    description="For how long the heart beat at each rate, over all points that the device recorded; lists of one length."
)
class HeartRateTimes:
    beats_per_minute: list[int] = strawberry.field(description="The rates, the lowest first.")
    seconds: list[float] = strawberry.field(description="For how long it beat so.")


def series_node(series: domain.Series) -> TrackSeries:
    speeds = domain.speeds(series)
    return TrackSeries(
        seconds=list(series.seconds),
        distance_m=_parts(series.distance_cm, 100),
        speed=None if speeds is None else [None if each is None else round(each, 2) for each in speeds],
        altitude_m=_parts(series.altitude_dm, 10),
        heart_rate=_whole(series.heart_rate),
        cadence=_whole(series.cadence),
        power=_whole(series.power),
    )


def rate_times_node(times: domain.RateTimes) -> HeartRateTimes:
    return HeartRateTimes(
        beats_per_minute=list(times.rates), seconds=[rounded(seconds, 1) for seconds in times.seconds]
    )


def _parts(column: domain.Column, unit: int) -> list[float | None] | None:
    return None if column is None else [None if each is None else each / unit for each in column]


def _whole(column: domain.Column) -> list[int | None] | None:
    return None if column is None else list(column)


@strawberry.input(
    description="A recording over time, of at most 1,000 points: lists of one length, with an entry for each point, which stands for"
    " the time since the one before it. Positions are not told."
)
class TrackSeriesInput:
    seconds: list[int] = strawberry.field(
        description="When each point is, since the start: rising, and no later than the workout ends."
    )
    distance_m: list[float | None] | None = strawberry.field(
        default=None, description="How far it was from the start until then, in metres; never falling. Null: none."
    )
    altitude_m: list[float | None] | None = strawberry.field(
        default=None, description="The mean in metres, -1,000 to 20,000. Null: none."
    )
    heart_rate: list[int | None] | None = strawberry.field(
        default=None, description="The mean in beats a minute, 25 to 250. Null: none."
    )
    cadence: list[int | None] | None = strawberry.field(
        default=None, description="The mean of the crank's turns a minute or of one foot's steps, 0 to 300. Null: none."
    )
    power: list[int | None] | None = strawberry.field(
        default=None, description="The mean in watts, 0 to 5,000. Null: none."
    )

    def to_series(self) -> domain.Series:
        return domain.Series(
            seconds=self.seconds,
            distance_cm=_units(self.distance_m, 100),
            altitude_dm=_units(self.altitude_m, 10),
            heart_rate=self.heart_rate,
            cadence=self.cadence,
            power=self.power,
        )


def _units(told: Sequence[float | None] | None, unit: int) -> domain.Column:
    return None if told is None else [None if each is None else round(each * unit) for each in told]


@strawberry.input(description="For how long the heart beat at each rate; lists of one length.")
class HeartRateTimesInput:
    beats_per_minute: list[int] = strawberry.field(description="The rates, 25 to 250, each once.")
    seconds: list[float] = strawberry.field(description="For how long it beat so; together no longer than the workout.")

    def to_times(self) -> domain.RateTimes:
        seconds = [decimal_of(each, 1) for each in self.seconds]
        if len(seconds) != len(self.beats_per_minute):
            return domain.RateTimes(self.beats_per_minute, seconds)  # which is refused
        in_order = sorted(zip(self.beats_per_minute, seconds, strict=True))
        return domain.RateTimes([rate for rate, _ in in_order], [each for _, each in in_order])
