"""Time zones with the moments at which their clocks change, and people who move between zones: for properties of calendar rules."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from subgraphs.shell.calendar import local_date
from subgraphs.users.domain.account import LATEST_DAY_START

#: Clocks change by an hour at two in the north, by an hour at midnight in the south, by half an hour, for the month of Ramadan,
#: between quarters of an hour, and never; the last two are the farthest east and west of those where people live.
CHANGING = (
    "Europe/Berlin",
    "America/New_York",
    "America/Santiago",
    "Australia/Lord_Howe",
    "Africa/Casablanca",
    "Pacific/Chatham",
)
ZONES = (*CHANGING, "Asia/Kolkata", "Pacific/Kiritimati", "Pacific/Pago_Pago")
YEAR = 2026
_MINUTE = timedelta(minutes=1)
_HOUR = timedelta(hours=1)
#: When Samoa went over the date line: 30 December 2011 never was.
SAMOA_SKIPS_A_DAY = datetime(2011, 12, 30, 10, tzinfo=UTC)


@cache
def changes_of(zone: str, year: int = YEAR) -> tuple[datetime, ...]:
    """The instants of a year at which the zone's clocks change, from its offsets an hour apart and then by halving."""
    info = ZoneInfo(zone)
    found = []
    at = datetime(year, 1, 1, tzinfo=UTC)
    while at.year == year:
        if at.astimezone(info).utcoffset() != (at + _HOUR).astimezone(info).utcoffset():
            found.append(_first_minute_after(info, at))
        at += _HOUR
    return tuple(found)


def _first_minute_after(info: ZoneInfo, at: datetime) -> datetime:
    before = at.astimezone(info).utcoffset()
    minutes = next(number for number in range(1, 61) if (at + number * _MINUTE).astimezone(info).utcoffset() != before)
    return at + minutes * _MINUTE


def days_of_change(zone: str, year: int = YEAR) -> list[date]:
    """On the clock of the zone, just before each change."""
    return [(at - _MINUTE).astimezone(ZoneInfo(zone)).date() for at in changes_of(zone, year)]


_MOMENTS = [(zone, at) for zone in ZONES for at in changes_of(zone) or (datetime(YEAR, 3, 29, 1, tzinfo=UTC),)]
_MOMENTS.append(("Pacific/Apia", SAMOA_SKIPS_A_DAY))

day_starts = st.integers(0, LATEST_DAY_START)
#: (zone, instant): within two days of a change of the zone's clocks, on it as often as not.
near_changes = st.builds(
    lambda moment, minutes: (moment[0], moment[1] + minutes * _MINUTE),
    st.sampled_from(_MOMENTS),
    st.integers(-120, 120) | st.integers(-2 * 1440, 2 * 1440),
)


@dataclass(frozen=True, slots=True)
class Tick:
    """An instant of a journey, and the day that it is of on the clock that the traveller has then."""

    at: datetime
    day: date
    zone: str


@dataclass(frozen=True, slots=True)
class Journey:
    """Somebody's ticks, one an hour, and one more by the new clock wherever the zone changes; and when the day begins."""

    ticks: tuple[Tick, ...]
    day_start_hour: int

    @property
    def today(self) -> date:
        return self.ticks[-1].day


def travelled(start: datetime, stays: list[tuple[str, int]], day_start_hour: int) -> Journey:
    """From an instant on, so many hours in each zone in turn; clocks are set on arrival."""
    ticks, at = [], start
    for zone, hours in stays:
        for number in range(hours + 1):
            now = at + number * _HOUR
            ticks.append(Tick(now, local_date(now, zone, day_start_hour), zone))
        at += hours * _HOUR
    return Journey(tuple(ticks), day_start_hour)


def journeys(zones: tuple[str, ...] = ZONES, most_stays: int = 5) -> st.SearchStrategy[Journey]:
    """Through these zones in any order, in the days around a change of one of them."""
    starts = st.builds(
        lambda moment, hours: moment[1] - hours * _HOUR,
        st.sampled_from([moment for moment in _MOMENTS if moment[0] in zones]),
        st.integers(0, 96),
    )
    stays = st.lists(st.tuples(st.sampled_from(zones), st.integers(1, 72)), min_size=2, max_size=most_stays)
    return st.builds(travelled, starts, stays, day_starts)
