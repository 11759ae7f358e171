"""The rest after a set in GraphQL: begun, made longer or shorter, skipped; and the person's default."""

from typing import TYPE_CHECKING, Annotated

import strawberry

from subgraphs.shell.context import Info
from subgraphs.shell.inputs import expected_version
from subgraphs.shell.key_scope import KeyScope
from subgraphs.shell.mutation import Payload, mutation
from subgraphs.workouts.api.workout_mutations import WorkoutPayload, payload
from subgraphs.workouts.commands import rest as commands

if TYPE_CHECKING:
    from subgraphs.workouts.api.user import User

LazyUser = Annotated["User", strawberry.lazy("subgraphs.workouts.api.user")]


@strawberry.input(description="A rest to begin in the running session.")
class StartRestInput:
    workout_id: strawberry.ID = strawberry.field(description="The running workout's id.")
    seconds: int | None = strawberry.field(
        default=None,
        description="How long, 1 to 3,600 seconds. Null: as planned of the exercise, or else the viewer's default.",
    )
    workout_exercise_id: strawberry.ID | None = strawberry.field(
        default=None, description="The `id` of one of its `exercises`. Null: the one of the latest set."
    )


@strawberry.input(description="By how much to put off the end of the rest that is on.")
class ExtendRestInput:
    workout_id: strawberry.ID = strawberry.field(description="The running workout's id.")
    seconds: int = strawberry.field(
        description="1 to 3,600; as much below 0 ends it earlier, at once at the earliest. A rest is an hour at most."
    )
    expected_version: int | None = expected_version()


@strawberry.input(description="Which workout's rest to skip.")
class SkipRestInput:
    workout_id: strawberry.ID = strawberry.field(description="The running workout's id.")
    expected_version: int | None = expected_version()


@strawberry.input(description="How long the viewer rests after a set where nothing else is planned.")
class SetDefaultRestInput:
    seconds: int | None = strawberry.field(
        description="1 to 3,600 seconds. Null: only planned rests begin by themselves."
    )


@strawberry.type(description="What came of setting the default rest.")
class SetDefaultRestPayload(Payload):
    user: LazyUser | None = strawberry.field(
        default=None, description="The person with that default; null if it was refused."
    )


@strawberry.type
class RestMutation:
    @mutation(
        key_scope=KeyScope.WRITE_TRAINING,
        description="Begin a rest in the running session now, in place of one that is on. `logSet` does so by itself.",
    )
    async def start_rest(self, info: Info, input: StartRestInput) -> WorkoutPayload | None:
        resources = info.context.resources
        record = await commands.start_rest(
            info.context.viewer,
            input.workout_id,
            input.seconds,
            input.workout_exercise_id,
            database=resources.database,
            now=resources.now(),
        )
        return await payload(info, record)

    @mutation(
        key_scope=KeyScope.WRITE_TRAINING,
        description="Make the rest that is on longer or shorter. CONFLICT where none is on.",
    )
    async def extend_rest(self, info: Info, input: ExtendRestInput) -> WorkoutPayload | None:
        resources = info.context.resources
        record = await commands.extend_rest(
            info.context.viewer,
            input.workout_id,
            input.seconds,
            expected_version=input.expected_version,
            database=resources.database,
            now=resources.now(),
        )
        return await payload(info, record)

    @mutation(
        key_scope=KeyScope.WRITE_TRAINING,
        description="End the rest of the running session. Where there is none, the workout is answered as it is.",
    )
    async def skip_rest(self, info: Info, input: SkipRestInput) -> WorkoutPayload | None:
        record = await commands.skip_rest(
            info.context.viewer,
            input.workout_id,
            expected_version=input.expected_version,
            database=info.context.resources.database,
        )
        return await payload(info, record)

    @mutation(
        key_scope=KeyScope.WRITE_TRAINING,
        description="Set how long the viewer rests after a set where nothing else is planned.",
    )
    async def set_default_rest(self, info: Info, input: SetDefaultRestInput) -> SetDefaultRestPayload | None:
        from subgraphs.workouts.api.user import load_named_user

        viewer = info.context.viewer
        await commands.set_default_rest(viewer, input.seconds, database=info.context.resources.database)
        info.context.renew_loaders()
        return SetDefaultRestPayload(user=await load_named_user(info, viewer.id))
