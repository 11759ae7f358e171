"""What a person avoids in food, in GraphQL. It is about health: the person's own alone, for no grant and no API key."""

from typing import TYPE_CHECKING, Annotated

import strawberry

from subgraphs.nutrition.commands import dietary_preference as commands
from subgraphs.nutrition.domain.declaration import Allergen, Diet, Preferences
from subgraphs.shell.context import Info
from subgraphs.shell.cost import list_size
from subgraphs.shell.inputs import expected_version
from subgraphs.shell.mutation import Payload, mutation

if TYPE_CHECKING:
    from subgraphs.nutrition.api.user import User

LazyUser = Annotated["User", strawberry.lazy("subgraphs.nutrition.api.user")]


@strawberry.type(description="What a person avoids in food, and how the person eats.")
class DietaryPreferences:
    avoid: list[Allergen] = strawberry.field(description="Allergens to be warned of.", directives=[list_size(4)])
    diet: Diet | None = strawberry.field(description="The person's diet; null: all kinds of food.")
    version: int = strawberry.field(
        description="Counts changes; send it as `expectedVersion` to change only this one. 0 before the first."
    )


@strawberry.input(description="What the viewer avoids, all anew.")
class SetDietaryPreferencesInput:
    avoid: list[Allergen] = strawberry.field(description="Allergens to be warned of; empty for none.")
    diet: Diet | None = strawberry.field(default=None, description="How the viewer eats. Null: all kinds of food.")
    expected_version: int | None = expected_version()


@strawberry.type(description="What came of choosing what to avoid.")
class SetDietaryPreferencesPayload(Payload):
    dietary_preferences: DietaryPreferences | None = strawberry.field(
        default=None, description="What is avoided now; null if it was refused."
    )
    user: LazyUser | None = strawberry.field(default=None, description="Whose it is; null if it was refused.")


def dietary_preferences_node(found: Preferences | None) -> DietaryPreferences:
    chosen = found or Preferences()
    avoid = [each for each in Allergen if each in chosen.avoid]
    return DietaryPreferences(avoid=avoid, diet=chosen.diet, version=chosen.version)


@strawberry.type
class DietaryPreferenceMutation:
    @mutation(description="Choose what to be warned of in foods, in place of what was chosen before.")
    async def set_dietary_preferences(
        self, info: Info, input: SetDietaryPreferencesInput
    ) -> SetDietaryPreferencesPayload | None:
        from subgraphs.nutrition.api.user import load_named_user

        viewer = info.context.viewer
        chosen = await commands.set_dietary_preferences(
            viewer,
            input.avoid,
            input.diet,
            expected_version=input.expected_version,
            database=info.context.resources.database,
        )
        info.context.renew_loaders()
        return SetDietaryPreferencesPayload(
            dietary_preferences=dietary_preferences_node(chosen), user=await load_named_user(info, viewer.id)
        )
