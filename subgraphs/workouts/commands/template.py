"""Templates: made, deleted, and what a workout that begins from one plans. They tell nobody else anything."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncConnection

from events.envelope import new_id
from subgraphs.shell.auth import Viewer
from subgraphs.shell.database import Database, take_turns
from subgraphs.shell.errors import Checks, ConflictError, NotFoundError
from subgraphs.shell.idempotency import id_of_request, key_columns
from subgraphs.shell.inputs import RequestKey
from subgraphs.workouts.commands.exercise import check_exercises_exist
from subgraphs.workouts.domain.plan import MOST_TEMPLATES, Plan, check_template, grown
from subgraphs.workouts.domain.workout import ExerciseDraft
from subgraphs.workouts.queries.template import (
    TemplateRecord,
    exercises_by_template,
    last_sets,
    template_counts,
    templates_by_id,
)
from subgraphs.workouts.tables import TemplateExerciseRow, WorkoutTemplateRow

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
        await take_turns(transaction, "workout_template", viewer.id)
        earlier = await id_of_request(transaction, "workout_template", viewer.id, new.request)
        if earlier is None:
            if (await template_counts(transaction, [viewer.id])).get(viewer.id, 0) >= MOST_TEMPLATES:
                raise ConflictError(f"There may be at most {MOST_TEMPLATES} templates: delete one first.")
            await check_exercises_exist(transaction, viewer, [exercise_id for exercise_id, _ in new.exercises])
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
        **key_columns(new.request),
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
