"""Templates for everybody: published, taken back, cloned, reported, and judged by administrators.

What is public is a copy of its own, made when it was published: no later change of the template shows before it is published
again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from events.contracts.workouts import TemplateModerated
from events.envelope import new_id
from events.outbox import NewEvent, append_event
from subgraphs.shell.auth import Viewer
from subgraphs.shell.database import Database, take_turns
from subgraphs.shell.errors import Checks, ConflictError, NotFoundError, expect_version
from subgraphs.shell.grant_area import PlanArea
from subgraphs.shell.inputs import RequestKey
from subgraphs.shell.plan_writing import PlanWriter
from subgraphs.shell.publication import REPORTS_THAT_HIDE, ModerationDecision, ReportReason, check_moderation
from subgraphs.shell.publication_reports import IS_OPEN
from subgraphs.shell.search.words import words_of
from subgraphs.shell.telemetry import current_traceparent
from subgraphs.workouts.commands.template import NewTemplate, keep_template, lock_template, template_of_request
from subgraphs.workouts.domain.exercise import ExerciseLevel
from subgraphs.workouts.domain.plan import check_template
from subgraphs.workouts.domain.planned_workout import PlannedExercises, decode_exercises, encode_exercises
from subgraphs.workouts.domain.public_template import (
    MOST_PUBLIC,
    TemplateKind,
    TemplateVisibility,
    labels_of,
    muscles_of,
    public_exercises,
)
from subgraphs.workouts.queries.exercise import ExerciseRecord, exercises_by_id
from subgraphs.workouts.queries.public_template import (
    REPORTS,
    PublicTemplateRecord,
    moderated_templates_by_id,
    public_templates_by_id,
    publications_by_template,
)
from subgraphs.workouts.queries.template import TemplateRecord, exercises_by_template, templates_by_id

_NO_TEMPLATE = "There is no such public template."
_PUBLISH = text(
    "INSERT INTO public_template (id, template_id, user_id, name, kind, level, labels, muscles, exercises, published_at,"
    " shows_author)"
    " VALUES (:id, :template_id, :user_id, :name, :kind, :level, :labels, :muscles, CAST(:exercises AS jsonb), :now, :shows_author)"
    " ON CONFLICT (id) DO UPDATE SET name = excluded.name, kind = excluded.kind, level = excluded.level,"
    " labels = excluded.labels, muscles = excluded.muscles, exercises = excluded.exercises, shows_author = excluded.shows_author,"
    " version = public_template.version + 1"
    " WHERE (public_template.name, public_template.kind, public_template.level, public_template.exercises,"
    " public_template.shows_author)"
    " IS DISTINCT FROM (excluded.name, excluded.kind, excluded.level, excluded.exercises, excluded.shows_author)"
)
_COUNT = text("SELECT count(*) FROM public_template WHERE user_id = :user_id")
_UNPUBLISH = text(f"DELETE FROM public_template AS shown WHERE template_id = :id AND {IS_OPEN}")  # noqa: S608 - our names
_TOUCH = text("UPDATE workout_template SET version = version + 1 WHERE id = :id")


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """Which template to publish, what it is found by, and whether it names who publishes it."""

    template_id: str
    kind: TemplateKind
    level: ExerciseLevel
    shows_author: bool = True
    expected_version: int | None = None


async def publish_template(
    viewer: Viewer, wanted: Publication, *, database: Database, now: datetime
) -> tuple[TemplateRecord, int]:
    """Let everybody see a template of the viewer as it is now, or publish it again; and how many exercises were left out,
    which are the viewer's own.

    Raises NotFoundError, for another's too, StaleVersionError, ValidationError where nothing would be left, and ConflictError
    for one that administrators withdrew, or for too many.
    """
    async with database.transaction() as transaction:
        await take_turns(transaction, "public_template", viewer.id)
        template = await lock_template(transaction, viewer, wanted.template_id)
        expect_version("template", expected=wanted.expected_version, current=template.version)
        earlier = (await publications_by_template(transaction, [template.id])).get(template.id)
        if earlier is not None and earlier.withdrawn_at is not None:
            raise ConflictError("Administrators withdrew this template: it is not published again.", field="id")
        if earlier is None and int(await transaction.scalar(_COUNT, {"user_id": viewer.id}) or 0) >= MOST_PUBLIC:
            raise ConflictError(
                f"There may be at most {MOST_PUBLIC} public templates: unpublish one first.", field="id"
            )
        told = (await exercises_by_template(transaction, [template.id])).get(template.id, [])
        known = await exercises_by_id(transaction, sorted({each.exercise_id for each in told}))
        catalogue = {name: exercise for name, exercise in known.items() if exercise.created_by is None}
        exercises = public_exercises([(each.exercise_id, each.plan) for each in told], catalogue)
        checks = Checks()
        checks.require(bool(exercises), "id", "has only exercises of your own, which nobody else sees")
        checks.done()
        shown = ShownTemplate(
            id=new_id() if earlier is None else earlier.id,
            name=template.name,
            kind=wanted.kind,
            level=wanted.level,
            exercises=exercises,
            template_id=template.id,
            user_id=viewer.id,
            shows_author=wanted.shows_author,
        )
        await write_public_template(transaction, shown, catalogue, now)
        return await _touched(transaction, template.id), len(told) - len(exercises)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownTemplate:
    """What everybody is to see: a template of a person, or one of the catalogue, which has neither person nor template."""

    id: str
    name: str
    kind: TemplateKind
    level: ExerciseLevel
    exercises: PlannedExercises
    template_id: str | None = None
    user_id: str | None = None
    shows_author: bool = True


async def write_public_template(
    transaction: AsyncConnection, shown: ShownTemplate, catalogue: Mapping[str, ExerciseRecord], now: datetime
) -> None:
    """Make a public template, or bring the one with this id to what is shown now; what has not changed keeps its version.

    Its exercises are all among those of the catalogue, by their ids.
    """
    muscles = muscles_of(catalogue[each.exercise_id].primary_muscles for each in shown.exercises)
    row = {
        "id": shown.id,
        "template_id": shown.template_id,
        "user_id": shown.user_id,
        "name": shown.name,
        "kind": shown.kind.value,
        "level": shown.level.value,
        "labels": labels_of(
            words=words_of(shown.name),
            kind=shown.kind,
            level=shown.level,
            muscles=muscles,
            from_catalogue=shown.user_id is None,
        ),
        "muscles": muscles,
        "exercises": encode_exercises(shown.exercises),
        "now": now,
        "shows_author": shown.shows_author,
    }
    if (await transaction.execute(_PUBLISH, row)).rowcount:
        await REPORTS.is_another(transaction, shown.id)


async def unpublish_template(
    viewer: Viewer, template_id: str, *, expected_version: int | None, database: Database
) -> TemplateRecord:
    """Let nobody else see a template of the viewer any more; what was cloned of it stays. One that is not public stays as it is,
    and so do the reports of one that they hide: published anew it would be shown.

    Raises NotFoundError, for another's too, and StaleVersionError.
    """
    async with database.transaction() as transaction:
        template = await lock_template(transaction, viewer, template_id)
        expect_version("template", expected=expected_version, current=template.version)
        if (await transaction.execute(_UNPUBLISH, {"id": template_id})).rowcount == 0:
            return template
        return await _touched(transaction, template_id)


async def clone_template(
    viewer: Viewer,
    public_template_id: str,
    *,
    name: str | None,
    request: RequestKey | None,
    database: Database,
    now: datetime,
) -> TemplateRecord:
    """A template of the viewer with what a public one plans, under its name or another. The same request again finds the first.

    Raises NotFoundError for what is not public, ValidationError, and ConflictError for too many or a key used otherwise.
    """
    async with database.transaction() as transaction:
        writer = PlanWriter(viewer, viewer, PlanArea.TRAINING)
        kept = await template_of_request(transaction, writer, request)
        if kept is None:
            shown = await _shown(transaction, public_template_id)
            new = NewTemplate(
                name=shown.name if name is None else name,
                exercises=[(each.exercise_id, each.plan) for each in decode_exercises(shown.exercises)],
                cloned_from=shown.id,
                request=request,
            )
            checks = Checks()
            check_template(checks, new.name, None, [plan for _, plan in new.exercises])
            checks.done()
            kept = await keep_template(transaction, writer, new, now)
        return (await templates_by_id(transaction, [kept]))[kept]


async def report_template(
    viewer: Viewer, public_template_id: str, reason: ReportReason, *, database: Database, now: datetime
) -> PublicTemplateRecord:
    """Tell administrators that a public template is out of place; of one person once, with the latest reason. Once enough people
    have, nobody else sees it before an administrator has decided.

    Raises NotFoundError, ConflictError for one of the viewer's own and for the catalogue's, and RateLimitedError.
    """
    async with database.transaction() as transaction:
        await REPORTS.take_turns(transaction, viewer.id)
        await REPORTS.lock(transaction, public_template_id)
        shown = await _shown(transaction, public_template_id)
        if shown.user_id is None or shown.user_id == viewer.id:
            raise ConflictError("Only templates that somebody else published are reported.", field="publicTemplateId")
        hides = await REPORTS.report(transaction, shown.id, viewer.id, reason, now)
        if hides and shown.template_id is not None:
            await transaction.execute(_TOUCH, {"id": shown.template_id})
        return shown


async def moderate_template(
    viewer: Viewer,
    public_template_id: str,
    decision: ModerationDecision,
    reason: str,
    *,
    database: Database,
    now: datetime,
) -> PublicTemplateRecord:
    """Withdraw a template that somebody published, or keep it, or bring it back; either way its reports are done with.

    It is told as an event, which users keeps in the audit trail. Raises ValidationError, NotFoundError, and ConflictError for the
    catalogue's.
    """
    checks = Checks()
    check_moderation(checks, reason)
    checks.done()
    async with database.transaction() as transaction:
        if not await REPORTS.lock(transaction, public_template_id):
            raise NotFoundError(_NO_TEMPLATE)
        before = (await moderated_templates_by_id(transaction, [public_template_id]))[public_template_id]
        if before.user_id is None:
            raise ConflictError("Templates of the catalogue are loaded by operators.", field="publicTemplateId")
        await REPORTS.decide(transaction, before.id, decision, now)
        if before.template_id is not None:
            await transaction.execute(_TOUCH, {"id": before.template_id})
        after = (await moderated_templates_by_id(transaction, [before.id]))[before.id]
        payload = TemplateModerated(
            actor_id=viewer.id,
            decision=decision.value,
            reason=reason.strip(),
            before=visibility_of(before).value,
            after=visibility_of(after).value,
        )
        event = NewEvent(
            payload=payload,
            aggregate_id=after.id,
            version=after.version,
            user_id=before.user_id,
            occurred_at=now,
            traceparent=current_traceparent(),
        )
        await append_event(transaction, event)
        return after


def visibility_of(published: PublicTemplateRecord | None) -> TemplateVisibility:
    """Who sees a template, from what was published of it."""
    if published is None:
        return TemplateVisibility.PRIVATE
    if published.withdrawn_at is not None:
        return TemplateVisibility.WITHDRAWN
    return TemplateVisibility.PUBLIC if published.reports < REPORTS_THAT_HIDE else TemplateVisibility.HIDDEN


async def _shown(transaction: AsyncConnection, public_template_id: str) -> PublicTemplateRecord:
    """A template that everybody may see. Raises NotFoundError."""
    shown = (await public_templates_by_id(transaction, [public_template_id])).get(public_template_id)
    if shown is None:
        raise NotFoundError(_NO_TEMPLATE)
    return shown


async def _touched(transaction: AsyncConnection, template_id: str) -> TemplateRecord:
    """The template in its next version: whoever keeps a copy of it hears that somebody else sees it, or nobody any more."""
    await transaction.execute(_TOUCH, {"id": template_id})
    return (await templates_by_id(transaction, [template_id]))[template_id]
