"""The operation's loaders: each gathers the keys of one tick and answers them with one statement."""

from datetime import date
from functools import cached_property

from aiodataloader import DataLoader

from loaders.dataloader import load_list, load_one, load_with_arguments
from subgraphs.context import Info, Resources
from subgraphs.nutrition.domain.food import Portion
from subgraphs.nutrition.queries.diary import TargetRecord, targets_by_day, water_by_day
from subgraphs.nutrition.queries.food import (
    FoodRecord,
    RecentFood,
    foods_by_gtin,
    foods_by_id,
    portions_by_food,
    recent_foods,
)
from subgraphs.nutrition.queries.meal import (
    MealItemRecord,
    MealPage,
    MealRecord,
    items_by_meal,
    meals_by_day,
    meals_by_id,
    meals_by_user,
)
from subgraphs.nutrition.queries.person import PersonRecord, people_by_id
from subgraphs.telemetry import batch_span

Day = tuple[str, date]


class NutritionLoaders:
    """One set an operation, each made when first wanted; named `<result>_by_<key>`. A day is a (user id, local date)."""

    def __init__(self, resources: Resources) -> None:
        self._read = resources.database.batch_reader

    @cached_property
    def food_by_id(self) -> DataLoader[str, FoodRecord | None]:
        return load_one("food_by_id", self._read(foods_by_id), batch_span)

    @cached_property
    def food_by_gtin(self) -> DataLoader[str, FoodRecord | None]:
        return load_one("food_by_gtin", self._read(foods_by_gtin), batch_span)

    @cached_property
    def portions_by_food(self) -> DataLoader[str, list[Portion]]:
        return load_list("portions_by_food", self._read(portions_by_food), batch_span)

    @cached_property
    def recent_foods_by_user(self) -> DataLoader[tuple[str, int], list[RecentFood]]:
        return load_with_arguments("recent_foods_by_user", self._read(recent_foods), list, batch_span)

    @cached_property
    def meal_by_id(self) -> DataLoader[str, MealRecord | None]:
        return load_one("meal_by_id", self._read(meals_by_id), batch_span)

    @cached_property
    def items_by_meal(self) -> DataLoader[str, list[MealItemRecord]]:
        return load_list("items_by_meal", self._read(items_by_meal), batch_span)

    @cached_property
    def meals_by_day(self) -> DataLoader[Day, list[MealRecord]]:
        return load_list("meals_by_day", self._read(meals_by_day), batch_span)

    @cached_property
    def meals_by_user(self) -> DataLoader[tuple[str, MealPage], list[MealRecord]]:
        return load_with_arguments("meals_by_user", self._read(meals_by_user), list, batch_span)

    @cached_property
    def water_by_day(self) -> DataLoader[Day, int | None]:
        return load_one("water_by_day", self._read(water_by_day), batch_span)

    @cached_property
    def target_by_day(self) -> DataLoader[Day, TargetRecord | None]:
        return load_one("target_by_day", self._read(targets_by_day), batch_span)

    @cached_property
    def person_by_id(self) -> DataLoader[str, PersonRecord | None]:
        return load_one("person_by_id", self._read(people_by_id), batch_span)


def loaders_of(info: Info) -> NutritionLoaders:
    loaders: NutritionLoaders = info.context.loaders
    return loaders
