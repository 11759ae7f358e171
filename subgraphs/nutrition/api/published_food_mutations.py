"""Foods that people show others, in GraphQL: published, taken back, copied, reported, and judged by administrators."""

import strawberry

from subgraphs.nutrition.api.food import Food, food_node
from subgraphs.nutrition.api.published_food import (
    PublishedFood,
    published_food_node,
    readable_published_food,
)
from subgraphs.nutrition.commands import published_food as commands
from subgraphs.nutrition.domain.published_food import MOST_PUBLISHED, FoodAudience
from subgraphs.shell.context import Info
from subgraphs.shell.inputs import client_made_id, expected_version, idempotency_key, request_key
from subgraphs.shell.key_scope import KeyScope
from subgraphs.shell.mutation import Payload, mutation
from subgraphs.shell.node import NodeKind
from subgraphs.shell.publication_type import ModerationDecision, ReportReason
from subgraphs.shell.scalars import IdempotencyKey
from subgraphs.shell.scopes import ADMINISTRATORS_ONLY


@strawberry.input(description="Which food of one's own to show to whom.")
class PublishFoodInput:
    food_id: strawberry.ID = strawberry.field(
        description="The food's id, or that of the food that a recipe makes. Its name, maker, barcode, numbers, portions and"
        " declaration are shown; of a recipe its instructions and the names and grams of its ingredients too."
    )
    audience: FoodAudience = strawberry.field(description="Who is to see it.")
    shows_author: bool = strawberry.field(
        default=False, description="Whether the viewer's display name stands beside it, as it is at any time."
    )
    expected_version: int | None = expected_version()


@strawberry.input(description="Which food of one's own nobody else is to see any more.")
class UnpublishFoodInput:
    food_id: strawberry.ID = strawberry.field(description="The food's id.")
    expected_version: int | None = expected_version()


@strawberry.input(description="Which published food to make a food of one's own of.")
class CopyPublishedFoodInput:
    published_food_id: strawberry.ID = strawberry.field(description="The published food's id.")
    name: str | None = strawberry.field(
        default=None, description="What the viewer calls it, 1 to 200 characters. Null: as its author does."
    )
    id: strawberry.ID | None = client_made_id(NodeKind.FOOD)
    idempotency_key: IdempotencyKey | None = idempotency_key()


@strawberry.input(description="Which published food is out of place, and why.")
class ReportFoodInput:
    published_food_id: strawberry.ID = strawberry.field(description="The published food's id.")
    reason: ReportReason = strawberry.field(description="Why it is out of place; the latest of a person counts.")


@strawberry.input(description="What becomes of a published food, and why.")
class ModerateFoodInput:
    published_food_id: strawberry.ID = strawberry.field(description="The published food's id.")
    decision: ModerationDecision = strawberry.field(description="What becomes of it.")
    reason: str = strawberry.field(description="For the audit trail, 3 to 500 characters.")


_OWN = "The viewer's food, which tells who sees it; null if it was refused."


@strawberry.type(description="What came of showing a food to others.")
class PublishFoodPayload(Payload):
    food: Food | None = strawberry.field(default=None, description=_OWN)


@strawberry.type(description="What came of taking a food back from others.")
class UnpublishFoodPayload(Payload):
    food: Food | None = strawberry.field(default=None, description=_OWN)


@strawberry.type(description="What came of copying a published food.")
class CopyPublishedFoodPayload(Payload):
    food: Food | None = strawberry.field(default=None, description="The viewer's own food; null if it was refused.")


@strawberry.type(description="What came of reporting a published food.")
class ReportFoodPayload(Payload):
    published_food: PublishedFood | None = strawberry.field(
        default=None, description="What was reported; null if it was refused."
    )


@strawberry.type(description="What came of deciding about a published food.")
class ModerateFoodPayload(Payload):
    published_food: PublishedFood | None = strawberry.field(
        default=None, description="What was decided about; null if it was refused."
    )


@strawberry.type
class PublishedFoodMutation:
    @mutation(
        description="Let whoever reads the viewer's diary, or everybody who is signed in, see a food or recipe of the viewer as it is"
        f" now; again, as it has become, or to others. CONFLICT for more than {MOST_PUBLISHED}, and for one that administrators"
        " withdrew.",
    )
    async def publish_food(self, info: Info, input: PublishFoodInput) -> PublishFoodPayload | None:
        resources = info.context.resources
        wanted = commands.FoodPublication(
            food_id=input.food_id,
            audience=input.audience,
            shows_author=input.shows_author,
            expected_version=input.expected_version,
        )
        record = await commands.publish_food(
            info.context.viewer, wanted, database=resources.database, now=resources.now()
        )
        info.context.renew_loaders()
        return PublishFoodPayload(food=food_node(record))

    @mutation(
        description="Let nobody else see a food of the viewer any more; what others copied of it is theirs, and stays. What reports hide"
        " stays HIDDEN until administrators have decided.",
    )
    async def unpublish_food(self, info: Info, input: UnpublishFoodInput) -> UnpublishFoodPayload | None:
        record = await commands.unpublish_food(
            info.context.viewer,
            input.food_id,
            expected_version=input.expected_version,
            database=info.context.resources.database,
        )
        info.context.renew_loaders()
        return UnpublishFoodPayload(food=food_node(record))

    @mutation(
        key_scope=KeyScope.WRITE_DIARY,
        description="Make a food of the viewer of one that somebody shows: it stays as it is, whatever becomes of that. A recipe whose"
        " ingredients are all of the catalogue becomes a recipe, any other the food that it makes, and the barcode stays where it"
        " was. CONFLICT for more than there may be.",
    )
    async def copy_published_food(self, info: Info, input: CopyPublishedFoodInput) -> CopyPublishedFoodPayload | None:
        resources = info.context.resources
        record = await commands.copy_published_food(
            info.context.viewer,
            await readable_published_food(info, input.published_food_id),
            name=input.name,
            request=request_key(input),
            database=resources.database,
            now=resources.now(),
        )
        info.context.renew_loaders()
        return CopyPublishedFoodPayload(food=food_node(record))

    @mutation(
        description="Tell administrators that a food that somebody else shows is out of place; what five people have reported whose accounts are a"
        " week old is shown to nobody before they have decided. RATE_LIMITED after 20 in a day.",
    )
    async def report_food(self, info: Info, input: ReportFoodInput) -> ReportFoodPayload | None:
        resources = info.context.resources
        record = await commands.report_food(
            info.context.viewer,
            await readable_published_food(info, input.published_food_id),
            input.reason,
            database=resources.database,
            now=resources.now(),
        )
        return ReportFoodPayload(published_food=published_food_node(record))

    @mutation(
        description="Withdraw a food that somebody published, or keep it or bring it back; for administrators. Its reports are done"
        " with, and the audit trail has the decision. CONFLICT for bringing back what its author has deleted.",
        directives=[ADMINISTRATORS_ONLY],
    )
    async def moderate_food(self, info: Info, input: ModerateFoodInput) -> ModerateFoodPayload | None:
        resources = info.context.resources
        record = await commands.moderate_food(
            info.context.viewer,
            input.published_food_id,
            input.decision,
            input.reason,
            database=resources.database,
            now=resources.now(),
        )
        info.context.renew_loaders()
        return ModerateFoodPayload(published_food=published_food_node(record))
