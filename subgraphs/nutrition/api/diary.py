"""The diary day in GraphQL: what was eaten and drunk on it, the target in force and what remains."""

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any

import strawberry

from subgraphs.nutrition.api.custom_slot import DiarySlot, diary_slot
from subgraphs.nutrition.api.energy import CalorieBudget, budget_node
from subgraphs.nutrition.api.meal import OF_MEALS, Meal, meal_node
from subgraphs.nutrition.api.meal_plan import PlannedMeal, planned_meal_node
from subgraphs.nutrition.api.nutrient_aim import NutrientProgress, progress_node
from subgraphs.nutrition.api.nutrients import Nutrients, totals_node
from subgraphs.nutrition.api.shopping import ShoppingAmount, amounts_of
from subgraphs.nutrition.api.target import NutritionTarget, target_node
from subgraphs.nutrition.api.water import Drink, drink_node
from subgraphs.nutrition.commands.water import MOST_DRINKS_A_DAY
from subgraphs.nutrition.domain.budget import CalorieMode, calorie_budget
from subgraphs.nutrition.domain.custom_slot import day_by_slots
from subgraphs.nutrition.domain.meal import MOST_MEALS_A_DAY, MealSlot
from subgraphs.nutrition.domain.nutrients import NOTHING, Totals, add_totals, decode_totals
from subgraphs.nutrition.domain.saved_meal import decode_content, grams_of
from subgraphs.nutrition.loaders import loaders_of
from subgraphs.shell.context import Info
from subgraphs.shell.cost import list_size
from subgraphs.shell.errors import ValidationError
from subgraphs.shell.node import Node, NodeKind, day_id, read_day_id
from subgraphs.shell.quantities import Volume, VolumeIn, volume
from subgraphs.shell.scalars import CACHE_PRIVATE_BRIEFLY, decimal_of, rounded
from subgraphs.shell.sharing import SHARED_DIARY, may_read
from subgraphs.shell.units import VolumeUnit


@strawberry.type(description="The target less what was eaten and drunk; negative where it was exceeded.")
class Remaining:
    energy_kcal: float = strawberry.field(description="Energy in kilocalories.")
    protein_g: float | None = strawberry.field(description="Protein in grams; null if it is not aimed at.")
    carbs_g: float | None = strawberry.field(description="Carbohydrate in grams; null if it is not aimed at.")
    fat_g: float | None = strawberry.field(description="Fat in grams; null if it is not aimed at.")
    water_ml: int | None = strawberry.field(description="Water in millilitres; null if it is not aimed at.")


@strawberry.type(description="The day in numbers, of which analytics tells.")
class DailySummary:
    net_calories_burned: float = strawberry.federation.field(
        external=True, description="By completed workouts above rest, in kcal."
    )


