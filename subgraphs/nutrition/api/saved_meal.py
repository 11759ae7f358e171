"""Saved meals in GraphQL: what a person eats again and again."""

from collections.abc import Sequence
from datetime import datetime

import strawberry

from subgraphs.nutrition.api.food import Food, food_node
from subgraphs.nutrition.api.meal import QuickAdd, quick_add_nodes
from subgraphs.nutrition.api.nutrients import Nutrients, totals_node
from subgraphs.nutrition.domain.meal import MOST_ITEMS, MOST_QUICK_ADDS, ItemDraft, MealSlot
from subgraphs.nutrition.domain.nutrients import decode_nutrients, of_grams, total_of
from subgraphs.nutrition.domain.saved_meal import SavedContent, decode_content
from subgraphs.nutrition.loaders import loaders_of
from subgraphs.nutrition.queries.saved_meal import SavedMealRecord
from subgraphs.shell.context import Info
from subgraphs.shell.cost import list_size
from subgraphs.shell.scalars import rounded_or_none


@strawberry.type(description="A food of a saved or planned meal.")
class SavedMealItem:
    draft: strawberry.Private[ItemDraft]
    grams: float = strawberry.field(description="How much of it, in grams.")
    portion: str | None = strawberry.field(description="The household measure that was told; null if grams were.")
    quantity: float | None = strawberry.field(description="How many of `portion`; null if grams were told.")

    @strawberry.field(description="The food as it is now; null once its maker deleted it.")
    async def food(self, info: Info) -> Food | None:
        record = await loaders_of(info).food_by_id.load(self.draft.food_id)
        return None if record is None or record.is_deleted else food_node(record)


@strawberry.type(description="A meal that a person keeps to log again.")
class SavedMeal:
    content: strawberry.Private[SavedContent]
    id: strawberry.ID = strawberry.field(description="Identifies the saved meal in the whole graph.")
    name: str = strawberry.field(description="What the person calls it.")
    slot: MealSlot | None = strawberry.field(description="Which meal of the day it usually is; null for any.")
    version: int = strawberry.field(description="Counts changes; send it as `expectedVersion` to change only this one.")
    created_at: datetime = strawberry.field(description="When it was kept.")

    @strawberry.field(description=f"Its foods, in order; up to {MOST_ITEMS}.", directives=[list_size(8)])
    def items(self) -> list[SavedMealItem]:
        return item_nodes(self.content)

    @strawberry.field(
        description=f"Energy of it without a food; up to {MOST_QUICK_ADDS} entries.", directives=[list_size(2)]
    )
    def quick_adds(self) -> list[QuickAdd]:
        return quick_add_nodes(self.content.quick_adds)

    @strawberry.field(description="What it would hold if it was logged now; foods that are gone are left out.")
    async def totals(self, info: Info) -> Nutrients:
        return await content_totals(info, [self.content])


def item_nodes(content: SavedContent) -> list[SavedMealItem]:
    return [
        SavedMealItem(
            draft=draft,
            grams=rounded_or_none(draft.grams) or 0.0,
            portion=draft.portion,
            quantity=rounded_or_none(draft.quantity),
        )
        for draft in content.items
    ]


async def content_totals(info: Info, contents: Sequence[SavedContent]) -> Nutrients:
    """What they would hold together if they were logged now; foods that are gone are left out."""
    drafts = [draft for content in contents for draft in content.items]
    foods = await loaders_of(info).food_by_id.load_many([draft.food_id for draft in drafts])
    there = (
        (draft.grams, of_grams(decode_nutrients(food.per_100), draft.grams))
        for draft, food in zip(drafts, foods, strict=True)
        if food is not None and not food.is_deleted and draft.grams is not None
    )
    return totals_node(total_of(there, [each for content in contents for each in content.quick_adds]))


def saved_meal_node(record: SavedMealRecord) -> SavedMeal:
    return SavedMeal(
        content=decode_content(record.content),
        id=strawberry.ID(record.id),
        name=record.name,
        slot=None if record.slot is None else MealSlot(record.slot),
        version=record.version,
        created_at=record.created_at,
    )
