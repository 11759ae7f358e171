"""What the product is expected to answer about John, on whichever day it is asked."""

from __future__ import annotations

from datetime import date, timedelta

from benchmarks.fittracker.johns import expected_dashboard, johns


def needed_kcal(today: date) -> float:
    """Of John as he is asked about on this day; his data end with the day before."""
    last_day = today - timedelta(days=1)
    (john,) = johns(1, last_day)
    needed: float = expected_dashboard(john, last_day)["me"]["suggestedTarget"]["energyKcal"]
    return needed


def test_john_is_a_year_older_from_his_birthday_on() -> None:
    birthday = johns(1, date(2027, 5, 14))[0].date_of_birth.replace(year=2027)
    eve, day, after = (needed_kcal(birthday + timedelta(days=days)) for days in (-1, 0, 1))
    assert eve > day == after
