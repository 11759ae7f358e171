"""The nutrition subgraph's federated schema: what `api/*` offers, merged."""

import strawberry

from subgraphs.graphql_schema import SubgraphSchema
from subgraphs.nutrition.api.diary import DiaryDay, DiaryMutation
from subgraphs.nutrition.api.food import Food, FoodMutation, FoodQuery
from subgraphs.nutrition.api.meal import Meal, MealMutation, MealQuery
from subgraphs.nutrition.api.user import User


@strawberry.type
class Query(FoodQuery, MealQuery):
    """Foods, and single meals; a person's diary is on User."""


@strawberry.type
class Mutation(FoodMutation, MealMutation, DiaryMutation):
    """Every change to foods, meals, water and targets."""


schema = SubgraphSchema(query=Query, mutation=Mutation, types=[User, Food, Meal, DiaryDay])
