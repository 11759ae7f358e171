"""How many people there are by when they signed in last: of those alone who agreed to be counted in statistics."""

import asyncio
from math import inf, nan

from prometheus_client import Gauge
from sqlalchemy import text

from events.failures import Fault, fault_of
from subgraphs.shell.context import Resources

PEOPLE = Gauge(
    "consenting_people",
    "People who agreed to be counted, by within how many days they signed in last; `ever` is all of them",
    ["signed_in"],
)
#: Who scrapes asks every few seconds, and this reads a row of each person who agreed.
COUNT_EVERY_SECONDS = 300.0
LONGEST_SECONDS = 0.5
_OWN = "people_counted_at"

_COUNT = text(
    "SELECT count(*), count(*) FILTER (WHERE account.last_login_at > CAST(:now AS timestamptz) - interval '7 days'),"
    " count(*) FILTER (WHERE account.last_login_at > CAST(:now AS timestamptz) - interval '30 days')"
    " FROM consent JOIN account ON account.id = consent.user_id"
    " WHERE consent.is_current AND consent.is_given AND consent.purpose = 'STATISTICS' AND account.erase_at IS NULL"
)


async def measure_people(resources: Resources) -> None:
    """Set the gauge, every five minutes; what cannot be counted is NaN until the next scrape."""
    seconds = asyncio.get_running_loop().time()
    if seconds - resources.own.get(_OWN, -inf) < COUNT_EVERY_SECONDS:
        return
    try:
        async with asyncio.timeout(LONGEST_SECONDS), resources.database.writer.connect() as connection:
            ever, week, month = (await connection.execute(_COUNT, {"now": resources.now()})).one()
        resources.own[_OWN] = seconds
    except Exception as failure:
        if fault_of(failure) is not Fault.INFRASTRUCTURE:
            raise
        ever = week = month = nan
    for signed_in, people in {"ever": ever, "30": month, "7": week}.items():
        PEOPLE.labels(signed_in).set(people)
