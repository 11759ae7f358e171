"""Events to the timeline: one row for whatever somebody logged at a moment. Called by `facts.apply_events`."""

from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from events.contracts.nutrition import MealState, WaterLogged
from events.contracts.users import WeightState
from events.contracts.workouts import WorkoutState
from events.envelope import Envelope, Payload
from subgraphs.analytics.queries.timeline import EntryKind

_FORGET = text("DELETE FROM timeline_entry WHERE entry_id = ANY(:ids)")
_KEEP = text(
    "INSERT INTO timeline_entry (entry_id, user_id, kind, at, local_date)"
    " SELECT * FROM unnest(CAST(:ids AS text[]), CAST(:user_ids AS text[]), CAST(:kinds AS text[]),"
    " CAST(:moments AS timestamptz[]), CAST(:days AS date[]))"
)


async def replace_entries(connection: AsyncConnection, told: Sequence[tuple[Envelope, Payload]]) -> None:
    """Store the newest state of each thing; what is gone, and a workout that was given up, has no entry."""
    await connection.execute(_FORGET, {"ids": sorted(envelope.aggregate.id for envelope, _ in told)})
    entries = [(envelope, *entry) for envelope, payload in told if (entry := _entry(payload)) is not None]
    if entries:
        rows = {
            "ids": [envelope.aggregate.id for envelope, *_ in entries],
            "user_ids": [envelope.user_id for envelope, *_ in entries],
            "kinds": [kind.value for _, kind, _, _ in entries],
            "moments": [at for _, _, at, _ in entries],
            "days": [day for _, _, _, day in entries],
        }
        await connection.execute(_KEEP, rows)


def _entry(payload: Payload) -> tuple[EntryKind, object, object] | None:
    """What it is, its moment and its day."""
    match payload:
        case MealState():
            return EntryKind.MEAL, payload.at, payload.local_date
        case WaterLogged():
            return EntryKind.DRINK, payload.at, payload.local_date
        case WeightState():
            return EntryKind.WEIGHT_ENTRY, payload.recorded_at, payload.local_date
        case WorkoutState() if payload.status != "CANCELLED":
            return EntryKind.WORKOUT, payload.started_at, payload.local_date
    return None
