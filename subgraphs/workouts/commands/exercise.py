"""A person's own exercises, made and changed, beside the catalogue that everybody sees, and whether a person can use one.

`INSERT_EXERCISE` also writes the catalogue, for `sample_data`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import TypedDict

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from subgraphs.shell.auth import Viewer
from subgraphs.shell.database import Database
from subgraphs.shell.errors import Checks, ConflictError, NotFoundError, expect_version
from subgraphs.shell.exercise_category import ExerciseCategory
from subgraphs.shell.idempotency import id_made_before, id_of_request, key_columns
from subgraphs.shell.inputs import RequestKey, made_id_of
from subgraphs.shell.node import NodeKind, new_node_id
from subgraphs.workouts.commands.exercise_index import index_exercises
from subgraphs.workouts.domain.exercise import (
    MOST_OWN,
    Equipment,
    ExerciseForce,
    ExerciseLevel,
    ExerciseMechanic,
    ExerciseTracking,
    Muscle,
    body_weight_share,
    check_exercise,
    check_link,
)
from subgraphs.workouts.queries.exercise import ExerciseRecord, exercises_by_id

INSERT_EXERCISE = text(
    "INSERT INTO exercise (id, name, category, primary_muscles, secondary_muscles, equipment, level, tracking, force,"
    " mechanic, met, met_code, instructions, created_by, created_at, body_weight_share, one_sided, video_url, picture_url, idempotency_key,"
    " idempotency_content) VALUES (:id, :name, :category, :primary_muscles, :secondary_muscles, :equipment, :level,"
    " :tracking, :force, :mechanic, :met, :met_code, :instructions, :created_by, :created_at, :body_weight_share, :one_sided, :video_url, :picture_url,"
    " :idempotency_key, :idempotency_content) ON CONFLICT DO NOTHING"
)
_UPDATE = text(
    "UPDATE exercise SET name = :name, category = :category, primary_muscles = :primary_muscles,"
    " secondary_muscles = :secondary_muscles, equipment = :equipment, level = :level, tracking = :tracking, force = :force,"
    " mechanic = :mechanic, met = :met, instructions = :instructions, body_weight_share = :body_weight_share,"
    " one_sided = :one_sided, video_url = :video_url, picture_url = :picture_url, version = version + 1 WHERE id = :id"
)
_LOCK = text("SELECT id FROM exercise WHERE id = :id AND created_by = :user_id FOR UPDATE")
# Nobody else's workout has an own exercise, and a person's workouts are bounded.
_IS_USED = text(
    "SELECT EXISTS (SELECT FROM workout JOIN workout_exercise ON workout_id = workout.id"
    " WHERE user_id = :user_id AND exercise_id = :id)"
)
_COUNT = text("SELECT count(*) FROM exercise WHERE created_by = :user_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewExercise:
    """An exercise of one's own. `met` is what a minute of it costs, as a multiple of rest."""

    name: str
    category: ExerciseCategory
    level: ExerciseLevel
    tracking: ExerciseTracking
    met: Decimal
    primary_muscles: Sequence[Muscle] = ()
    secondary_muscles: Sequence[Muscle] = ()
    equipment: Equipment | None = None
    force: ExerciseForce | None = None
    mechanic: ExerciseMechanic | None = None
    instructions: str | None = None
    is_one_sided: bool | None = None
    video_url: str | None = None
    picture_url: str | None = None
    request: RequestKey | None = None


class ExerciseChanges(TypedDict, total=False):
    """What is to be different; what is absent stays as it is, and None takes it away."""

    name: str
    category: ExerciseCategory
    level: ExerciseLevel
    tracking: ExerciseTracking
    met: Decimal
    primary_muscles: Sequence[Muscle]
    secondary_muscles: Sequence[Muscle]
    equipment: Equipment | None
    force: ExerciseForce | None
    mechanic: ExerciseMechanic | None
    instructions: str | None
    is_one_sided: bool | None
    video_url: str | None
    picture_url: str | None


async def create_exercise(viewer: Viewer, new: NewExercise, *, database: Database, now: datetime) -> ExerciseRecord:
    """Store an exercise that only the viewer sees. The same request again finds the first.

    Raises ValidationError, and ConflictError for a key that was used otherwise or more than a person may have.
    """
    checks = Checks()
    _check(checks, new)
    checks.done()
    exercise_id = made_id_of(new.request) or new_node_id(NodeKind.EXERCISE)
    async with database.transaction() as transaction:
        if earlier := await id_made_before(transaction, "exercise", viewer.id, new.request, owner="created_by"):
            return (await exercises_by_id(transaction, [earlier]))[earlier]
        row = _row(viewer.id, exercise_id, new) | {"created_at": now, **key_columns(new.request)}
        if (await transaction.execute(INSERT_EXERCISE, row)).rowcount == 0:
            earlier = await id_of_request(transaction, "exercise", viewer.id, new.request, owner="created_by")
            assert earlier is not None  # nothing else makes a conflict
            exercise_id = earlier
        else:
            if int(await transaction.scalar(_COUNT, {"user_id": viewer.id}) or 0) > MOST_OWN:
                raise ConflictError(f"You have {MOST_OWN} exercises of your own, the most there may be.")
            await index_exercises(transaction, [row])
        return (await exercises_by_id(transaction, [exercise_id]))[exercise_id]


