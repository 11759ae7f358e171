"""The workouts subgraph's federated schema: what `api/*` offers, merged."""

import strawberry

from subgraphs.shell.graphql_schema import SubgraphSchema
from subgraphs.workouts.api.exercise import Exercise, ExerciseMutation, ExerciseQuery
from subgraphs.workouts.api.gear import GearMutation
from subgraphs.workouts.api.planned_workout_mutations import PlannedWorkoutMutation
from subgraphs.workouts.api.plates import PlatesMutation
from subgraphs.workouts.api.public_template import PublicTemplateMutation, PublicTemplateQuery
from subgraphs.workouts.api.routine_mutations import RoutineMutation
from subgraphs.workouts.api.template import TemplateMutation
from subgraphs.workouts.api.user import User, UserQuery
from subgraphs.workouts.api.workout import Workout, WorkoutQuery
from subgraphs.workouts.api.workout_live import WorkoutSubscription
from subgraphs.workouts.api.workout_merge import MergeMutation
from subgraphs.workouts.api.workout_mutations import WorkoutMutation
from subgraphs.workouts.api.workout_order import WorkoutOrderMutation
from subgraphs.workouts.api.workout_pause_mutations import PauseMutation
from subgraphs.workouts.api.workout_rest import RestMutation
from subgraphs.workouts.api.workout_set import WorkoutSet


@strawberry.type
class Query(UserQuery, ExerciseQuery, WorkoutQuery, PublicTemplateQuery):
    """What can be asked of workouts directly; a person's own are fields of User."""


@strawberry.type
class Mutation(
    ExerciseMutation,
    WorkoutMutation,
    WorkoutOrderMutation,
    MergeMutation,
    TemplateMutation,
    PublicTemplateMutation,
    RestMutation,
    PauseMutation,
    PlatesMutation,
    GearMutation,
    PlannedWorkoutMutation,
    RoutineMutation,
):
    """Every change to exercises and workouts."""


@strawberry.type
class Subscription(WorkoutSubscription):
    """What is told as it happens."""


schema = SubgraphSchema(
    query=Query, mutation=Mutation, subscription=Subscription, types=[User, Workout, WorkoutSet, Exercise]
)
