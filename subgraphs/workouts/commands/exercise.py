"""A person's own exercises, beside the catalogue that everybody sees. Also writes the catalogue, for `sample_data`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import text

from subgraphs.shell.auth import Viewer
from subgraphs.shell.database import Database
from subgraphs.shell.errors import Checks, ConflictError
from subgraphs.shell.inputs import RequestKey
from subgraphs.shell.node import NodeKind, new_node_id
from subgraphs.workouts.commands.exercise_index import index_exercises
from subgraphs.workouts.domain.exercise import (
    MOST_OWN,
    Equipment,
    ExerciseCategory,
    ExerciseLevel,
    ExerciseTracking,
    Muscle,
    body_weight_share,
    check_exercise,
)
from subgraphs.workouts.queries.exercise import ExerciseRecord, exercises_by_id

INSERT_EXERCISE = text(
    "INSERT INTO exercise (id, name, category, primary_muscles, secondary_muscles, equipment, level, tracking, force,"
    " mechanic, met, met_code, instructions, created_by, created_at, body_weight_share, idempotency_key,"
    " idempotency_content) VALUES (:id, :name, :category, :primary_muscles, :secondary_muscles, :equipment, :level,"
    " :tracking, :force, :mechanic, :met, :met_code, :instructions, :created_by, :created_at, :body_weight_share,"
    " :idempotency_key, :idempotency_content) ON CONFLICT DO NOTHING"
)
_BY_KEY = text("SELECT id, idempotency_content FROM exercise WHERE created_by = :user_id AND idempotency_key = :key")
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
    instructions: str | None = None
    request: RequestKey | None = None


async def create_exercise(viewer: Viewer, new: NewExercise, *, database: Database, now: datetime) -> ExerciseRecord:
    """Store an exercise that only the viewer sees. The same request again finds the first.

    Raises ValidationError, and ConflictError for a key that was used otherwise or more than a person may have.
    """
    checks = Checks()
    check_exercise(checks, name=new.name, met=new.met, instructions=new.instructions)
    checks.done()
    exercise_id = new_node_id(NodeKind.EXERCISE)
    async with database.transaction() as transaction:
        row = _row(viewer.id, exercise_id, new, now)
        if (await transaction.execute(INSERT_EXERCISE, row)).rowcount == 0:
            assert new.request is not None  # nothing else makes a conflict
            earlier = await transaction.execute(_BY_KEY, {"user_id": viewer.id, "key": new.request.key})
            exercise_id, content = earlier.one()
            new.request.refuse_other_content(content)
        else:
            if int(await transaction.scalar(_COUNT, {"user_id": viewer.id}) or 0) > MOST_OWN:
                raise ConflictError(f"You have {MOST_OWN} exercises of your own, the most there may be.")
            await index_exercises(transaction, [row])
        return (await exercises_by_id(transaction, [exercise_id]))[exercise_id]


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
        "force": None,
        "mechanic": None,
        "met": new.met,
        "met_code": None,
        "instructions": new.instructions,
        "created_by": user_id,
        "created_at": now,
        "body_weight_share": body_weight_share(new.name, new.tracking, new.equipment),
        "idempotency_key": new.request.key if new.request else None,
        "idempotency_content": new.request.content if new.request else None,
    }


def _distinct(muscles: Sequence[Muscle]) -> list[str]:
    return list(dict.fromkeys(muscle.value for muscle in muscles))
