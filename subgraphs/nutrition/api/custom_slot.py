"""A person's own slots of the day in GraphQL: the list, and a day by its slots."""

from typing import TYPE_CHECKING, Annotated

import strawberry

from subgraphs.nutrition.api.nutrients import Nutrients, totals_node
from subgraphs.nutrition.commands import custom_slot as commands
from subgraphs.nutrition.domain import meal as domain
from subgraphs.nutrition.domain.custom_slot import (
    LONGEST_SLOT_NAME,
    MOST_CUSTOM_SLOTS,
    SlotOfDay,
    energy_share,
)
from subgraphs.nutrition.domain.custom_slot import (
    CustomSlot as OwnSlot,
)
from subgraphs.nutrition.domain.nutrients import Totals
from subgraphs.nutrition.queries.custom_slot import CustomSlotsRecord
from subgraphs.shell.context import Info
from subgraphs.shell.cost import list_size
from subgraphs.shell.inputs import expected_version
from subgraphs.shell.key_scope import KeyScope
from subgraphs.shell.mutation import Payload, mutation
from subgraphs.shell.scalars import describe_enum, rounded_or_none

if TYPE_CHECKING:
    from subgraphs.nutrition.api.user import User

MealSlot = domain.MealSlot
describe_enum(
    MealSlot,
    "Which meal of the day it was.",
    BREAKFAST="The first meal of the day.",
    LUNCH="The meal in the middle of the day.",
    DINNER="The meal of the evening.",
    SNACK="Anything between meals.",
)

LazyUser = Annotated["User", strawberry.lazy("subgraphs.nutrition.api.user")]
_COUNTS_AS = "Which of everybody's slots it counts as, for sums and for whoever knows no others."


@strawberry.type(description="A slot of the day that a person made.")
class CustomSlot:
    name: str = strawberry.field(description="What the person calls it; no two of one person's are alike.")
    counts_as: MealSlot = strawberry.field(description=_COUNTS_AS)


@strawberry.type(description="The slots of the day that a person made, beside everybody's.")
class CustomSlots:
    slots: list[CustomSlot] = strawberry.field(
        description=f"In the person's order; at most {MOST_CUSTOM_SLOTS}.", directives=[list_size(4)]
    )
    version: int = strawberry.field(
        description="Counts changes; send it as `expectedVersion` to change only this one. 0 before the first."
    )


@strawberry.type(description="What was eaten in one slot of a day.")
class DiarySlot:
    slot: MealSlot = strawberry.field(description="Which of everybody's slots it is, or counts as.")
    custom_slot: str | None = strawberry.field(description="The person's own name of it; null for everybody's slot.")
    meals: int = strawberry.field(description="How many meals were eaten in it.")
    totals: Nutrients = strawberry.field(description="What they hold together; zero without any.")
    energy_percent: float | None = strawberry.field(
        description="Its share of the day's energy, 0 to 100; null on a day without any."
    )


@strawberry.input(description="A slot of one's own.")
class CustomSlotInput:
    name: str = strawberry.field(description=f"What to call it, 1 to {LONGEST_SLOT_NAME} characters.")
    counts_as: MealSlot = strawberry.field(default=MealSlot.SNACK, description=_COUNTS_AS)


@strawberry.input(description="The slots of one's own, all anew.")
class SetCustomSlotsInput:
    slots: list[CustomSlotInput] = strawberry.field(
        description=f"In the order that they shall have, up to {MOST_CUSTOM_SLOTS}; empty for none. Names differ."
    )
    expected_version: int | None = expected_version()


@strawberry.type(description="What came of setting one's own slots.")
class SetCustomSlotsPayload(Payload):
    custom_slots: CustomSlots | None = strawberry.field(
        default=None, description="The slots as they are now; null if they were refused."
    )
    user: LazyUser | None = strawberry.field(default=None, description="Whose they are; null if they were refused.")


def custom_slots_node(record: CustomSlotsRecord | None) -> CustomSlots:
    found = record or CustomSlotsRecord()
    slots = [CustomSlot(name=slot.name, counts_as=slot.counts_as) for slot in found.slots]
    return CustomSlots(slots=slots, version=found.version)


def diary_slot(part: SlotOfDay, whole: Totals) -> DiarySlot:
    share = energy_share(part.totals, whole)
    return DiarySlot(
        slot=part.slot,
        custom_slot=part.custom_slot,
        meals=part.meals,
        totals=totals_node(part.totals),
        energy_percent=rounded_or_none(None if share is None else share * 100),
    )


@strawberry.type
class CustomSlotMutation:
    @mutation(
        key_scope=KeyScope.WRITE_DIARY,
        description="Have these slots of one's own, in this order, in place of those before. Meals keep the names they have.",
    )
    async def set_custom_slots(self, info: Info, input: SetCustomSlotsInput) -> SetCustomSlotsPayload | None:
        from subgraphs.nutrition.api.user import load_named_user

        viewer = info.context.viewer
        record = await commands.set_custom_slots(
            viewer,
            [OwnSlot(name=slot.name, counts_as=slot.counts_as) for slot in input.slots],
            expected_version=input.expected_version,
            database=info.context.resources.database,
        )
        info.context.renew_loaders()
        return SetCustomSlotsPayload(
            custom_slots=custom_slots_node(record), user=await load_named_user(info, viewer.id)
        )
