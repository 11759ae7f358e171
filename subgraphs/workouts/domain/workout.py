"""What a workout and its sets can be, and how long a workout lasts."""

from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum


class WorkoutStatus(StrEnum):
    IN_PROGRESS = "IN_PROGRESS"
    COMPLETED = "COMPLETED"
    CANCELLED = "CANCELLED"


class SetKind(StrEnum):
    NORMAL = "NORMAL"
    WARM_UP = "WARM_UP"
    DROP = "DROP"
    FAILURE = "FAILURE"
    TIMED = "TIMED"


# Warm-ups count neither for volume nor for records.
WORKING_KINDS = frozenset(SetKind) - {SetKind.WARM_UP}
LONGEST_WORKOUT = timedelta(hours=24)


def minutes_between(started_at: datetime, ended_at: datetime | None) -> Decimal | None:
    if ended_at is None:
        return None
    return Decimal(round((ended_at - started_at).total_seconds())) / 60
