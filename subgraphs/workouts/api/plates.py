"""Bars and plates in GraphQL: what a person has, set as a whole, and which plates make a weight."""

from decimal import Decimal
from typing import TYPE_CHECKING, Annotated

import strawberry

from subgraphs.shell.context import Info
from subgraphs.shell.cost import list_size
from subgraphs.shell.errors import Checks
from subgraphs.shell.key_scope import KeyScope
from subgraphs.shell.mutation import Payload, mutation
from subgraphs.shell.scalars import decimal_of, rounded
from subgraphs.shell.sharing import SHARED_TRAINING
from subgraphs.shell.units import MassUnit, amount_in, stored_amount
from subgraphs.workouts.commands import plates as commands
from subgraphs.workouts.domain import plates as domain
from subgraphs.workouts.loaders import loaders_of

if TYPE_CHECKING:
    from subgraphs.workouts.api.user import User

LazyUser = Annotated["User", strawberry.lazy("subgraphs.workouts.api.user")]
#: More places than may be told, so that what has too many is refused and not rounded.
_TOLD_PLACES = 6


@strawberry.type(description="Plates of one weight.")
class PlatePairs:
    weight: float = strawberry.field(description="Of one plate, in the inventory's unit.")
    pairs: int = strawberry.field(description="How many pairs there are; one of each is for each side.")


@strawberry.type(description="A bar, and the plates that there are for it.")
class PlateInventory:
    unit: MassUnit = strawberry.field(description="What its weights are in.")
    bar: float = strawberry.field(description="Of the bar alone, in `unit`.")
    plates: list[PlatePairs] = strawberry.field(
        description="As they were told; up to 12 weights.", directives=[list_size(8)]
    )


@strawberry.type(description="Plates of one weight on one side of the bar.")
class PlatesOnSide:
    weight: float = strawberry.field(description="Of one plate, in the unit of the loading.")
    count: int = strawberry.field(description="How many of them.")


@strawberry.type(description="A bar with the same plates on each side.")
class BarLoading:
    unit: MassUnit = strawberry.field(description="What its weights are in: the inventory's unit.")
    weight: float = strawberry.field(description="Bar and plates together, in `unit`.")
    weight_kg: float = strawberry.field(description="The same in kilograms, to two places.")
    side: list[PlatesOnSide] = strawberry.field(
        description="What is on one side, from the bar outwards, heavy plates first; empty for the bar alone.",
        directives=[list_size(5)],
    )


@strawberry.type(description="How near a weight can be loaded.")
class PlateLoading:
    is_exact: bool = strawberry.field(
        description="Whether the weight itself can be loaded; `below` and `above` are it then."
    )
    below: BarLoading | None = strawberry.field(
        description="The heaviest that is not above the weight; null if the bar alone is."
    )
    above: BarLoading | None = strawberry.field(
        description="The lightest that is not below the weight; null if all plates are less."
    )


@strawberry.input(description="Plates of one weight.")
class PlatePairsInput:
    weight: float = strawberry.field(
        description="Of one plate, above 0 to 100 in hundredths, in the inventory's unit; each weight once."
    )
    pairs: int = strawberry.field(description="How many pairs there are, 1 to 20.")


@strawberry.input(description="A bar, and the plates that there are for it.")
class PlateInventoryInput:
    unit: MassUnit = strawberry.field(default=MassUnit.KG, description="What its weights are in.")
    bar: float = strawberry.field(description="Of the bar alone, 0 to 100 in hundredths, in `unit`.")
    plates: list[PlatePairsInput] = strawberry.field(
        description="1 to 12 weights, which come to 1,000 a side at most.",
    )

    def to_inventory(self) -> domain.PlateInventory:
        plates = [domain.Plates(decimal_of(each.weight, _TOLD_PLACES), each.pairs) for each in self.plates]
        return domain.PlateInventory(self.unit, decimal_of(self.bar, _TOLD_PLACES), plates)


