"""A range of a person's calendar days, as a condition that an index over instants can serve."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from subgraphs.shell.errors import ValidationError

# A calendar day begins at most 14 hours before it does in UTC, and ends at most 12 hours and the latest day start after.
_EARLIER, _LATER = timedelta(days=1), timedelta(days=3)
# Days decide; instants let the index begin at the range instead of reading everything newer than it.
WITHIN_DAYS = (
    "(CAST(:first_day AS date) IS NULL OR local_date >= :first_day)"
    " AND (CAST(:last_day AS date) IS NULL OR local_date <= :last_day)"
    " AND at >= :not_before AND at <= :not_after"
)
_BEGINNING, _END = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class DayRange:
    """Local dates, both included; None is open."""

    first_day: date | None = None
    last_day: date | None = None

    @property
    def keys(self) -> Mapping[str, Any]:
        """The parameters of WITHIN_DAYS."""
        return {
            "first_day": self.first_day,
            "last_day": self.last_day,
            "not_before": _BEGINNING if self.first_day is None else _midnight(self.first_day) - _EARLIER,
            "not_after": _END if self.last_day is None else _midnight(self.last_day) + _LATER,
        }


def read_day_range(first_day: date | None, last_day: date | None) -> DayRange:
    """Raises ValidationError for a range that ends before it begins."""
    if first_day is not None and last_day is not None and last_day < first_day:
        raise ValidationError(("to", f"must not be before `from`, {first_day}"))
    return DayRange(first_day, last_day)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
