"""The request's loaders: each gathers the keys of one tick and answers them with one statement."""

from datetime import date

from aiodataloader import DataLoader

from loaders.dataloader import load_list, load_one, load_with_arguments
from subgraphs.context import Info, Resources
from subgraphs.nutrition.queries.diary import targets_by_day, water_by_day
from subgraphs.nutrition.queries.food import RecentFood, foods_by_gtin, foods_by_id, portions_by_food, recent_foods
from subgraphs.nutrition.queries.meal import (
    MealPage,
    MealRecord,
    items_by_meal,
    meals_by_day,
    meals_by_id,
    meals_by_user,
)
from subgraphs.nutrition.queries.person import people_by_id
from subgraphs.telemetry import batch_span

Day = tuple[str, date]


class NutritionLoaders:
    """One set an operation; named `<result>_by_<key>`. A day is a (user id, local date)."""

    def __init__(self, resources: Resources) -> None:
        read = resources.database.batch_reader
        self.food_by_id = load_one("food_by_id", read(foods_by_id), batch_span)
        self.food_by_gtin = load_one("food_by_gtin", read(foods_by_gtin), batch_span)
        self.portions_by_food = load_list("portions_by_food", read(portions_by_food), batch_span)
        self.meal_by_id = load_one("meal_by_id", read(meals_by_id), batch_span)
        self.items_by_meal = load_list("items_by_meal", read(items_by_meal), batch_span)
        self.meals_by_day = load_list("meals_by_day", read(meals_by_day), batch_span)
        self.water_by_day = load_one("water_by_day", read(water_by_day), batch_span)
        self.target_by_day = load_one("target_by_day", read(targets_by_day), batch_span)
        self.person_by_id = load_one("person_by_id", read(people_by_id), batch_span)
        self.meals_by_user: DataLoader[tuple[str, MealPage], list[MealRecord]] = load_with_arguments(
            "meals_by_user", read(meals_by_user), list, batch_span
        )
        self.recent_foods_by_user: DataLoader[tuple[str, int], list[RecentFood]] = load_with_arguments(
            "recent_foods_by_user", read(recent_foods), list, batch_span
        )


def loaders_of(info: Info) -> NutritionLoaders:
    loaders: NutritionLoaders = info.context.loaders
    return loaders
