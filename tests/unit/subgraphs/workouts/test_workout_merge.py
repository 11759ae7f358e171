"""Two workouts made one: what they are of one another, what is added up, and what counts once."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from subgraphs.workouts.domain.pause import Pause
from subgraphs.workouts.domain.series import RateTimes, Series
from subgraphs.workouts.domain.track import PaceDistance, Split, TrackDraft
from subgraphs.workouts.domain.track_merge import Recorded, completed, joined
from subgraphs.workouts.domain.workout_merge import Merged, Relation, Told, joined_set, merged, relation
from subgraphs.workouts.domain.workout_set import SetDraft, SetSide

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
Minutes = tuple[float, float]


def told(span: Minutes, **known: object) -> Told:
    """From one minute after noon to another."""
    nothing = dict.fromkeys(
        ("active_minutes", "motion_minutes", "reported_kcal", "calories_kcal", "session_rpe", "notes", "gear_id")
    )
    first, last = (NOON + timedelta(minutes=each) for each in span)
    return Told(**{**nothing, "started_at": first, "ended_at": last, "pauses": (), **known})  # type: ignore[arg-type]


def at(minute: float) -> datetime:
    return NOON + timedelta(minutes=minute)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ((0, 60), (2, 61), Relation.SAME),
        ((0, 60), (40, 60), Relation.SAME),  # within it
        ((0, 60), (50, 70), Relation.SAME),  # half of the shorter one
        ((0, 60), (51, 71), None),
        ((0, 60), (60, 90), Relation.PARTS),
        ((0, 60), (59.97, 90), Relation.PARTS),  # two seconds of one clock
        ((0, 60), (180, 200), Relation.PARTS),
        ((0, 60), (180.1, 200), None),
        ((0, 60), (0, 0), Relation.SAME),  # has no length, and is within
    ],
)
def test_what_two_workouts_are_of_one_another(one: Minutes, other: Minutes, expected: Relation | None) -> None:
    assert relation(told(one), told(other)) is expected
    assert relation(told(other), told(one)) is expected


def test_of_one_activity_recorded_twice_nothing_is_added_up() -> None:
    watch = told((0, 60), reported_kcal=Decimal(500), active_minutes=Decimal(55), notes="Windy.")
    phone = told((1, 65), reported_kcal=Decimal(480), session_rpe=Decimal(7), notes="Legs tired.", gear_id="shoes")
    assert merged(watch, phone, Relation.SAME) == Merged(
        started_at=at(0),
        ended_at=at(65),
        pauses=(),
        active_minutes=Decimal(55),
        reported_kcal=Decimal(500),
        session_rpe=Decimal(7),
        notes="Windy.\nLegs tired.",
        gear_id="shoes",
    )


def test_parts_are_added_up_and_what_is_between_them_is_a_pause() -> None:
    morning = told(
        (0, 60),
        pauses=[Pause(at(10), at(15)), Pause(at(58))],
        motion_minutes=Decimal(53),
        calories_kcal=Decimal(400),
        session_rpe=Decimal(6),
    )
    rest = told((70, 100), active_minutes=Decimal(25), motion_minutes=Decimal(25), reported_kcal=Decimal(210))
    whole = merged(rest, replace(morning, notes="x" * 500), Relation.PARTS)
    assert whole == Merged(
        started_at=at(0),
        ended_at=at(100),
        pauses=[Pause(at(10), at(15)), Pause(at(58), at(60)), Pause(at(60), at(70))],
        active_minutes=Decimal(78),
        reported_kcal=Decimal(610),  # what was reported, and the estimate of the part that was not
        session_rpe=Decimal(6),
        notes="x" * 500,
        gear_id=None,
    )
    hard = replace(rest, session_rpe=Decimal(9))
    assert merged(morning, hard, Relation.PARTS).session_rpe == Decimal(7)  # (6 x 60 + 9 x 30) / 90
    quiet = merged(told((0, 60)), told((60, 90)), Relation.PARTS)
    assert (quiet.pauses, quiet.active_minutes, quiet.reported_kcal, quiet.notes) == ([], None, None, None)


def test_two_stretches_are_one_unless_something_was_counted_or_lifted() -> None:
    first, second = SetDraft(duration_seconds=1800, distance_m=Decimal(15_000)), SetDraft(duration_seconds=600)
    assert joined_set(first, second) == SetDraft(duration_seconds=2400, distance_m=Decimal(15_000))
    assert joined_set(first, SetDraft(reps=5)) is None
    left = SetDraft(duration_seconds=30, side=SetSide.LEFT)
    assert joined_set(left, SetDraft(duration_seconds=30, side=SetSide.RIGHT)) is None
    assert joined_set(left, left) == SetDraft(duration_seconds=60, side=SetSide.LEFT)
    assert joined_set(SetDraft(weight_kg=Decimal(20), duration_seconds=60), second) is None


SPLIT = Split(distance_m=Decimal(1000), seconds=Decimal(300))
GPS = TrackDraft(
    distance_m=Decimal(2000),
    moving_seconds=Decimal(600),
    km_splits=[SPLIT] * 2,
    bests=[(PaceDistance.KM1, Decimal(290))],
    series=Series(seconds=[0, 300, 600], distance_cm=[0, 100_000, 200_000]),
)
STRAP = TrackDraft(
    distance_m=Decimal(1990),
    ascent_m=Decimal(20),
    mean_heart_rate=150,
    max_heart_rate=170,
    bests=[(PaceDistance.KM1, Decimal(280)), (PaceDistance.M400, Decimal(100))],
    series=Series(seconds=[0, 200, 500], distance_cm=[0, 66_000, 199_000], heart_rate=[100, 150, 170]),
    rate_times=RateTimes([150, 170], [Decimal(200), Decimal(300)]),
)


def test_of_one_activity_the_distance_is_of_one_recording_and_the_heart_of_whichever_has_one() -> None:
    """The strap began fifty seconds after the receiver."""
    both = completed(Recorded(GPS, 0, Decimal(10)), Recorded(STRAP, 50, Decimal(9)))
    assert (both.distance_m, both.moving_seconds, both.bests) == (GPS.distance_m, GPS.moving_seconds, GPS.bests)
    assert (both.ascent_m, both.mean_heart_rate, both.max_heart_rate) == (Decimal(20), 150, 170)
    assert both.rate_times == STRAP.rate_times
    assert both.series == Series(seconds=[0, 300, 600], distance_cm=[0, 100_000, 200_000], heart_rate=[100, 170, None])
    other_way = completed(Recorded(STRAP, 50, Decimal(9)), Recorded(GPS, 0, Decimal(10)))
    assert (other_way.distance_m, other_way.km_splits, other_way.bests) == (STRAP.distance_m, (), STRAP.bests)
    assert other_way.series is not None
    assert other_way.series.seconds == [50, 250, 550]


def test_recordings_of_parts_are_added_up() -> None:
    whole = joined(Recorded(GPS, 0, Decimal(10)), Recorded(STRAP, 900, Decimal(9)))
    assert (whole.distance_m, whole.moving_seconds, whole.ascent_m) == (Decimal(3990), None, Decimal(20))
    assert (whole.mean_heart_rate, whole.max_heart_rate) == (150, 170)
    assert whole.bests == [(PaceDistance.M400, Decimal(100)), (PaceDistance.KM1, Decimal(280))]
    assert whole.km_splits == [SPLIT] * 2
    assert whole.series == Series(
        seconds=[0, 300, 600, 900, 1100, 1400],
        distance_cm=[0, 100_000, 200_000, 200_000, 266_000, 399_000],
        heart_rate=[None, None, None, 100, 150, 170],
    )
    twice = joined(Recorded(STRAP, 0, Decimal(9)), Recorded(STRAP, 540, Decimal(9)))
    assert twice.rate_times == RateTimes([150, 170], [Decimal(400), Decimal(600)])
    assert twice.mean_heart_rate == 150
