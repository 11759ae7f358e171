"""Exercises in GraphQL: the type, its search and the creation of one's own."""

from __future__ import annotations

from enum import Enum
from typing import Any

import strawberry

from subgraphs.context import Info
from subgraphs.pagination import Connection, connect, read_page
from subgraphs.scalars import CACHE_PUBLIC_HOUR, CacheControl, CacheControlScope, decimal_of, rounded_or_none
from subgraphs.workouts.api.request import loaders_of, writer_of
from subgraphs.workouts.commands.exercise import NewExercise, create_exercise
from subgraphs.workouts.queries.exercise import ExerciseFilter, ExerciseRecord, exercises_by_id, exercises_page

# A search shows the viewer's own exercises among the catalogue's, so its answer is nobody else's.
CACHE_PRIVATE_HOUR = CacheControl(max_age=3600, scope=CacheControlScope.PRIVATE)


@strawberry.enum
class ExerciseCategory(Enum):
    STRENGTH = "STRENGTH"
    CARDIO = "CARDIO"
    FLEXIBILITY = "FLEXIBILITY"
    CORE = "CORE"
    HIIT = "HIIT"
    PLYOMETRICS = "PLYOMETRICS"
    BODYWEIGHT = "BODYWEIGHT"


@strawberry.enum
class ExerciseLevel(Enum):
    BEGINNER = "BEGINNER"
    INTERMEDIATE = "INTERMEDIATE"
    ADVANCED = "ADVANCED"


@strawberry.enum(description="What a set of the exercise measures.")
class ExerciseTracking(Enum):
    REPS = "REPS"
    WEIGHT_REPS = "WEIGHT_REPS"
    TIME = "TIME"
    DISTANCE_TIME = "DISTANCE_TIME"


@strawberry.federation.type(keys=["id"], description="Something to do in a workout.", directives=[CACHE_PUBLIC_HOUR])
class Exercise:
    id: strawberry.ID
    name: str
    category: ExerciseCategory
    primary_muscles: list[str]
    secondary_muscles: list[str]
    equipment: str | None
    level: ExerciseLevel
    tracking: ExerciseTracking
    met: float | None = strawberry.field(description="Energy as a multiple of rest; none where it is not known.")
    instructions: str | None
    is_own: bool = strawberry.field(description="Made by the viewer, and seen by nobody else.")

    @classmethod
    async def resolve_reference(cls, info: Info, id: strawberry.ID, **_: Any) -> Exercise | None:
        return await load_exercise(info, id)


def exercise_node(record: ExerciseRecord) -> Exercise:
    return Exercise(
        id=strawberry.ID(record.id),
        name=record.name,
        category=ExerciseCategory(record.category),
        primary_muscles=record.primary_muscles,
        secondary_muscles=record.secondary_muscles,
        equipment=record.equipment,
        level=ExerciseLevel(record.level),
        tracking=ExerciseTracking(record.tracking),
        met=rounded_or_none(record.met),
        instructions=record.instructions,
        is_own=record.created_by is not None,
    )


async def load_exercise(info: Info, id: str) -> Exercise | None:
    """The exercise, unless it is another person's own."""
    viewer = info.context.viewer
    record = await loaders_of(info).exercise_by_id.load(id)
    if record is None or (record.created_by is not None and not viewer.may_read(record.created_by)):
        return None
    return exercise_node(record)


@strawberry.input
class CreateExerciseInput:
    name: str
    category: ExerciseCategory
    level: ExerciseLevel = ExerciseLevel.BEGINNER
    tracking: ExerciseTracking = ExerciseTracking.WEIGHT_REPS
    met: float = 3.5
    primary_muscles: list[str] = strawberry.field(default_factory=list)
    secondary_muscles: list[str] = strawberry.field(default_factory=list)
    equipment: str | None = None
    instructions: str | None = None


@strawberry.type
class ExerciseQuery:
    @strawberry.field(
        description="One exercise of the catalogue or of the viewer's own.", directives=[CACHE_PRIVATE_HOUR]
    )
    async def exercise(self, info: Info, id: strawberry.ID) -> Exercise | None:
        return await load_exercise(info, id)

    @strawberry.field(
        description="Exercises by name; `search` matches anywhere in it.", directives=[CACHE_PRIVATE_HOUR]
    )
    async def exercises(
        self,
        info: Info,
        search: str | None = None,
        muscle: str | None = None,
        category: ExerciseCategory | None = None,
        level: ExerciseLevel | None = None,
        equipment: str | None = None,
        first: int | None = None,
        after: str | None = None,
    ) -> Connection[Exercise]:
        page = read_page(first, after, (str, str))
        wanted = ExerciseFilter(
            info.context.viewer.id,
            search,
            muscle,
            category.value if category else None,
            level.value if level else None,
            equipment,
        )
        async with info.context.resources.database.reading() as connection:
            records = await exercises_page(connection, wanted, page.after, page.limit)
        return connect(records, page, exercise_node, lambda record: (record.name.lower(), record.id))


@strawberry.type
class ExerciseMutation:
    @strawberry.mutation(description="An exercise of one's own.")
    async def create_exercise(self, info: Info, input: CreateExerciseInput) -> Exercise:
        new = NewExercise(
            name=input.name,
            category=input.category.value,
            level=input.level.value,
            tracking=input.tracking.value,
            met=decimal_of(input.met),
            primary_muscles=tuple(input.primary_muscles),
            secondary_muscles=tuple(input.secondary_muscles),
            equipment=input.equipment,
            instructions=input.instructions,
        )
        exercise_id = await create_exercise(writer_of(info), info.context.viewer.id, new)
        async with writer_of(info).connect() as connection:
            return exercise_node((await exercises_by_id(connection, [exercise_id]))[exercise_id])