@strawberry.federation.type(
    keys=["userId date", "nodeId"],
    description="A person's calendar day at the table.",
    directives=[CACHE_PRIVATE_BRIEFLY, SHARED_DIARY],
)
class DiaryDay(Node):
    user_id: strawberry.ID = strawberry.field(description="Whose day it is.")
    date: dt.date = strawberry.field(description="The person's calendar day.")
    summary: DailySummary | None = strawberry.federation.field(
        external=True, default=None, description="The day in numbers. Null if it may not be read."
    )

    @classmethod
    async def resolve_reference(
        cls,
        info: Info,
        userId: str,  # noqa: N803
        date: str,
        summary: Mapping[str, Any] | None = None,
        **_: object,
    ) -> "DiaryDay | None":
        if not await may_read(info, DiaryDay, userId):
            return None
        day = diary_day(userId, dt.date.fromisoformat(date))
        if summary is not None:
            day.summary = DailySummary(net_calories_burned=summary["netCaloriesBurned"])
        return day

    @classmethod
    async def load(cls, info: Info, node_id: str, **required: Any) -> "DiaryDay | None":
        day = read_day_id(node_id)
        if day is None:
            return None
        return await cls.resolve_reference(info, **(required | {"userId": day.user_id, "date": day.date.isoformat()}))

    @strawberry.field(
        description=f"What was eaten, in that order; at most {MOST_MEALS_A_DAY} meals.", directives=[list_size(6)]
    )
    async def meals(self, info: Info) -> list[Meal]:
        records = await loaders_of(info).meals_with(OF_MEALS.of(info), (self.user_id, self.date))
        return [meal_node(record) for record in records]

    @strawberry.field(
        description=f"What was drunk, in that order; at most {MOST_DRINKS_A_DAY} drinks.", directives=[list_size(10)]
    )
    async def drinks(self, info: Info) -> list[Drink]:
        return [drink_node(record) for record in await loaders_of(info).drinks_by_day.load((self.user_id, self.date))]

    @strawberry.field(
        description="The day by its slots: everybody's in order, each followed by the person's own that count as it.",
        directives=[list_size(8)],
    )
    async def slots(self, info: Info) -> list[DiarySlot]:
        meals = await loaders_of(info).meals_by_day.load((self.user_id, self.date))
        own = await loaders_of(info).custom_slots_by_user.load(self.user_id)
        eaten = [(MealSlot(meal.slot), meal.custom_slot, decode_totals(meal.totals)) for meal in meals]
        whole = await self._totals(info)
        return [diary_slot(part, whole) for part in day_by_slots(eaten, own.slots if own else ())]

    @strawberry.field(description="What is planned for the day, in the plan's order.", directives=[list_size(4)])
    async def planned(self, info: Info) -> list[PlannedMeal]:
        records = await loaders_of(info).planned_meals_by_day.load((self.user_id, self.date))
        return [planned_meal_node(record) for record in records]

    @strawberry.field(
        description="What has to be there for what is planned for the day and not eaten yet, by food: recipes of the viewer"
        " are taken apart. Foods that are gone are left out.",
        directives=[list_size(20)],
    )
    async def shopping_amounts(self, info: Info) -> list[ShoppingAmount]:
        records = await loaders_of(info).planned_meals_by_day.load((self.user_id, self.date))
        contents = [decode_content(record.content) for record in records if record.meal_id is None]
        return await amounts_of(info, info.context.viewer.id, grams_of(contents))

    @strawberry.field(description="What the meals hold together; zero on a day without any.")
    async def totals(self, info: Info) -> Nutrients:
        return totals_node(await self._totals(info))

    @strawberry.field(description="The drinks together, in millilitres.")
    async def water_ml(self, info: Info) -> int:
        return await self._water_ml(info)

    @strawberry.field(description="The drinks together, in a unit.")
    async def water(self, info: Info, unit: VolumeIn = VolumeUnit.ML) -> Volume:
        return volume(await self._water_ml(info), unit)

    @strawberry.field(
        description="The target in force on this day, as it is for a day of training where this is one; null without one."
    )
    async def target(self, info: Info) -> NutritionTarget | None:
        record = await loaders_of(info).target_by_day.load((self.user_id, self.date))
        return None if record is None else target_node(record)

    @strawberry.field(description="What the target leaves to eat and drink; null without a target.")
    async def remaining(self, info: Info) -> Remaining | None:
        record = await loaders_of(info).target_by_day.load((self.user_id, self.date))
        if record is None:
            return None
        eaten = (await self._totals(info)).nutrients
        target = record.target
        return Remaining(
            energy_kcal=rounded(target.energy_kcal - eaten.energy_kcal),
            protein_g=_less(target.protein_g, eaten.protein_g),
            carbs_g=_less(target.carbs_g, eaten.carbs_g),
            fat_g=_less(target.fat_g, eaten.fat_g),
            water_ml=None if target.water_ml is None else target.water_ml - await self._water_ml(info),
        )

    @strawberry.field(
        description="How the day keeps to the aims of its target, in their order; empty without any.",
        directives=[list_size(5)],
    )
    async def nutrient_progress(self, info: Info) -> list[NutrientProgress]:
        record = await loaders_of(info).target_by_day.load((self.user_id, self.date))
        if record is None or not record.target.nutrients:
            return []
        eaten = await self._totals(info)
        return [progress_node(aim, eaten) for aim in record.target.nutrients]

    @strawberry.federation.field(
        requires=["summary { netCaloriesBurned }"],
        description="What the target, and by EARN_BACK the day's exercise above rest, leave to eat; null without a target.",
    )
    async def calorie_budget(
        self,
        info: Info,
        mode: Annotated[CalorieMode, strawberry.argument(description="How exercise counts in it.")] = CalorieMode.FIXED,
        earn_back_percent: Annotated[
            int, strawberry.argument(description="Of the exercise's net energy, 0 to 100, by EARN_BACK.")
        ] = 100,
    ) -> CalorieBudget | None:
        if not 0 <= earn_back_percent <= 100:
            raise ValidationError(("earnBackPercent", "must be from 0 to 100"))
        record = await loaders_of(info).target_by_day.load((self.user_id, self.date))
        if record is None:
            return None
        eaten = (await self._totals(info)).nutrients.energy_kcal
        burned = decimal_of(0.0 if self.summary is None else self.summary.net_calories_burned)
        budget = calorie_budget(record.target.energy_kcal, eaten, burned, mode, earn_back_percent)
        return budget_node(budget, mode)

    async def _totals(self, info: Info) -> Totals:
        meals = await loaders_of(info).meals_by_day.load((self.user_id, self.date))
        return add_totals(decode_totals(meal.totals) for meal in meals) if meals else NOTHING

    async def _water_ml(self, info: Info) -> int:
        drinks = await loaders_of(info).drinks_by_day.load((self.user_id, self.date))
        return sum(drink.amount_ml for drink in drinks)


def diary_day(user_id: str, date: dt.date) -> DiaryDay:
    return DiaryDay(id=day_id(NodeKind.DIARY_DAY, user_id, date), user_id=strawberry.ID(user_id), date=date)


def _less(target: Decimal | None, eaten: Decimal) -> float | None:
    return None if target is None else rounded(target - eaten)
