"""People as the other subgraphs have them from the events of users: what clocks they may have, and for nutrition and workouts their
name and their clock, in the table `person`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from events.contracts.users import AccountState
from events.failures import BadRecordError
from subgraphs.shell.auth import Viewer
from subgraphs.shell.calendar import LATEST_DAY_START, is_time_zone
from subgraphs.shell.read_pool import Reader, any_of
from subgraphs.shell.recent_clocks import is_ahead_of


@dataclass(frozen=True, slots=True)
class PersonRecord:
    user_id: str
    display_name: str
    time_zone: str
    day_start_hour: int


def check_clock(account: AccountState) -> None:
    """Raises BadRecordError for a clock that nothing of this person could be told by: each read would fail on it.

    A zone that newer data knows is replayed after the upgrade (decision 0248).
    """
    if not is_time_zone(account.time_zone):
        raise BadRecordError(f"there is no time zone {account.time_zone!r:.100}")
    if not 0 <= account.day_start_hour <= LATEST_DAY_START:
        raise BadRecordError(f"no day starts at hour {account.day_start_hour}")


_BY_ID = text(f"SELECT user_id, display_name, time_zone, day_start_hour FROM person WHERE user_id = {any_of('ids')}")  # noqa: S608


async def people_by_id(connection: Reader, user_ids: Sequence[str]) -> dict[str, PersonRecord]:
    return {row[0]: PersonRecord(*row) for row in await connection.execute(_BY_ID, {"ids": list(user_ids)})}


async def replicated_person(connection: AsyncConnection, group: str, viewer: Viewer) -> PersonRecord:
    """The viewer as the consumer group replicated; as the token tells for somebody who registered a moment ago, and as was
    announced for somebody who set a clock that is not replicated yet.
    """
    if await is_ahead_of(connection, group, viewer):
        return person_from_token(viewer)
    known = (await people_by_id(connection, [viewer.id])).get(viewer.id)
    return known or person_from_token(viewer)


def person_from_token(viewer: Viewer) -> PersonRecord:
    return PersonRecord(viewer.id, viewer.display_name, viewer.time_zone, viewer.day_start_hour)
