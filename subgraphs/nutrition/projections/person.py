"""Accounts, replicated: nutrition needs a person's name, clock and standing. Group `nutrition-profile`.

The inbox lets only the newest version of each account through, so a row is simply replaced.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from events.consumer import ProjectedTable, Subscription
from events.contracts.nutrition import FoodRetired
from events.contracts.users import AccountState, UserErased
from events.envelope import Envelope
from events.fanout import Fanout
from events.outbox import NewEvent, append_event, forget_events_of
from events.topics import USERS_ACCOUNT
from events.upcast import read_payload
from subgraphs.nutrition.queries.person import GROUP
from subgraphs.shell.change_log import forget_changes_of
from subgraphs.shell.replicated_person import check_clock

TOPICS = (USERS_ACCOUNT.name,)

_KEEP = text(
    "INSERT INTO person (user_id, display_name, time_zone, day_start_hour, status, registered_at)"
    " VALUES (:user_id, :display_name, :time_zone, :day_start_hour, :status, :registered_at)"
    " ON CONFLICT (user_id) DO UPDATE SET display_name = excluded.display_name,"
    " time_zone = excluded.time_zone, day_start_hour = excluded.day_start_hour, status = excluded.status,"
    " registered_at = excluded.registered_at"
)
#: Stands where an event has to name a person and must not.
NOBODY = "erased"
_OWN_FOODS = text("SELECT id, version FROM food WHERE created_by = :user_id")
_FORGET_FOOD_EVENTS = text("DELETE FROM outbox WHERE aggregate_type = 'food' AND aggregate_id = ANY(:ids)")
# A food of one's own may be in nobody else's meal; it goes last.
_FORGET = tuple(
    text(f"DELETE FROM {table} WHERE {column} = :user_id")  # noqa: S608 - our names
    for table, column in (
        ("meal", "user_id"),
        ("recent_food", "user_id"),
        ("favourite_food", "user_id"),
        ("dietary_preference", "user_id"),
        ("deleted_entry", "user_id"),
        ("saved_meal", "user_id"),
        ("custom_slot_list", "user_id"),
        ("meal_plan", "user_id"),
        ("planned_meal", "user_id"),
        ("fast", "user_id"),
        ("water", "user_id"),
        ("nutrition_target", "user_id"),
        ("training_entry", "user_id"),
        ("food_report", "reporter_id"),
        ("published_food", "user_id"),
        ("person", "user_id"),
        ("food", "created_by"),
    )
) + tuple(
    text(f"UPDATE {table} SET author_id = NULL WHERE author_id = :user_id")  # noqa: S608 - our names
    for table in ("meal_plan", "planned_meal", "nutrition_target")
)


def subscription(_fanout: Fanout | None, _now: Callable[[], datetime]) -> Subscription:
    """What this subgraph reads, and what it makes of it."""
    tables = (ProjectedTable("person", ignored=("registered_at",)),)  # null for whoever was known before it was kept
    return Subscription(GROUP, TOPICS, project_people, tables, rebuild_person)


async def project_people(connection: AsyncConnection, envelopes: Sequence[Envelope]) -> None:
    """Keep what accounts say now, and forget everything about people who were erased."""
    for envelope in envelopes:
        payload = read_payload(envelope)
        if isinstance(payload, UserErased):
            await _retire_own_foods(connection, envelope)
            for statement in _FORGET:
                await connection.execute(statement, {"user_id": envelope.user_id})
            await forget_changes_of(connection, envelope.user_id)
            await forget_events_of(connection, envelope.user_id)
        elif isinstance(payload, AccountState):
            check_clock(payload)
            await connection.execute(
                _KEEP,
                {
                    "user_id": envelope.user_id,
                    "display_name": payload.display_name,
                    "time_zone": payload.time_zone,
                    "day_start_hour": payload.day_start_hour,
                    "status": payload.status,
                    "registered_at": payload.registered_at,
                },
            )


async def _retire_own_foods(connection: AsyncConnection, erased: Envelope) -> None:
    """What was told of the person's own foods goes; a compacted topic forgets them by a tombstone, which names nobody."""
    foods = (await connection.execute(_OWN_FOODS, {"user_id": erased.user_id})).all()
    await connection.execute(_FORGET_FOOD_EVENTS, {"ids": [food.id for food in foods]})
    for food in foods:
        event = NewEvent(
            payload=FoodRetired(food_id=food.id),
            aggregate_id=food.id,
            version=food.version + 1,
            user_id=NOBODY,
            occurred_at=erased.occurred_at,
            key=food.id,
        )
        await append_event(connection, event)


async def rebuild_person(connection: AsyncConnection, user_id: str, envelopes: Sequence[Envelope]) -> None:
    """What accounts say of one person, made anew from the newest of each."""
    await connection.execute(text("DELETE FROM person WHERE user_id = :user_id"), {"user_id": user_id})
    await project_people(connection, envelopes)
