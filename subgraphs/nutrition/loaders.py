"""The operation's loaders: each gathers the keys of one tick and answers them with one statement."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime
from functools import cached_property, partial

from loaders.dataloader import DataLoader, keeping_parts, load_list, load_one, load_with_arguments, nothing
from subgraphs.nutrition.domain.declaration import Declaration, Preferences
from subgraphs.nutrition.domain.food import Portion
from subgraphs.nutrition.queries.custom_slot import CustomSlotsRecord, custom_slots_by_user
from subgraphs.nutrition.queries.declaration import declarations_by_food, dietary_preferences_by_user
from subgraphs.nutrition.queries.fast import FastRecord, fasts_by_id, fasts_by_user, running_fasts
from subgraphs.nutrition.queries.food import (
    FoodFilter,
    FoodRecord,
    RecentFood,
    favourite_foods,
    favourites_among,
    foods_by_gtin,
    foods_by_id,
    foods_by_name,
    frequent_foods,
    portions_by_food,
    recent_foods,
)
from subgraphs.nutrition.queries.food_search import search_foods
from subgraphs.nutrition.queries.meal import (
    MealItemRecord,
    MealPage,
    MealParts,
    MealRecord,
    items_by_meal,
    meals_by_user,
    meals_of_days,
    meals_with_parts,
)
from subgraphs.nutrition.queries.meal_plan import (
    MealPlanRecord,
    PlannedMealRecord,
    meal_plans_by_id,
    meal_plans_by_user,
    planned_meals_by_day,
    planned_meals_by_id,
    planned_meals_by_user,
)
from subgraphs.nutrition.queries.published_food import (
    PublishedFilter,
    PublishedFoodRecord,
    public_foods_page,
    publications_by_food,
    published_foods_by_id,
    published_foods_by_user,
    report_reasons,
)
from subgraphs.nutrition.queries.recipe import (
    RecipeRecord,
    recipe_versions_by_food,
    recipes_by_food,
    recipes_by_user,
)
from subgraphs.nutrition.queries.saved_meal import SavedMealRecord, saved_meals_by_id, saved_meals_by_user
from subgraphs.nutrition.queries.target import TargetRecord, targets_by_day
from subgraphs.nutrition.queries.water import DrinkPage, DrinkRecord, drinks_by_day, drinks_by_id, drinks_by_user
from subgraphs.shell.change_log import ChangePage, ChangesRecord, changes_by_user
from subgraphs.shell.context import Info, Resources
from subgraphs.shell.grants import ReadRecord, reads_by_owner
from subgraphs.shell.keyset import Page
from subgraphs.shell.plan_writing import PlanWriteRecord, writes_by_owner
from subgraphs.shell.replicated_person import PersonRecord, people_by_id
from subgraphs.shell.search.store import Found
from subgraphs.shell.telemetry import batch_span

Day = tuple[str, date]


class NutritionLoaders:
    """One set an operation, each made when first wanted; named `<result>_by_<key>`. A day is a (user id, local date)."""

    def __init__(self, resources: Resources) -> None:
        self._read = resources.database.batch_reader
        self._parts: defaultdict[Day, set[str]] = defaultdict(set)
        self._parts_of_meals: defaultdict[str, set[str]] = defaultdict(set)
        self._parts_of_pages: defaultdict[MealPage, set[str]] = defaultdict(set)

    @cached_property
    def food_by_id(self) -> DataLoader[str, FoodRecord | None]:
        return load_one("food_by_id", self._read(foods_by_id), batch_span)

    @cached_property
    def food_by_gtin(self) -> DataLoader[tuple[str, str | None], FoodRecord | None]:
        """By (barcode, viewer): a person's own food comes before the catalogue's."""
        return load_with_arguments("food_by_gtin", self._read(foods_by_gtin), nothing, batch_span)

    @cached_property
    def foods_by_words(self) -> DataLoader[tuple[str, FoodFilter], list[Found]]:
        return load_with_arguments("foods_by_words", self._read(search_foods), list, batch_span)

    @cached_property
    def foods_by_name(self) -> DataLoader[tuple[FoodFilter, Page], list[FoodRecord]]:
        return load_with_arguments("foods_by_name", self._read(foods_by_name), list, batch_span)

    @cached_property
    def portions_by_food(self) -> DataLoader[str, list[Portion]]:
        return load_list("portions_by_food", self._read(portions_by_food), batch_span)

    @cached_property
    def recent_foods_by_user(self) -> DataLoader[tuple[str, Page], list[RecentFood]]:
        return load_with_arguments("recent_foods_by_user", self._read(recent_foods), list, batch_span)

    @cached_property
    def frequent_foods_by_user(self) -> DataLoader[tuple[str, Page], list[RecentFood]]:
        return load_with_arguments("frequent_foods_by_user", self._read(frequent_foods), list, batch_span)

    @cached_property
    def favourite_foods_by_user(self) -> DataLoader[tuple[str, Page], list[tuple[str, datetime]]]:
        return load_with_arguments("favourite_foods_by_user", self._read(favourite_foods), list, batch_span)

    @cached_property
    def is_favourite_by_food(self) -> DataLoader[tuple[str, str], bool]:
        """By (food id, user id)."""
        return load_with_arguments("is_favourite_by_food", self._read(favourites_among), bool, batch_span)

    @cached_property
    def declaration_by_food(self) -> DataLoader[str, Declaration | None]:
        return load_one("declaration_by_food", self._read(declarations_by_food), batch_span)

    @cached_property
    def dietary_preferences_by_user(self) -> DataLoader[str, Preferences | None]:
        return load_one("dietary_preferences_by_user", self._read(dietary_preferences_by_user), batch_span)

    @cached_property
    def recipe_by_food(self) -> DataLoader[str, RecipeRecord | None]:
        return load_one("recipe_by_food", self._read(recipes_by_food), batch_span)

    @cached_property
    def recipe_versions_by_food(self) -> DataLoader[str, list[RecipeRecord]]:
        return load_list("recipe_versions_by_food", self._read(recipe_versions_by_food), batch_span)

    @cached_property
    def published_food_by_id(self) -> DataLoader[str, PublishedFoodRecord | None]:
        return load_one("published_food_by_id", self._read(published_foods_by_id), batch_span)

    @cached_property
    def publication_by_food(self) -> DataLoader[str, PublishedFoodRecord | None]:
        return load_one("publication_by_food", self._read(publications_by_food), batch_span)

    @cached_property
    def public_foods(self) -> DataLoader[tuple[PublishedFilter, Page], list[PublishedFoodRecord]]:
        return load_with_arguments("public_foods", self._read(public_foods_page), list, batch_span)

    @cached_property
    def published_foods_by_user(self) -> DataLoader[tuple[str, Page], list[PublishedFoodRecord]]:
        return load_with_arguments("published_foods_by_user", self._read(published_foods_by_user), list, batch_span)

    @cached_property
    def report_reasons_by_published_food(self) -> DataLoader[str, list[tuple[str, int]]]:
        return load_list("report_reasons_by_published_food", self._read(report_reasons), batch_span)

    @cached_property
    def recipes_by_user(self) -> DataLoader[tuple[str, Page], list[FoodRecord]]:
        return load_with_arguments("recipes_by_user", self._read(recipes_by_user), list, batch_span)

    @cached_property
    def saved_meals_by_user(self) -> DataLoader[tuple[str, Page], list[SavedMealRecord]]:
        return load_with_arguments("saved_meals_by_user", self._read(saved_meals_by_user), list, batch_span)

    @cached_property
    def meal_plans_by_user(self) -> DataLoader[tuple[str, Page], list[MealPlanRecord]]:
        return load_with_arguments("meal_plans_by_user", self._read(meal_plans_by_user), list, batch_span)

    @cached_property
    def planned_meals_by_user(self) -> DataLoader[tuple[str, Page], list[PlannedMealRecord]]:
        return load_with_arguments("planned_meals_by_user", self._read(planned_meals_by_user), list, batch_span)

    @cached_property
    def planned_meals_by_day(self) -> DataLoader[Day, list[PlannedMealRecord]]:
        return load_list("planned_meals_by_day", self._read(planned_meals_by_day), batch_span)

    @cached_property
    def custom_slots_by_user(self) -> DataLoader[str, CustomSlotsRecord | None]:
        return load_one("custom_slots_by_user", self._read(custom_slots_by_user), batch_span)

    @cached_property
    def fasts_by_user(self) -> DataLoader[tuple[str, Page], list[FastRecord]]:
        return load_with_arguments("fasts_by_user", self._read(fasts_by_user), list, batch_span)

    @cached_property
    def running_fast_by_user(self) -> DataLoader[str, FastRecord | None]:
        return load_one("running_fast_by_user", self._read(running_fasts), batch_span)

    @cached_property
    def meal_by_id(self) -> DataLoader[str, MealRecord | None]:
        read = keeping_parts(self._keep, self._read(meals_with_parts))
        return load_one("meal_by_id", partial(read, parts=self._parts_of_meals), batch_span)

    def want_with_meal(self, meal_id: str, parts: Iterable[str]) -> None:
        """Have the statement that reads a meal also bring these parts of it for the loaders of those."""
        self._parts_of_meals[meal_id].update(parts)

    @cached_property
    def items_by_meal(self) -> DataLoader[str, list[MealItemRecord]]:
        return load_list("items_by_meal", self._read(items_by_meal), batch_span)

    @cached_property
    def meals_by_day(self) -> DataLoader[Day, list[MealRecord]]:
        read = keeping_parts(self._keep, self._read(meals_of_days))
        return load_list("meals_by_day", partial(read, parts=self._parts), batch_span)

    def meals_with(self, parts: Iterable[str], day: Day) -> "asyncio.Future[list[MealRecord]]":
        """The meals of a day, whose statement also brings these parts of them for the loaders of those."""
        self._parts[day].update(parts)
        return self.meals_by_day.load(day)

    @cached_property
    def meals_by_user(self) -> DataLoader[tuple[str, MealPage], list[MealRecord]]:
        read = keeping_parts(self._keep, self._read(meals_by_user))
        return load_with_arguments(
            "meals_by_user", lambda ids, page: read(ids, page, self._parts_of_pages[page]), list, batch_span
        )

    def meal_page_with(
        self, parts: Iterable[str], user_id: str, wanted: MealPage
    ) -> "asyncio.Future[list[MealRecord]]":
        """A page of a person's meals, whose statement also brings these parts of them for the loaders of those."""
        self._parts_of_pages[wanted].update(parts)
        return self.meals_by_user.load((user_id, wanted))

    def _keep(self, parts: MealParts) -> None:
        self.items_by_meal.prime_all(parts.items)
        self.food_by_id.prime_all(parts.foods)

    @cached_property
    def drink_by_id(self) -> DataLoader[str, DrinkRecord | None]:
        return load_one("drink_by_id", self._read(drinks_by_id), batch_span)

    @cached_property
    def drinks_by_day(self) -> DataLoader[Day, list[DrinkRecord]]:
        return load_list("drinks_by_day", self._read(drinks_by_day), batch_span)

    @cached_property
    def drinks_by_user(self) -> DataLoader[tuple[str, DrinkPage], list[DrinkRecord]]:
        return load_with_arguments("drinks_by_user", self._read(drinks_by_user), list, batch_span)

    @cached_property
    def target_by_day(self) -> DataLoader[Day, TargetRecord | None]:
        return load_one("target_by_day", self._read(targets_by_day), batch_span)

    @cached_property
    def person_by_id(self) -> DataLoader[str, PersonRecord | None]:
        return load_one("person_by_id", self._read(people_by_id), batch_span)

    @cached_property
    def saved_meal_by_id(self) -> DataLoader[str, SavedMealRecord | None]:
        return load_one("saved_meal_by_id", self._read(saved_meals_by_id), batch_span)

    @cached_property
    def meal_plan_by_id(self) -> DataLoader[str, MealPlanRecord | None]:
        return load_one("meal_plan_by_id", self._read(meal_plans_by_id), batch_span)

    @cached_property
    def planned_meal_by_id(self) -> DataLoader[str, PlannedMealRecord | None]:
        return load_one("planned_meal_by_id", self._read(planned_meals_by_id), batch_span)

    @cached_property
    def fast_by_id(self) -> DataLoader[str, FastRecord | None]:
        return load_one("fast_by_id", self._read(fasts_by_id), batch_span)

    @cached_property
    def changes_by_user(self) -> DataLoader[tuple[str, ChangePage], ChangesRecord | None]:
        return load_with_arguments("changes_by_user", self._read(changes_by_user), nothing, batch_span)

    @cached_property
    def reads_by_owner(self) -> DataLoader[str, list[ReadRecord]]:
        return load_list("reads_by_owner", self._read(reads_by_owner), batch_span)

    @cached_property
    def writes_by_owner(self) -> DataLoader[str, list[PlanWriteRecord]]:
        return load_list("writes_by_owner", self._read(writes_by_owner), batch_span)


def loaders_of(info: Info) -> NutritionLoaders:
    loaders: NutritionLoaders = info.context.loaders
    return loaders
