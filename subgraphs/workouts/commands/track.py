"""The rows of a workout's recording; written with the workout, by `workout`."""

from collections.abc import Sequence

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from subgraphs.workouts.domain.series import MEASURES
from subgraphs.workouts.domain.track import Split, TrackDraft

_INSERT = text(
    "INSERT INTO workout_track (workout_id, distance_m, moving_seconds, ascent_m, descent_m, mean_heart_rate,"
    " max_heart_rate, km_splits, mile_splits) VALUES (:workout_id, :distance_m, :moving_seconds, :ascent_m, :descent_m,"
    " :mean_heart_rate, :max_heart_rate, CAST(:km_splits AS jsonb), CAST(:mile_splits AS jsonb))"
)
_INSERT_BESTS = text(
    "INSERT INTO track_best (workout_id, distance, user_id, exercise_id, seconds) SELECT :workout_id, told.distance,"
    " :user_id, CAST(:exercise_id AS text), told.seconds"
    " FROM unnest(CAST(:distances AS text[]), CAST(:seconds AS numeric[])) AS told (distance, seconds)"
)
_INSERT_SERIES = text(
    "INSERT INTO workout_series (workout_id, seconds, distance_cm, altitude_dm, heart_rate, cadence, power, rates,"
    " rate_seconds) VALUES (:workout_id, CAST(:seconds AS integer[]), CAST(:distance_cm AS integer[]),"
    " CAST(:altitude_dm AS integer[]), CAST(:heart_rate AS smallint[]), CAST(:cadence AS smallint[]),"
    " CAST(:power AS smallint[]), CAST(:rates AS smallint[]), CAST(:rate_seconds AS numeric[]))"
)
_SWAP = text(
    "UPDATE track_best SET exercise_id = :exercise_id WHERE workout_id = :workout_id AND exercise_id = :instead_of"
)


async def insert_track(
    transaction: AsyncConnection, workout_id: str, user_id: str, exercise_id: str | None, track: TrackDraft
) -> None:
    """`exercise_id` is what its fastest stretches are records of; None where the workout has no exercise."""
    row = {
        "workout_id": workout_id,
        "distance_m": track.distance_m,
        "moving_seconds": track.moving_seconds,
        "ascent_m": track.ascent_m,
        "descent_m": track.descent_m,
        "mean_heart_rate": track.mean_heart_rate,
        "max_heart_rate": track.max_heart_rate,
        "km_splits": _content(track.km_splits),
        "mile_splits": _content(track.mile_splits),
    }
    await transaction.execute(_INSERT, row)
    if track.bests:
        bests = {
            "workout_id": workout_id,
            "user_id": user_id,
            "exercise_id": exercise_id,
            "distances": [distance.value for distance, _ in track.bests],
            "seconds": [seconds for _, seconds in track.bests],
        }
        await transaction.execute(_INSERT_BESTS, bests)
    if track.series is not None or track.rate_times.rates:
        series = {
            "workout_id": workout_id,
            "seconds": list(track.series.seconds) if track.series else [],
            **{name: _column(track, name) for name in MEASURES},
            "rates": list(track.rate_times.rates),
            "rate_seconds": list(track.rate_times.seconds),
        }
        await transaction.execute(_INSERT_SERIES, series)


async def swap_exercise_of_bests(
    transaction: AsyncConnection, workout_id: str, *, instead_of: str, exercise_id: str
) -> None:
    """The fastest stretches of a workout were of another exercise."""
    told = {"workout_id": workout_id, "instead_of": instead_of, "exercise_id": exercise_id}
    await transaction.execute(_SWAP, told)


def _column(track: TrackDraft, name: str) -> list[int | None] | None:
    column = None if track.series is None else getattr(track.series, name)
    return None if column is None else list(column)


def _content(splits: Sequence[Split]) -> str:
    """A list of numbers each, as `queries.track` reads it; decimals as text, which keeps their digits."""
    rows = [
        [
            str(split.distance_m),
            str(split.seconds),
            None if split.rise_m is None else str(split.rise_m),
            split.mean_heart_rate,
        ]
        for split in splits
    ]
    return orjson.dumps(rows).decode()
