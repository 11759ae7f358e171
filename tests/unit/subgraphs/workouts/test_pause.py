"""What a pause takes from a workout, whatever becomes of the workout's own start and end."""

from datetime import UTC, datetime, timedelta

import pytest

from subgraphs.shell.errors import Checks, ValidationError
from subgraphs.workouts.domain.pause import (
    MOST_PAUSES,
    Pause,
    check_pauses,
    is_paused,
    minutes_without_pauses,
    pauses_within,
)

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def at(minute: int) -> datetime:
    return NOON + timedelta(minutes=minute)


PAUSES = [Pause(at(10), at(15)), Pause(at(30), at(40)), Pause(at(50))]


def test_the_end_of_the_workout_ends_the_last_pause_and_moving_it_moves_that() -> None:
    assert minutes_without_pauses(PAUSES, NOON, at(60)) == 60 - 5 - 10 - 10
    assert minutes_without_pauses(PAUSES, NOON, at(55)) == 55 - 5 - 10 - 5
    assert minutes_without_pauses(PAUSES, NOON, at(45)) == 45 - 5 - 10
    assert list(pauses_within(PAUSES, NOON, None)) == PAUSES


def test_a_workout_that_is_made_shorter_has_less_of_its_pauses() -> None:
    assert list(pauses_within(PAUSES, at(12), at(35))) == [Pause(at(12), at(15)), Pause(at(30), at(35))]
    assert minutes_without_pauses(PAUSES, at(12), at(35)) == 23 - 3 - 5
    assert minutes_without_pauses([Pause(NOON, at(60))], at(10), at(20)) == 0


def test_it_is_paused_while_the_last_goes_on() -> None:
    assert is_paused(PAUSES)
    assert not is_paused(PAUSES[:2])
    assert not is_paused([])


@pytest.mark.parametrize(
    ("pauses", "places"),
    [
        ([Pause(at(10), at(10))], ["pauses.0.endedAt"]),
        ([Pause(at(10))], ["pauses.0.endedAt"]),
        ([Pause(at(-1), at(5))], ["pauses.0.startedAt"]),
        ([Pause(at(50), at(61))], ["pauses.0.startedAt"]),
        ([Pause(at(10), at(20)), Pause(at(19), at(25))], ["pauses.1.startedAt"]),
        ([Pause(at(20), at(25)), Pause(at(10), at(15))], ["pauses.1.startedAt"]),
        ([Pause(NOON + timedelta(seconds=n), NOON + timedelta(seconds=n + 1)) for n in range(MOST_PAUSES + 1)], ["pauses"]),
    ],
)  # fmt: skip
def test_pauses_that_cannot_have_been_are_refused_with_their_place(pauses: list[Pause], places: list[str]) -> None:
    checks = Checks()
    check_pauses(checks, pauses, NOON, at(60))
    with pytest.raises(ValidationError) as refused:
        checks.done()
    assert [place for place, _ in refused.value.violations] == places
