"""The nutrition subgraph's federated schema: what `api/*` offers, merged."""

import strawberry

from subgraphs.nutrition.api.custom_slot import CustomSlotMutation
from subgraphs.nutrition.api.diary import DiaryDay
from subgraphs.nutrition.api.dietary_preference import DietaryPreferenceMutation
from subgraphs.nutrition.api.fast_mutations import FastMutation
from subgraphs.nutrition.api.favourite_food import FavouriteFoodMutation
from subgraphs.nutrition.api.food import Food, FoodQuery
from subgraphs.nutrition.api.food_mutations import FoodMutation
from subgraphs.nutrition.api.meal import Meal, MealQuery
from subgraphs.nutrition.api.meal_arranging import MealArrangingMutation
from subgraphs.nutrition.api.meal_mutations import MealMutation
from subgraphs.nutrition.api.meal_plan_mutations import MealPlanMutation
from subgraphs.nutrition.api.meal_recount import MealRecountMutation
from subgraphs.nutrition.api.published_food import PublishedFoodQuery
from subgraphs.nutrition.api.published_food_mutations import PublishedFoodMutation
from subgraphs.nutrition.api.recipe_mutations import RecipeMutation
from subgraphs.nutrition.api.saved_meal_mutations import SavedMealMutation
from subgraphs.nutrition.api.shopping import ShoppingQuery
from subgraphs.nutrition.api.target import TargetMutation
from subgraphs.nutrition.api.user import User, UserQuery
from subgraphs.nutrition.api.water import Drink, WaterMutation
from subgraphs.shell.graphql_schema import SubgraphSchema


@strawberry.type
class Query(UserQuery, FoodQuery, PublishedFoodQuery, MealQuery, ShoppingQuery):
    """Foods, and single meals; a person's diary is on User."""


@strawberry.type
class Mutation(
    FoodMutation,
    MealMutation,
    MealArrangingMutation,
    MealRecountMutation,
    FavouriteFoodMutation,
    DietaryPreferenceMutation,
    FastMutation,
    RecipeMutation,
    PublishedFoodMutation,
    SavedMealMutation,
    CustomSlotMutation,
    MealPlanMutation,
    WaterMutation,
    TargetMutation,
):
    """Every change to foods, meals, water and targets."""


schema = SubgraphSchema(query=Query, mutation=Mutation, types=[User, Food, Meal, Drink, DiaryDay])
