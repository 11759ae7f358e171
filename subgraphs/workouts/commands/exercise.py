"""A person's own exercises, beside the catalogue that everybody sees, and whether a person can use one.

`INSERT_EXERCISE` also writes the catalogue, for `sample_data`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from subgraphs.shell.auth import Viewer
from subgraphs.shell.database import Database
from subgraphs.shell.errors import Checks, ConflictError
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


async def create_exercise(viewer: Viewer, new: NewExercise, *, database: Database, now: datetime) -> ExerciseRecord:
    """Store an exercise that only the viewer sees. The same request again finds the first.

    Raises ValidationError, and ConflictError for a key that was used otherwise or more than a person may have.
    """
    checks = Checks()
    check_exercise(checks, name=new.name, met=new.met, instructions=new.instructions)
    check_link(checks, new.video_url, "videoUrl")
    check_link(checks, new.picture_url, "pictureUrl")
    checks.done()
    exercise_id = made_id_of(new.request) or new_node_id(NodeKind.EXERCISE)
    async with database.transaction() as transaction:
        if earlier := await id_made_before(transaction, "exercise", viewer.id, new.request, owner="created_by"):
            return (await exercises_by_id(transaction, [earlier]))[earlier]
        row = _row(viewer.id, exercise_id, new, now)
        if (await transaction.execute(INSERT_EXERCISE, row)).rowcount == 0:
            earlier = await id_of_request(transaction, "exercise", viewer.id, new.request, owner="created_by")
            assert earlier is not None  # nothing else makes a conflict
            exercise_id = earlier
        else:
            if int(await transaction.scalar(_COUNT, {"user_id": viewer.id}) or 0) > MOST_OWN:
                raise ConflictError(f"You have {MOST_OWN} exercises of your own, the most there may be.")
            await index_exercises(transaction, [row])
        return (await exercises_by_id(transaction, [exercise_id]))[exercise_id]


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


def _row(user_id: str, exercise_id: str, new: NewExercise, now: datetime) -> dict[str, object]:
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
        "created_at": now,
        "body_weight_share": body_weight_share(new.name, new.tracking, new.equipment),
        "one_sided": new.is_one_sided,
        "video_url": new.video_url,
        "picture_url": new.picture_url,
        **key_columns(new.request),
    }


def _distinct(muscles: Sequence[Muscle]) -> list[str]:
    return list(dict.fromkeys(muscle.value for muscle in muscles))