@strawberry.input(description="Which bar and plates the viewer has.")
class SetPlateInventoryInput:
    inventory: PlateInventoryInput | None = strawberry.field(
        description="In place of what was set before. Null: nothing is known of them."
    )


@strawberry.type(description="What came of setting the bar and the plates.")
class SetPlateInventoryPayload(Payload):
    user: LazyUser | None = strawberry.field(
        default=None, description="The person with that inventory; null if it was refused."
    )


def inventory_node(inventory: domain.PlateInventory) -> PlateInventory:
    plates = [PlatePairs(weight=rounded(each.weight), pairs=each.pairs) for each in inventory.plates]
    return PlateInventory(unit=inventory.unit, bar=rounded(inventory.bar), plates=plates)


def _loading_node(inventory: domain.PlateInventory, loading: domain.Loading | None) -> BarLoading | None:
    if loading is None:
        return None
    return BarLoading(
        unit=inventory.unit,
        weight=rounded(loading.total),
        weight_kg=rounded(domain.in_kg(loading.total, inventory.unit)),
        side=[PlatesOnSide(weight=rounded(weight), count=count) for weight, count in loading.side],
    )


def plate_loading(inventory: domain.PlateInventory, weight: Decimal, unit: MassUnit) -> PlateLoading:
    """Raises ValidationError for a weight below 0 or above 5,000."""
    checks = Checks()
    fits = 0 <= weight <= domain.HEAVIEST_WANTED
    checks.require(fits, "weight", f"must be from 0 to {domain.HEAVIEST_WANTED}")
    domain.check_inventory(checks, inventory, "inventory.")
    checks.done()
    wanted = weight if unit is inventory.unit else amount_in(inventory.unit, stored_amount(unit, weight))
    below, above = domain.nearest_loadings(inventory, wanted)
    return PlateLoading(
        is_exact=below is not None and below == above,
        below=_loading_node(inventory, below),
        above=_loading_node(inventory, above),
    )


@strawberry.type
class PlatesOfUser:
    id: strawberry.ID

    @strawberry.field(
        description="The bar and the plates that the person has; null if they were not told.",
        directives=[SHARED_TRAINING],
    )
    async def plate_inventory(self, info: Info) -> PlateInventory | None:
        inventory = await loaders_of(info).plate_inventory_by_user.load(self.id)
        return None if inventory is None else inventory_node(inventory)

    @strawberry.field(
        description="Which plates make a weight, or the weights nearest to it, with the person's bar and plates, or with others."
        " Null where nothing tells which there are.",
        directives=[SHARED_TRAINING],
    )
    async def plate_loading(
        self,
        info: Info,
        weight: Annotated[
            float, strawberry.argument(description="Bar and plates together, 0 to 5,000, to two places.")
        ],
        unit: Annotated[MassUnit, strawberry.argument(description="What `weight` is in.")] = MassUnit.KG,
        inventory: Annotated[
            PlateInventoryInput | None,
            strawberry.argument(description="Bar and plates. Null: those of the person."),
        ] = None,
    ) -> PlateLoading | None:
        told = None if inventory is None else inventory.to_inventory()
        chosen = told or await loaders_of(info).plate_inventory_by_user.load(self.id)
        return None if chosen is None else plate_loading(chosen, decimal_of(weight, 2), unit)


@strawberry.type
class PlatesMutation:
    @mutation(
        key_scope=KeyScope.WRITE_TRAINING,
        description="Set which bar and plates the viewer has. Planned weights of barbell exercises that follow from a percentage or an"
        " exertion are rounded down to what can be loaded with them, where their plan names no step.",
    )
    async def set_plate_inventory(self, info: Info, input: SetPlateInventoryInput) -> SetPlateInventoryPayload | None:
        from subgraphs.workouts.api.user import load_named_user

        viewer = info.context.viewer
        told = None if input.inventory is None else input.inventory.to_inventory()
        await commands.set_plate_inventory(viewer, told, database=info.context.resources.database)
        info.context.renew_loaders()
        return SetPlateInventoryPayload(user=await load_named_user(info, viewer.id))
