"""Targets in GraphQL: what a person aims at from a day on, and what the body's needs suggest."""

import datetime as dt
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from subgraphs.nutrition.api.nutrient_aim import NutrientAim, NutrientAimInput, aim_node
from subgraphs.nutrition.commands import target as commands
from subgraphs.nutrition.domain import weekday_target as domain
from subgraphs.nutrition.domain.target import (
    LEAST_TARGET_KCAL,
    MOST_TARGET_G,
    MOST_TARGET_KCAL,
    MOST_TARGET_ML,
    Need,
    Target,
)
from subgraphs.nutrition.domain.training_target import TargetBasis, TrainingTarget
from subgraphs.nutrition.queries.target import TargetRecord
from subgraphs.shell.calendar import Weekday
from subgraphs.shell.context import Info
from subgraphs.shell.cost import list_size
from subgraphs.shell.inputs import idempotency_key, request_key
from subgraphs.shell.key_scope import KeyScope
from subgraphs.shell.mutation import Payload, mutation
from subgraphs.shell.plan_write_type import AUTHOR, PERSON
from subgraphs.shell.scalars import (
    IdempotencyKey,
    decimal_of,
    decimal_of_or_none,
    describe_enum,
    id_or_none,
    rounded,
    rounded_or_none,
)

if TYPE_CHECKING:
    from subgraphs.nutrition.api.user import User

LazyUser = Annotated["User", strawberry.lazy("subgraphs.nutrition.api.user")]


@strawberry.type(description="What a target is on weekdays without their own.")
class UsualTarget:
    energy_kcal: float = strawberry.field(description="Energy in kilocalories.")
    protein_g: float | None = strawberry.field(description="Protein in grams; null if it is not aimed at.")
    carbs_g: float | None = strawberry.field(description="Carbohydrate in grams; null if it is not aimed at.")
    fat_g: float | None = strawberry.field(description="Fat in grams; null if it is not aimed at.")


@strawberry.type(description="What a target is on some weekdays.")
class WeekdayTarget(UsualTarget):
    weekdays: list[Weekday] = strawberry.field(description="On which, as they were told.", directives=[list_size(3)])


describe_enum(
    TargetBasis,
    "Which of a target's sets of values holds on a day.",
    USUAL="That of every day.",
    WEEKDAY="That of the day's weekday.",
    TRAINING_DAY="That of days of training, which comes before the weekday's.",
)


@strawberry.type(
    description="What to eat and drink in a day: what a person chose, or what is suggested. Of a day of training, or else of one whose"
    " weekday has its own energy and macronutrients, it is those."
)
class NutritionTarget:
    energy_kcal: float = strawberry.field(description="Energy in kilocalories.")
    protein_g: float | None = strawberry.field(description="Protein in grams; null if it is not aimed at.")
    carbs_g: float | None = strawberry.field(description="Carbohydrate in grams; null if it is not aimed at.")
    fat_g: float | None = strawberry.field(description="Fat in grams; null if it is not aimed at.")
    water_ml: int | None = strawberry.field(description="Water in millilitres; null if it is not aimed at.")
    nutrients: list[NutrientAim] = strawberry.field(
        default_factory=list,
        description="What is aimed at of single nutrients, each once; empty for a suggestion.",
        directives=[list_size(5)],
    )
    usual: UsualTarget | None = strawberry.field(
        default=None, description="What it is on weekdays that `weekdays` does not name; null for a suggestion."
    )
    weekdays: list[WeekdayTarget] = strawberry.field(
        default_factory=list,
        description="On which weekdays energy and macronutrients are others, each weekday once; empty for a suggestion.",
        directives=[list_size(2)],
    )
    training_day: UsualTarget | None = strawberry.field(
        default=None,
        description="What energy and macronutrients are on days of training: on which a workout runs or was done, or is planned and"
        " was not skipped, by what workouts told until now. Null: as on others, and for a suggestion.",
    )
    basis: TargetBasis | None = strawberry.field(
        default=None,
        description="Which set of values this is, on the day that was asked for; null for a suggestion. It follows the workouts:"
        " one that is logged in the evening makes a day of training of what was eaten before.",
    )
    effective_from: dt.date | None = strawberry.field(
        default=None, description="The person's calendar day from which it holds; null for a suggestion."
    )
    version: int | None = strawberry.field(
        default=None,
        description="Counts changes of the person's targets; send it as `expectedVersion`. Null for a suggestion.",
    )
    author_id: strawberry.ID | None = strawberry.field(default=None, description=AUTHOR)
    basal_kcal: float | None = strawberry.field(
        default=None,
        description="Energy at rest by Mifflin and St Jeor (1990), in kilocalories; null for what a person chose.",
    )
    activity_factor: float | None = strawberry.field(
        default=None, description="What the activity makes of the energy at rest; null for what a person chose."
    )
    goal_factor: float | None = strawberry.field(
        default=None,
        description="What the fitness goal makes of it, 0.85 to lose weight; null for what a person chose.",
    )


