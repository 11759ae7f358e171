"""Recordings in GraphQL: what a workout's came to, how it went over time, a person's fastest stretches, and how they are told."""

from datetime import date
from typing import Annotated

import strawberry

from subgraphs.shell.context import Info
from subgraphs.shell.cost import SERIES_COST, ListSize, list_size
from subgraphs.shell.errors import Checks
from subgraphs.shell.quantities import Distance, DistanceIn, distance
from subgraphs.shell.scalars import decimal_of, decimal_of_or_none, describe_enum, rounded, rounded_or_none
from subgraphs.shell.units import DistanceUnit
from subgraphs.workouts.api.series import (
    COLUMNS,
    DEFAULT_POINTS,
    HeartRateTimes,
    HeartRateTimesInput,
    TrackSeries,
    TrackSeriesInput,
    rate_times_node,
    series_node,
)
from subgraphs.workouts.domain import track as domain
from subgraphs.workouts.domain.series import MOST_POINTS, RateTimes, thinned
from subgraphs.workouts.domain.track import PaceDistance
from subgraphs.workouts.loaders import loaders_of
from subgraphs.workouts.queries import track as queries

describe_enum(
    PaceDistance,
    "Distances that paces are compared over.",
    M400="400 metres.",
    KM1="One kilometre.",
    MILE1="One mile of 1,609.344 metres.",
    KM5="Five kilometres.",
    KM10="Ten kilometres.",
    HALF_MARATHON="21,097.5 metres.",
    MARATHON="42,195 metres.",
)


@strawberry.type(description="A kilometre or a mile of a recording, or what is left of one at its end.")
class TrackSplit:
    distance_m: float = strawberry.field(
        description="In metres; less than a whole one at the end only, or at the end of each part where two workouts were made one."
    )
    seconds: float = strawberry.field(description="How long it took, pauses included.")
    rise_m: float | None = strawberry.field(
        description="The altitude of its end less that of its start, in metres; null if none was recorded."
    )
    mean_heart_rate: int | None = strawberry.field(description="In beats a minute; null if none was recorded.")


@strawberry.type(description="The fastest stretch of a distance.")
class PaceBest:
    distance: PaceDistance = strawberry.field(description="Which distance.")
    seconds: float = strawberry.field(description="How long it took, pauses included.")
    achieved_on: date = strawberry.field(description="The person's calendar day of it.")
    workout_id: strawberry.ID = strawberry.field(description="The workout that it was done in.")


@strawberry.type(description="What the recording of a workout came to. Positions are not kept.")
class WorkoutTrack:
    record: strawberry.Private[queries.TrackRecord]
    distance_m: float = strawberry.field(description="In metres.")
    moving_seconds: float | None = strawberry.field(description="Of its time, that in motion; null if not told.")
    ascent_m: float | None = strawberry.field(
        description="All that went up, in metres, smoothed by whoever computed it; null without altitudes."
    )
    descent_m: float | None = strawberry.field(description="All that went down, in metres; null without altitudes.")
    mean_heart_rate: int | None = strawberry.field(
        description="Over the time, in beats a minute; null if none was recorded."
    )
    max_heart_rate: int | None = strawberry.field(description="In beats a minute; null if none was recorded.")

    @strawberry.field(description="`distanceM` in a unit.")
    def distance(self, unit: DistanceIn = DistanceUnit.M) -> Distance:
        return distance(self.record.distance_m, unit)

    @strawberry.field(
        description="Mean seconds for a kilometre in motion; null where the distance or that time is 0 or not told."
    )
    def seconds_per_km(self) -> float | None:
        moving, metres = self.record.moving_seconds, self.record.distance_m
        return rounded(moving * 1000 / metres, 1) if moving and metres else None

    @strawberry.field(description="Kilometre by kilometre; up to 1,000.", directives=[list_size(15)])
    def km_splits(self) -> list[TrackSplit]:
        return [_split_node(split) for split in self.record.km_splits]

    @strawberry.field(description="Mile by mile; up to 1,000.", directives=[list_size(10)])
    def mile_splits(self) -> list[TrackSplit]:
        return [_split_node(split) for split in self.record.mile_splits]

    @strawberry.field(
        description="Its fastest stretch of each distance that it is long enough for, the shortest first.",
        directives=[list_size(5)],
    )
    async def bests(self, info: Info) -> list[PaceBest]:
        return [best_node(best) for best in await loaders_of(info).bests_by_workout.load(self.record.workout_id)]

    @strawberry.field(
        description="It over time: heart, cadence, power, altitude, distance. At most 1,000 points are kept, each a mean of what the"
        " device recorded. Null where none was told.",
        directives=[
            SERIES_COST,
            ListSize(
                assumed_size=DEFAULT_POINTS,
                slicing_arguments=["points"],
                sized_fields=COLUMNS,
                require_one_slicing_argument=False,
            ),
        ],
    )
    async def series(
        self,
        info: Info,
        points: Annotated[
            int, strawberry.argument(description="At most so many points, 1 to 1,000: each a mean of its neighbours.")
        ] = DEFAULT_POINTS,
    ) -> TrackSeries | None:
        checks = Checks()
        checks.require(1 <= points <= MOST_POINTS, "points", f"must be from 1 to {MOST_POINTS}")
        checks.done()
        found = await loaders_of(info).series_by_workout.load(self.record.workout_id)
        return None if found is None else series_node(thinned(found, points))

    @strawberry.field(
        description="For how long the heart beat at each rate; `User.heartRateOfWorkout` has it by zones. Null where none was told."
    )
    async def heart_rate_times(self, info: Info) -> HeartRateTimes | None:
        found = await loaders_of(info).rate_times_by_workout.load(self.record.workout_id)
        return None if found is None else rate_times_node(found)


