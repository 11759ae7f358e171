"""The workouts subgraph's federated schema: what `api/*` offers, merged."""

import strawberry

from subgraphs.graphql_schema import SubgraphSchema
from subgraphs.workouts.api.exercise import Exercise, ExerciseMutation, ExerciseQuery
from subgraphs.workouts.api.user import User
from subgraphs.workouts.api.workout import Workout, WorkoutMutation, WorkoutQuery


@strawberry.type
class Query(ExerciseQuery, WorkoutQuery):
    """What can be asked of workouts directly; a person's own are fields of User."""


@strawberry.type
class Mutation(ExerciseMutation, WorkoutMutation):
    """Every change to exercises and workouts."""


schema = SubgraphSchema(query=Query, mutation=Mutation, types=[User, Workout, Exercise])
