"""When a circuit opens, what passes while it is half open, and when it closes."""

from __future__ import annotations

from router.settings import CircuitBreaker as Settings
from router.transport.circuit_breaker import CircuitBreaker, CircuitState

SETTINGS = Settings(enabled=True, error_percent=50, min_requests=4, window_seconds=10, open_seconds=5, probes=2)


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def ask(breaker: CircuitBreaker, *failures: bool) -> None:
    for is_failure in failures:
        ticket = breaker.admit()
        assert ticket is not None
        breaker.note(ticket, is_failure=is_failure)


def opened(clock: Clock) -> CircuitBreaker:
    breaker = CircuitBreaker(SETTINGS, clock)
    ask(breaker, True, True, True, True)
    assert breaker.state is CircuitState.OPEN
    return breaker


def test_it_opens_at_the_share_of_failures_among_enough_requests() -> None:
    breaker = CircuitBreaker(SETTINGS, Clock())
    ask(breaker, True, True, False)
    assert breaker.state is CircuitState.CLOSED
    ask(breaker, True)
    assert breaker.state is CircuitState.OPEN
    assert breaker.admit() is None


def test_failures_that_are_older_than_the_window_do_not_count() -> None:
    clock = Clock()
    breaker = CircuitBreaker(SETTINGS, clock)
    ask(breaker, True, True, True)
    clock.now += 11
    ask(breaker, True)
    assert breaker.state is CircuitState.CLOSED


def test_after_its_pause_a_few_requests_find_out_and_their_successes_close_it() -> None:
    clock = Clock()
    breaker = opened(clock)
    clock.now += 5
    first, second = breaker.admit(), breaker.admit()
    assert first is not None
    assert second is not None
    assert breaker.admit() is None
    breaker.note(first, is_failure=False)
    assert breaker.state is CircuitState.HALF_OPEN
    breaker.note(second, is_failure=False)
    assert breaker.state is CircuitState.CLOSED


def test_one_failed_probe_opens_it_for_another_pause() -> None:
    clock = Clock()
    breaker = opened(clock)
    clock.now += 5
    ask(breaker, True)
    assert breaker.state is CircuitState.OPEN
    clock.now += 4.9
    assert breaker.admit() is None


def test_a_probe_that_is_broken_off_makes_room_for_another() -> None:
    clock = Clock()
    breaker = opened(clock)
    clock.now += 5
    for _ in range(10):
        ticket = breaker.admit()
        assert ticket is not None
        breaker.note(ticket, is_failure=None)
    assert breaker.state is CircuitState.HALF_OPEN


def test_what_was_asked_before_it_opened_says_nothing_about_afterwards() -> None:
    clock = Clock()
    breaker = CircuitBreaker(SETTINGS, clock)
    late = breaker.admit()
    assert late is not None
    ask(breaker, True, True, True, True)
    clock.now += 5
    assert breaker.admit() is not None
    breaker.note(late, is_failure=True)
    assert breaker.state is CircuitState.HALF_OPEN
