"""The person's calendar day, and numbers at the edge of the API."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from subgraphs.scalars import decimal_of, is_time_zone, local_date, rounded


@pytest.mark.parametrize(
    ("at", "zone", "day_start", "day"),
    [
        ((2026, 3, 1, 23, 30), "UTC", 0, (2026, 3, 1)),
        ((2026, 3, 1, 23, 30), "Europe/Berlin", 0, (2026, 3, 2)),
        ((2026, 3, 1, 23, 30), "Europe/Berlin", 4, (2026, 3, 1)),
        ((2026, 3, 2, 3, 0), "Europe/Berlin", 4, (2026, 3, 2)),
        ((2026, 3, 1, 9, 30), "Pacific/Honolulu", 0, (2026, 2, 28)),
        ((2026, 3, 1, 11, 30), "Pacific/Kiritimati", 0, (2026, 3, 2)),
        # the night in which two o'clock becomes three, and the one in which three becomes two
        ((2026, 3, 29, 0, 59), "Europe/Berlin", 2, (2026, 3, 28)),
        ((2026, 3, 29, 1, 0), "Europe/Berlin", 2, (2026, 3, 29)),
        ((2026, 10, 25, 0, 30), "Europe/Berlin", 3, (2026, 10, 24)),
        ((2026, 10, 25, 1, 59), "Europe/Berlin", 3, (2026, 10, 24)),
        ((2026, 10, 25, 2, 0), "Europe/Berlin", 3, (2026, 10, 25)),
    ],
)
def test_an_instant_belongs_to_the_day_of_the_persons_wall_clock(
    at: tuple[int, int, int, int, int], zone: str, day_start: int, day: tuple[int, int, int]
) -> None:
    assert local_date(datetime(*at, tzinfo=UTC), zone, day_start) == date(*day)


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("Europe/Berlin", True),
        ("UTC", True),
        ("Mars/Olympus", False),
        ("", False),
        ("../etc/passwd", False),
        ("Europe", False),
    ],
)
def test_time_zones_are_those_with_rules(name: str, known: bool) -> None:
    assert is_time_zone(name) is known


def test_numbers_are_what_was_written_and_rounded_half_even() -> None:
    assert decimal_of(0.1) == Decimal("0.1")
    assert [rounded(Decimal(text)) for text in ("0.125", "0.135", "1673.999")] == [0.12, 0.14, 1674.0]
