"""John's run around the lake as his watch recorded it: two rounds with a hill in each, the second one faster."""

from __future__ import annotations

from decimal import Decimal
from math import cos, pi
from statistics import fmean

from subgraphs.workouts.domain.series import MOST_POINTS, Series, rate_times, thinned
from subgraphs.workouts.domain.track import METRES, PaceDistance, Split, TrackDraft

RUN_SECONDS, RUN_M = 2_400, 6_450
_FIRST_ROUND_SECONDS = 1_250
_ROUND_M = RUN_M / 2
_FOOT_M, _HILL_M = 34.0, 24.0
#: The heart follows the effort within a minute.
_LAG_SECONDS = 60.0


def recorded_run() -> TrackDraft:
    """A point each second, as the import of a file has them, and what they come to."""
    hearts = _hearts()
    seconds = range(RUN_SECONDS + 1)
    metres = [_metres(at) for at in seconds]
    whole = Series(
        seconds=seconds,
        distance_cm=[round(100 * each) for each in metres],
        altitude_dm=[round(10 * _altitude(each)) for each in metres],
        heart_rate=hearts,
        cadence=[82 + 3 * (at > _FIRST_ROUND_SECONDS) for at in seconds],
    )
    return TrackDraft(
        distance_m=Decimal(RUN_M),
        moving_seconds=Decimal(RUN_SECONDS),
        ascent_m=Decimal(str(2 * _HILL_M)),
        descent_m=Decimal(str(2 * _HILL_M)),
        mean_heart_rate=round(fmean(hearts)),
        max_heart_rate=max(hearts),
        km_splits=_splits(PaceDistance.KM1, hearts),
        mile_splits=_splits(PaceDistance.MILE1, hearts),
        # Each at the end of the faster round.
        bests=[
            (distance, _decimal(RUN_SECONDS - _seconds(RUN_M - float(length))))
            for distance, length in METRES.items()
            if length <= RUN_M
        ],
        series=thinned(whole, MOST_POINTS),
        rate_times=rate_times((rate, Decimal(1)) for rate in hearts[:-1]),
    )


def _metres(at: float) -> float:
    if at <= _FIRST_ROUND_SECONDS:
        return _ROUND_M * at / _FIRST_ROUND_SECONDS
    return _ROUND_M + _ROUND_M * (at - _FIRST_ROUND_SECONDS) / (RUN_SECONDS - _FIRST_ROUND_SECONDS)


def _seconds(metres: float) -> float:
    """When so much had been covered."""
    if metres <= _ROUND_M:
        return _FIRST_ROUND_SECONDS * metres / _ROUND_M
    return _FIRST_ROUND_SECONDS + (RUN_SECONDS - _FIRST_ROUND_SECONDS) * (metres - _ROUND_M) / _ROUND_M


def _altitude(metres: float) -> float:
    return _FOOT_M + _HILL_M / 2 * (1 - cos(2 * pi * metres / _ROUND_M))


def _hearts() -> list[int]:
    """Of each second: higher uphill, and in the second round."""
    found, heart = [], 92.0
    for at in range(RUN_SECONDS + 1):
        is_uphill = _metres(at) % _ROUND_M < _ROUND_M / 2
        effort = 141 + 13 * (at > _FIRST_ROUND_SECONDS) + (8 if is_uphill else -5)
        heart += (effort - heart) / _LAG_SECONDS
        found.append(round(heart))
    return found


def _splits(unit: PaceDistance, hearts: list[int]) -> list[Split]:
    length = float(METRES[unit])
    ends = [length * number for number in range(1, int(RUN_M / length) + 1)]
    found, start = [], 0.0
    for end in (*ends, float(RUN_M)):
        begun, ended = _seconds(start), _seconds(end)
        found.append(
            Split(
                distance_m=_decimal(end - start),
                seconds=_decimal(ended - begun),
                rise_m=_decimal(_altitude(end) - _altitude(start)),
                mean_heart_rate=round(fmean(hearts[int(begun) : int(ended) + 1])),
            )
        )
        start = end
    return found


def _decimal(number: float) -> Decimal:
    return Decimal(str(round(number, 1)))
