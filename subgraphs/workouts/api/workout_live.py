"""A session live: every device that watches it is told when any of them changes it."""

from collections.abc import AsyncIterator
from functools import partial
from typing import Annotated

import strawberry
import structlog
from redis.exceptions import RedisError

from subgraphs.shell.context import Info
from subgraphs.shell.database import Database
from subgraphs.shell.errors import NotFoundError
from subgraphs.shell.live import heard
from subgraphs.shell.repetition import patiently
from subgraphs.workouts.api.workout import Workout, workout_node
from subgraphs.workouts.queries.workout import WorkoutRecord, workouts_by_id

_log = structlog.get_logger("subgraphs.workouts.api.workout_live")


def session_channel(workout_id: str) -> str:
    """The fan-out channel on which changes of a workout are told."""
    return f"workout:{workout_id}"


async def announce(info: Info, workout_id: str) -> None:
    """Tell the watchers of a workout that it changed. What is written stays written where nobody can be told."""
    fanout = info.context.resources.fanout
    if fanout is None:
        return
    try:
        await fanout.publish([(session_channel(workout_id), "changed")])
    except (RedisError, OSError) as failure:
        _log.warning("workout_change_not_told", workout=workout_id, error=str(failure))


@strawberry.type
class WorkoutSubscription:
    @strawberry.subscription(
        description="A workout of the viewer as it is, and again after every change that any device makes to it or its"
        " sets. It ends when the workout is deleted; NOT_FOUND where there is none."
    )
    async def workout_session(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="The workout's id.")]
    ) -> AsyncIterator[Workout]:
        viewer_id = info.context.viewer.id
        database = info.context.resources.database.primary()
        seen = 0
        async for _ in heard(info, session_channel(id)):
            record = await patiently(partial(_workout, database, id))
            if record is None or record.user_id != viewer_id:
                if seen:
                    return
                raise NotFoundError("There is no such workout.")
            info.context.renew_loaders()
            if record.version > seen:
                seen = record.version
                yield workout_node(record)


async def _workout(database: Database, workout_id: str) -> WorkoutRecord | None:
    async with database.reading() as connection:
        return (await workouts_by_id(connection, [workout_id])).get(workout_id)
