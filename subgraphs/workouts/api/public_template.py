"""Public templates in GraphQL: found, published, cloned, reported, and judged by administrators.

A type of its own has what is public of a template, so that nothing that a template gains later is public by oversight.
"""

from datetime import datetime
from typing import Annotated

import strawberry

from subgraphs.shell.context import Info
from subgraphs.shell.cost import SEARCH_COST, list_size
from subgraphs.shell.inputs import client_made_id, expected_version, idempotency_key, request_key
from subgraphs.shell.key_scope import KeyScope
from subgraphs.shell.keyset import KeysetList
from subgraphs.shell.mutation import Payload, mutation
from subgraphs.shell.pagination import After, Before, Connection, First, Last, connect
from subgraphs.shell.publication_type import ModerationDecision, ReportCount, ReportReason, report_counts
from subgraphs.shell.scalars import IdempotencyKey, describe_enum, id_or_none
from subgraphs.shell.scopes import ADMINISTRATORS_ONLY, READS_TRAINING
from subgraphs.shell.search.words import words_of_search
from subgraphs.workouts.api.template import TemplateExercise, WorkoutTemplate, exercise_plan_node, template_node
from subgraphs.workouts.commands import public_template as commands
from subgraphs.workouts.domain.exercise import ExerciseLevel, Muscle
from subgraphs.workouts.domain.planned_workout import decode_exercises
from subgraphs.workouts.domain.public_template import TemplateKind, labels_of
from subgraphs.workouts.loaders import loaders_of
from subgraphs.workouts.queries.public_template import (
    PublicTemplateRecord,
    TemplateFilter,
    reported_templates_page,
)

describe_enum(
    TemplateKind,
    "What a template trains.",
    STRENGTH="Strength, or muscle.",
    CARDIO="Endurance.",
    HIIT="Intervals of high intensity.",
    FLEXIBILITY="Flexibility, or mobility.",
    MIXED="Several of these.",
)


@strawberry.type(
    description="What everybody who is signed in sees of a template: no notes, no weights, and no exercises that are somebody's own."
)
class PublicTemplate:
    record: strawberry.Private[PublicTemplateRecord]
    id: strawberry.ID = strawberry.field(description="Identifies the public template in the whole graph.")
    name: str = strawberry.field(description="What its author calls it.")
    kind: TemplateKind = strawberry.field(description="What it trains.")
    level: ExerciseLevel = strawberry.field(description="How much practice it asks for.")
    muscles: list[Muscle] = strawberry.field(
        description="Those that its exercises train above all, in their order.", directives=[list_size(6)]
    )
    author_name: str | None = strawberry.field(
        description="How the person is called who published it; null for those of the catalogue, and where the person does not want"
        " to be named."
    )
    is_from_catalogue: bool = strawberry.field(description="Whether it came with the catalogue of exercises.")
    published_at: datetime = strawberry.field(description="When it was published first.")

    @strawberry.field(description="What it is made of, in order; up to 50.", directives=[list_size(8)])
    def exercises(self) -> list[TemplateExercise]:
        planned = decode_exercises(self.record.exercises)
        return [exercise_plan_node(each.exercise_id, place, each.plan) for place, each in enumerate(planned, start=1)]


def public_template_node(record: PublicTemplateRecord) -> PublicTemplate:
    return PublicTemplate(
        record=record,
        id=strawberry.ID(record.id),
        name=record.name,
        kind=TemplateKind(record.kind),
        level=ExerciseLevel(record.level),
        muscles=[Muscle(muscle) for muscle in record.muscles],
        author_name=record.author_name,
        is_from_catalogue=record.user_id is None,
        published_at=record.published_at,
    )


async def load_public_template(info: Info, id: str) -> PublicTemplate | None:
    """The template, where everybody may see it."""
    record = await loaders_of(info).public_template_by_id.load(id)
    return None if record is None else public_template_node(record)


@strawberry.type(description="A public template that people reported, and nobody has decided about since.")
class ReportedTemplate:
    record: strawberry.Private[PublicTemplateRecord]
    reported_at: datetime = strawberry.field(description="When it was reported last.")
    author_id: strawberry.ID | None = strawberry.field(description="Who published it.")
    is_withdrawn: bool = strawberry.field(description="Whether it was withdrawn before.")

    @strawberry.field(description="What everybody sees of it, or saw.")
    def template(self) -> PublicTemplate:
        return public_template_node(self.record)

    @strawberry.field(description="For what, the most frequent reason first.", directives=[list_size(5)])
    async def reasons(self, info: Info) -> list[ReportCount]:
        return report_counts(await loaders_of(info).report_reasons_by_public_template.load(self.record.id))


