"""A workout put otherwise, in GraphQL: reopened, its exercises reordered or swapped."""

import strawberry

from subgraphs.shell.context import Info
from subgraphs.shell.inputs import expected_version
from subgraphs.shell.key_scope import KeyScope
from subgraphs.shell.mutation import mutation
from subgraphs.workouts.api.workout_mutations import WorkoutPayload, payload
from subgraphs.workouts.commands import workout_order as commands


@strawberry.input(description="Which workout to take up again.")
class ReopenWorkoutInput:
    id: strawberry.ID = strawberry.field(description="A completed workout's id.")
    expected_version: int | None = expected_version()


@strawberry.input(description="In which order the exercises of a workout are to be.")
class ReorderExercisesInput:
    workout_id: strawberry.ID = strawberry.field(description="The workout's id.")
    order: list[strawberry.ID] = strawberry.field(
        description="The `id` of each of its `exercises`, every one once; up to 50."
    )
    expected_version: int | None = expected_version()


@strawberry.input(description="Which exercise of a workout is to be another one.")
class SwapExerciseInput:
    workout_id: strawberry.ID = strawberry.field(description="The workout's id.")
    workout_exercise_id: strawberry.ID = strawberry.field(description="The `id` of one of its `exercises`.")
    exercise_id: strawberry.ID = strawberry.field(description="An exercise of the catalogue or of the viewer's own.")
    expected_version: int | None = expected_version()


@strawberry.type
class WorkoutOrderMutation:
    @mutation(
        key_scope=KeyScope.WRITE_TRAINING,
        description="Take up a completed session of the viewer again: it has no end and no energy until it is completed"
        " anew. CONFLICT while another one is running.",
    )
    async def reopen_workout(self, info: Info, input: ReopenWorkoutInput) -> WorkoutPayload | None:
        resources = info.context.resources
        record = await commands.reopen_workout(
            info.context.viewer,
            input.id,
            expected_version=input.expected_version,
            database=resources.database,
            now=resources.now(),
        )
        return await payload(info, record)

    @mutation(
        key_scope=KeyScope.WRITE_TRAINING,
        description="Put the exercises of a workout of the viewer into another order.",
    )
    async def reorder_exercises(self, info: Info, input: ReorderExercisesInput) -> WorkoutPayload | None:
        resources = info.context.resources
        record = await commands.reorder_exercises(
            info.context.viewer,
            input.workout_id,
            input.order,
            expected_version=input.expected_version,
            database=resources.database,
            now=resources.now(),
        )
        return await payload(info, record)

    @mutation(
        key_scope=KeyScope.WRITE_TRAINING,
        description="Make one exercise of a workout of the viewer another one; its sets become of that one.",
    )
    async def swap_exercise(self, info: Info, input: SwapExerciseInput) -> WorkoutPayload | None:
        resources = info.context.resources
        record = await commands.swap_exercise(
            info.context.viewer,
            input.workout_id,
            (input.workout_exercise_id, input.exercise_id),
            expected_version=input.expected_version,
            database=resources.database,
            now=resources.now(),
        )
        return await payload(info, record)
