"""Reminders as they are read: of people, by id, and those that are due."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time

from sqlalchemy import text

from subgraphs.shell.person_lists import list_of_each
from subgraphs.shell.read_pool import Reader, any_of

_COLUMNS = "id, user_id, kind, time_of_day, weekdays, is_on, next_at, next_day, last_day, version"
_BY_ID = text(f"SELECT {_COLUMNS} FROM reminder WHERE id = {any_of('ids')}")  # noqa: S608 - our names
_BY_USER = text(
    f"SELECT {_COLUMNS} FROM reminder WHERE user_id = {any_of('user_ids')} ORDER BY time_of_day, id"  # noqa: S608
)


@dataclass(frozen=True, slots=True)
class ReminderRecord:
    """A reminder. `next_at` and `next_day` are None while it is off; up to `last_day` it is done."""

    id: str
    user_id: str
    kind: str
    time_of_day: time
    weekdays: list[str]
    is_on: bool
    next_at: datetime | None
    next_day: date | None
    last_day: date | None
    version: int


async def reminders_by_id(connection: Reader, ids: Sequence[str]) -> dict[str, ReminderRecord]:
    return {row[0]: ReminderRecord(*row) for row in await connection.execute(_BY_ID, {"ids": list(ids)})}


async def reminders_by_user(connection: Reader, user_ids: Sequence[str]) -> dict[str, list[ReminderRecord]]:
    """All reminders of each person in the order of the day; the quota bounds them."""
    return await list_of_each(connection, _BY_USER, {"user_ids": list(user_ids)}, ReminderRecord)
