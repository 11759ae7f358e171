"""The diary day in GraphQL: what was eaten and drunk, the target of the day and what remains. Also water and targets."""

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated

import strawberry

from subgraphs.context import Info
from subgraphs.nutrition.api.meal import Meal, meal_node
from subgraphs.nutrition.api.nutrients import Nutrients, totals_node
from subgraphs.nutrition.commands import target as target_commands
from subgraphs.nutrition.commands import water as water_commands
from subgraphs.nutrition.domain.nutrients import NOTHING, Totals, add_totals, decode_totals
from subgraphs.nutrition.domain.target import Need, Target
from subgraphs.nutrition.loaders import loaders_of
from subgraphs.scalars import CACHE_PRIVATE_BRIEFLY, decimal_of, rounded, rounded_or_none

if TYPE_CHECKING:
    from subgraphs.nutrition.api.user import User

LazyUser = Annotated["User", strawberry.lazy("subgraphs.nutrition.api.user")]


@strawberry.type(description="What to eat in a day; null is not aimed at.")
class NutritionTarget:
    energy_kcal: float
    protein_g: float | None
    carbs_g: float | None
    fat_g: float | None
    water_ml: int | None
    effective_from: dt.date | None = strawberry.field(description="Null for a suggestion.")
    basal_kcal: float | None = strawberry.field(default=None, description="Energy at rest, by Mifflin and St Jeor.")
    activity_factor: float | None = strawberry.field(default=None, description="What multiplies it to the target.")


def target_node(target: Target, effective_from: dt.date | None = None) -> NutritionTarget:
    return NutritionTarget(
        energy_kcal=rounded(target.energy_kcal),
        protein_g=rounded_or_none(target.protein_g),
        carbs_g=rounded_or_none(target.carbs_g),
        fat_g=rounded_or_none(target.fat_g),
        water_ml=target.water_ml,
        effective_from=effective_from,
    )


def need_node(need: Need) -> NutritionTarget:
    node = target_node(need.target)
    node.basal_kcal = rounded(need.basal_kcal)
    node.activity_factor = rounded(need.activity_factor, 3)
    return node


@strawberry.type(description="The target less what was eaten and drunk; negative where it was exceeded.")
class Remaining:
    energy_kcal: float
    protein_g: float | None
    carbs_g: float | None
    fat_g: float | None
    water_ml: int | None


@strawberry.federation.type(
    keys=["userId date"], description="A person's calendar day at the table.", directives=[CACHE_PRIVATE_BRIEFLY]
)
class DiaryDay:
    user_id: strawberry.ID
    date: dt.date

    @classmethod
    def resolve_reference(cls, info: Info, userId: str, date: str, **_: object) -> "DiaryDay | None":  # noqa: N803
        if not info.context.viewer.may_read(userId):
            return None
        return cls(user_id=strawberry.ID(userId), date=dt.date.fromisoformat(date))

    @strawberry.field(description="In the order they were eaten.")
    async def meals(self, info: Info) -> list[Meal]:
        return [meal_node(record) for record in await loaders_of(info).meals_by_day.load((self.user_id, self.date))]

    @strawberry.field
    async def totals(self, info: Info) -> Nutrients:
        return totals_node(await self._totals(info))

    @strawberry.field
    async def water_ml(self, info: Info) -> int:
        return await loaders_of(info).water_by_day.load((self.user_id, self.date)) or 0

    @strawberry.field(description="The target in force on this day.")
    async def target(self, info: Info) -> NutritionTarget | None:
        record = await loaders_of(info).target_by_day.load((self.user_id, self.date))
        return None if record is None else target_node(record.target, record.effective_from)

    @strawberry.field(description="Null without a target.")
    async def remaining(self, info: Info) -> Remaining | None:
        record = await loaders_of(info).target_by_day.load((self.user_id, self.date))
        if record is None:
            return None
        eaten = (await self._totals(info)).nutrients
        drunk = await loaders_of(info).water_by_day.load((self.user_id, self.date)) or 0
        target = record.target
        return Remaining(
            energy_kcal=rounded(target.energy_kcal - eaten.energy_kcal),
            protein_g=_less(target.protein_g, eaten.protein_g),
            carbs_g=_less(target.carbs_g, eaten.carbs_g),
            fat_g=_less(target.fat_g, eaten.fat_g),
            water_ml=None if target.water_ml is None else target.water_ml - drunk,
        )

    async def _totals(self, info: Info) -> Totals:
        meals = await loaders_of(info).meals_by_day.load((self.user_id, self.date))
        return add_totals(decode_totals(meal.totals) for meal in meals) if meals else NOTHING


def _less(target: Decimal | None, eaten: Decimal) -> float | None:
    return None if target is None else rounded(target - eaten)


@strawberry.input
class LogWaterInput:
    amount_ml: int
    at: dt.datetime | None = strawberry.field(default=None, description="Now, if absent.")
    idempotency_key: str | None = None


@strawberry.type
class WaterPayload:
    id: strawberry.ID = strawberry.field(description="The drink's id, by which it can be taken back.")
    diary_day: DiaryDay


@strawberry.input
class SetNutritionTargetInput:
    energy_kcal: float
    protein_g: float | None = None
    carbs_g: float | None = None
    fat_g: float | None = None
    water_ml: int | None = None
    effective_from: dt.date | None = strawberry.field(default=None, description="The viewer's today, if absent.")

    def to_target(self) -> Target:
        grams = (self.protein_g, self.carbs_g, self.fat_g)
        protein, carbs, fat = (None if amount is None else decimal_of(amount, 2) for amount in grams)
        return Target(decimal_of(self.energy_kcal, 2), protein, carbs, fat, self.water_ml)


@strawberry.type
class NutritionTargetPayload:
    target: NutritionTarget
    user: LazyUser


def _day(info: Info, user_id: str, day: dt.date) -> DiaryDay:
    info.context.renew_loaders()
    return DiaryDay(user_id=strawberry.ID(user_id), date=day)


@strawberry.type
class DiaryMutation:
    @strawberry.mutation(description="Log a drink of the viewer.")
    async def log_water(self, info: Info, input: LogWaterInput) -> WaterPayload:
        viewer, resources = info.context.viewer, info.context.resources
        now = resources.now()
        drink = await water_commands.log_water(
            viewer,
            input.amount_ml,
            input.at or now,
            input.idempotency_key,
            database=resources.database,
            now=now,
        )
        return WaterPayload(id=strawberry.ID(drink.id), diary_day=_day(info, viewer.id, drink.local_date))

    @strawberry.mutation(description="Take a drink back.")
    async def delete_water(self, info: Info, id: strawberry.ID) -> WaterPayload:
        viewer, resources = info.context.viewer, info.context.resources
        drink = await water_commands.delete_water(viewer, id, database=resources.database, now=resources.now())
        return WaterPayload(id=id, diary_day=_day(info, viewer.id, drink.local_date))

    @strawberry.mutation(description="Aim at this from a day on; earlier days keep their target.")
    async def set_nutrition_target(self, info: Info, input: SetNutritionTargetInput) -> NutritionTargetPayload:
        from subgraphs.nutrition.api.user import load_named_user

        viewer, resources = info.context.viewer, info.context.resources
        record = await target_commands.set_target(
            viewer, input.to_target(), input.effective_from, database=resources.database, now=resources.now()
        )
        info.context.renew_loaders()
        node = target_node(record.target, record.effective_from)
        return NutritionTargetPayload(target=node, user=await load_named_user(info, viewer.id))