async def update_exercise(
    viewer: Viewer, exercise_id: str, changes: ExerciseChanges, *, expected_version: int | None, database: Database
) -> ExerciseRecord:
    """Change an exercise of the viewer's own. Once a workout has it, it measures what it measured, and lifts the share of the body
    that it lifted, so that past sets and records stay what they are.

    Raises NotFoundError, for another's and the catalogue's too, StaleVersionError, and ValidationError.
    """
    async with database.transaction() as transaction:
        if await transaction.scalar(_LOCK, {"id": exercise_id, "user_id": viewer.id}) is None:
            raise NotFoundError("You have no such exercise.")
        exercise = (await exercises_by_id(transaction, [exercise_id]))[exercise_id]
        expect_version("exercise", expected=expected_version, current=exercise.version)
        new = replace(_as_told(exercise), **changes)
        is_used = bool(await transaction.scalar(_IS_USED, {"user_id": viewer.id, "id": exercise_id}))
        checks = Checks()
        _check(checks, new)
        is_kept = not is_used or new.tracking == exercise.tracking
        checks.require(is_kept, "tracking", "stays as it is once a workout has the exercise")
        checks.done()
        row = _row(viewer.id, exercise_id, new)
        if is_used:
            row["body_weight_share"] = exercise.body_weight_share
        await transaction.execute(_UPDATE, row)
        await index_exercises(transaction, [row])
        return (await exercises_by_id(transaction, [exercise_id]))[exercise_id]


def _as_told(exercise: ExerciseRecord) -> NewExercise:
    """An own exercise as its person said it; it has a MET, as each of them."""
    assert exercise.met is not None
    return NewExercise(
        name=exercise.name,
        category=ExerciseCategory(exercise.category),
        level=ExerciseLevel(exercise.level),
        tracking=ExerciseTracking(exercise.tracking),
        met=exercise.met,
        primary_muscles=[Muscle(muscle) for muscle in exercise.primary_muscles],
        secondary_muscles=[Muscle(muscle) for muscle in exercise.secondary_muscles],
        equipment=None if exercise.equipment is None else Equipment(exercise.equipment),
        force=None if exercise.force is None else ExerciseForce(exercise.force),
        mechanic=None if exercise.mechanic is None else ExerciseMechanic(exercise.mechanic),
        instructions=exercise.instructions,
        is_one_sided=exercise.one_sided,
        video_url=exercise.video_url,
        picture_url=exercise.picture_url,
    )


async def check_exercises_exist(transaction: AsyncConnection, viewer: Viewer, exercise_ids: Sequence[str]) -> None:
    """Raises ValidationError with the place, `exercises.2.exerciseId`, of each that the viewer cannot see."""
    told = {f"exercises.{number}.exerciseId": exercise_id for number, exercise_id in enumerate(exercise_ids)}
    await check_exercises_at(transaction, viewer, told)


async def check_exercises_at(transaction: AsyncConnection, viewer: Viewer, told: Mapping[str, str]) -> None:
    """Raises ValidationError with the place of each that the viewer cannot see; `told` are ids by their places in the input."""
    known = await exercises_by_id(transaction, sorted(set(told.values())))
    checks = Checks()
    for place, exercise_id in told.items():
        exercise = known.get(exercise_id)
        exists = exercise is not None and exercise.is_visible_to(viewer.id)
        checks.require(exists, place, "names no exercise")
    checks.done()


def _check(checks: Checks, new: NewExercise) -> None:
    check_exercise(checks, name=new.name, met=new.met, instructions=new.instructions)
    check_link(checks, new.video_url, "videoUrl")
    check_link(checks, new.picture_url, "pictureUrl")


def _row(user_id: str, exercise_id: str, new: NewExercise) -> dict[str, object]:
    return {
        "id": exercise_id,
        "name": new.name.strip(),
        "category": new.category.value,
        "primary_muscles": _distinct(new.primary_muscles),
        "secondary_muscles": _distinct(new.secondary_muscles),
        "equipment": None if new.equipment is None else new.equipment.value,
        "level": new.level.value,
        "tracking": new.tracking.value,
        "force": None if new.force is None else new.force.value,
        "mechanic": None if new.mechanic is None else new.mechanic.value,
        "met": new.met,
        "met_code": None,
        "instructions": new.instructions,
        "created_by": user_id,
        "body_weight_share": body_weight_share(new.name, new.tracking, new.equipment),
        "one_sided": new.is_one_sided,
        "video_url": new.video_url,
        "picture_url": new.picture_url,
    }


def _distinct(muscles: Sequence[Muscle]) -> list[str]:
    return list(dict.fromkeys(muscle.value for muscle in muscles))
