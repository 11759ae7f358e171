"""Numbers, moments and units as exports write them, in the units of ours: kilograms, metres, seconds, kilocalories.

What cannot be read raises SkippedError with the column and what stands in it.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from deploy.personal_data.sources.reading import Person, SkippedError
from subgraphs.shell.calendar import FIRST_YEAR, LAST_YEAR

#: International pound and mile of 1959; the thermochemical calorie.
KG = {"kg": Decimal(1), "kgs": Decimal(1), "lb": Decimal("0.45359237"), "lbs": Decimal("0.45359237"), "g": Decimal("0.001"),
      "st": Decimal("6.35029318")}  # fmt: skip
METRES = {"m": Decimal(1), "meters": Decimal(1), "km": Decimal(1000), "mi": Decimal("1609.344"),
          "miles": Decimal("1609.344"), "yd": Decimal("0.9144"), "ft": Decimal("0.3048")}  # fmt: skip
KCAL = {"kcal": Decimal(1), "Cal": Decimal(1), "cal": Decimal("0.001"), "kJ": 1 / Decimal("4.184")}
SECONDS = {"s": Decimal(1), "sec": Decimal(1), "min": Decimal(60), "hr": Decimal(3600)}

_GROUPED = re.compile(r"-?\d{1,3}(,\d{3})+(\.\d+)?")
_NUMBER = re.compile(r"-?\d{1,12}(\.\d{1,12})?|-?\.\d{1,12}")
_LASTED = re.compile(r"(?:(\d{1,4})\s*d)?\s*(?:(\d{1,4})\s*h)?\s*(?:(\d{1,4})\s*m(?:in)?)?\s*(?:(\d{1,6})\s*s)?")
#: Strong's and Strava's, Hevy's of two versions, and ISO 8601 with and without its T.
_MOMENTS = (
    "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M", "%d %b %Y, %H:%M", "%b %d, %Y, %I:%M:%S %p", "%b %d, %Y, %I:%M %p",
)  # fmt: skip


def number(text: str | None, column: str) -> Decimal | None:
    """None for an empty cell. A comma alone is a decimal one, unless it stands where thousands do."""
    told = (text or "").strip().replace("\u00a0", "")
    if not told:
        return None
    plain = told.replace(",", "") if _GROUPED.fullmatch(told) else told.replace(",", ".")
    if not _NUMBER.fullmatch(plain):
        raise SkippedError(f"{column}: {_shown(told)} is no number")
    return Decimal(plain)


def count(text: str | None, column: str) -> int | None:
    """A whole number, as `8` or `8.0`; None for an empty cell and for 0, which these columns have where nothing was counted."""
    found = number(text, column)
    if found is None or found == 0:
        return None
    if found != found.to_integral_value():
        raise SkippedError(f"{column}: {_shown(text)} is no whole number")
    return int(found)


def amount(text: str | None, column: str, factor: Decimal = Decimal(1)) -> float | None:
    """Times `factor`, rounded to two places; None for an empty cell and for 0, which means that nothing was told."""
    found = number(text, column)
    return None if not found else round(float(found * factor), 2)


def rating(text: str | None, column: str) -> float | None:
    """Of exertion, 1 to 10; None for an empty cell and for what is outside, such as an app's 0 for none."""
    found = number(text, column)
    return float(found) if found is not None and 1 <= found <= 10 else None


def moment(text: str | None, column: str, person: Person) -> datetime:
    """In UTC, of a clock that says no zone: the person's. An hour that clocks skip is an hour later, of one that they show
    twice it is the first.
    """
    told = " ".join((text or "").replace("\u202f", " ").split())
    for pattern in _MOMENTS:
        try:
            clock = datetime.strptime(told, pattern)  # noqa: DTZ007 - the zone is put in below
        except ValueError:
            continue
        return in_utc(clock.replace(tzinfo=person.zone), column)
    raise SkippedError(f"{column}: {_shown(told)} is no moment")


def exact_moment(text: str | None, column: str) -> datetime:
    """In UTC, of a text with its offset: ISO 8601, or as Apple writes `2026-01-31 07:30:00 +0100`."""
    told = re.sub(r" ([+-]\d{2}):?(\d{2})$", r"\1:\2", (text or "").strip())
    try:
        found = datetime.fromisoformat(told)
    except ValueError:
        raise SkippedError(f"{column}: {_shown(told)} is no moment") from None
    if found.tzinfo is None:
        raise SkippedError(f"{column}: {_shown(told)} says no offset from UTC")
    return in_utc(found, column)


def in_utc(at: datetime, column: str) -> datetime:
    _check_year(at, column)
    return at.astimezone(UTC)


def day(text: str | None, column: str) -> date:
    """As ISO 8601 writes it."""
    try:
        found = date.fromisoformat((text or "").strip())
    except ValueError:
        raise SkippedError(f"{column}: {_shown(text)} is no day") from None
    _check_year(found, column)
    return found


def _check_year(on: date, column: str) -> None:
    if not FIRST_YEAR <= on.year <= LAST_YEAR:
        raise SkippedError(f"{column}: the year {on.year} is in no calendar of ours")


def at_clock(on: date, clock: time, person: Person) -> datetime:
    """In UTC: that clock on the person's day, or where the day begins later, the clock after its beginning."""
    earliest = time(person.day_start_hour)
    return datetime.combine(on, max(clock, earliest), person.zone).astimezone(UTC)


def duration(text: str | None, column: str) -> timedelta:
    """Of `1h 5m`, `45m`, `1h`, `30s` or a number of seconds; none for an empty cell."""
    told = (text or "").strip()
    if re.fullmatch(r"\d{1,7}(\.0+)?", told):
        return timedelta(seconds=float(told))
    found = _LASTED.fullmatch(told)
    if found is None:
        raise SkippedError(f"{column}: {_shown(told)} is no duration")
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


def written(at: datetime) -> str:
    """As the graph reads a moment."""
    return at.isoformat().replace("+00:00", "Z")


def _shown(text: str | None) -> str:
    told = text or ""
    return repr(told if len(told) <= 40 else f"{told[:40]}…")
