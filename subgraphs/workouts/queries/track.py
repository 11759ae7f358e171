"""Recordings as they are read: of workouts, and a person's fastest stretches of an exercise."""

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import text

from subgraphs.shell.read_pool import Reader, any_of
from subgraphs.workouts.domain.series import RateTimes, Series
from subgraphs.workouts.domain.track import PaceDistance, Split, TrackDraft


@dataclass(frozen=True, slots=True)
class TrackRecord:
    """One recording without its fastest stretches. Times are in seconds."""

    workout_id: str
    distance_m: Decimal
    moving_seconds: Decimal | None
    ascent_m: Decimal | None
    descent_m: Decimal | None
    mean_heart_rate: int | None
    max_heart_rate: int | None
    km_splits: tuple[Split, ...]
    mile_splits: tuple[Split, ...]


@dataclass(frozen=True, slots=True)
class TrackBest:
    """The fastest stretch of a distance, in seconds, and in which workout it was."""

    workout_id: str
    distance: PaceDistance
    seconds: Decimal
    local_date: date


_TRACKS = text(
    "SELECT workout_id, distance_m, moving_seconds, ascent_m, descent_m, mean_heart_rate, max_heart_rate,"  # noqa: S608
    f" CAST(km_splits AS text), CAST(mile_splits AS text) FROM workout_track WHERE workout_id = {any_of('ids')}"
)
_BESTS = text(
    "SELECT best.workout_id, best.distance, best.seconds, workout.local_date FROM track_best AS best"  # noqa: S608
    f" JOIN workout ON workout.id = best.workout_id WHERE best.workout_id = {any_of('ids')}"
)
_SERIES = text(
    "SELECT workout_id, seconds, distance_cm, altitude_dm, heart_rate, cadence, power FROM workout_series"
    " WHERE workout_id = ANY(:ids) AND seconds <> '{}'"
)
_RATE_TIMES = text(
    "SELECT workout_id, rates, rate_seconds FROM workout_series WHERE workout_id = ANY(:ids) AND rates <> '{}'"
)
#: One step into the index for each distance, however many workouts there are.
_RECORDS = text(
    """
    SELECT wanted.user_id, wanted.exercise_id, found.* FROM
        unnest(CAST(:user_ids AS text[]), CAST(:exercise_ids AS text[])) AS wanted (user_id, exercise_id)
    CROSS JOIN unnest(CAST(:distances AS text[])) AS told (distance)
    CROSS JOIN LATERAL (
        SELECT best.workout_id, best.distance, best.seconds, workout.local_date
        FROM track_best AS best JOIN workout ON workout.id = best.workout_id AND workout.status = 'COMPLETED'
        WHERE best.user_id = wanted.user_id AND best.exercise_id = wanted.exercise_id AND best.distance = told.distance
        ORDER BY best.seconds LIMIT 1
    ) AS found
    """
)
_IN_ORDER = {distance: number for number, distance in enumerate(PaceDistance)}


async def tracks_by_workout(connection: Reader, workout_ids: Sequence[str]) -> dict[str, TrackRecord]:
    return {
        row[0]: TrackRecord(*row[:-2], *map(_splits, row[-2:]))
        for row in await connection.execute(_TRACKS, {"ids": list(workout_ids)})
    }


async def bests_by_workout(connection: Reader, workout_ids: Sequence[str]) -> dict[str, list[TrackBest]]:
    """The fastest stretches of each workout, the shortest first."""
    found: defaultdict[str, list[TrackBest]] = defaultdict(list)
    for row in await connection.execute(_BESTS, {"ids": list(workout_ids)}):
        found[row[0]].append(_best(row))
    return {workout_id: _sorted(bests) for workout_id, bests in found.items()}


async def series_by_workout(connection: Reader, workout_ids: Sequence[str]) -> dict[str, Series]:
    """Of each workout whose recording has one, with all points that are kept."""
    rows = await connection.execute(_SERIES, {"ids": list(workout_ids)})
    return {
        workout_id: Series(
            seconds=seconds, distance_cm=distance, altitude_dm=altitude, heart_rate=rate, cadence=cadence, power=power
        )
        for workout_id, seconds, distance, altitude, rate, cadence, power in rows
    }


async def rate_times_by_workout(connection: Reader, workout_ids: Sequence[str]) -> dict[str, RateTimes]:
    """Of each workout in whose recording a heart beat."""
    rows = await connection.execute(_RATE_TIMES, {"ids": list(workout_ids)})
    return {workout_id: RateTimes(rates, seconds) for workout_id, rates, seconds in rows}


async def drafts_by_workout(connection: Reader, workout_ids: Sequence[str]) -> dict[str, TrackDraft]:
    """The whole recording of each workout that has one, as it could be told again."""
    tracks = await tracks_by_workout(connection, workout_ids)
    bests = await bests_by_workout(connection, workout_ids)
    series = await series_by_workout(connection, workout_ids)
    times = await rate_times_by_workout(connection, workout_ids)
    return {
        workout_id: TrackDraft(
            distance_m=track.distance_m,
            moving_seconds=track.moving_seconds,
            ascent_m=track.ascent_m,
            descent_m=track.descent_m,
            mean_heart_rate=track.mean_heart_rate,
            max_heart_rate=track.max_heart_rate,
            km_splits=track.km_splits,
            mile_splits=track.mile_splits,
            bests=[(best.distance, best.seconds) for best in bests.get(workout_id, ())],
            series=series.get(workout_id),
            rate_times=times.get(workout_id, RateTimes()),
        )
        for workout_id, track in tracks.items()
    }


async def pace_records(connection: Reader, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], list[TrackBest]]:
    """The fastest stretch of each distance ever, by (person, exercise), the shortest distance first."""
    parameters = {
        "user_ids": [user_id for user_id, _ in keys],
        "exercise_ids": [exercise_id for _, exercise_id in keys],
        "distances": [distance.value for distance in PaceDistance],
    }
    found: defaultdict[tuple[str, str], list[TrackBest]] = defaultdict(list)
    for row in await connection.execute(_RECORDS, parameters):
        found[row[0], row[1]].append(_best(row[2:]))
    return {key: _sorted(bests) for key, bests in found.items()}


def _best(row: Sequence[Any]) -> TrackBest:
    return TrackBest(row[0], PaceDistance(row[1]), row[2], row[3])


def _sorted(bests: list[TrackBest]) -> list[TrackBest]:
    return sorted(bests, key=lambda best: _IN_ORDER[best.distance])


def _splits(content: str) -> tuple[Split, ...]:
    return tuple(
        Split(
            distance_m=Decimal(metres),
            seconds=Decimal(seconds),
            rise_m=None if rise is None else Decimal(rise),
            mean_heart_rate=rate,
        )
        for metres, seconds, rise, rate in json.loads(content)
    )
