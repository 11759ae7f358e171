"""Accounts, replicated: nutrition needs a person's name and clock. Group `nutrition-profile`.

The inbox lets only the newest version of each account through, so a row is simply replaced.
"""

from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from events.contracts.users import AccountState, UserErased
from events.envelope import Envelope
from events.topics import USERS_ACCOUNT
from events.upcast import read_payload

GROUP = "nutrition-profile"
TOPICS = (USERS_ACCOUNT.name,)

_KEEP = text(
    "INSERT INTO person (user_id, display_name, time_zone, day_start_hour)"
    " VALUES (:user_id, :display_name, :time_zone, :day_start_hour)"
    " ON CONFLICT (user_id) DO UPDATE SET display_name = excluded.display_name,"
    " time_zone = excluded.time_zone, day_start_hour = excluded.day_start_hour"
)
# A food of one's own may be in nobody else's meal; it goes last.
_FORGET = tuple(
    text(f"DELETE FROM {table} WHERE {column} = :user_id")  # noqa: S608 - our names
    for table, column in (
        ("meal", "user_id"),
        ("water", "user_id"),
        ("nutrition_target", "user_id"),
        ("person", "user_id"),
        ("food", "created_by"),
    )
)


async def project_people(connection: AsyncConnection, envelopes: Sequence[Envelope]) -> None:
    """Keep what accounts say now, and forget everything about people who were erased."""
    for envelope in envelopes:
        payload = read_payload(envelope)
        if isinstance(payload, UserErased):
            for statement in _FORGET:
                await connection.execute(statement, {"user_id": envelope.user_id})
        elif isinstance(payload, AccountState):
            await connection.execute(
                _KEEP,
                {
                    "user_id": envelope.user_id,
                    "display_name": payload.display_name,
                    "time_zone": payload.time_zone,
                    "day_start_hour": payload.day_start_hour,
                },
            )
