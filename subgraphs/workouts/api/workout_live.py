"""A session live: every device that watches it is told when any of them changes it."""

from collections.abc import AsyncIterator
from functools import partial
from typing import Annotated

import strawberry

from subgraphs.shell.context import Info
from subgraphs.shell.errors import NotFoundError
from subgraphs.shell.live import Reading, newest, states
from subgraphs.shell.scopes import READS_TRAINING
from subgraphs.workouts.api.workout import Workout, workout_node
from subgraphs.workouts.queries.workout import WorkoutRecord, workouts_by_id


def session_channel(workout_id: str) -> str:
    """The fan-out channel on which changes of a workout are told."""
    return f"workout:{workout_id}"


@strawberry.type
class WorkoutSubscription:
    @strawberry.subscription(
        description="A workout of the viewer as it is, and again after every change that any device makes to it, its sets"
        " or its rest. It ends when the workout is deleted; NOT_FOUND where there is none.",
        directives=[READS_TRAINING],
    )
    async def workout_session(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="The workout's id.")]
    ) -> AsyncIterator[Workout]:
        viewer_id = info.context.viewer.id
        is_known = False

        async def read() -> AsyncIterator[Reading[WorkoutRecord | None]]:
            record = (await newest(info, partial(workouts_by_id, ids=[id]))).get(id)
            if record is None or record.user_id != viewer_id:
                yield id, None, None
            else:
                yield id, (record.version, record.rest_version), record

        async for record in states(info, session_channel(id), read):
            if record is None:
                if is_known:
                    return
                raise NotFoundError("There is no such workout.")
            is_known = True
            yield workout_node(record)
