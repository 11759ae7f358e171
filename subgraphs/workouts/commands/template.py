"""Templates: made, deleted, and what a workout that begins from one plans. They tell nobody else anything."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncConnection

from events.envelope import new_id
from subgraphs.shell.auth import Viewer
from subgraphs.shell.database import Database
from subgraphs.shell.errors import Checks, ConflictError, NotFoundError
from subgraphs.shell.inputs import RequestKey
from subgraphs.workouts.domain.plan import MOST_TEMPLATES, Plan, check_template, grown
from subgraphs.workouts.domain.workout import ExerciseDraft
from subgraphs.workouts.queries.exercise import exercises_by_id
from subgraphs.workouts.queries.template import (
    TemplateRecord,
    exercises_by_template,
    last_sets,
    template_counts,
    templates_by_id,
)
from subgraphs.workouts.tables import TemplateExerciseRow, WorkoutTemplateRow

_BY_KEY = text(
    "SELECT id, idempotency_content FROM workout_template WHERE user_id = :user_id AND idempotency_key = :key"
)
_LOCK_PERSON = text("SELECT pg_advisory_xact_lock(hashtextextended('workout_template:' || :user_id, 0))")
_DELETE = text("DELETE FROM workout_template WHERE id = :id AND user_id = :user_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTemplate:
    """A template to keep: (exercise id, plan) in order. The same request again finds the first one."""

    name: str
    exercises: Sequence[tuple[str, Plan]]
    notes: str | None = None
    request: RequestKey | None = None


async def create_template(viewer: Viewer, new: NewTemplate, *, database: Database, now: datetime) -> TemplateRecord:
    """Keep a template. Raises ValidationError, and ConflictError for too many or a key used otherwise."""
    checks = Checks()
    check_template(checks, new.name, new.notes, [plan for _, plan in new.exercises])
    checks.done()
    async with database.transaction() as transaction:
        await transaction.execute(_LOCK_PERSON, {"user_id": viewer.id})
        earlier = await _id_of_request(transaction, viewer.id, new.request)
        if earlier is None:
            if (await template_counts(transaction, [viewer.id])).get(viewer.id, 0) >= MOST_TEMPLATES:
                raise ConflictError(f"There may be at most {MOST_TEMPLATES} templates: delete one first.")
            await _must_exist(transaction, viewer, [exercise_id for exercise_id, _ in new.exercises])
            earlier = await _write(transaction, viewer.id, new, now)
        return (await templates_by_id(transaction, [earlier]))[earlier]


async def delete_template(viewer: Viewer, template_id: str, *, database: Database) -> None:
    """Let a template go; workouts that began from it keep their plan. Raises NotFoundError, for another's too."""
    async with database.transaction() as transaction:
        result = await transaction.execute(_DELETE, {"id": template_id, "user_id": viewer.id})
        if result.rowcount == 0:
            raise NotFoundError("There is no such template.")


async def planned_exercises(viewer: Viewer, template_id: str, *, database: Database) -> list[ExerciseDraft]:
    """What a workout from a template of the viewer begins with, grown by what was done last. Raises NotFoundError."""
    async with database.transaction() as transaction:
        template = (await templates_by_id(transaction, [template_id])).get(template_id)
        if template is None or template.user_id != viewer.id:
            raise NotFoundError("There is no such template.", field="templateId")
        exercises = (await exercises_by_template(transaction, [template_id])).get(template_id, [])
        done = await last_sets(transaction, viewer.id, sorted({each.exercise_id for each in exercises}))
        return [
            ExerciseDraft(exercise_id=each.exercise_id, plan=grown(each.plan, done.get(each.exercise_id, ())))
            for each in exercises
        ]


async def _write(transaction: AsyncConnection, user_id: str, new: NewTemplate, now: datetime) -> str:
    template_id = new_id()
    row = {
        "id": template_id,
        "user_id": user_id,
        "name": new.name.strip(),
        "notes": new.notes,
        "created_at": now,
        "idempotency_key": new.request.key if new.request else None,
        "idempotency_content": new.request.content if new.request else None,
    }
    await transaction.execute(insert(WorkoutTemplateRow), [row])
    rows = [
        {
            "id": new_id(),
            "template_id": template_id,
            "exercise_id": exercise_id,
            "position": position,
            **{name: getattr(plan, name) for name in Plan.__slots__},
        }
        for position, (exercise_id, plan) in enumerate(new.exercises, start=1)
    ]
    await transaction.execute(insert(TemplateExerciseRow), rows)
    return template_id


async def _must_exist(transaction: AsyncConnection, viewer: Viewer, exercise_ids: Sequence[str]) -> None:
    known = await exercises_by_id(transaction, sorted(set(exercise_ids)))
    checks = Checks()
    for number, exercise_id in enumerate(exercise_ids):
        exercise = known.get(exercise_id)
        exists = exercise is not None and exercise.is_visible_to(viewer.id)
        checks.require(exists, f"exercises.{number}.exerciseId", "names no exercise")
    checks.done()


async def _id_of_request(transaction: AsyncConnection, user_id: str, request: RequestKey | None) -> str | None:
    if request is None:
        return None
    row = (await transaction.execute(_BY_KEY, {"user_id": user_id, "key": request.key})).one_or_none()
    if row is None:
        return None
    request.refuse_other_content(row.idempotency_content)
    return str(row.id)