def track_node(record: queries.TrackRecord) -> WorkoutTrack:
    return WorkoutTrack(
        record=record,
        distance_m=rounded(record.distance_m),
        moving_seconds=rounded_or_none(record.moving_seconds, 1),
        ascent_m=rounded_or_none(record.ascent_m, 1),
        descent_m=rounded_or_none(record.descent_m, 1),
        mean_heart_rate=record.mean_heart_rate,
        max_heart_rate=record.max_heart_rate,
    )


def best_node(best: queries.TrackBest) -> PaceBest:
    return PaceBest(
        distance=best.distance,
        seconds=rounded(best.seconds, 1),
        achieved_on=best.local_date,
        workout_id=strawberry.ID(best.workout_id),
    )


def _split_node(split: domain.Split) -> TrackSplit:
    return TrackSplit(
        distance_m=rounded(split.distance_m),
        seconds=rounded(split.seconds, 1),
        rise_m=rounded_or_none(split.rise_m, 1),
        mean_heart_rate=split.mean_heart_rate,
    )


@strawberry.input(description="A kilometre or a mile of a recording, or what is left of one at its end.")
class TrackSplitInput:
    distance_m: float = strawberry.field(description="In metres, 0 to 1,000,000.")
    seconds: float = strawberry.field(description="How long it took, pauses included, 0 to 86,400.")
    rise_m: float | None = strawberry.field(
        default=None, description="The altitude of its end less that of its start, in metres. Null: not recorded."
    )
    mean_heart_rate: int | None = strawberry.field(
        default=None, description="In beats a minute, 25 to 250. Null: not recorded."
    )

    def to_split(self) -> domain.Split:
        return domain.Split(
            distance_m=decimal_of(self.distance_m, 2),
            seconds=decimal_of(self.seconds, 1),
            rise_m=decimal_of_or_none(self.rise_m, 1),
            mean_heart_rate=self.mean_heart_rate,
        )


@strawberry.input(description="The fastest stretch of a distance in a recording.")
class PaceBestInput:
    distance: PaceDistance = strawberry.field(description="Which distance, no longer than the recording.")
    seconds: float = strawberry.field(description="How long it took, pauses included.")


@strawberry.input(description="What a recording came to, computed by whoever has it. Positions are not told.")
class WorkoutTrackInput:
    distance_m: float = strawberry.field(description="In metres, 0 to 1,000,000.")
    moving_seconds: float | None = strawberry.field(
        default=None, description="Of its time, that in motion. Null: not told."
    )
    ascent_m: float | None = strawberry.field(
        default=None, description="All that went up, in metres, 0 to 20,000. Null: no altitudes."
    )
    descent_m: float | None = strawberry.field(
        default=None, description="All that went down, in metres, 0 to 20,000. Null: no altitudes."
    )
    mean_heart_rate: int | None = strawberry.field(
        default=None, description="Over the time, in beats a minute, 25 to 250. Null: not recorded."
    )
    max_heart_rate: int | None = strawberry.field(
        default=None, description="In beats a minute, 25 to 250. Null: not recorded."
    )
    km_splits: list[TrackSplitInput] = strawberry.field(
        default_factory=list, description="Kilometre by kilometre, up to 1,000."
    )
    mile_splits: list[TrackSplitInput] = strawberry.field(
        default_factory=list, description="Mile by mile, up to 1,000."
    )
    bests: list[PaceBestInput] = strawberry.field(
        default_factory=list, description="The fastest stretches, each distance once."
    )
    series: TrackSeriesInput | None = strawberry.field(default=None, description="It over time. Null: not told.")
    heart_rate_times: HeartRateTimesInput | None = strawberry.field(
        default=None,
        description="For how long the heart beat at each rate, over all points of the recording. Null: not told.",
    )

    def to_draft(self) -> domain.TrackDraft:
        return domain.TrackDraft(
            distance_m=decimal_of(self.distance_m, 2),
            moving_seconds=decimal_of_or_none(self.moving_seconds, 1),
            ascent_m=decimal_of_or_none(self.ascent_m, 1),
            descent_m=decimal_of_or_none(self.descent_m, 1),
            mean_heart_rate=self.mean_heart_rate,
            max_heart_rate=self.max_heart_rate,
            km_splits=[split.to_split() for split in self.km_splits],
            mile_splits=[split.to_split() for split in self.mile_splits],
            bests=[(best.distance, decimal_of(best.seconds, 1)) for best in self.bests],
            series=None if self.series is None else self.series.to_series(),
            rate_times=RateTimes() if self.heart_rate_times is None else self.heart_rate_times.to_times(),
        )
