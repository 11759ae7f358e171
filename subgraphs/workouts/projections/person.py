"""Accounts and weighings, replicated: workouts need a person's clock, name and weight on a day.

The handler of group `workouts-person`; workouts that waited for a body weight are priced as soon as one is known.
"""

from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from events.contracts.users import AccountState, UserErased, WeightDeleted, WeightState
from events.envelope import Envelope
from events.topics import USERS_ACCOUNT, USERS_BODY
from events.upcast import read_payload
from subgraphs.workouts.commands.settle import price_waiting_workouts

GROUP = "workouts-person"
TOPICS = (USERS_ACCOUNT.name, USERS_BODY.name)

_PERSON = text(
    "INSERT INTO person (user_id, display_name, time_zone, day_start_hour)"
    " VALUES (:user_id, :display_name, :time_zone, :day_start_hour)"
    " ON CONFLICT (user_id) DO UPDATE SET display_name = excluded.display_name,"
    " time_zone = excluded.time_zone, day_start_hour = excluded.day_start_hour"
)
_WEIGHT = text(
    "INSERT INTO person_weight (entry_id, user_id, local_date, recorded_at, weight_kg)"
    " VALUES (:entry_id, :user_id, :local_date, :recorded_at, :weight_kg)"
    " ON CONFLICT (entry_id) DO UPDATE SET local_date = excluded.local_date,"
    " recorded_at = excluded.recorded_at, weight_kg = excluded.weight_kg"
)


async def project_person(connection: AsyncConnection, envelopes: Sequence[Envelope]) -> None:
    weighed: set[str] = set()
    for envelope in envelopes:
        payload = read_payload(envelope)
        if isinstance(payload, AccountState):
            await connection.execute(
                _PERSON,
                {
                    "user_id": envelope.user_id,
                    "display_name": payload.display_name,
                    "time_zone": payload.time_zone,
                    "day_start_hour": payload.day_start_hour,
                },
            )
        elif isinstance(payload, WeightState):
            weighed.add(envelope.user_id)
            await connection.execute(
                _WEIGHT,
                {
                    "entry_id": payload.entry_id,
                    "user_id": envelope.user_id,
                    "local_date": payload.local_date,
                    "recorded_at": payload.recorded_at,
                    "weight_kg": payload.weight_kg,
                },
            )
        elif isinstance(payload, WeightDeleted):
            await connection.execute(text("DELETE FROM person_weight WHERE entry_id = :id"), {"id": payload.entry_id})
        elif isinstance(payload, UserErased):
            await _forget(connection, envelope.user_id)
    if weighed:
        await price_waiting_workouts(connection, sorted(weighed))


async def _forget(connection: AsyncConnection, user_id: str) -> None:
    for statement in (
        "DELETE FROM workout WHERE user_id = :id",
        "DELETE FROM person_weight WHERE user_id = :id",
        "DELETE FROM person WHERE user_id = :id",
        "UPDATE exercise SET created_by = 'erased' WHERE created_by = :id",
    ):
        await connection.execute(text(statement), {"id": user_id})
