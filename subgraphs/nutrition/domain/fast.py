"""When a fast may have been, and how far it came. Pure."""

from datetime import datetime, timedelta

from subgraphs.shell.calendar import check_instant
from subgraphs.shell.errors import Checks

LONGEST_FAST = timedelta(days=7)
SHORTEST_TARGET_MINUTES, LONGEST_TARGET_MINUTES = 60, 72 * 60
MOST_FASTS = 5000


def check_fast(
    checks: Checks, started_at: datetime, ended_at: datetime | None, target_minutes: int | None, now: datetime
) -> None:
    """`ended_at` is None while it runs."""
    check_instant(checks, started_at, now, "startedAt")
    last = ended_at or now
    lasts_no_longer = last - started_at <= LONGEST_FAST
    checks.require(lasts_no_longer, "endedAt" if ended_at else "startedAt", "makes a fast of more than 7 days")
    if ended_at is not None:
        check_instant(checks, ended_at, now, "endedAt")
        checks.require(ended_at > started_at, "endedAt", "must be after startedAt")
    in_range = target_minutes is None or SHORTEST_TARGET_MINUTES <= target_minutes <= LONGEST_TARGET_MINUTES
    checks.require(in_range, "targetMinutes", f"must be from {SHORTEST_TARGET_MINUTES} to {LONGEST_TARGET_MINUTES}")


def minutes_of(started_at: datetime, ended_at: datetime | None, now: datetime) -> int:
    """Whole minutes until its end, or until now; never negative, for clocks of phones run ahead."""
    return max(0, int(((ended_at or now) - started_at).total_seconds() // 60))
