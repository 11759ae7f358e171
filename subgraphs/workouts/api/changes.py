"""What of a person's workouts, templates, routines, planned workouts, gear and exercises changed, for clients that keep a copy."""

from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from subgraphs.shell.changes import Changes, SyncedType, changes_field, owned
from subgraphs.shell.context import Info
from subgraphs.shell.node import ID_DESCRIPTION
from subgraphs.workouts.api.exercise import Exercise, exercise_node
from subgraphs.workouts.api.gear import Gear, gear_node
from subgraphs.workouts.api.planned_workout import PlannedWorkout, Routine, planned_node, routine_node
from subgraphs.workouts.api.template import WorkoutTemplate, template_node
from subgraphs.workouts.api.workout import Workout, workout_node
from subgraphs.workouts.api.workout_set import set_node
from subgraphs.workouts.loaders import loaders_of

if TYPE_CHECKING:
    from subgraphs.workouts.api.user import User

LazyUser = Annotated["User", strawberry.lazy("subgraphs.workouts.api.user")]
TrainingEntity = Annotated[
    Workout | WorkoutTemplate | Routine | PlannedWorkout | Gear | Exercise | LazyUser,
    strawberry.union(
        "TrainingEntity",
        description="What a person has in workouts: workouts with their sets, templates, routines, planned workouts, gear,"
        " own exercises; and the person, whose usual rest or plates changed.",
    ),
]


async def _exercise(info: Info, user_id: str, exercise_id: str) -> Exercise | None:
    record = await loaders_of(info).exercise_by_id.load(exercise_id)
    return exercise_node(record) if record is not None and record.is_visible_to(user_id) else None


async def _user(info: Info, user_id: str, _: str) -> Any:
    from subgraphs.workouts.api.user import load_named_user

    return await load_named_user(info, user_id)


#: By the kinds of `synced.py`.
SYNCED_TYPES: dict[str, SyncedType] = {
    "workout": owned("Workout", lambda info: loaders_of(info).workout_by_id, workout_node),
    "set": owned("WorkoutSet", lambda info: loaders_of(info).set_by_id, set_node),
    "template": owned("WorkoutTemplate", lambda info: loaders_of(info).template_by_id, template_node),
    "routine": owned("Routine", lambda info: loaders_of(info).routine_by_id, routine_node),
    "planned_workout": owned("PlannedWorkout", lambda info: loaders_of(info).planned_workout_by_id, planned_node),
    "gear": owned("Gear", lambda info: loaders_of(info).gear_by_id, gear_node),
    "exercise": SyncedType("Exercise", _exercise),
    "user": SyncedType("User", _user),
}


@strawberry.type
class ChangesOfUser:
    """A field of User."""

    id: strawberry.ID = strawberry.field(description=ID_DESCRIPTION)
    training_changes: Changes[TrainingEntity] = changes_field(
        "User.trainingChanges",
        "What of the person's workouts, templates, routines, planned workouts, gear and exercises",
        SYNCED_TYPES,
        lambda info: loaders_of(info).changes_by_user,
    )
