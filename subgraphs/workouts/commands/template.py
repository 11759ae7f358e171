"""Templates: made, changed, deleted, and what a workout that begins from one plans. They tell nobody else anything."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypedDict

from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncConnection

from events.envelope import new_id
from subgraphs.shell.auth import Viewer
from subgraphs.shell.database import Database, take_turns
from subgraphs.shell.errors import Checks, ConflictError, NotFoundError, expect_version
from subgraphs.shell.grant_area import PlanArea
from subgraphs.shell.idempotency import id_of_request, key_columns
from subgraphs.shell.inputs import RequestKey, made_id_of
from subgraphs.shell.plan_writing import PlanKind, PlanWriter, plan_writer, writer_of_row
from subgraphs.workouts.commands.exercise import check_exercises_exist
from subgraphs.workouts.domain.exercise import Equipment
from subgraphs.workouts.domain.plan import MOST_TEMPLATES, Plan, check_template
from subgraphs.workouts.domain.progression import ESTIMATE_DAYS, LastTime, ProgressionRule, grown, rule_of
from subgraphs.workouts.domain.workout import ExerciseDraft
from subgraphs.workouts.queries.exercise import exercises_by_id
from subgraphs.workouts.queries.plates import plate_inventories
from subgraphs.workouts.queries.template import (
    TemplateRecord,
    exercises_by_template,
    last_times,
    strongest_sets,
    template_counts,
    templates_by_id,
)
from subgraphs.workouts.tables import TemplateExerciseRow, WorkoutTemplateRow

_NO_TEMPLATE = "There is no such template."
_LOCK = text("SELECT id FROM workout_template WHERE id = :id AND user_id = :user_id FOR UPDATE")
_UPDATE = text(
    "UPDATE workout_template SET name = :name, notes = :notes, planned_at = :planned_at,"
    " author_id = :author_id, version = version + 1 WHERE id = :id"
)
_DELETE = text("DELETE FROM workout_template WHERE id = :id")
_DELETE_EXERCISES = text("DELETE FROM template_exercise WHERE template_id = :id")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTemplate:
    """A template to keep: (exercise id, plan) in order. The same request again finds the first one.

    It is for this person, who lets the viewer plan by a grant; for the viewer where None. `cloned_from` is the public template
    that it was made of, None for one's own.
    """

    name: str
    exercises: Sequence[tuple[str, Plan]]
    notes: str | None = None
    person_id: str | None = None
    cloned_from: str | None = None
    request: RequestKey | None = None


class TemplateChanges(TypedDict, total=False):
    """What is to be different; what is absent stays as it is. Exercises take the place of all before."""

    name: str
    notes: str | None
    exercises: Sequence[tuple[str, Plan]]


async def create_template(viewer: Viewer, new: NewTemplate, *, database: Database, now: datetime) -> TemplateRecord:
    """Keep a template. Raises ValidationError, NotFoundError for a person for whom the viewer may not plan, RateLimitedError,
    and ConflictError for too many or a key used otherwise.
    """
    checks = Checks()
    check_template(checks, new.name, new.notes, [plan for _, plan in new.exercises])
    checks.done()
    async with database.transaction() as transaction:
        writer = await plan_writer(transaction, viewer, new.person_id, PlanArea.TRAINING)
        kept = await template_of_request(transaction, writer, new.request)
        if kept is None:
            kept = await keep_template(transaction, writer, new, now)
        return (await templates_by_id(transaction, [kept]))[kept]


async def template_of_request(
    transaction: AsyncConnection, writer: PlanWriter, request: RequestKey | None
) -> str | None:
    """The id of the template that the same request kept before, if it did; other requests for the person wait from here on.

    Raises ConflictError for a key used otherwise.
    """
    await take_turns(transaction, "workout_template", writer.owner.id)
    return await id_of_request(transaction, "workout_template", writer.owner.id, writer.key(request))


async def keep_template(transaction: AsyncConnection, writer: PlanWriter, new: NewTemplate, now: datetime) -> str:
    """The id of the template that is kept now, of a request of which `template_of_request` found none.

    Raises ValidationError for exercises that its person does not see, and ConflictError for too many.
    """
    owner, request = writer.owner, writer.key(new.request)
    if (await template_counts(transaction, [owner.id])).get(owner.id, 0) >= MOST_TEMPLATES:
        raise ConflictError(f"There may be at most {MOST_TEMPLATES} templates: delete one first.")
    await check_exercises_exist(transaction, owner, [exercise_id for exercise_id, _ in new.exercises])
    kept = await _write(transaction, writer, replace(new, request=request), now)
    await writer.note(transaction, PlanKind.TEMPLATE, kept, now)
    return kept


async def update_template(
    viewer: Viewer,
    template_id: str,
    changes: TemplateChanges,
    *,
    expected_version: int | None,
    database: Database,
    now: datetime,
) -> TemplateRecord:
    """Change a template of the viewer, or of a person for whom the viewer may plan; workouts that began from it keep their
    plan.

    Raises ValidationError, StaleVersionError, RateLimitedError, and NotFoundError, for all others' too.
    """
    async with database.transaction() as transaction:
        writer = await writer_of_row(
            transaction, viewer, "workout_template", template_id, PlanArea.TRAINING, missing=_NO_TEMPLATE
        )
        template = await lock_template(transaction, writer.owner, template_id)
        expect_version("template", expected=expected_version, current=template.version)
        exercises = changes.get("exercises")
        name, notes = changes.get("name", template.name), changes.get("notes", template.notes)
        checks = Checks()
        check_template(checks, name, notes, None if exercises is None else [plan for _, plan in exercises])
        checks.done()
        planned_at = template.planned_at if exercises is None else now
        row = {
            "id": template_id,
            "name": name.strip(),
            "notes": notes,
            "planned_at": planned_at,
            "author_id": writer.author_id,
        }
        await transaction.execute(_UPDATE, row)
        if exercises is not None:
            await check_exercises_exist(transaction, writer.owner, [exercise_id for exercise_id, _ in exercises])
            await transaction.execute(_DELETE_EXERCISES, {"id": template_id})
            await _write_exercises(transaction, template_id, exercises)
        await writer.note(transaction, PlanKind.TEMPLATE, template_id, now)
        return (await templates_by_id(transaction, [template_id]))[template_id]


async def delete_template(
    viewer: Viewer, template_id: str, *, expected_version: int | None, database: Database
) -> None:
    """Let a template go; workouts that began from it keep their plan.

    Raises NotFoundError, for another's too, and StaleVersionError.
    """
    async with database.transaction() as transaction:
        template = await lock_template(transaction, viewer, template_id)
        expect_version("template", expected=expected_version, current=template.version)
        await transaction.execute(_DELETE, {"id": template_id})


async def lock_template(transaction: AsyncConnection, viewer: Viewer, template_id: str) -> TemplateRecord:
    """The viewer's template, locked until the transaction ends. Raises NotFoundError, for another's too."""
    if await transaction.scalar(_LOCK, {"id": template_id, "user_id": viewer.id}) is None:
        raise NotFoundError(_NO_TEMPLATE)
    return (await templates_by_id(transaction, [template_id]))[template_id]


async def planned_exercises(
    viewer: Viewer, template_id: str, *, database: Database, now: datetime
) -> list[ExerciseDraft]:
    """What a workout from a template of the viewer begins with, grown by what was done last. Raises NotFoundError."""
    async with database.transaction() as transaction:
        template, plans = await template_with_plans(transaction, viewer, template_id)
        return await grown_drafts(transaction, viewer.id, plans, planned_at=template.planned_at, now=now)


async def template_with_plans(
    transaction: AsyncConnection, viewer: Viewer, template_id: str
) -> tuple[TemplateRecord, list[tuple[str, Plan]]]:
    """A template of the viewer that an input names beside its target, and (exercise id, plan) in order. Raises NotFoundError."""
    template = (await templates_by_id(transaction, [template_id])).get(template_id)
    if template is None or template.user_id != viewer.id:
        raise NotFoundError(_NO_TEMPLATE, field="templateId")
    exercises = (await exercises_by_template(transaction, [template_id])).get(template_id, [])
    return template, [(each.exercise_id, each.plan) for each in exercises]


async def grown_drafts(
    transaction: AsyncConnection,
    user_id: str,
    exercises: Sequence[tuple[str, Plan]],
    *,
    planned_at: datetime,
    now: datetime,
) -> list[ExerciseDraft]:
    """What a workout begins with that is planned so, (exercise id, plan) in order: grown by what was done last.

    `planned_at` is when the plans were told.
    """
    every = sorted({exercise_id for exercise_id, _ in exercises})
    last = await last_times(transaction, user_id, every, planned_at)
    estimated = sorted({name for name, plan in exercises if rule_of(plan) is ProgressionRule.ONE_REP_MAX})
    since = (now - timedelta(days=ESTIMATE_DAYS)).date()
    strongest = await strongest_sets(transaction, user_id, estimated, since) if estimated else {}
    inventory = (await plate_inventories(transaction, [user_id])).get(user_id)
    known = await exercises_by_id(transaction, every) if inventory is not None else {}
    with_bar = {each.id for each in known.values() if each.equipment == Equipment.BARBELL}
    return [
        ExerciseDraft(
            exercise_id=exercise_id,
            plan=grown(
                plan,
                last.get(exercise_id, LastTime()),
                strongest.get(exercise_id, ()),
                inventory if exercise_id in with_bar else None,
            ),
        )
        for exercise_id, plan in exercises
    ]


async def _write(transaction: AsyncConnection, writer: PlanWriter, new: NewTemplate, now: datetime) -> str:
    template_id = made_id_of(new.request) or new_id()
    row = {
        "id": template_id,
        "user_id": writer.owner.id,
        "author_id": writer.author_id,
        "name": new.name.strip(),
        "notes": new.notes,
        "cloned_from": new.cloned_from,
        "created_at": now,
        "planned_at": now,
        **key_columns(new.request),
    }
    await transaction.execute(insert(WorkoutTemplateRow), [row])
    await _write_exercises(transaction, template_id, new.exercises)
    return template_id


async def _write_exercises(
    transaction: AsyncConnection, template_id: str, exercises: Sequence[tuple[str, Plan]]
) -> None:
    rows = [
        {
            "id": new_id(),
            "template_id": template_id,
            "exercise_id": exercise_id,
            "position": position,
            **{name: getattr(plan, name) for name in Plan.__slots__},
        }
        for position, (exercise_id, plan) in enumerate(exercises, start=1)
    ]
    await transaction.execute(insert(TemplateExerciseRow), rows)
