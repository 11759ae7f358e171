"""The pauses of a workout: time in which the session stood still, which counts neither as motion nor for energy. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import pairwise

from subgraphs.shell.errors import Checks

#: Of one workout.
MOST_PAUSES = 50


@dataclass(frozen=True, slots=True)
class Pause:
    """From one instant to another. `ended_at` None goes on: until it is resumed, or the workout is over."""

    started_at: datetime
    ended_at: datetime | None = None


def is_paused(pauses: Sequence[Pause]) -> bool:
    """Whether the last of them goes on."""
    return bool(pauses) and pauses[-1].ended_at is None


def pauses_within(pauses: Sequence[Pause], started_at: datetime, ended_at: datetime | None) -> Iterator[Pause]:
    """What of the pauses is within the workout as it is now: a workout that is made shorter has less of them, and one that is
    over ends the last.
    """
    for pause in pauses:
        first = max(pause.started_at, started_at)
        last = pause.ended_at
        if ended_at is not None:
            last = ended_at if last is None else min(last, ended_at)
        if last is None or first < last:
            yield Pause(first, last)


def minutes_without_pauses(pauses: Sequence[Pause], started_at: datetime, ended_at: datetime) -> Decimal:
    """How long a workout that is over went on."""
    seconds = (ended_at - started_at).total_seconds() - sum(
        (pause.ended_at - pause.started_at).total_seconds()
        for pause in pauses_within(pauses, started_at, ended_at)
        if pause.ended_at is not None
    )
    return Decimal(round(max(seconds, 0))) / 60


def check_pauses(checks: Checks, pauses: Sequence[Pause], started_at: datetime, ended_at: datetime | None) -> None:
    """Collects what the pauses of a workout that is logged in one call cannot be."""
    checks.require(len(pauses) <= MOST_PAUSES, "pauses", f"must have at most {MOST_PAUSES} entries")
    for number, pause in enumerate(pauses):
        is_span = pause.ended_at is not None and pause.started_at < pause.ended_at
        checks.require(is_span, f"pauses.{number}.endedAt", "must be after its start")
        is_within = started_at <= pause.started_at and (
            ended_at is None or pause.ended_at is None or pause.ended_at <= ended_at
        )
        checks.require(is_within, f"pauses.{number}.startedAt", "must be within the workout, and end within it")
    for number, (before, after) in enumerate(pairwise(pauses), start=1):
        is_later = before.ended_at is not None and before.ended_at <= after.started_at
        checks.require(is_later, f"pauses.{number}.startedAt", "must not be before the end of the pause before it")
