"""Meals in GraphQL: the entity with its items. Changes to meals are in `meal_mutations`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import strawberry

from subgraphs.nutrition.api.custom_slot import MealSlot
from subgraphs.nutrition.api.food import Food, food_node
from subgraphs.nutrition.api.nutrients import Nutrients, nutrients_node, totals_node
from subgraphs.nutrition.domain import meal as domain
from subgraphs.nutrition.domain.nutrients import QuickAdd as QuickAddOfDomain
from subgraphs.nutrition.domain.nutrients import decode_nutrients, decode_quick_adds, decode_totals
from subgraphs.nutrition.loaders import loaders_of
from subgraphs.nutrition.queries.food import FoodRecord
from subgraphs.nutrition.queries.meal import FOODS, ITEMS, MealItemRecord, MealRecord
from subgraphs.shell.context import Info
from subgraphs.shell.cost import list_size
from subgraphs.shell.look_ahead import LookAhead
from subgraphs.shell.node import Loggable, Node
from subgraphs.shell.scalars import CACHE_PRIVATE_BRIEFLY, TimeZone, rounded, rounded_or_none
from subgraphs.shell.scopes import READS_DIARY
from subgraphs.shell.sharing import SHARED_DIARY, load_readable

if TYPE_CHECKING:
    from subgraphs.nutrition.api.diary import DiaryDay
    from subgraphs.nutrition.api.user import User

LazyUser = Annotated["User", strawberry.lazy("subgraphs.nutrition.api.user")]
LazyDiaryDay = Annotated["DiaryDay", strawberry.lazy("subgraphs.nutrition.api.diary")]

#: The ways from a meal to its parts.
PATHS_TO_PARTS = {ITEMS: ["items"], FOODS: ["items.food"]}
#: What is selected of meals, and is read with them.
OF_MEALS = LookAhead(**PATHS_TO_PARTS)


@strawberry.type(description="A portion of a food as it was eaten.")
class MealItem:
    record: strawberry.Private[MealItemRecord]
    position: int = strawberry.field(description="Its place in the meal, from 0.")
    food_name: str = strawberry.field(description="The food's name when it was logged.")
    grams: float = strawberry.field(description="How much was eaten, in grams.")
    portion: str | None = strawberry.field(
        description="The label of the household measure that was told; null if grams were."
    )
    quantity: float | None = strawberry.field(description="How many of `portion`; null if grams were told.")

    @strawberry.field(description="The food as it is now; null once its maker deleted it.")
    def food(self, info: Info) -> Food | None:
        return loaders_of(info).food_by_id.then(self.record.food_id, _food_node)

    @strawberry.field(description="What the portion held when it was logged; later changes of the food change nothing.")
    def nutrients(self) -> Nutrients:
        return nutrients_node(decode_nutrients(self.record.nutrients))


@strawberry.type(description="Energy that was eaten without telling of what food.")
class QuickAdd:
    name: str | None = strawberry.field(description="The person's own words for it; null if there are none.")
    energy_kcal: float = strawberry.field(description="Energy in kilocalories.")
    protein_g: float | None = strawberry.field(description="Protein in grams; null if it was not told.")
    carbs_g: float | None = strawberry.field(description="Carbohydrate in grams; null if it was not told.")
    fat_g: float | None = strawberry.field(description="Fat in grams; null if it was not told.")


@strawberry.federation.type(
    keys=["id", "nodeId"], description="A meal of one person.", directives=[CACHE_PRIVATE_BRIEFLY, SHARED_DIARY]
)
class Meal(Node, Loggable):
    record: strawberry.Private[MealRecord]
    slot: MealSlot = strawberry.field(description="Which meal of the day it was, or counts as.")
    custom_slot: str | None = strawberry.field(
        description="The person's own slot that it was eaten in, by the name of then; null for one of everybody's."
    )
    time_zone: TimeZone = strawberry.field(description="Where the person was, which decided the calendar day.")
    notes: str | None = strawberry.field(description="The person's own words; null if there are none.")
    version: int = strawberry.field(description="Counts changes; send it as `expectedVersion` to change only this one.")

    @classmethod
    async def resolve_reference(cls, info: Info, id: strawberry.ID, **_: object) -> "Meal | None":
        return await load_meal(info, id)

    @strawberry.federation.field(provides=["displayName"], description="Whose meal it is.")
    async def user(self, info: Info) -> LazyUser:
        from subgraphs.nutrition.api.user import load_named_user

        return await load_named_user(info, self.record.user_id)

    @strawberry.field(
        description=f"What it is made of, in the order it was told; up to {domain.MOST_ITEMS} items, none where all of it is `quickAdds`.",
        directives=[list_size(8)],
    )
    def items(self, info: Info) -> list[MealItem]:
        return loaders_of(info).items_by_meal.then(self.record.id, _item_nodes)

    @strawberry.field(
        description=f"Energy added to it without a food; up to {domain.MOST_QUICK_ADDS} entries.",
        directives=[list_size(2)],
    )
    def quick_adds(self) -> list[QuickAdd]:
        return quick_add_nodes(decode_quick_adds(self.record.quick_adds))

    @strawberry.field(description="What its items and quick adds hold together.")
    def totals(self) -> Nutrients:
        return totals_node(decode_totals(self.record.totals))


def _food_node(record: FoodRecord | None) -> Food | None:
    return None if record is None or record.is_deleted else food_node(record)


def _item_nodes(records: list[MealItemRecord]) -> list[MealItem]:
    return [
        MealItem(
            record=record,
            position=record.position,
            food_name=record.food_name,
            grams=rounded(record.grams),
            portion=record.portion,
            quantity=rounded_or_none(record.quantity),
        )
        for record in records
    ]


def quick_add_nodes(quick_adds: Sequence[QuickAddOfDomain]) -> list[QuickAdd]:
    return [
        QuickAdd(
            name=each.name,
            energy_kcal=rounded(each.energy_kcal),
            protein_g=rounded_or_none(each.protein_g),
            carbs_g=rounded_or_none(each.carbs_g),
            fat_g=rounded_or_none(each.fat_g),
        )
        for each in quick_adds
    ]


def meal_node(record: MealRecord) -> Meal:
    return Meal(
        record=record,
        id=strawberry.ID(record.id),
        slot=MealSlot(record.slot),
        custom_slot=record.custom_slot,
        at=record.at,
        local_date=record.local_date,
        time_zone=TimeZone(record.time_zone),
        notes=record.notes,
        version=record.version,
    )


async def load_meal(info: Info, meal_id: str) -> Meal | None:
    """The meal, unless it is another person's who does not share it."""
    loaders = loaders_of(info)
    loaders.want_with_meal(meal_id, OF_MEALS.of(info))
    record = await load_readable(info, Meal, loaders.meal_by_id, meal_id)
    return None if record is None else meal_node(record)


@strawberry.type
class MealQuery:
    @strawberry.field(description="One of the viewer's meals; null where there is none.", directives=[READS_DIARY])
    async def meal(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="The meal's id.")]
    ) -> Meal | None:
        return await load_meal(info, id)
