"""Two workouts made one, in GraphQL."""

import strawberry

from subgraphs.shell.context import Info
from subgraphs.shell.inputs import expected_version
from subgraphs.shell.key_scope import KeyScope
from subgraphs.shell.live import announce
from subgraphs.shell.mutation import Payload, mutation
from subgraphs.workouts.api.workout import Workout
from subgraphs.workouts.api.workout_live import session_channel
from subgraphs.workouts.api.workout_mutations import LazyUser, changed_workout
from subgraphs.workouts.commands import workout_merge as commands


@strawberry.input(description="Which workout goes into which.")
class MergeWorkoutsInput:
    id: strawberry.ID = strawberry.field(description="The workout that stays: what it says stands. Completed.")
    other_id: strawberry.ID = strawberry.field(
        description="The workout that goes into it, completed. Either they overlap by half of the shorter one or more, as two"
        " recordings of one activity do, or one begins at most two hours after the other's end, as parts of one do."
    )
    expected_version: int | None = expected_version()
    other_expected_version: int | None = strawberry.field(
        default=None,
        description="The `version` of the other workout that was seen; STALE_VERSION if it is not the newest. Null: any.",
    )


@strawberry.type(description="What came of making two workouts one.")
class MergeWorkoutsPayload(Payload):
    workout: Workout | None = strawberry.field(
        default=None, description="The workout that stays, as it is now; null if it was refused."
    )
    deleted_id: strawberry.ID | None = strawberry.field(
        default=None, description="The id of the workout that went into it and is gone; null if it was refused."
    )
    user: LazyUser | None = strawberry.field(
        default=None, description="The person with one workout less; null if it was refused."
    )


@strawberry.type
class MergeMutation:
    @mutation(
        key_scope=KeyScope.WRITE_TRAINING,
        description="Make two completed workouts of the viewer one. Of one activity that was recorded twice nothing is added up: the"
        " one that stays is heard, and the other where it says nothing. Of parts, times, distances, energy, exercises and"
        " recordings are added, and what is between them is a pause. The other workout is deleted for good, and records follow."
        " CONFLICT if one is not completed.",
    )
    async def merge_workouts(self, info: Info, input: MergeWorkoutsInput) -> MergeWorkoutsPayload | None:
        from subgraphs.workouts.api.user import load_named_user

        resources = info.context.resources
        of = commands.MergeOf(input.id, input.other_id, input.expected_version, input.other_expected_version)
        record = await commands.merge_workouts(
            info.context.viewer, of, database=resources.database, now=resources.now()
        )
        await announce(info, session_channel(input.other_id))
        workout = await changed_workout(info, record)
        return MergeWorkoutsPayload(
            workout=workout, deleted_id=input.other_id, user=await load_named_user(info, record.user_id)
        )
