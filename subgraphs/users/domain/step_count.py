"""Rules of the steps of a day, as each source that counts them tells the day's total so far."""

from datetime import date, datetime

from subgraphs.shell.calendar import FIRST_YEAR, check_instant, latest_day
from subgraphs.shell.errors import Checks
from subgraphs.shell.text import check_line

#: More than anybody has run in 24 hours: 320 km in strides of 1.1 m.
MOST_STEPS = 300_000
LONGEST_SOURCE = 60
#: Of one person: two sources a day for 27 years.
MOST_STEP_COUNTS = 20_000


def check_step_count(
    checks: Checks, *, steps: int, source: str, local_date: date, counted_at: datetime, now: datetime
) -> None:
    """Collects every rule that a count breaks. Its day may be any that has begun somewhere on Earth."""
    checks.require(0 <= steps <= MOST_STEPS, "steps", f"must be from 0 to {MOST_STEPS}")
    check_line(checks, source, "source", longest=LONGEST_SOURCE)
    checks.require(local_date <= latest_day(now), "date", "must not be in the future")
    checks.require(local_date.year >= FIRST_YEAR, "date", f"must be in {FIRST_YEAR} or later")
    check_instant(checks, counted_at, now, "countedAt")
