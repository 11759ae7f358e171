"""Accounts and weighings, replicated: workouts need a person's clock, name and weight on a day.

The handler of group `workouts-person`; workouts that waited for a body weight are priced as soon as one is known.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from events.consumer import Handler, ProjectedTable, Rebuild, Subscription
from events.contracts.users import AccountState, UserErased, WeightDeleted, WeightState
from events.envelope import Envelope
from events.fanout import Fanout
from events.outbox import forget_events_of
from events.topics import USERS_ACCOUNT, USERS_BODY
from events.upcast import read_payload
from subgraphs.workouts.commands.settle import price_waiting_workouts
from subgraphs.workouts.queries.person import GROUP

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
_FORGET_WEIGHT = text("DELETE FROM person_weight WHERE entry_id = :id")
_FORGET = (
    text("DELETE FROM personal_record WHERE user_id = :id"),
    text("DELETE FROM exercise_best WHERE user_id = :id"),
    text("DELETE FROM workout WHERE user_id = :id"),
    text("DELETE FROM workout_template WHERE user_id = :id"),
    text("DELETE FROM person_weight WHERE user_id = :id"),
    text("DELETE FROM person WHERE user_id = :id"),
    # An exercise of one's own is in nobody else's workout: it goes after what referred to it.
    text("DELETE FROM exercise WHERE created_by = :id"),
)


def subscription(_fanout: Fanout | None, now: Callable[[], datetime]) -> Subscription:
    """What this subgraph reads, and what it makes of it."""
    tables = (ProjectedTable("person"), ProjectedTable("person_weight"))
    return Subscription(GROUP, TOPICS, person_projector(now), tables, person_rebuilder(now))


def person_rebuilder(now: Callable[[], datetime]) -> Rebuild:
    """What accounts and weighings say of one person, made anew from the newest of each."""
    project = person_projector(now)

    async def rebuild(connection: AsyncConnection, user_id: str, envelopes: Sequence[Envelope]) -> None:
        for table in ("person", "person_weight"):
            await connection.execute(text(f"DELETE FROM {table} WHERE user_id = :id"), {"id": user_id})  # noqa: S608
        await project(connection, envelopes)

    return rebuild


def person_projector(now: Callable[[], datetime]) -> Handler:
    """The consumer's handler; `now` is when a workout is priced that waited for a weight."""

    async def project(connection: AsyncConnection, envelopes: Sequence[Envelope]) -> None:
        weighed = [await _keep(connection, envelope) for envelope in envelopes]
        user_ids = sorted({user_id for user_id in weighed if user_id is not None})
        if user_ids:
            await price_waiting_workouts(connection, user_ids, now())

    return project


async def _keep(connection: AsyncConnection, envelope: Envelope) -> str | None:
    """Store what one event says; returns the person's id if it tells a weight."""
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
        return envelope.user_id
    elif isinstance(payload, WeightDeleted):
        await connection.execute(_FORGET_WEIGHT, {"id": payload.entry_id})
    elif isinstance(payload, UserErased):
        for statement in _FORGET:
            await connection.execute(statement, {"id": envelope.user_id})
        await forget_events_of(connection, envelope.user_id)
    return None
