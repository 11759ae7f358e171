"""Plans of meals in GraphQL: what is planned, for which day, and what has to be bought for it."""

import datetime as dt

import strawberry

from subgraphs.nutrition.api.custom_slot import MealSlot
from subgraphs.nutrition.api.meal import Meal, QuickAdd, meal_node, quick_add_nodes
from subgraphs.nutrition.api.nutrients import Nutrients
from subgraphs.nutrition.api.saved_meal import SavedMealItem, content_totals, item_nodes
from subgraphs.nutrition.api.shopping import ShoppingAmount, amounts_of
from subgraphs.nutrition.domain.meal import MOST_ITEMS, MOST_QUICK_ADDS
from subgraphs.nutrition.domain.meal_plan import MOST_MEALS_A_PLAN_DAY, MOST_PLAN_DAYS, PlanDays, PlanMeal, decode_days
from subgraphs.nutrition.domain.saved_meal import SavedContent, decode_content, grams_of
from subgraphs.nutrition.loaders import loaders_of
from subgraphs.nutrition.queries.meal_plan import MealPlanRecord, PlannedMealRecord
from subgraphs.shell.context import Info
from subgraphs.shell.cost import list_size
from subgraphs.shell.plan_write_type import AUTHOR
from subgraphs.shell.scalars import id_or_none

ITEMS = f"Its foods, in order; up to {MOST_ITEMS}."
QUICK_ADDS = f"Energy of it without a food; up to {MOST_QUICK_ADDS} entries."
TOTALS = "What it would hold if it was logged now; foods that are gone are left out."


@strawberry.type(description="What is to be eaten at one meal.")
class _MealToCome:
    content: strawberry.Private[SavedContent]
    slot: MealSlot = strawberry.field(description="Which meal of the day it is, or counts as.")
    custom_slot: str | None = strawberry.field(
        description="The person's own slot that it is for; null for everybody's."
    )

    @strawberry.field(description=ITEMS, directives=[list_size(8)])
    def items(self) -> list[SavedMealItem]:
        return item_nodes(self.content)

    @strawberry.field(description=QUICK_ADDS, directives=[list_size(2)])
    def quick_adds(self) -> list[QuickAdd]:
        return quick_add_nodes(self.content.quick_adds)

    @strawberry.field(description=TOTALS)
    async def totals(self, info: Info) -> Nutrients:
        return await content_totals(info, [self.content])


@strawberry.type(description="A meal of a plan.")
class MealOfPlan(_MealToCome):
    pass


@strawberry.type(description="A day of a plan.")
class DayOfPlan:
    planned: strawberry.Private[tuple[PlanMeal, ...]]
    day: int = strawberry.field(description="Which day of the plan it is, from 1.")

    @strawberry.field(
        description=f"Its meals, in order; up to {MOST_MEALS_A_PLAN_DAY}, none on a day that is left open.",
        directives=[list_size(4)],
    )
    def meals(self) -> list[MealOfPlan]:
        return [MealOfPlan(content=meal.content, slot=meal.slot, custom_slot=meal.custom_slot) for meal in self.planned]

    @strawberry.field(description="What its meals would hold together if they were logged now.")
    async def totals(self, info: Info) -> Nutrients:
        return await content_totals(info, [meal.content for meal in self.planned])


@strawberry.type(description="Meals for days to come, kept to be put on a calendar again and again.")
class MealPlan:
    content: strawberry.Private[PlanDays]
    id: strawberry.ID = strawberry.field(description="Identifies the plan in the whole graph.")
    name: str = strawberry.field(description="What the person calls it.")
    version: int = strawberry.field(description="Counts changes; send it as `expectedVersion` to change only this one.")
    created_at: dt.datetime = strawberry.field(description="When it was kept.")
    author_id: strawberry.ID | None = strawberry.field(description=AUTHOR)

    @strawberry.field(description=f"Its days, in order; 1 to {MOST_PLAN_DAYS}.", directives=[list_size(7)])
    def days(self) -> list[DayOfPlan]:
        return [DayOfPlan(planned=meals, day=number) for number, meals in enumerate(self.content, start=1)]

    @strawberry.field(
        description="What all of it takes, by food: recipes of the person are taken apart. Foods that are gone are left out.",
        directives=[list_size(40)],
    )
    async def shopping_amounts(self, info: Info) -> list[ShoppingAmount]:
        contents = [meal.content for day in self.content for meal in day]
        return await amounts_of(info, info.context.viewer.id, grams_of(contents))


@strawberry.type(description="A meal that is planned for a day.")
class PlannedMeal(_MealToCome):
    record: strawberry.Private[PlannedMealRecord]
    id: strawberry.ID = strawberry.field(description="Identifies the planned meal in the whole graph.")
    date: dt.date = strawberry.field(description="The person's calendar day that it is planned for.")
    author_id: strawberry.ID | None = strawberry.field(description=AUTHOR)

    @strawberry.field(description="The meal that it was logged as; null while it is not, and once that was deleted.")
    async def meal(self, info: Info) -> Meal | None:
        if self.record.meal_id is None:
            return None
        meal = await loaders_of(info).meal_by_id.load(self.record.meal_id)
        return None if meal is None else meal_node(meal)


def meal_plan_node(record: MealPlanRecord) -> MealPlan:
    return MealPlan(
        content=decode_days(record.days),
        id=strawberry.ID(record.id),
        name=record.name,
        version=record.version,
        created_at=record.created_at,
        author_id=id_or_none(record.author_id),
    )


def planned_meal_node(record: PlannedMealRecord) -> PlannedMeal:
    return PlannedMeal(
        record=record,
        content=decode_content(record.content),
        id=strawberry.ID(record.id),
        date=record.local_date,
        author_id=id_or_none(record.author_id),
        slot=MealSlot(record.slot),
        custom_slot=record.custom_slot,
    )
