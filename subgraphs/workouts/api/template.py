"""Templates in GraphQL: what is planned again and again, made, changed and deleted."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, cast

import strawberry

from subgraphs.shell.context import Info
from subgraphs.shell.cost import list_size
from subgraphs.shell.inputs import client_made_id, expected_version, given, idempotency_key, request_key
from subgraphs.shell.key_scope import KeyScope
from subgraphs.shell.mutation import Payload, mutation
from subgraphs.shell.plan_write_type import AUTHOR, PERSON
from subgraphs.shell.scalars import (
    IdempotencyKey,
    decimal_of_or_none,
    describe_enum,
    id_or_none,
    rounded,
    rounded_or_none,
)
from subgraphs.workouts.api.exercise import Exercise, exercise_node
from subgraphs.workouts.api.one_rep_max import OneRepMaxFormula
from subgraphs.workouts.commands import template as commands
from subgraphs.workouts.commands.public_template import visibility_of
from subgraphs.workouts.domain.one_rep_max import reps_in_reserve
from subgraphs.workouts.domain.plan import Plan
from subgraphs.workouts.domain.progression import DEFAULT_FORMULA, DEFAULT_STEP_KG, ProgressionRule, rule_of
from subgraphs.workouts.domain.public_template import TemplateVisibility
from subgraphs.workouts.loaders import loaders_of
from subgraphs.workouts.queries.template import TemplateRecord

if TYPE_CHECKING:
    from subgraphs.workouts.api.public_template import PublicTemplate
    from subgraphs.workouts.api.user import User

LazyUser = Annotated["User", strawberry.lazy("subgraphs.workouts.api.user")]
LazyPublicTemplate = Annotated["PublicTemplate", strawberry.lazy("subgraphs.workouts.api.public_template")]


describe_enum(
    TemplateVisibility,
    "Who sees a template.",
    PRIVATE="Its person, and whoever has a grant.",
    PUBLIC="Everybody who is signed in sees what was published of it.",
    HIDDEN="It was published, and so many people reported it that nobody else sees it before administrators have decided.",
    WITHDRAWN="It was published, and administrators withdrew it: as PRIVATE, for good.",
)
describe_enum(
    ProgressionRule,
    "By which rule the weight of an exercise grows from one workout to the next.",
    NONE="It stays as it is planned.",
    LINEAR="By the increment, once every set came to the planned repetitions.",
    DOUBLE="By the increment, once every set came from the least to the most repetitions.",
    TRAINING_MAX="A percentage of a training max, which grows by the increment once every set was done.",
    ONE_REP_MAX="A percentage of the one-repetition maximum that the sets of the last 90 days show.",
    EXERTION="What allows the repetitions at the planned exertion, by the exertion that the last sets told.",
)


@strawberry.type(description="What is planned of an exercise.")
class ExercisePlan:
    sets: int = strawberry.field(description="How many working sets.")
    least_reps: int | None = strawberry.field(description="Repetitions of a set at least; null if it is open.")
    most_reps: int | None = strawberry.field(description="Repetitions of a set at most; null if it is open.")
    weight_kg: float | None = strawberry.field(description="In kilograms; null if it is open.")
    rest_seconds: int | None = strawberry.field(description="Rest after a set, in seconds; null if it is open.")
    superset: int | None = strawberry.field(
        description="Exercises with one number are done in turns; null for one by itself."
    )
    percent_of_max: float | None = strawberry.field(
        description="Which share of `maxKg` the weight is, in percent; null where the weight is no share of anything."
    )
    max_kg: float | None = strawberry.field(
        description="What a percentage is of, in kilograms: the training max, or in a workout the one-repetition maximum that"
        " was estimated. Null without a percentage, and where it is estimated when a workout begins."
    )
    target_rpe: float | None = strawberry.field(
        description="How hard each set is to be, as a rate of perceived exertion; null if it is open."
    )
    target_rir: float | None = strawberry.field(
        description="Repetitions that are to be left in reserve, 10 less `targetRpe`; null if it is open."
    )


@strawberry.type(description="An exercise that is planned: of a template, of a routine's day, or for a day.")
class TemplateExercise:
    exercise_id: strawberry.Private[str]
    position: int = strawberry.field(description="Its place among them, from 1.")
    plan: ExercisePlan = strawberry.field(description="What is planned of it to begin with.")
    increment_kg: float | None = strawberry.field(
        description="What a workout plans more than the last one, in kilograms, once every set of that one came to the most"
        " repetitions: linear progression, or double where least and most differ. With a training max it is that which grows."
        " Null: nothing."
    )
    progression: ProgressionRule = strawberry.field(description="By which rule the weight grows.")
    one_rep_max_formula: OneRepMaxFormula = strawberry.field(
        description="By which formula sets tell a one-repetition maximum, for the rules that need one."
    )
    weight_step_kg: float = strawberry.field(
        description="Weights by percentage and exertion are rounded down to multiples of it, in kilograms; of barbell exercises whose plan names"
        " none, to what the person's `plateInventory` loads."
    )

    @strawberry.field(description="What is done.")
    async def exercise(self, info: Info) -> Exercise:
        exercise = await loaders_of(info).exercise_by_id.load(self.exercise_id)
        assert exercise is not None  # nothing deletes an exercise while its person is there
        return exercise_node(exercise)


@strawberry.type(description="What a person does again and again.")
class WorkoutTemplate:
    cloned_from_id: strawberry.Private[str | None]
    id: strawberry.ID = strawberry.field(description="Identifies the template in the whole graph.")
    name: str = strawberry.field(description="What the person calls it.")
    notes: str | None = strawberry.field(description="The person's own words; null if there are none.")
    created_at: datetime = strawberry.field(description="When it was made.")
    version: int = strawberry.field(description="Counts up with each change.")
    author_id: strawberry.ID | None = strawberry.field(description=AUTHOR)

    @strawberry.field(description="What it is made of, in order; up to 50.", directives=[list_size(8)])
    async def exercises(self, info: Info) -> list[TemplateExercise]:
        records = await loaders_of(info).exercises_by_template.load(self.id)
        return [exercise_plan_node(each.exercise_id, each.position, each.plan) for each in records]

    @strawberry.field(description="Who sees it.")
    async def visibility(self, info: Info) -> TemplateVisibility:
        return visibility_of(await loaders_of(info).publication_by_template.load(self.id))

    @strawberry.field(description="What everybody sees of it; null while that is nothing.")
    async def published(self, info: Info) -> LazyPublicTemplate | None:
        from subgraphs.workouts.api.public_template import public_template_node

        record = await loaders_of(info).publication_by_template.load(self.id)
        return None if record is None or record.withdrawn_at is not None else public_template_node(record)

    @strawberry.field(
        description="The public template that it was cloned from; null for one's own, and where that is public no more."
    )
    async def cloned_from(self, info: Info) -> LazyPublicTemplate | None:
        from subgraphs.workouts.api.public_template import load_public_template

        return None if self.cloned_from_id is None else await load_public_template(info, self.cloned_from_id)


def template_node(record: TemplateRecord) -> WorkoutTemplate:
    return WorkoutTemplate(
        cloned_from_id=record.cloned_from,
        id=strawberry.ID(record.id),
        name=record.name,
        notes=record.notes,
        created_at=record.created_at,
        version=record.version,
        author_id=id_or_none(record.author_id),
    )


def plan_node(plan: Plan) -> ExercisePlan:
    return ExercisePlan(
        sets=plan.sets,
        least_reps=plan.least_reps,
        most_reps=plan.most_reps,
        weight_kg=rounded_or_none(plan.weight_kg),
        rest_seconds=plan.rest_seconds,
        superset=plan.superset,
        percent_of_max=rounded_or_none(plan.percent),
        max_kg=rounded_or_none(plan.training_max_kg),
        target_rpe=rounded_or_none(plan.target_rpe, 1),
        target_rir=rounded_or_none(reps_in_reserve(plan.target_rpe), 1),
    )


def exercise_plan_node(exercise_id: str, position: int, plan: Plan) -> TemplateExercise:
    return TemplateExercise(
        exercise_id=exercise_id,
        position=position,
        plan=plan_node(plan),
        increment_kg=rounded_or_none(plan.increment_kg),
        progression=rule_of(plan),
        one_rep_max_formula=plan.formula or DEFAULT_FORMULA,
        weight_step_kg=rounded(plan.step_kg or DEFAULT_STEP_KG),
    )


@strawberry.input(description="An exercise of a template, a routine or a planned workout, and what is planned of it.")
class TemplateExerciseInput:
    exercise_id: strawberry.ID = strawberry.field(description="An exercise of the catalogue or of the viewer's own.")
    sets: int = strawberry.field(description="How many working sets, 1 to 50.")
    least_reps: int | None = strawberry.field(default=None, description="Repetitions at least, from 1. Null: open.")
    most_reps: int | None = strawberry.field(
        default=None, description="Repetitions at most, not below the least. Null: open."
    )
    weight_kg: float | None = strawberry.field(default=None, description="In kilograms, 0 to 2,000. Null: open.")
    rest_seconds: int | None = strawberry.field(
        default=None, description="Rest after a set in seconds, 0 to 3,600. Null: open."
    )
    superset: int | None = strawberry.field(
        default=None, description="1 to 50; exercises with one number are done in turns. Null: by itself."
    )
    increment_kg: float | None = strawberry.field(
        default=None,
        description="What the weight, or the training max if there is one, grows by, 0 to 100 kg, once every set came to the"
        " most repetitions. Null: nothing.",
    )
    percent_of_max: float | None = strawberry.field(
        default=None,
        description="Which share the weight is of the training max, or without one of the one-repetition maximum that the sets"
        " of the last 90 days show, in percent, 10 to 120. Null: none.",
    )
    training_max_kg: float | None = strawberry.field(
        default=None, description="What the percentage is of, 1 to 2,000 kg. Null: it is estimated."
    )
    target_rpe: float | None = strawberry.field(
        default=None,
        description="How hard each set is to be, 5 to 10 by halves: the weight follows from what the last workout's sets told of"
        " their exertion, by a tenth at most from one to the next. It needs `mostReps`, and takes neither percentage nor"
        " increment. Null: open.",
    )
    one_rep_max_formula: OneRepMaxFormula | None = strawberry.field(
        default=None, description="By which formula sets tell a one-repetition maximum. Null: EPLEY, as for records."
    )
    weight_step_kg: float | None = strawberry.field(
        default=None,
        description="Weights by percentage and exertion are rounded down to multiples of it, above 0 to 50 kg. Null: 2.5"
        " kg, or what the person's `plateInventory` loads.",
    )

    def to_plan(self) -> tuple[str, Plan]:
        plan = Plan(
            sets=self.sets,
            least_reps=self.least_reps,
            most_reps=self.most_reps,
            weight_kg=decimal_of_or_none(self.weight_kg, 2),
            rest_seconds=self.rest_seconds,
            superset=self.superset,
            increment_kg=decimal_of_or_none(self.increment_kg, 2),
            percent=decimal_of_or_none(self.percent_of_max, 2),
            training_max_kg=decimal_of_or_none(self.training_max_kg, 2),
            formula=self.one_rep_max_formula,
            target_rpe=decimal_of_or_none(self.target_rpe, 1),
            step_kg=decimal_of_or_none(self.weight_step_kg, 2),
        )
        return self.exercise_id, plan


@strawberry.input(description="A template to keep; a person has up to 200.")
class CreateTemplateInput:
    name: str = strawberry.field(description="What the person calls it, 1 to 255 characters.")
    exercises: list[TemplateExerciseInput] = strawberry.field(description="In order, 1 to 50.")
    notes: str | None = strawberry.field(default=None, description="Up to 500 characters. Null: none.")
    id: strawberry.ID | None = client_made_id("template")
    person_id: strawberry.ID | None = strawberry.field(default=None, description=PERSON)
    idempotency_key: IdempotencyKey | None = idempotency_key()

    def to_new(self) -> commands.NewTemplate:
        return commands.NewTemplate(
            name=self.name,
            exercises=[each.to_plan() for each in self.exercises],
            notes=self.notes,
            person_id=self.person_id,
            request=request_key(self),
        )


@strawberry.input(description="What is to be different of a template: what is absent stays, what is null is cleared.")
class UpdateTemplateInput:
    id: strawberry.ID = strawberry.field(description="The template's id.")
    name: str | None = strawberry.field(
        default=strawberry.UNSET, description="What the person calls it, 1 to 255 characters. It cannot be null."
    )
    notes: str | None = strawberry.field(default=strawberry.UNSET, description="Up to 500 characters. Null: none.")
    exercises: list[TemplateExerciseInput] | None = strawberry.field(
        default=strawberry.UNSET,
        description="In order, 1 to 50, in place of all before; the weights they tell are begun with. It cannot be null.",
    )
    expected_version: int | None = expected_version()

    def to_changes(self) -> commands.TemplateChanges:
        changes = given(self, "notes", never_null=("name", "exercises"))
        if "exercises" in changes:
            changes["exercises"] = [each.to_plan() for each in changes["exercises"]]
        return cast("commands.TemplateChanges", changes)


@strawberry.input(description="Which template to delete.")
class DeleteTemplateInput:
    id: strawberry.ID = strawberry.field(description="The template's id.")
    expected_version: int | None = expected_version()


@strawberry.type(description="What came of making a template.")
class CreateTemplatePayload(Payload):
    template: WorkoutTemplate | None = strawberry.field(
        default=None, description="The template as it was made; null if it was refused."
    )


@strawberry.type(description="What came of changing a template.")
class UpdateTemplatePayload(Payload):
    template: WorkoutTemplate | None = strawberry.field(
        default=None, description="The template as it is now; null if the change was refused."
    )


@strawberry.type(description="What came of deleting a template.")
class DeleteTemplatePayload(Payload):
    deleted_id: strawberry.ID | None = strawberry.field(
        default=None, description="The id of what is gone; null if it was refused."
    )
    user: LazyUser | None = strawberry.field(
        default=None, description="The person without that template; null if it was refused."
    )


@strawberry.type
class TemplateMutation:
    @mutation(
        key_scope=KeyScope.WRITE_TRAINING,
        description="Keep a template of the viewer, or of somebody for whom the viewer may plan. CONFLICT for more than there may be.",
    )
    async def create_template(self, info: Info, input: CreateTemplateInput) -> CreateTemplatePayload | None:
        resources = info.context.resources
        record = await commands.create_template(
            info.context.viewer, input.to_new(), database=resources.database, now=resources.now()
        )
        info.context.renew_loaders()
        return CreateTemplatePayload(template=template_node(record))

    @mutation(
        key_scope=KeyScope.WRITE_TRAINING,
        description="Change a template of the viewer, or of somebody for whom the viewer may plan; workouts that began from it keep"
        " their plan.",
    )
    async def update_template(self, info: Info, input: UpdateTemplateInput) -> UpdateTemplatePayload | None:
        resources = info.context.resources
        record = await commands.update_template(
            info.context.viewer,
            input.id,
            input.to_changes(),
            expected_version=input.expected_version,
            database=resources.database,
            now=resources.now(),
        )
        info.context.renew_loaders()
        return UpdateTemplatePayload(template=template_node(record))

    @mutation(
        key_scope=KeyScope.WRITE_TRAINING,
        description="Delete a template of the viewer; workouts that began from it keep their plan.",
    )
    async def delete_template(self, info: Info, input: DeleteTemplateInput) -> DeleteTemplatePayload | None:
        from subgraphs.workouts.api.user import load_named_user

        viewer = info.context.viewer
        await commands.delete_template(
            viewer, input.id, expected_version=input.expected_version, database=info.context.resources.database
        )
        info.context.renew_loaders()
        return DeleteTemplatePayload(deleted_id=input.id, user=await load_named_user(info, viewer.id))
