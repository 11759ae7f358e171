"""Two recordings made one: of the same activity, or of its parts one after the other. Pure."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from subgraphs.workouts.domain.series import MEASURES, MOST_POINTS, Column, RateTimes, Series, rate_times, thinned
from subgraphs.workouts.domain.track import PaceDistance, TrackDraft


@dataclass(frozen=True, slots=True)
class Recorded:
    """A workout's recording and when it began, in seconds since the merged workout did; `minutes` is how long the workout lasts."""

    track: TrackDraft
    began: int
    minutes: Decimal


def completed(kept: Recorded, other: Recorded) -> TrackDraft:
    """The one that stays; a measure that it does not have at all is the other's, at the same moments."""
    mine, theirs = kept.track, other.track
    has_heart = mine.mean_heart_rate is not None or bool(mine.rate_times.rates)
    heart = mine if has_heart else theirs
    climb = theirs if mine.ascent_m is None and mine.descent_m is None else mine
    return replace(
        mine,
        ascent_m=climb.ascent_m,
        descent_m=climb.descent_m,
        mean_heart_rate=heart.mean_heart_rate,
        max_heart_rate=heart.max_heart_rate,
        rate_times=heart.rate_times,
        series=_completed(_shifted(kept), _shifted(other)),
    )


def joined(first: Recorded, second: Recorded) -> TrackDraft:
    """Both, one after the other. Splits stay those of each; a fastest stretch is within one of the two."""
    one, other = first.track, second.track
    return TrackDraft(
        distance_m=one.distance_m + other.distance_m,
        moving_seconds=_sum_of_both(one.moving_seconds, other.moving_seconds),
        ascent_m=_sum(one.ascent_m, other.ascent_m),
        descent_m=_sum(one.descent_m, other.descent_m),
        mean_heart_rate=_mean_rate(first, second),
        max_heart_rate=max((rate for rate in (one.max_heart_rate, other.max_heart_rate) if rate), default=None),
        km_splits=[*one.km_splits, *other.km_splits],
        mile_splits=[*one.mile_splits, *other.mile_splits],
        bests=_bests(one, other),
        series=_joined(_shifted(first), _shifted(second), round(one.distance_m * 100)),
        rate_times=_added(one.rate_times, other.rate_times),
    )


def shifted(recorded: Recorded) -> TrackDraft:
    """The recording by the clock of the merged workout, for one that is the only one."""
    return replace(recorded.track, series=_shifted(recorded))


def _shifted(recorded: Recorded) -> Series | None:
    series = recorded.track.series
    if series is None or not recorded.began:
        return series
    return replace(series, seconds=[each + recorded.began for each in series.seconds])


def _completed(mine: Series | None, theirs: Series | None) -> Series | None:
    if mine is None or theirs is None:
        return mine or theirs
    columns: dict[str, Column] = {}
    for name in MEASURES:
        own: Column = getattr(mine, name)
        columns[name] = _at(mine.seconds, theirs.seconds, getattr(theirs, name)) if own is None else own
    return Series(seconds=mine.seconds, **columns)


def _at(moments: Sequence[int], seconds: Sequence[int], column: Column) -> Column:
    """A column of one series at the points of another: each point stands for the time up to it."""
    if column is None:
        return None
    places = (bisect_left(seconds, moment) for moment in moments)
    return [column[place] if place < len(column) else None for place in places]


def _joined(first: Series | None, second: Series | None, first_cm: int) -> Series | None:
    if first is None or second is None:
        alone = second if first is None else first
        if alone is None or first is not None:
            return alone
        return replace(alone, distance_cm=_further(alone.distance_cm, first_cm))
    # Where the two overlap by a moment, the first one is heard.
    start = bisect_left(second.seconds, first.seconds[-1] + 1)
    covered = max([first_cm, *(each for each in first.distance_cm or () if each is not None)])
    columns = {}
    for name in MEASURES:
        one, other = getattr(first, name), getattr(second, name)
        if name == "distance_cm":
            other = _further(other, covered)
        if one is None and other is None:
            continue
        before = [None] * len(first.seconds) if one is None else list(one)
        after = [None] * len(second.seconds) if other is None else list(other)
        columns[name] = before + after[start:]
    seconds = [*first.seconds, *second.seconds[start:]]
    return thinned(Series(seconds=seconds, **columns), MOST_POINTS)


def _further(column: Column, centimetres: int) -> Column:
    return None if column is None else [None if each is None else each + centimetres for each in column]


def _sum(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    told = [each for each in (one, other) if each is not None]
    return sum(told, Decimal(0)) if told else None


def _sum_of_both(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    return None if one is None or other is None else one + other


def _mean_rate(first: Recorded, second: Recorded) -> int | None:
    """By the time in which each heart was recorded, else by how long each workout lasts."""
    told = [each for each in (first, second) if each.track.mean_heart_rate is not None]
    seconds = [sum(each.track.rate_times.seconds, Decimal(0)) for each in told]
    weights = seconds if all(seconds) else [max(each.minutes, Decimal(1)) for each in told]
    if not told:
        return None
    total = sum((each.track.mean_heart_rate or 0) * weight for each, weight in zip(told, weights, strict=True))
    return round(total / sum(weights))


def _bests(one: TrackDraft, other: TrackDraft) -> list[tuple[PaceDistance, Decimal]]:
    found: dict[PaceDistance, Decimal] = {}
    for distance, seconds in (*one.bests, *other.bests):
        found[distance] = min(seconds, found.get(distance, seconds))
    return [(distance, found[distance]) for distance in PaceDistance if distance in found]


def _added(one: RateTimes, other: RateTimes) -> RateTimes:
    pairs = [*zip(one.rates, one.seconds, strict=True), *zip(other.rates, other.seconds, strict=True)]
    return rate_times(pairs)
