"""A machine's clock that leaps, an hour or ten years, is not followed unless another clock agrees."""

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from router.service_clock import LEAP_SECONDS, ServiceClock

AT = datetime(2026, 11, 30, 12, tzinfo=UTC).timestamp()
HOUR, TEN_YEARS = 3_600.0, 10 * 365.25 * 86_400
LEAPS = [HOUR, -HOUR, TEN_YEARS, -TEN_YEARS]


@dataclass
class Machine:
    """Its clock goes `ahead` of the true time."""

    passed: float = 0.0
    ahead: float = 0.0

    def wall(self) -> float:
        return AT + self.passed + self.ahead

    def steady(self) -> float:
        return 1_000 + self.passed


def clock_of(machine: Machine, *, compared_with: float | None = AT) -> ServiceClock:
    clock = ServiceClock(machine.wall, machine.steady)
    if compared_with is not None:
        clock.compare(compared_with)
    return clock


@pytest.mark.parametrize("leap", LEAPS)
def test_time_goes_on_through_a_leap_and_after_it(leap: float) -> None:
    machine = Machine()
    clock = clock_of(machine)
    seen = []
    for passed, ahead in ((0, 0), (10, leap), (20, leap), (30, 0), (40, 0)):
        machine.passed, machine.ahead = passed, ahead
        seen.append(clock.seconds() - AT)
        assert clock.is_in_doubt == bool(ahead)
    assert seen == pytest.approx([0, 10, 20, 30, 40])
    assert clock().timestamp() == pytest.approx(AT + 40)


@pytest.mark.parametrize("leap", LEAPS)
def test_a_leap_is_followed_when_the_other_clock_agrees(leap: float) -> None:
    """The machine was wrong before, as after a start without a time server."""
    machine = Machine(ahead=leap)
    clock = clock_of(machine, compared_with=AT + leap)
    machine.ahead = 0.0
    assert clock.seconds() == pytest.approx(AT + leap)
    clock.compare(AT + 1)
    assert not clock.is_in_doubt
    assert clock.seconds() == pytest.approx(AT)


@pytest.mark.parametrize("leap", LEAPS)
def test_another_clock_that_leaps_is_not_followed(leap: float) -> None:
    machine = Machine()
    clock = clock_of(machine)
    clock.compare(AT + leap)
    assert clock.seconds() == pytest.approx(AT)
    machine.ahead = -leap  # both at once, and apart from each other
    clock.compare(AT + leap)
    assert clock.seconds() == pytest.approx(AT)
    assert clock.is_in_doubt


@pytest.mark.parametrize("leap", LEAPS)
def test_a_process_that_starts_while_its_machine_is_wrong_takes_the_other_clocks_time(leap: float) -> None:
    machine = Machine(ahead=leap)
    clock = clock_of(machine)
    assert clock.seconds() == pytest.approx(AT)
    assert clock.is_in_doubt
    machine.passed, machine.ahead = 60, 0
    assert clock.seconds() == pytest.approx(AT + 60)
    assert not clock.is_in_doubt


def test_a_clock_that_is_adjusted_is_followed_at_once() -> None:
    machine = Machine()
    clock = clock_of(machine)
    for step in (LEAP_SECONDS - 1, 0, 1 - LEAP_SECONDS, 0, 3.5):
        machine.ahead = step
        assert clock.seconds() == pytest.approx(AT + step)
        assert not clock.is_in_doubt


def test_who_compares_with_nobody_follows_the_machine() -> None:
    machine = Machine()
    clock = clock_of(machine, compared_with=None)
    machine.ahead = TEN_YEARS
    assert clock.seconds() == pytest.approx(AT + TEN_YEARS)
    assert clock.is_in_doubt
