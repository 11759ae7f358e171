"""A running session paused and resumed, in GraphQL."""

from datetime import datetime

import strawberry

from subgraphs.shell.context import Info
from subgraphs.shell.inputs import expected_version
from subgraphs.shell.key_scope import KeyScope
from subgraphs.shell.mutation import mutation
from subgraphs.workouts.api.workout_mutations import WorkoutPayload, payload
from subgraphs.workouts.commands import pause as commands


@strawberry.input(description="Which running session to pause.")
class PauseWorkoutInput:
    id: strawberry.ID = strawberry.field(description="The running workout's id.")
    at: datetime | None = strawberry.field(
        default=None,
        description="When it was paused: not in the future, and not before it began or was last resumed. Null: now.",
    )
    expected_version: int | None = expected_version()


@strawberry.input(description="Which paused session to go on with.")
class ResumeWorkoutInput:
    id: strawberry.ID = strawberry.field(description="The running workout's id.")
    at: datetime | None = strawberry.field(
        default=None, description="When it was resumed: not in the future, and not before it was paused. Null: now."
    )
    expected_version: int | None = expected_version()


@strawberry.type
class PauseMutation:
    @mutation(
        key_scope=KeyScope.WRITE_TRAINING,
        description="Let the running session stand still: what passes until it is resumed or completed counts neither as motion"
        " nor for energy. One that is paused is answered as it is. CONFLICT if it is not running, or was paused 50 times.",
    )
    async def pause_workout(self, info: Info, input: PauseWorkoutInput) -> WorkoutPayload | None:
        resources = info.context.resources
        record = await commands.pause_workout(
            info.context.viewer,
            input.id,
            input.at,
            expected_version=input.expected_version,
            database=resources.database,
            now=resources.now(),
        )
        return await payload(info, record)

    @mutation(
        key_scope=KeyScope.WRITE_TRAINING,
        description="Go on with a paused session. One that is not paused is answered as it is. CONFLICT if it is not running.",
    )
    async def resume_workout(self, info: Info, input: ResumeWorkoutInput) -> WorkoutPayload | None:
        resources = info.context.resources
        record = await commands.resume_workout(
            info.context.viewer,
            input.id,
            input.at,
            expected_version=input.expected_version,
            database=resources.database,
            now=resources.now(),
        )
        return await payload(info, record)
