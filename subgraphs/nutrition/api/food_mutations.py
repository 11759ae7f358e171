"""Changes to a person's own foods in GraphQL: made, corrected, deleted."""

import strawberry

from subgraphs.nutrition.api.declaration import FoodDeclarationInput
from subgraphs.nutrition.api.food import Food, food_node
from subgraphs.nutrition.api.nutrients import NutrientsInput
from subgraphs.nutrition.commands import food as commands
from subgraphs.nutrition.domain import food as domain
from subgraphs.nutrition.domain.declaration import NOTHING_TOLD, Declaration
from subgraphs.shell.context import Info
from subgraphs.shell.inputs import client_made_id, expected_version, given, idempotency_key, request_key
from subgraphs.shell.key_scope import KeyScope
from subgraphs.shell.mutation import Payload, mutation
from subgraphs.shell.node import NodeKind
from subgraphs.shell.scalars import IdempotencyKey, decimal_of


@strawberry.input(description="A household measure of a food.")
class PortionInput:
    label: str = strawberry.field(description="What it is called: 1 to 60 characters, unlike the food's other ones.")
    grams: float = strawberry.field(description="What one of it weighs, 0.1 to 5000 grams.")


@strawberry.input(description="A food to make, for the viewer alone.")
class CreateFoodInput:
    name: str = strawberry.field(description="What it is called, 1 to 200 characters.")
    category: domain.FoodCategory = strawberry.field(description="What kind of food it is.")
    per100: NutrientsInput = strawberry.field(description="What 100 g of it hold.")
    brand: str | None = strawberry.field(default=None, description="Who makes it, up to 100 characters. Null: nobody.")
    gtin: str | None = strawberry.field(
        default=None,
        description=(
            "The barcode, a GTIN of 8, 12, 13 or 14 digits. A food of one's own that has it already is corrected"
            " instead. Null: none."
        ),
    )
    portions: list[PortionInput] = strawberry.field(
        default_factory=list, description="Household measures, up to 30, the commonest first."
    )
    declared: FoodDeclarationInput | None = strawberry.field(
        default=None, description="What its label says of allergens and diets. Null: nothing."
    )
    id: strawberry.ID | None = client_made_id(NodeKind.FOOD)
    idempotency_key: IdempotencyKey | None = idempotency_key()


@strawberry.input(description="What to correct of a food of one's own; what is absent stays.")
class UpdateFoodInput:
    id: strawberry.ID = strawberry.field(description="The food's id.")
    expected_version: int | None = expected_version()
    name: str | None = strawberry.field(
        default=strawberry.UNSET, description="The new name, 1 to 200 characters. Null is refused."
    )
    category: domain.FoodCategory | None = strawberry.field(
        default=strawberry.UNSET, description="The new kind. Null is refused."
    )
    per100: NutrientsInput | None = strawberry.field(
        default=strawberry.UNSET, description="All amounts anew: what it leaves out is not known. Null is refused."
    )
    brand: str | None = strawberry.field(
        default=strawberry.UNSET, description="The new maker, up to 100 characters. Null: nobody."
    )
    gtin: str | None = strawberry.field(default=strawberry.UNSET, description="The new barcode. Null: none.")
    portions: list[PortionInput] | None = strawberry.field(
        default=strawberry.UNSET, description="All household measures anew, up to 30. Null: none."
    )
    declared: FoodDeclarationInput | None = strawberry.field(
        default=strawberry.UNSET, description="All that its label says of allergens and diets anew. Null: nothing."
    )


@strawberry.input(description="Which food of one's own to delete.")
class DeleteFoodInput:
    id: strawberry.ID = strawberry.field(description="The food's id.")
    expected_version: int | None = expected_version()


@strawberry.type(description="What came of making a food.")
class CreateFoodPayload(Payload):
    food: Food | None = strawberry.field(
        default=None, description="The food as it was made, or as it was corrected; null if it was refused."
    )


@strawberry.type(description="What came of correcting a food.")
class UpdateFoodPayload(Payload):
    food: Food | None = strawberry.field(default=None, description="The food as it is now; null if it was refused.")


@strawberry.type(description="What came of deleting a food.")
class DeleteFoodPayload(Payload):
    deleted_id: strawberry.ID | None = strawberry.field(
        default=None, description="The id of what is gone; null if it was refused."
    )


def _portions(portions: list[PortionInput]) -> list[domain.Portion]:
    return [domain.Portion(portion.label, decimal_of(portion.grams, 2)) for portion in portions]


def _declared(told: FoodDeclarationInput | None) -> Declaration:
    return NOTHING_TOLD if told is None else told.to_declaration()


@strawberry.type
class FoodMutation:
    @mutation(key_scope=KeyScope.WRITE_DIARY, description="Make a food that only the viewer sees.")
    async def create_food(self, info: Info, input: CreateFoodInput) -> CreateFoodPayload | None:
        resources = info.context.resources
        new = commands.NewFood(
            name=input.name,
            category=input.category,
            per_100=input.per100.to_nutrients(),
            brand=input.brand,
            gtin=input.gtin,
            portions=_portions(input.portions),
            declared=_declared(input.declared),
            request=request_key(input),
        )
        record = await commands.create_food(info.context.viewer, new, database=resources.database, now=resources.now())
        info.context.renew_loaders()
        return CreateFoodPayload(food=food_node(record))

    @mutation(
        key_scope=KeyScope.WRITE_DIARY,
        description="Correct a food of the viewer. Meals that have it keep the nutrients they were logged with.",
    )
    async def update_food(self, info: Info, input: UpdateFoodInput) -> UpdateFoodPayload | None:
        resources = info.context.resources
        changes = given(input, "brand", "gtin", "portions", "declared", never_null=("name", "category", "per100"))
        if "per100" in changes:
            changes["per_100"] = changes.pop("per100").to_nutrients()
        if "portions" in changes:
            changes["portions"] = _portions(changes["portions"] or [])
        if "declared" in changes:
            changes["declared"] = _declared(changes["declared"])
        record = await commands.update_food(
            info.context.viewer,
            input.id,
            changes,
            expected_version=input.expected_version,
            database=resources.database,
            now=resources.now(),
        )
        info.context.renew_loaders()
        return UpdateFoodPayload(food=food_node(record))

    @mutation(
        key_scope=KeyScope.WRITE_DIARY, description="Delete a food of the viewer. Meals that have it stay as they are."
    )
    async def delete_food(self, info: Info, input: DeleteFoodInput) -> DeleteFoodPayload | None:
        resources = info.context.resources
        await commands.delete_food(
            info.context.viewer,
            input.id,
            expected_version=input.expected_version,
            database=resources.database,
            now=resources.now(),
        )
        info.context.renew_loaders()
        return DeleteFoodPayload(deleted_id=input.id)
