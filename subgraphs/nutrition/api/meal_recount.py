"""Past meals counted anew, in GraphQL."""

import datetime as dt

import strawberry

from subgraphs.nutrition.api.meal import Meal, meal_node
from subgraphs.nutrition.commands import meal_recount as commands
from subgraphs.shell.context import Info
from subgraphs.shell.cost import list_size
from subgraphs.shell.day_range import read_day_range
from subgraphs.shell.key_scope import KeyScope
from subgraphs.shell.mutation import Payload, mutation


@strawberry.input(description="Which food to count anew, and in the meals of which days.")
class RecountMealsInput:
    food_id: strawberry.ID = strawberry.field(description="The food, as it is now.")
    from_: dt.date | None = strawberry.field(
        default=None, name="from", description="The first local day, included. Null: from the first meal on."
    )
    to: dt.date | None = strawberry.field(default=None, description="The last local day, included. Null: all.")


@strawberry.type(description="What came of counting meals anew.")
class RecountMealsPayload(Payload):
    meals: list[Meal] | None = strawberry.field(
        default=None,
        description=f"The meals that were changed, oldest first; at most {commands.MOST_RECOUNTED}. Null if it was refused.",
        directives=[list_size(20)],
    )
    is_complete: bool | None = strawberry.field(
        default=None,
        description="Whether all of them are changed; false: ask once more. Null if it was refused.",
    )


@strawberry.type
class MealRecountMutation:
    @mutation(
        key_scope=KeyScope.WRITE_DIARY,
        description="Give a food in past meals of the viewer the name and nutrients that it has now, at the grams that were"
        " eaten. Meals keep what they were logged with unless this asks for it; asked again, it finds nothing to do.",
    )
    async def recount_meals(self, info: Info, input: RecountMealsInput) -> RecountMealsPayload | None:
        resources = info.context.resources
        done = await commands.recount_meals(
            info.context.viewer,
            input.food_id,
            read_day_range(input.from_, input.to),
            database=resources.database,
            now=resources.now(),
        )
        info.context.renew_loaders()
        return RecountMealsPayload(meals=[meal_node(meal) for meal in done.meals], is_complete=done.is_complete)