def _reported_node(record: PublicTemplateRecord) -> ReportedTemplate:
    return ReportedTemplate(
        record=record,
        reported_at=_reported_at(record),
        author_id=id_or_none(record.user_id),
        is_withdrawn=record.withdrawn_at is not None,
    )


def _reported_at(record: PublicTemplateRecord) -> datetime:
    assert record.reported_at is not None  # the list is of those that were
    return record.reported_at


PublicTemplateId = Annotated[strawberry.ID, strawberry.argument(description="The public template's id.")]


@strawberry.type
class PublicTemplateQuery:
    @strawberry.field(
        description="One public template; null if there is none with this id, or none any more.",
        directives=[READS_TRAINING],
    )
    async def public_template(self, info: Info, id: PublicTemplateId) -> PublicTemplate | None:
        return await load_public_template(info, id)

    @strawberry.field(
        description="Templates that people have published, and those of the catalogue, the newest first. `totalCount` is null.",
        directives=[READS_TRAINING],
    )
    async def public_templates(
        self,
        info: Info,
        search: Annotated[
            str | None,
            strawberry.argument(
                description="Words that the name has, 1 to 8, 100 characters at most. Null: any name.",
                directives=[SEARCH_COST],
            ),
        ] = None,
        kind: Annotated[TemplateKind | None, strawberry.argument(description="What it trains. Null: anything.")] = None,
        level: Annotated[
            ExerciseLevel | None, strawberry.argument(description="The practice it asks for. Null: any.")
        ] = None,
        muscle: Annotated[
            Muscle | None, strawberry.argument(description="That an exercise trains above all. Null: any.")
        ] = None,
        from_catalogue: Annotated[
            bool | None, strawberry.argument(description="The catalogue's, or those of people. Null: both.")
        ] = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[PublicTemplate]:
        wanted = TemplateFilter(
            labels=tuple(
                labels_of(
                    words=words_of_search(search),
                    kind=kind,
                    level=level,
                    muscles=() if muscle is None else (muscle.value,),
                    from_catalogue=from_catalogue,
                )
            )
        )
        page = KeysetList("Query.publicTemplates", "", (datetime, str)).page(first, after, last, before)
        records = await loaders_of(info).public_templates.load((wanted, page))
        return connect(records, page, public_template_node, lambda record: (record.published_at, record.id))

    @strawberry.field(
        description="Public templates that were reported, the latest report first; for administrators. `totalCount` is null.",
        directives=[ADMINISTRATORS_ONLY],
    )
    async def reported_templates(
        self, info: Info, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> Connection[ReportedTemplate]:
        page = KeysetList("Query.reportedTemplates", "", (datetime, str)).page(first, after, last, before)
        records = await info.context.resources.database.batch_reader(reported_templates_page)(page)
        return connect(records, page, _reported_node, lambda record: (_reported_at(record), record.id))


@strawberry.input(description="Which template everybody is to see.")
class PublishTemplateInput:
    id: strawberry.ID = strawberry.field(
        description="The template's id. Its name is shown, the viewer's if `showsAuthor`, and its exercises of the catalogue with what is planned"
        " of them, but for weights and training maxima; notes and exercises of one's own are not."
    )
    kind: TemplateKind = strawberry.field(description="What it trains.")
    level: ExerciseLevel = strawberry.field(description="How much practice it asks for.")
    shows_author: bool = strawberry.field(
        default=True, description="Whether everybody sees how the viewer is called; published again, it can be changed."
    )
    expected_version: int | None = expected_version()


@strawberry.input(description="Which template nobody else is to see any more.")
class UnpublishTemplateInput:
    id: strawberry.ID = strawberry.field(description="The template's id.")
    expected_version: int | None = expected_version()


@strawberry.input(description="Which public template to make one's own template of; a person has up to 200.")
class CloneTemplateInput:
    public_template_id: strawberry.ID = strawberry.field(description="The public template's id.")
    name: str | None = strawberry.field(
        default=None, description="What the person calls it, 1 to 255 characters. Null: as its author does."
    )
    id: strawberry.ID | None = client_made_id("template")
    idempotency_key: IdempotencyKey | None = idempotency_key()


@strawberry.input(description="Which public template is out of place, and why.")
class ReportTemplateInput:
    public_template_id: strawberry.ID = strawberry.field(description="The public template's id.")
    reason: ReportReason = strawberry.field(description="Why it is out of place; the latest of a person counts.")


@strawberry.input(description="What becomes of a public template, and why.")
class ModerateTemplateInput:
    public_template_id: strawberry.ID = strawberry.field(description="The public template's id.")
    decision: ModerationDecision = strawberry.field(description="What becomes of it.")
    reason: str = strawberry.field(description="For the audit trail, 3 to 500 characters.")


@strawberry.type(description="What came of publishing a template.")
class PublishTemplatePayload(Payload):
    template: WorkoutTemplate | None = strawberry.field(
        default=None, description="The template as it is now; null if it was refused."
    )
    left_out: int | None = strawberry.field(
        default=None, description="How many exercises are left out, which are one's own; null if it was refused."
    )


@strawberry.type(description="What came of taking a template back from everybody.")
class UnpublishTemplatePayload(Payload):
    template: WorkoutTemplate | None = strawberry.field(
        default=None, description="The template as it is now; null if it was refused."
    )


@strawberry.type(description="What came of cloning a template.")
class CloneTemplatePayload(Payload):
    template: WorkoutTemplate | None = strawberry.field(
        default=None, description="The viewer's own template; null if it was refused."
    )


@strawberry.type(description="What came of reporting a public template.")
class ReportTemplatePayload(Payload):
    public_template: PublicTemplate | None = strawberry.field(
        default=None, description="What was reported; null if it was refused."
    )


@strawberry.type(description="What came of deciding about a public template.")
class ModerateTemplatePayload(Payload):
    public_template: PublicTemplate | None = strawberry.field(
        default=None, description="What was decided about; null if it was refused."
    )


@strawberry.type
class PublicTemplateMutation:
    @mutation(
        description="Let everybody who is signed in see a template of the viewer as it is now; again, as it has become. CONFLICT for"
        " more than 50, and for one that administrators withdrew.",
    )
    async def publish_template(self, info: Info, input: PublishTemplateInput) -> PublishTemplatePayload | None:
        resources = info.context.resources
        wanted = commands.Publication(
            template_id=input.id,
            kind=input.kind,
            level=input.level,
            shows_author=input.shows_author,
            expected_version=input.expected_version,
        )
        record, left_out = await commands.publish_template(
            info.context.viewer, wanted, database=resources.database, now=resources.now()
        )
        info.context.renew_loaders()
        return PublishTemplatePayload(template=template_node(record), left_out=left_out)

    @mutation(
        description="Let nobody else see a template of the viewer any more; what others cloned of it is theirs, and stays. What reports hide"
        " stays HIDDEN until administrators have decided.",
    )
    async def unpublish_template(self, info: Info, input: UnpublishTemplateInput) -> UnpublishTemplatePayload | None:
        record = await commands.unpublish_template(
            info.context.viewer,
            input.id,
            expected_version=input.expected_version,
            database=info.context.resources.database,
        )
        info.context.renew_loaders()
        return UnpublishTemplatePayload(template=template_node(record))

    @mutation(
        key_scope=KeyScope.WRITE_TRAINING,
        description="Make a template of the viewer of a public one, which tells what it was cloned from. CONFLICT for more than"
        " there may be.",
    )
    async def clone_template(self, info: Info, input: CloneTemplateInput) -> CloneTemplatePayload | None:
        resources = info.context.resources
        record = await commands.clone_template(
            info.context.viewer,
            input.public_template_id,
            name=input.name,
            request=request_key(input),
            database=resources.database,
            now=resources.now(),
        )
        info.context.renew_loaders()
        return CloneTemplatePayload(template=template_node(record))

    @mutation(
        description="Tell administrators that a public template of somebody else is out of place; what five people have reported whose accounts are a"
        " week old is shown to nobody before they have decided. RATE_LIMITED after 20 in a day.",
    )
    async def report_template(self, info: Info, input: ReportTemplateInput) -> ReportTemplatePayload | None:
        resources = info.context.resources
        record = await commands.report_template(
            info.context.viewer,
            input.public_template_id,
            input.reason,
            database=resources.database,
            now=resources.now(),
        )
        return ReportTemplatePayload(public_template=public_template_node(record))

    @mutation(
        description="Withdraw a template that somebody published, or keep it or bring it back; for administrators. Its reports are"
        " done with, and the audit trail has the decision.",
        directives=[ADMINISTRATORS_ONLY],
    )
    async def moderate_template(self, info: Info, input: ModerateTemplateInput) -> ModerateTemplatePayload | None:
        resources = info.context.resources
        record = await commands.moderate_template(
            info.context.viewer,
            input.public_template_id,
            input.decision,
            input.reason,
            database=resources.database,
            now=resources.now(),
        )
        info.context.renew_loaders()
        return ModerateTemplatePayload(public_template=public_template_node(record))
