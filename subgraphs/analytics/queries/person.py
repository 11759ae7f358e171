"""What is replicated of people: their clock and their week."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from subgraphs.shell.auth import Viewer
from subgraphs.shell.calendar import WeekStart, local_date
from subgraphs.shell.read_pool import Reader, any_of
from subgraphs.shell.recent_clocks import is_ahead_of

#: The consumer group that makes summaries, trends and clocks of everybody's events, `projections.summary`.
GROUP = "analytics-service"


@dataclass(frozen=True, slots=True)
class ClockRecord:
    """When a person's calendar day begins, and on which day the week does."""

    time_zone: str
    day_start_hour: int
    week_start: WeekStart = WeekStart.MONDAY

    @classmethod
    def of(cls, time_zone: str, day_start_hour: int, week_start: str) -> "ClockRecord":
        return cls(time_zone, day_start_hour, WeekStart(week_start))

    def today(self, now: datetime) -> date:
        return local_date(now, self.time_zone, self.day_start_hour)


UNKNOWN_CLOCK = ClockRecord("UTC", 0)

_CLOCKS = text(
    f"SELECT user_id, time_zone, day_start_hour, week_start FROM person WHERE user_id = {any_of('user_ids')}"  # noqa: S608
)


async def clocks_by_user(connection: Reader, user_ids: Sequence[str]) -> dict[str, ClockRecord]:
    rows = await connection.execute(_CLOCKS, {"user_ids": list(user_ids)})
    return {user_id: ClockRecord.of(*clock) for user_id, *clock in rows}


async def clock_of(connection: AsyncConnection, viewer: Viewer) -> ClockRecord:
    """The viewer's clock as replicated; as the token tells for somebody who registered a moment ago, and as was announced
    for somebody who set one that is not replicated yet.
    """
    if await is_ahead_of(connection, GROUP, viewer):
        return clock_from_token(viewer)
    known = (await clocks_by_user(connection, [viewer.id])).get(viewer.id)
    return known or clock_from_token(viewer)


def clock_from_token(viewer: Viewer) -> ClockRecord:
    return ClockRecord(viewer.time_zone, viewer.day_start_hour, viewer.week_start)
