"""Events to facts: each fact row is replaced by the newest state of its aggregate. Called by `summary.project`.

Answers which days of which people may now add up differently: those a fact left and those it came to.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from events.contracts.nutrition import MealState, WaterLogged
from events.contracts.users import AccountState, StepsCounted, UserErased, WeightState
from events.contracts.workouts import WorkoutState
from events.envelope import Envelope, Payload
from events.failures import BadRecordError
from events.outbox import forget_events_of
from events.upcast import read_payload
from subgraphs.analytics.projections.food_count import items_of_meals, move_counts
from subgraphs.analytics.projections.measure import MEASURING, replace_measures
from subgraphs.analytics.projections.timeline import replace_entries
from subgraphs.shell.change_log import forget_changes_of
from subgraphs.shell.replicated_person import check_clock

Day = tuple[str, date]  # (user id, local date)
Row = Mapping[str, Any]
Told = tuple[Envelope, Payload]

# aggregate type -> (table, its primary key)
_FACT_BY_AGGREGATE = {
    "meal": ("meal_fact", "meal_id"),
    "water": ("water_fact", "entry_id"),
    "workout": ("workout_fact", "workout_id"),
    "weight_entry": ("weight_fact", "entry_id"),
    "step_count": ("step_fact", "entry_id"),
}
FACT_TABLES = (
    *(table for table, _ in _FACT_BY_AGGREGATE.values()),
    "meal_food_fact",
    "food_count",
    "timeline_entry",
    "measure_fact",
)
# Of the columns of facts that are no numbers.
_TYPES = {
    **dict.fromkeys(("meal_id", "entry_id", "workout_id", "user_id", "food_id", "slot", "status"), "text"),
    "local_date": "date",
    "recorded_at": "timestamptz",
    "items": "integer",
    "started_hour": "integer",
    "records": "integer",
    "exercise_kinds": "jsonb",
    "amount_ml": "integer",
    "steps": "integer",
}
_TABLES_OF_A_USER = (
    *FACT_TABLES,
    "streak_run",
    "weight_trend",
    "achievement",
    "daily_summary",
    "goal",
    "streak_protection",
    "person",
)


@dataclass(slots=True)
class Touched:
    """The days that may add up differently, of them those with another weight and those with another workout; and whose measured
    values may be others.
    """

    days: set[Day] = field(default_factory=set)
    weighed: set[Day] = field(default_factory=set)
    trained: set[Day] = field(default_factory=set)
    measured: set[str] = field(default_factory=set)

    def add(self, other: "Touched") -> None:
        self.days |= other.days
        self.weighed |= other.weighed
        self.trained |= other.trained
        self.measured |= other.measured


async def apply_events(connection: AsyncConnection, envelopes: Sequence[Envelope]) -> Touched:
    """Store what the envelopes say; returns the days touched. Raises what `read_payload` raises.

    One projector at a time for each person: `events.inbox.lock_people` sees to that, before any handler is called.
    """
    erased = await _erased(connection, {envelope.user_id for envelope in envelopes})
    by_aggregate: defaultdict[str, list[Told]] = defaultdict(list)
    for envelope in envelopes:
        by_aggregate[envelope.aggregate.type].append((envelope, read_payload(envelope)))
    erased |= await _apply_accounts(connection, by_aggregate["user"])
    touched = Touched()
    for aggregate_type in _FACT_BY_AGGREGATE:
        told = [
            (envelope, payload) for envelope, payload in by_aggregate[aggregate_type] if envelope.user_id not in erased
        ]
        if told:
            days = await _replace_facts(connection, aggregate_type, told)
            touched.days |= days
            if aggregate_type == "weight_entry":
                touched.weighed |= days
            elif aggregate_type == "workout":
                touched.trained |= days
    told = [each for kind in MEASURING for each in by_aggregate[kind] if each[0].user_id not in erased]
    if told:
        touched.measured = await replace_measures(connection, told)
    return touched


async def forget_facts(connection: AsyncConnection, user_id: str) -> Touched:
    """Delete what the events said of one person; returns the days that have a summary, as every day with a fact does,
    and those that have a weight.
    """
    days = await connection.execute(text("SELECT local_date FROM daily_summary WHERE user_id = :id"), {"id": user_id})
    weighed = await connection.execute(text("SELECT local_date FROM weight_trend WHERE user_id = :id"), {"id": user_id})
    touched = Touched({(user_id, row.local_date) for row in days}, {(user_id, row.local_date) for row in weighed})
    touched.measured = {user_id}
    for table in (*FACT_TABLES, "streak_run", "person"):
        await connection.execute(text(f"DELETE FROM {table} WHERE user_id = :id"), {"id": user_id})  # noqa: S608 - our names
    return touched


async def _erased(connection: AsyncConnection, user_ids: set[str]) -> set[str]:
    result = await connection.execute(
        text("SELECT user_id FROM erased_user WHERE user_id = ANY(:ids)"), {"ids": sorted(user_ids)}
    )
    return set(result.scalars())


async def _replace_facts(connection: AsyncConnection, aggregate_type: str, told: Sequence[Told]) -> set[Day]:
    table, key = _FACT_BY_AGGREGATE[aggregate_type]
    ids = sorted(envelope.aggregate.id for envelope, _ in told)
    of_meals = aggregate_type == "meal"
    counted = await items_of_meals(connection, ids) if of_meals else {}
    left = await connection.execute(
        text(f"DELETE FROM {table} WHERE {key} = ANY(:ids) RETURNING user_id, local_date"),  # noqa: S608 - our names
        {"ids": ids},
    )
    touched = {(row.user_id, row.local_date) for row in left}
    alive = [(envelope, payload) for envelope, payload in told if not payload.tombstone]
    if alive:
        touched |= await _WRITERS[aggregate_type](connection, alive)
    if of_meals:
        await move_counts(connection, counted, await items_of_meals(connection, ids))
    await replace_entries(connection, told)
    return touched


async def _write_meals(connection: AsyncConnection, told: Sequence[Told]) -> set[Day]:
    meals: list[Row] = []
    foods: list[Row] = []
    for envelope, payload in told:
        if not isinstance(payload, MealState):
            continue
        totals = payload.totals
        meals.append(
            {
                "meal_id": payload.meal_id,
                "user_id": envelope.user_id,
                "local_date": payload.local_date,
                "slot": payload.slot,
                "energy_kcal": totals.energy_kcal,
                "protein_g": totals.protein_g,
                "carbs_g": totals.carbs_g,
                "fat_g": totals.fat_g,
            }
        )
        counts: defaultdict[str, int] = defaultdict(int)
        for item in payload.items:
            counts[item.food_id] += 1
        foods.extend(
            {"meal_id": payload.meal_id, "user_id": envelope.user_id, "food_id": food_id, "items": items}
            for food_id, items in counts.items()
        )
    touched = await _insert(connection, "meal_fact", meals)
    await _insert(connection, "meal_food_fact", foods)
    return touched


async def _write_water(connection: AsyncConnection, told: Sequence[Told]) -> set[Day]:
    rows = [
        {
            "entry_id": payload.entry_id,
            "user_id": envelope.user_id,
            "local_date": payload.local_date,
            "amount_ml": payload.amount_ml,
        }
        for envelope, payload in told
        if isinstance(payload, WaterLogged)
    ]
    return await _insert(connection, "water_fact", rows)


async def _write_workouts(connection: AsyncConnection, told: Sequence[Told]) -> set[Day]:
    rows = [
        {
            "workout_id": payload.workout_id,
            "user_id": envelope.user_id,
            "local_date": payload.local_date,
            "status": payload.status,
            "duration_minutes": payload.duration_minutes,
            "active_minutes": payload.active_minutes,
            "calories_kcal": payload.calories_kcal,
            "net_calories_kcal": payload.net_calories_kcal,
            "volume_kg": payload.volume_kg,
            "started_hour": _hour_of(payload.started_at, payload.time_zone),
            "records": len(payload.new_records),
            "exercise_kinds": _kinds_of(payload),
        }
        for envelope, payload in told
        if isinstance(payload, WorkoutState)
    ]
    return await _insert(connection, "workout_fact", rows)


def _hour_of(at: datetime, time_zone: str | None) -> int | None:
    """Raises BadRecordError for a zone that this machine does not know, or a moment that has no hour there."""
    try:
        return None if time_zone is None else at.astimezone(ZoneInfo(time_zone)).hour
    except (ZoneInfoNotFoundError, ValueError, OSError, OverflowError) as failure:  # OSError: longer than a file's name
        raise BadRecordError(f"{at.isoformat()} has no hour in the time zone {time_zone!r:.100}") from failure


def _kinds_of(workout: WorkoutState) -> str:
    """How many exercises of each kind, as JSON."""
    return json.dumps(Counter(exercise.category for exercise in workout.exercises))


async def _write_weights(connection: AsyncConnection, told: Sequence[Told]) -> set[Day]:
    rows = [
        {
            "entry_id": payload.entry_id,
            "user_id": envelope.user_id,
            "local_date": payload.local_date,
            "recorded_at": payload.recorded_at,
            "weight_kg": payload.weight_kg,
        }
        for envelope, payload in told
        if isinstance(payload, WeightState)
    ]
    return await _insert(connection, "weight_fact", rows)


async def _write_steps(connection: AsyncConnection, told: Sequence[Told]) -> set[Day]:
    rows = [
        {
            "entry_id": payload.entry_id,
            "user_id": envelope.user_id,
            "local_date": payload.local_date,
            "steps": payload.steps,
        }
        for envelope, payload in told
        if isinstance(payload, StepsCounted)
    ]
    return await _insert(connection, "step_fact", rows)


_WRITERS: dict[str, Callable[[AsyncConnection, Sequence[Told]], Awaitable[set[Day]]]] = {
    "meal": _write_meals,
    "water": _write_water,
    "workout": _write_workouts,
    "weight_entry": _write_weights,
    "step_count": _write_steps,
}


async def _insert(connection: AsyncConnection, table: str, rows: Sequence[Row]) -> set[Day]:
    if not rows:
        return set()
    names = list(rows[0])
    columns = ", ".join(f"CAST(:{name} AS {_TYPES.get(name, 'numeric')}[])" for name in names)
    statement = f"INSERT INTO {table} ({', '.join(names)}) SELECT * FROM unnest({columns})"  # noqa: S608 - our names
    await connection.execute(text(statement), {name: [row[name] for row in rows] for name in names})
    return {(row["user_id"], row["local_date"]) for row in rows if "local_date" in row}


async def _apply_accounts(connection: AsyncConnection, told: Sequence[Told]) -> set[str]:
    """Keep each person's clock; forget everything about the erased, whose ids are returned."""
    erased: set[str] = set()
    for envelope, payload in told:
        if isinstance(payload, UserErased):
            await _forget(connection, envelope.user_id)
            erased.add(envelope.user_id)
        elif isinstance(payload, AccountState):
            check_clock(payload)
            await connection.execute(
                text(
                    "INSERT INTO person (user_id, time_zone, day_start_hour, week_start)"
                    " SELECT :user_id, :time_zone, :hour, :week_start WHERE NOT EXISTS"
                    " (SELECT FROM erased_user WHERE user_id = :user_id)"
                    " ON CONFLICT (user_id) DO UPDATE SET time_zone = excluded.time_zone,"
                    " day_start_hour = excluded.day_start_hour, week_start = excluded.week_start"
                ),
                {
                    "user_id": envelope.user_id,
                    "time_zone": payload.time_zone,
                    "hour": payload.day_start_hour,
                    "week_start": payload.week_start,
                },
            )
    return erased


async def _forget(connection: AsyncConnection, user_id: str) -> None:
    for table in _TABLES_OF_A_USER:
        await connection.execute(text(f"DELETE FROM {table} WHERE user_id = :id"), {"id": user_id})  # noqa: S608
    await forget_changes_of(connection, user_id)
    await connection.execute(text("UPDATE goal SET author_id = NULL WHERE author_id = :id"), {"id": user_id})
    await forget_events_of(connection, user_id)
    await connection.execute(
        text("INSERT INTO erased_user (user_id) VALUES (:id) ON CONFLICT DO NOTHING"), {"id": user_id}
    )