def target_node(record: TargetRecord) -> NutritionTarget:
    node = target_of_domain(record.target)
    node.effective_from, node.version = record.effective_from, record.version
    node.author_id = id_or_none(record.author_id)
    node.usual = UsualTarget(**_amounts(record.usual))
    node.weekdays = [WeekdayTarget(weekdays=list(own.weekdays), **_amounts(own)) for own in record.usual.weekdays]
    training = record.usual.training_day
    node.training_day = None if training is None else UsualTarget(**_amounts(training))
    node.basis = record.basis
    return node


def need_node(need: Need) -> NutritionTarget:
    node = target_of_domain(need.target)
    node.basal_kcal = rounded_or_none(need.basal_kcal)
    node.activity_factor = rounded(need.activity_factor, 3)
    node.goal_factor = rounded(need.goal_factor, 3)
    return node


def _amounts(target: Target | domain.WeekdayTarget | TrainingTarget) -> dict[str, Any]:
    return {
        "energy_kcal": rounded(target.energy_kcal),
        "protein_g": rounded_or_none(target.protein_g),
        "carbs_g": rounded_or_none(target.carbs_g),
        "fat_g": rounded_or_none(target.fat_g),
    }


def target_of_domain(target: Target) -> NutritionTarget:
    return NutritionTarget(
        **_amounts(target),
        water_ml=target.water_ml,
        nutrients=[aim_node(aim) for aim in target.nutrients],
    )


_GRAMS = f"0 to {MOST_TARGET_G}. Null: not aimed at."


@strawberry.input(description="What to aim at on some weekdays. Water and single nutrients are those of every day.")
class WeekdayTargetInput:
    weekdays: list[Weekday] = strawberry.field(description="On which; at least one, and none that another entry names.")
    energy_kcal: float = strawberry.field(
        description=f"Energy in kilocalories, {LEAST_TARGET_KCAL} to {MOST_TARGET_KCAL}."
    )
    protein_g: float | None = strawberry.field(default=None, description=f"Protein in grams, {_GRAMS}")
    carbs_g: float | None = strawberry.field(default=None, description=f"Carbohydrate in grams, {_GRAMS}")
    fat_g: float | None = strawberry.field(default=None, description=f"Fat in grams, {_GRAMS}")

    def to_domain(self) -> domain.WeekdayTarget:
        return domain.WeekdayTarget(
            weekdays=tuple(self.weekdays),
            energy_kcal=decimal_of(self.energy_kcal, 2),
            protein_g=decimal_of_or_none(self.protein_g, 2),
            carbs_g=decimal_of_or_none(self.carbs_g, 2),
            fat_g=decimal_of_or_none(self.fat_g, 2),
        )


@strawberry.input(description="What to aim at on days of training. Water and single nutrients are those of every day.")
class TrainingTargetInput:
    energy_kcal: float = strawberry.field(
        description=f"Energy in kilocalories, {LEAST_TARGET_KCAL} to {MOST_TARGET_KCAL}."
    )
    protein_g: float | None = strawberry.field(default=None, description=f"Protein in grams, {_GRAMS}")
    carbs_g: float | None = strawberry.field(default=None, description=f"Carbohydrate in grams, {_GRAMS}")
    fat_g: float | None = strawberry.field(default=None, description=f"Fat in grams, {_GRAMS}")

    def to_domain(self) -> TrainingTarget:
        return TrainingTarget(
            energy_kcal=decimal_of(self.energy_kcal, 2),
            protein_g=decimal_of_or_none(self.protein_g, 2),
            carbs_g=decimal_of_or_none(self.carbs_g, 2),
            fat_g=decimal_of_or_none(self.fat_g, 2),
        )


