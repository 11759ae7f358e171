"""On which days people train, for targets of days of training. The handler of group `nutrition-training`.

A workout counts while it runs and once it is done, a planned one until it is skipped, taken back or begun, for from then on its
workout does.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from events.consumer import ProjectedTable, Subscription
from events.contracts.workouts import PlannedWorkoutState, WorkoutDeleted, WorkoutState
from events.envelope import Envelope
from events.fanout import Fanout
from events.topics import WORKOUTS_PLAN, WORKOUTS_SESSION
from events.upcast import read_payload
from subgraphs.nutrition.commands.training_entry import TrainingEntry, keep_training

GROUP = "nutrition-training"
_TOLD_OF = (WorkoutState.aggregate_type, WorkoutDeleted.aggregate_type, PlannedWorkoutState.aggregate_type)


def subscription(_fanout: Fanout | None, _now: Callable[[], datetime]) -> Subscription:
    """What this group reads, and what it makes of it."""
    table = ProjectedTable("training_entry", ignored=("kept_at",))
    topics = (WORKOUTS_SESSION.name, WORKOUTS_PLAN.name)
    return Subscription(GROUP, topics, project_training, (table,), rebuild_training)


async def project_training(connection: AsyncConnection, envelopes: Sequence[Envelope]) -> None:
    """Keep what trains a person on a day. The inbox gives each aggregate's newest state only."""
    told_of = [envelope for envelope in envelopes if envelope.aggregate.type in _TOLD_OF]
    found = [_entry(envelope) for envelope in told_of]
    entries = [entry for entry in found if entry is not None]
    gone = {envelope.aggregate.id for envelope in told_of} - {entry.id for entry in entries}
    await keep_training(connection, entries, sorted(gone))


async def rebuild_training(connection: AsyncConnection, user_id: str, envelopes: Sequence[Envelope]) -> None:
    """What workouts says of one person, made anew from the newest of each."""
    await connection.execute(text("DELETE FROM training_entry WHERE user_id = :user_id"), {"user_id": user_id})
    await project_training(connection, envelopes)


def _entry(envelope: Envelope) -> TrainingEntry | None:
    """None for what trains nobody: cancelled, deleted, skipped, taken back, or begun, which its workout tells."""
    match read_payload(envelope):
        case WorkoutState(status="IN_PROGRESS" | "COMPLETED", local_date=day):
            return TrainingEntry(id=envelope.aggregate.id, user_id=envelope.user_id, local_date=day)
        case PlannedWorkoutState(is_skipped=False, has_begun=False, local_date=day):
            return TrainingEntry(id=envelope.aggregate.id, user_id=envelope.user_id, local_date=day)
    return None
