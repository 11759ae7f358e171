"""The week that John was away, on which his streaks rest. Loading again changes nothing, whenever it is."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from deploy.sample_data import read_demo
from deploy.sample_data.people import day_of_john, signed_in
from subgraphs.analytics.commands.streak import set_streak_protection
from subgraphs.analytics.domain.streak_protection import ProtectedSpan, ProtectionReason
from subgraphs.analytics.queries.streak import protections
from subgraphs.shell.database import Database

_DAYS_AGO, _DAYS = 30, 7


def away(today: date) -> ProtectedSpan:
    """When he was, as of the day on which his year is loaded."""
    last = today - timedelta(days=_DAYS_AGO)
    return ProtectedSpan(last - timedelta(days=_DAYS - 1), last, ProtectionReason.HOLIDAY)


async def load_streaks(database: Database, now: datetime) -> None:
    """Through the command that clients' requests run."""
    viewer = signed_in(read_demo()["people"][0])
    async with database.transaction() as transaction:
        if await protections(transaction, [viewer.id]):
            return
    await set_streak_protection(viewer, [away(day_of_john(now))], expected_version=0, database=database, now=now)
