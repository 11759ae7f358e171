"""The rest after a set: how long it may last, and how it is made longer or shorter. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from subgraphs.shell.errors import Checks
from subgraphs.workouts.domain.plan import LONGEST_REST
from subgraphs.workouts.domain.workout_set import check_range


@dataclass(frozen=True, slots=True)
class Rest:
    """From one instant of the server's clock to another, 1 second to an hour; after a set of the exercise's place, if any."""

    started_at: datetime
    ends_at: datetime
    place_id: str | None


def rest_from(now: datetime, seconds: int | None, place_id: str | None) -> Rest | None:
    """The rest that begins now; None where there is none to be had, which is 0 seconds too."""
    return Rest(now, now + timedelta(seconds=seconds), place_id) if seconds else None


def check_rest_seconds(checks: Checks, seconds: int) -> None:
    check_range(checks, "seconds", seconds, 1, LONGEST_REST)


def extended(checks: Checks, rest: Rest, seconds: int, now: datetime) -> Rest:
    """The rest with its end so much later, or earlier where that is negative, but not before now."""
    is_change = 1 <= abs(seconds) <= LONGEST_REST
    if not checks.require(is_change, "seconds", f"must be from 1 to {LONGEST_REST}, or as much below 0"):
        return rest
    ends_at = max(rest.ends_at + timedelta(seconds=seconds), now)
    fits = ends_at - rest.started_at <= timedelta(seconds=LONGEST_REST)
    checks.require(fits, "seconds", "must leave the rest an hour long at most")
    return Rest(rest.started_at, ends_at, rest.place_id)
