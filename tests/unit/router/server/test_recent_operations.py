"""What the console shows of operations: bounded, and current however many there were before."""

from __future__ import annotations

from typing import Any

import pytest

from router.pipeline import Response
from router.server import recent_operations
from router.server.recent_operations import MOST_NAMES, OTHER, RecentOperations


class Clock:
    """In the place of the module `time`."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def time(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(recent_operations, "time", clock)
    return clock


def note(recent: RecentOperations, name: str, code: str | None = None) -> None:
    codes = () if code is None else (code,)
    recent.note(Response(200, b"", has_errors=code is not None, operation_name=name, error_codes=codes), None)


def shown(recent: RecentOperations) -> dict[str, dict[str, Any]]:
    return {each["name"]: each for each in recent.as_json()["operations"]}


def test_names_that_are_quiet_make_room_and_nothing_of_them_is_lost(clock: Clock) -> None:
    recent = RecentOperations()
    for number in range(MOST_NAMES):
        note(recent, f"Export{number}", "FORBIDDEN" if number < 2 else None)
    note(recent, "Today")
    assert shown(recent)[OTHER]["count"] == 1  # all others are busy

    clock.now += 61
    for _ in range(3):
        note(recent, "Today")
    clock.now += 4  # the present two seconds are not shown yet
    told = shown(recent)
    assert told["Today"]["count"] == 3
    assert sum(told["Today"]["rates"]) * recent_operations.BUCKET_SECONDS == 3
    assert len(told) <= MOST_NAMES + 1
    assert sum(each["count"] for each in told.values()) == MOST_NAMES + 4
    assert sum(sum(each["rates"]) for each in told.values()) * recent_operations.BUCKET_SECONDS == MOST_NAMES + 4
    assert sum(each["errorCount"] for each in told.values()) == 2
    assert sum(each["codes"].get("FORBIDDEN", 0) for each in told.values()) == 2


def test_the_one_that_was_seen_longest_ago_goes(clock: Clock) -> None:
    recent = RecentOperations()
    for number in range(MOST_NAMES):
        clock.now += 2
        note(recent, f"Operation{number}")
    clock.now += 61
    note(recent, "Operation0")
    note(recent, "New")
    assert "Operation0" in shown(recent)
    assert "Operation1" not in shown(recent)
