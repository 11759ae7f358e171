"""Templates in GraphQL: what is planned again and again, made and deleted."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from subgraphs.shell.context import Info
from subgraphs.shell.cost import list_size
from subgraphs.shell.inputs import idempotency_key, request_key
from subgraphs.shell.key_scope import KeyScope
from subgraphs.shell.mutation import Payload, mutation
from subgraphs.shell.scalars import IdempotencyKey, decimal_of_or_none, rounded_or_none
from subgraphs.workouts.api.exercise import Exercise, exercise_node
from subgraphs.workouts.commands import template as commands
from subgraphs.workouts.domain.plan import Plan
from subgraphs.workouts.loaders import loaders_of
from subgraphs.workouts.queries.template import TemplateExerciseRecord, TemplateRecord

if TYPE_CHECKING:
    from subgraphs.workouts.api.user import User

LazyUser = Annotated["User", strawberry.lazy("subgraphs.workouts.api.user")]


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


@strawberry.type(description="An exercise of a template.")
class TemplateExercise:
    record: strawberry.Private[TemplateExerciseRecord]
    position: int = strawberry.field(description="Its place in the template, from 1.")
    plan: ExercisePlan = strawberry.field(description="What is planned of it to begin with.")
    increment_kg: float | None = strawberry.field(
        description="What a workout plans more than the last one, in kilograms, once every set of that one came to the most"
        " repetitions: linear progression, or double where least and most differ. Null: nothing."
    )

    @strawberry.field(description="What is done.")
    async def exercise(self, info: Info) -> Exercise:
        exercise = await loaders_of(info).exercise_by_id.load(self.record.exercise_id)
        assert exercise is not None  # a foreign key holds it
        return exercise_node(exercise)


@strawberry.type(description="What a person does again and again.")
class WorkoutTemplate:
    id: strawberry.ID = strawberry.field(description="Identifies the template in the whole graph.")
    name: str = strawberry.field(description="What the person calls it.")
    notes: str | None = strawberry.field(description="The person's own words; null if there are none.")
    created_at: datetime = strawberry.field(description="When it was made.")

    @strawberry.field(description="What it is made of, in order; up to 50.", directives=[list_size(8)])
    async def exercises(self, info: Info) -> list[TemplateExercise]:
        return [_exercise_node(each) for each in await loaders_of(info).exercises_by_template.load(self.id)]


def template_node(record: TemplateRecord) -> WorkoutTemplate:
    return WorkoutTemplate(
        id=strawberry.ID(record.id), name=record.name, notes=record.notes, created_at=record.created_at
    )


def plan_node(plan: Plan) -> ExercisePlan:
    return ExercisePlan(
        sets=plan.sets,
        least_reps=plan.least_reps,
        most_reps=plan.most_reps,
        weight_kg=rounded_or_none(plan.weight_kg),
        rest_seconds=plan.rest_seconds,
        superset=plan.superset,
    )


def _exercise_node(record: TemplateExerciseRecord) -> TemplateExercise:
    return TemplateExercise(
        record=record,
        position=record.position,
        plan=plan_node(record.plan),
        increment_kg=rounded_or_none(record.plan.increment_kg),
    )


@strawberry.input(description="An exercise of a template, and what is planned of it.")
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
        description="What the weight grows by, 0 to 100 kg, once every set came to the most repetitions. Null: nothing.",
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
        )
        return self.exercise_id, plan


@strawberry.input(description="A template to keep; a person has up to 200.")
class CreateTemplateInput:
    name: str = strawberry.field(description="What the person calls it, 1 to 255 characters.")
    exercises: list[TemplateExerciseInput] = strawberry.field(description="In order, 1 to 50.")
    notes: str | None = strawberry.field(default=None, description="Up to 500 characters. Null: none.")
    idempotency_key: IdempotencyKey | None = idempotency_key()

    def to_new(self) -> commands.NewTemplate:
        return commands.NewTemplate(
            name=self.name,
            exercises=[each.to_plan() for each in self.exercises],
            notes=self.notes,
            request=request_key(self),
        )


@strawberry.input(description="Which template to delete.")
class DeleteTemplateInput:
    id: strawberry.ID = strawberry.field(description="The template's id.")


@strawberry.type(description="What came of making a template.")
class CreateTemplatePayload(Payload):
    template: WorkoutTemplate | None = strawberry.field(
        default=None, description="The template as it was made; null if it was refused."
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
        description="Keep a template of the viewer. CONFLICT for more than there may be.",
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
        description="Delete a template of the viewer; workouts that began from it keep their plan.",
    )
    async def delete_template(self, info: Info, input: DeleteTemplateInput) -> DeleteTemplatePayload | None:
        from subgraphs.workouts.api.user import load_named_user

        viewer = info.context.viewer
        await commands.delete_template(viewer, input.id, database=info.context.resources.database)
        info.context.renew_loaders()
        return DeleteTemplatePayload(deleted_id=input.id, user=await load_named_user(info, viewer.id))
