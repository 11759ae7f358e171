"""The foods that a person uses, in GraphQL: logged last, logged most, favourites, recipes and saved meals."""

from collections.abc import Sequence
from datetime import date, datetime

import strawberry

from subgraphs.nutrition.api.food import Food, food_node
from subgraphs.nutrition.api.meal_plan import MealPlan, PlannedMeal, meal_plan_node, planned_meal_node
from subgraphs.nutrition.api.published_food import PublishedFood, published_food_node
from subgraphs.nutrition.api.saved_meal import SavedMeal, saved_meal_node
from subgraphs.nutrition.commands.favourite_food import MOST_FAVOURITES
from subgraphs.nutrition.domain.meal_plan import MOST_PLANS
from subgraphs.nutrition.domain.published_food import MOST_PUBLISHED
from subgraphs.nutrition.domain.recipe import MOST_RECIPES
from subgraphs.nutrition.domain.saved_meal import MOST_SAVED_MEALS
from subgraphs.nutrition.loaders import loaders_of
from subgraphs.nutrition.queries.food import FoodRecord
from subgraphs.nutrition.queries.food import RecentFood as RecentFoodRecord
from subgraphs.shell.context import Info
from subgraphs.shell.keyset import KeysetList
from subgraphs.shell.node import ID_DESCRIPTION
from subgraphs.shell.pagination import After, Before, Connection, First, Last, connect
from subgraphs.shell.sharing import SHARED_DIARY


@strawberry.type(description="A food that a person logged, how often and when last.")
class RecentFood:
    food: Food = strawberry.field(description="The food as it is now.")
    times_logged: int = strawberry.field(description="How often meals of the person have it.")
    last_logged_at: datetime = strawberry.field(description="When the newest of these meals was eaten.")


@strawberry.type
class FoodsOfUser:
    """Fields of User."""

    id: strawberry.ID = strawberry.field(description=ID_DESCRIPTION)

    @strawberry.field(
        description="The foods that the person logged last, newest first. `totalCount` is null: a page reads itself only."
    )
    async def recent_foods(
        self, info: Info, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> Connection[RecentFood]:
        page = KeysetList("User.recentFoods", self.id, (datetime, str)).page(first, after, last, before)
        pairs = await _with_foods(info, await loaders_of(info).recent_foods_by_user.load((self.id, page)))
        return connect(pairs, page, _recent_food, lambda pair: (pair[0].last_at, pair[0].food_id))

    @strawberry.field(
        description="The foods that the person logged most often, those first. `totalCount` is null: a page reads itself"
        " only."
    )
    async def frequent_foods(
        self, info: Info, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> Connection[RecentFood]:
        page = KeysetList("User.frequentFoods", self.id, (int, str)).page(first, after, last, before)
        pairs = await _with_foods(info, await loaders_of(info).frequent_foods_by_user.load((self.id, page)))
        return connect(pairs, page, _recent_food, lambda pair: (pair[0].times, pair[0].food_id))

    @strawberry.field(
        description=f"The foods that the person marked as favourites, newest first; at most {MOST_FAVOURITES}."
        " `totalCount` is null: a page reads itself only."
    )
    async def favourite_foods(
        self, info: Info, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> Connection[Food]:
        page = KeysetList("User.favouriteFoods", self.id, (datetime, str)).page(first, after, last, before)
        loaders = loaders_of(info)
        marked = await loaders.favourite_foods_by_user.load((self.id, page))
        foods = await loaders.food_by_id.load_many([food_id for food_id, _ in marked])
        pairs = [(added_at, food) for (_, added_at), food in zip(marked, foods, strict=True) if food is not None]
        return connect(pairs, page, lambda pair: food_node(pair[1]), lambda pair: (pair[0], pair[1].id))

    @strawberry.field(
        description=f"The foods that the person has a recipe of, newest first; at most {MOST_RECIPES}. `totalCount` is null:"
        " a page reads itself only."
    )
    async def recipes(
        self, info: Info, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> Connection[Food]:
        page = KeysetList("User.recipes", self.id, (str,)).page(first, after, last, before)
        foods = await loaders_of(info).recipes_by_user.load((self.id, page))
        return connect(foods, page, food_node, lambda food: (food.id,))

    @strawberry.field(
        description=f"The foods and recipes that the person shows to whoever reads the diary, or to everybody, newest first; at most"
        f" {MOST_PUBLISHED}. `totalCount` is null: a page reads itself only.",
        directives=[SHARED_DIARY],
    )
    async def published_foods(
        self, info: Info, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> Connection[PublishedFood]:
        page = KeysetList("User.publishedFoods", self.id, (datetime, str)).page(first, after, last, before)
        records = await loaders_of(info).published_foods_by_user.load((self.id, page))
        return connect(records, page, published_food_node, lambda record: (record.published_at, record.id))

    @strawberry.field(
        description=f"The meals that the person keeps to log again, newest first; at most {MOST_SAVED_MEALS}."
        " `totalCount` is null: a page reads itself only."
    )
    async def saved_meals(
        self, info: Info, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> Connection[SavedMeal]:
        page = KeysetList("User.savedMeals", self.id, (datetime, str)).page(first, after, last, before)
        saved = await loaders_of(info).saved_meals_by_user.load((self.id, page))
        return connect(saved, page, saved_meal_node, lambda record: (record.created_at, record.id))

    @strawberry.field(
        description=f"The plans of meals that the person keeps, newest first; at most {MOST_PLANS}. `totalCount` is null: a"
        " page reads itself only.",
        directives=[SHARED_DIARY],
    )
    async def meal_plans(
        self, info: Info, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> Connection[MealPlan]:
        page = KeysetList("User.mealPlans", self.id, (datetime, str)).page(first, after, last, before)
        plans = await loaders_of(info).meal_plans_by_user.load((self.id, page))
        return connect(plans, page, meal_plan_node, lambda record: (record.created_at, record.id))

    @strawberry.field(
        description="What is planned for the person's days, by date; past days are kept for 90 days. `totalCount` is null: a"
        " page reads itself only."
    )
    async def planned_meals(
        self, info: Info, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> Connection[PlannedMeal]:
        page = KeysetList("User.plannedMeals", self.id, (date, int, str)).page(first, after, last, before)
        planned = await loaders_of(info).planned_meals_by_user.load((self.id, page))
        return connect(planned, page, planned_meal_node, lambda each: (each.local_date, each.position, each.id))


async def _with_foods(info: Info, logged: Sequence[RecentFoodRecord]) -> list[tuple[RecentFoodRecord, FoodRecord]]:
    foods = await loaders_of(info).food_by_id.load_many([each.food_id for each in logged])
    return [(each, food) for each, food in zip(logged, foods, strict=True) if food is not None]


def _recent_food(pair: tuple[RecentFoodRecord, FoodRecord]) -> RecentFood:
    logged, food = pair
    return RecentFood(food=food_node(food), times_logged=logged.times, last_logged_at=logged.last_at)
