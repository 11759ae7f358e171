"""Rules of the heart rates that a person keeps: at rest and at most, each from a day on. In beats a minute."""

from datetime import date, datetime

from subgraphs.shell.calendar import latest_day
from subgraphs.shell.errors import Checks
from subgraphs.shell.physiology import HeartRateKind
from subgraphs.users.domain.body import check_notes

#: Of one person: one of each kind a week for nearly ten years. Formulas of other subgraphs are told all of them.
MOST_HEART_RATES = 1_000

#: The lowest and the highest of each kind that somebody who trains may have.
RANGES = {HeartRateKind.RESTING: (25, 150), HeartRateKind.MAXIMUM: (60, 250)}


def check_heart_rate(
    checks: Checks, *, kind: HeartRateKind, beats_per_minute: int, since: date, notes: str | None, now: datetime
) -> None:
    """Collects every rule that a heart rate breaks.

    The person's own day is no bound: a rate of today must stay, and be correctable, after a flight to the west or a later
    start of the day has turned that into tomorrow.
    """
    lowest, highest = RANGES[kind]
    in_range = lowest <= beats_per_minute <= highest
    checks.require(in_range, "beatsPerMinute", f"must be from {lowest} to {highest}")
    checks.require(since <= latest_day(now), "since", "must not be in the future")
    check_notes(checks, notes)
