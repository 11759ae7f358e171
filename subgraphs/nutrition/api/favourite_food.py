"""Marking a food as a favourite, in GraphQL; the list of them is in `foods_of_user`."""

from typing import TYPE_CHECKING, Annotated

import strawberry

from subgraphs.nutrition.api.food import Food, food_node
from subgraphs.nutrition.commands import favourite_food as commands
from subgraphs.shell.context import Info
from subgraphs.shell.key_scope import KeyScope
from subgraphs.shell.mutation import Payload, mutation

if TYPE_CHECKING:
    from subgraphs.nutrition.api.user import User

LazyUser = Annotated["User", strawberry.lazy("subgraphs.nutrition.api.user")]


@strawberry.input(description="Which food to mark as a favourite, or no longer.")
class SetFavouriteFoodInput:
    food_id: strawberry.ID = strawberry.field(description="A food of the catalogue or of the viewer's own.")
    is_favourite: bool = strawberry.field(description="True marks it, false takes the mark away.")


@strawberry.type(description="What came of marking a food.")
class SetFavouriteFoodPayload(Payload):
    food: Food | None = strawberry.field(default=None, description="The food; null if it was refused.")
    user: LazyUser | None = strawberry.field(
        default=None, description="The person with the favourites of now; null if it was refused."
    )


@strawberry.type
class FavouriteFoodMutation:
    @mutation(
        key_scope=KeyScope.WRITE_DIARY,
        description="Mark a food as a favourite of the viewer, or no longer; repeating it changes nothing. CONFLICT for"
        " more than there may be.",
    )
    async def set_favourite_food(self, info: Info, input: SetFavouriteFoodInput) -> SetFavouriteFoodPayload | None:
        from subgraphs.nutrition.api.user import load_named_user

        resources, viewer = info.context.resources, info.context.viewer
        record = await commands.set_favourite_food(
            viewer, input.food_id, input.is_favourite, database=resources.database, now=resources.now()
        )
        info.context.renew_loaders()
        return SetFavouriteFoodPayload(food=food_node(record), user=await load_named_user(info, viewer.id))