@strawberry.input(description="What to aim at from a day on, in the place of what was aimed at before.")
class SetNutritionTargetInput:
    energy_kcal: float = strawberry.field(
        description=f"Energy in kilocalories, {LEAST_TARGET_KCAL} to {MOST_TARGET_KCAL}."
    )
    protein_g: float | None = strawberry.field(default=None, description=f"Protein in grams, {_GRAMS}")
    carbs_g: float | None = strawberry.field(default=None, description=f"Carbohydrate in grams, {_GRAMS}")
    fat_g: float | None = strawberry.field(default=None, description=f"Fat in grams, {_GRAMS}")
    water_ml: int | None = strawberry.field(
        default=None, description=f"Water in millilitres, 1 to {MOST_TARGET_ML}. Null: not aimed at."
    )
    nutrients: list[NutrientAimInput] = strawberry.field(
        default_factory=list, description="What to aim at of single nutrients, each once."
    )
    weekdays: list[WeekdayTargetInput] = strawberry.field(
        default_factory=list, description="On which weekdays to aim at other amounts, up to 7 entries."
    )
    training_day: TrainingTargetInput | None = strawberry.field(
        default=None,
        description="What to aim at on days of training, before what their weekday has. Null: the same as on others.",
    )
    effective_from: dt.date | None = strawberry.field(
        default=None, description="The first calendar day it holds for. Null: the person's today."
    )
    expected_version: int | None = strawberry.field(
        default=None,
        description=(
            "The `version` of the target that was in force on that day, 0 for none; STALE_VERSION if it is another."
            " Null: any."
        ),
    )
    person_id: strawberry.ID | None = strawberry.field(default=None, description=PERSON)
    idempotency_key: IdempotencyKey | None = idempotency_key()

    def to_target(self) -> Target:
        protein, carbs, fat = (decimal_of_or_none(each, 2) for each in (self.protein_g, self.carbs_g, self.fat_g))
        aims = tuple(aim.to_aim() for aim in self.nutrients)
        return Target(
            energy_kcal=decimal_of(self.energy_kcal, 2),
            protein_g=protein,
            carbs_g=carbs,
            fat_g=fat,
            water_ml=self.water_ml,
            nutrients=aims,
            weekdays=tuple(each.to_domain() for each in self.weekdays),
            training_day=None if self.training_day is None else self.training_day.to_domain(),
        )


@strawberry.type(description="What came of setting a target.")
class SetNutritionTargetPayload(Payload):
    target: NutritionTarget | None = strawberry.field(
        default=None, description="The target as it was set; null if it was refused."
    )
    user: LazyUser | None = strawberry.field(
        default=None, description="The person, who aims at it now; null if it was refused."
    )


@strawberry.type
class TargetMutation:
    @mutation(
        key_scope=KeyScope.WRITE_DIARY,
        description="Aim at this from a day on, or let somebody for whom the viewer may plan aim at it; earlier days keep their"
        " target, later ones theirs.",
    )
    async def set_nutrition_target(
        self, info: Info, input: SetNutritionTargetInput
    ) -> SetNutritionTargetPayload | None:
        from subgraphs.nutrition.api.user import load_named_user

        viewer, resources = info.context.viewer, info.context.resources
        record = await commands.set_target(
            viewer,
            input.to_target(),
            input.effective_from,
            request_key(input),
            expected_version=input.expected_version,
            person_id=input.person_id,
            database=resources.database,
            now=resources.now(),
        )
        info.context.renew_loaders()
        return SetNutritionTargetPayload(
            target=target_node(record), user=await load_named_user(info, input.person_id or viewer.id)
        )
