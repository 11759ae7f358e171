"""Accounts and weighings, replicated: workouts need a person's clock, name, standing and weight on a day.

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
from subgraphs.shell.change_log import forget_changes_of
from subgraphs.shell.replicated_person import check_clock
from subgraphs.workouts.commands.settle import price_waiting_workouts
from subgraphs.workouts.queries.person import GROUP

TOPICS = (USERS_ACCOUNT.name, USERS_BODY.name)

_PERSON = text(
    "INSERT INTO person (user_id, display_name, time_zone, day_start_hour, status, registered_at)"
    " VALUES (:user_id, :display_name, :time_zone, :day_start_hour, :status, :registered_at)"
    " ON CONFLICT (user_id) DO UPDATE SET display_name = excluded.display_name,"
    " time_zone = excluded.time_zone, day_start_hour = excluded.day_start_hour, status = excluded.status,"
    " registered_at = excluded.registered_at"
)
_WEIGHTS = text(
    "INSERT INTO person_weight (entry_id, user_id, local_date, recorded_at, weight_kg)"
    " SELECT * FROM unnest(CAST(:entry_ids AS text[]), CAST(:user_ids AS text[]), CAST(:days AS date[]),"
    " CAST(:moments AS timestamptz[]), CAST(:weights AS numeric[]))"
    " ON CONFLICT (entry_id) DO UPDATE SET local_date = excluded.local_date,"
    " recorded_at = excluded.recorded_at, weight_kg = excluded.weight_kg"
)
_FORGET_WEIGHTS = text("DELETE FROM person_weight WHERE entry_id = ANY(:ids)")
_FORGET = (
    text("DELETE FROM personal_record WHERE user_id = :id"),
    text("DELETE FROM exercise_best WHERE user_id = :id"),
    text("DELETE FROM planned_workout WHERE user_id = :id"),
    text("DELETE FROM routine WHERE user_id = :id"),
    text("DELETE FROM workout WHERE user_id = :id"),
    text("DELETE FROM gear WHERE user_id = :id"),
    text("DELETE FROM template_report WHERE reporter_id = :id"),
    text("DELETE FROM public_template WHERE user_id = :id"),
    text("DELETE FROM workout_template WHERE user_id = :id"),
    text("UPDATE workout_template SET author_id = NULL WHERE author_id = :id"),
    text("UPDATE routine SET author_id = NULL WHERE author_id = :id"),
    text("UPDATE planned_workout SET author_id = NULL WHERE author_id = :id"),
    text("DELETE FROM default_rest WHERE user_id = :id"),
    text("DELETE FROM plate_inventory WHERE user_id = :id"),
    text("DELETE FROM person_weight WHERE user_id = :id"),
    text("DELETE FROM person WHERE user_id = :id"),
    # An exercise of one's own is in nobody else's workout: it goes after what referred to it.
    text("DELETE FROM exercise WHERE created_by = :id"),
)


def subscription(_fanout: Fanout | None, now: Callable[[], datetime]) -> Subscription:
    """What this subgraph reads, and what it makes of it."""
    # The instant is null for whoever was known before it was kept.
    tables = (ProjectedTable("person", ignored=("registered_at",)), ProjectedTable("person_weight"))
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
        told = [(envelope.user_id, read_payload(envelope)) for envelope in envelopes]
        for user_id, payload in told:
            if isinstance(payload, AccountState):
                await _keep_account(connection, user_id, payload)
        weights = [(user_id, payload) for user_id, payload in told if isinstance(payload, WeightState)]
        deleted = [payload.entry_id for _, payload in told if isinstance(payload, WeightDeleted)]
        await _keep_weights(connection, weights, deleted)
        for user_id, payload in told:  # last, so that nothing told before it stays
            if isinstance(payload, UserErased):
                await _forget(connection, user_id)
        if weights:
            await price_waiting_workouts(connection, sorted({user_id for user_id, _ in weights}), now())

    return project


async def _keep_account(connection: AsyncConnection, user_id: str, account: AccountState) -> None:
    check_clock(account)
    await connection.execute(
        _PERSON,
        {
            "user_id": user_id,
            "display_name": account.display_name,
            "time_zone": account.time_zone,
            "day_start_hour": account.day_start_hour,
            "status": account.status,
            "registered_at": account.registered_at,
        },
    )


async def _keep_weights(
    connection: AsyncConnection, told: Sequence[tuple[str, WeightState]], deleted: Sequence[str]
) -> None:
    """Weighings as they are now, with their people, and the ids of those that are gone: one statement each."""
    if told:
        weights = [weight for _, weight in told]
        await connection.execute(
            _WEIGHTS,
            {
                "entry_ids": [weight.entry_id for weight in weights],
                "user_ids": [user_id for user_id, _ in told],
                "days": [weight.local_date for weight in weights],
                "moments": [weight.recorded_at for weight in weights],
                "weights": [weight.weight_kg for weight in weights],
            },
        )
    if deleted:
        await connection.execute(_FORGET_WEIGHTS, {"ids": list(deleted)})


async def _forget(connection: AsyncConnection, user_id: str) -> None:
    for statement in _FORGET:
        await connection.execute(statement, {"id": user_id})
    await forget_changes_of(connection, user_id)
    await forget_events_of(connection, user_id)
