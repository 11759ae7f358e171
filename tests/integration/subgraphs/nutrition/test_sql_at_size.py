"""Nutrition after ten years of one person among others: what each page reads, told by Postgres in rows and pages.

Time is nobody's proof on a shared machine; rows that are read and not needed are.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from subgraphs.nutrition.domain.recipe import MOST_RECIPES
from subgraphs.nutrition.domain.saved_meal import MOST_SAVED_MEALS
from subgraphs.nutrition.loaders import NutritionLoaders
from subgraphs.nutrition.queries.custom_slot import custom_slots_by_user
from subgraphs.nutrition.queries.declaration import declarations_by_food, dietary_preferences_by_user
from subgraphs.nutrition.queries.fast import fasts_by_id, fasts_by_user, running_fasts
from subgraphs.nutrition.queries.food import (
    FoodFilter,
    favourite_foods,
    favourites_among,
    foods_by_gtin,
    foods_by_id,
    foods_by_name,
    frequent_foods,
    portions_by_food,
    recent_foods,
)
from subgraphs.nutrition.queries.meal import (
    ALL_PARTS,
    MealPage,
    items_by_meal,
    meals_by_user,
    meals_of_days,
    meals_with_parts,
)
from subgraphs.nutrition.queries.meal_plan import (
    meal_plans_by_id,
    meal_plans_by_user,
    planned_meals_by_day,
    planned_meals_by_id,
    planned_meals_by_user,
)
from subgraphs.nutrition.queries.published_food import (
    PublishedFilter,
    public_foods_page,
    publications_by_food,
    published_foods_by_id,
    published_foods_by_user,
    report_reasons,
)
from subgraphs.nutrition.queries.recipe import recipe_versions_by_food, recipes_by_food, recipes_by_user
from subgraphs.nutrition.queries.saved_meal import saved_meals_by_id, saved_meals_by_user
from subgraphs.nutrition.queries.target import targets_by_day
from subgraphs.nutrition.queries.water import DrinkPage, drinks_by_day, drinks_by_id, drinks_by_user
from subgraphs.nutrition.schema import schema
from subgraphs.shell.bulk import copy_rows
from subgraphs.shell.database import Database
from subgraphs.shell.day_range import DayRange
from subgraphs.shell.keyset import KeysetList
from subgraphs.shell.read_pool import Reader
from subgraphs.shell.replicated_person import people_by_id
from tests.testkit.explained import Explained, ExplainingReader, reads_of
from tests.testkit.servers import Postgres
from tests.testkit.subgraph import SubgraphUnderTest, subgraph_under_test

LAST_DAY = date(2026, 3, 31)
YEARS_DAYS, OTHERS, OTHERS_DAYS, MEALS_A_DAY, ITEMS_A_MEAL, FOODS = 3650, 40, 60, 4, 2, 300
VETERAN = "veteran"
TOTALS = '{"nutrients": {"energy_kcal": 500, "protein_g": 20, "carbs_g": 50, "fat_g": 20}, "grams": 300}'
NUTRIENTS = '{"energy_kcal": 250, "protein_g": 10, "carbs_g": 25, "fat_g": 10}'

# Every food of a person's own is shown, one of ten to readers; names share a word, and each has one that is rare.
PUBLISHED = """
    INSERT INTO published_food (id, food_id, user_id, food_version, audience, shows_author, name, category, labels, content,
        published_at)
    SELECT 'p-' || id, id, created_by, 1, CASE WHEN n % 10 = 0 THEN 'READERS' ELSE 'EVERYBODY' END, false, name, category,
        ARRAY['category=' || category, 'dish', 'n' || n], '{"per_100": {}}', now() - make_interval(secs => n)
    FROM (SELECT *, row_number() OVER (ORDER BY id) AS n FROM food WHERE created_by IS NOT NULL) AS own
"""
# A workout every other day, and a target that asks for it.
TRAINED = """
    WITH trained AS (UPDATE nutrition_target SET training_target = '{"energy_kcal": 2500}' RETURNING user_id, effective_from)
    INSERT INTO training_entry (id, user_id, local_date)
    SELECT user_id || effective_from, user_id, effective_from FROM trained WHERE extract(day FROM effective_from)::int % 2 = 1
"""
REPORTED = """
    INSERT INTO food_report (published_food_id, reporter_id, reason, at)
    SELECT id, 'p' || n, 'SPAM', now() FROM published_food, generate_series(1, 3) AS n
"""


@pytest.fixture(scope="module")
async def crowded(postgres: Postgres) -> AsyncIterator[SubgraphUnderTest]:
    url = postgres.create_database("nutrition_at_size")
    async with subgraph_under_test("nutrition", url, schema, NutritionLoaders) as subgraph:
        await _fill(subgraph.database)
        yield subgraph


async def _fill(database: Database) -> None:
    people = [(VETERAN, YEARS_DAYS), *((f"other-{number}", OTHERS_DAYS) for number in range(OTHERS))]
    async with database.transaction() as connection:
        await copy_rows(connection, "food", [_food(number) for number in range(FOODS)])
        for person, days in people:
            meals = [
                _meal(person, LAST_DAY - timedelta(days=day), number)
                for day in range(days)
                for number in range(MEALS_A_DAY)
            ]
            await copy_rows(connection, "meal", meals)
            items = [_item(meal, position) for meal in meals for position in range(ITEMS_A_MEAL)]
            await copy_rows(connection, "meal_item", items)
            await copy_rows(connection, "water", [_drink(meal) for meal in meals])
            targets = [_target(person, LAST_DAY - timedelta(days=day), days - day) for day in range(days)]
            await copy_rows(connection, "nutrition_target", targets)
        await connection.execute(
            text(
                "INSERT INTO person SELECT 'other-' || n, 'P', 'UTC', 0 FROM generate_series(1, 3000) AS n"
                " UNION SELECT :veteran, 'P', 'UTC', 0"
            ),
            {"veteran": VETERAN},
        )
        await connection.execute(
            text(
                "INSERT INTO food_portion SELECT id, n, 'cup ' || n, 100 FROM food, generate_series(1, 10) AS n"
                " WHERE id <> 'food-7'"
            )
        )
        await connection.execute(
            text(
                "INSERT INTO recent_food SELECT user_id, food_id, count(*), max(at) FROM meal_item GROUP BY user_id, food_id"
            )
        )
        await connection.execute(
            text(
                "INSERT INTO favourite_food SELECT user_id, food_id, now() - make_interval(secs => n) FROM"
                " (SELECT user_id, food_id, row_number() OVER (PARTITION BY user_id ORDER BY food_id) AS n"
                "  FROM recent_food) AS logged WHERE n <= 500"
            )
        )
        await connection.execute(
            text(
                "INSERT INTO food (id, name, category, source, created_by, per_100, created_at)"
                " SELECT 'recipe-' || who || '-' || n, 'Dish ' || n, 'MEAL', 'RECIPE', who, CAST(:nutrients AS jsonb), now()"
                " FROM generate_series(1, 300) AS n, unnest(ARRAY[:veteran, 'other-1', 'other-2']) AS who"
            ),
            {"veteran": VETERAN, "nutrients": NUTRIENTS},
        )
        await connection.execute(
            text(
                'INSERT INTO recipe_version SELECT id, n, now(), \'{"ingredients": [{"food_id": "food-7"}, {"food_id": "food-8"}]}\''
                " FROM food, generate_series(1, 20) AS n"
                " WHERE source = 'RECIPE'"
            )
        )
        await connection.execute(text(TRAINED))
        await connection.execute(text(PUBLISHED))
        await connection.execute(text(REPORTED))
        await connection.execute(
            text(
                "INSERT INTO saved_meal SELECT user_id || n, user_id, 'Usual', NULL, CAST('{}' AS jsonb), 1, now() - make_interval(secs => n)"
                " FROM person, generate_series(1, 5) AS n UNION ALL SELECT 'more' || n, :veteran, 'Usual', NULL, CAST('{}' AS jsonb), 1, now()"
                " FROM generate_series(1, 195) AS n"
            ),
            {"veteran": VETERAN},
        )
        await connection.execute(
            text(
                "INSERT INTO meal_plan (id, user_id, name, days, created_at) SELECT user_id || '-' || n, user_id, 'Week',"
                " CAST('[]' AS jsonb), now() - make_interval(secs => n) FROM person, generate_series(1, 20) AS n"
            )
        )
        await connection.execute(
            text(
                "INSERT INTO planned_meal (id, user_id, local_date, position, slot, content)"
                " SELECT user_id || '-' || day || '-' || n, user_id, CAST(:last AS date) - day, n, 'LUNCH', CAST('{}' AS jsonb)"
                " FROM person, generate_series(0, 9) AS day, generate_series(0, 2) AS n"
            ),
            {"last": LAST_DAY},
        )
        await connection.execute(
            text("INSERT INTO custom_slot_list SELECT user_id, CAST('[]' AS jsonb), 1 FROM person")
        )
        await connection.execute(
            text("INSERT INTO dietary_preference SELECT user_id, ARRAY['CELERY'], NULL, 1 FROM person")
        )
        await connection.execute(
            text(
                "INSERT INTO fast (id, user_id, started_at, ended_at) SELECT user_id || '-' || day, user_id,"
                " now() - make_interval(days => day), now() - make_interval(days => day) + interval '16 hours'"
                " FROM person, generate_series(1, 30) AS day UNION ALL SELECT 'old' || day, :veteran,"
                " now() - make_interval(days => day), now() - make_interval(days => day) + interval '16 hours'"
                " FROM generate_series(31, 3000) AS day UNION ALL SELECT 'now', :veteran, now(), NULL"
            ),
            {"veteran": VETERAN},
        )
    async with database.transaction() as connection:
        await connection.execute(text("ANALYZE"))


def _food(number: int) -> dict[str, Any]:
    return {
        "id": f"food-{number}",
        "name": f"Food {number}",
        "category": "MEAL",
        "source": "TEST",
        "created_by": None if number % 3 else f"other-{number % OTHERS}",
        "gtin": f"{number:014}",
        "per_100": NUTRIENTS,
        "created_at": datetime(2016, 1, 1, tzinfo=UTC),
    }


def _meal(person: str, day: date, number: int) -> dict[str, Any]:
    slots = ("BREAKFAST", "LUNCH", "DINNER", "SNACK")
    return {
        "id": f"{person}-{day}-{number}",
        "user_id": person,
        "slot": slots[number % 4],
        "at": datetime(day.year, day.month, day.day, 8 + number, tzinfo=UTC),
        "local_date": day,
        "time_zone": "UTC",
        "totals": TOTALS,
    }


def _item(meal: dict[str, Any], position: int) -> dict[str, Any]:
    number = (meal["local_date"].toordinal() * 7 + position * 31 + meal["at"].hour) % FOODS
    return {
        "meal_id": meal["id"],
        "position": position,
        "user_id": meal["user_id"],
        "at": meal["at"],
        "food_id": f"food-{number}",
        "food_name": f"Food {number}",
        "food_version": 1,
        "grams": 150,
        "nutrients": NUTRIENTS,
    }


def _drink(meal: dict[str, Any]) -> dict[str, Any]:
    kept = {name: meal[name] for name in ("user_id", "at", "local_date", "time_zone")}
    return {"id": f"drink-{meal['id']}", "amount_ml": 250, **kept}


def _target(person: str, day: date, version: int) -> dict[str, Any]:
    return {"user_id": person, "effective_from": day, "energy_kcal": 2000, "version": version}


Read = Callable[[Reader], Awaitable[Any]]
_OLD = date(2017, 5, 1)
_MEAL = f"{VETERAN}-{LAST_DAY}-0"
_PAGE = KeysetList("User.meals", VETERAN, (datetime, str)).page(first=20)
_BACK = KeysetList("User.meals", VETERAN, (datetime, str)).page(last=20)
_TIMES = KeysetList("User.frequentFoods", VETERAN, (int, str)).page(first=20)
_IDS = KeysetList("User.recipes", VETERAN, (str,)).page(first=20)
_DATES = KeysetList("User.plannedMeals", VETERAN, (date, int, str)).page(first=20)
_NAMES = KeysetList("foods", "", (str, str)).page(first=20)
_WEEK = [(VETERAN, LAST_DAY - timedelta(days=day)) for day in range(7)]
# What a page shows, and one row more where that tells whether another page follows.
READS: dict[str, tuple[Read, int]] = {
    "the newest meals": (lambda r: meals_by_user(r, [VETERAN], MealPage(DayRange(), None, _PAGE)), 21),
    "the oldest meals": (lambda r: meals_by_user(r, [VETERAN], MealPage(DayRange(), None, _BACK)), 21),
    "meals of a week nine years ago": (
        lambda r: meals_by_user(r, [VETERAN], MealPage(DayRange(_OLD, _OLD + timedelta(days=6)), None, _PAGE)),
        21 + 3 * MEALS_A_DAY,  # the days that a calendar may begin or end earlier than in UTC
    ),
    "the newest meals with all that is in them": (
        lambda r: meals_by_user(r, [VETERAN], MealPage(DayRange(), None, _PAGE), ALL_PARTS),
        21 * (1 + 3 * ITEMS_A_MEAL),
    ),
    "the newest lunches": (lambda r: meals_by_user(r, [VETERAN], MealPage(DayRange(), "LUNCH", _PAGE)), 4 * 21),
    "a day's meals": (lambda r: meals_of_days(r, _WEEK[:1], {}), MEALS_A_DAY),
    "a week's meals": (lambda r: meals_of_days(r, _WEEK, {}), 7 * MEALS_A_DAY),
    # The items are read for themselves, and for their foods.
    "a week's meals with all that is in them": (
        lambda r: meals_of_days(r, _WEEK, dict.fromkeys(_WEEK, ALL_PARTS)),
        7 * MEALS_A_DAY * (1 + 3 * ITEMS_A_MEAL),
    ),
    "a day's drinks": (lambda r: drinks_by_day(r, _WEEK[:1]), MEALS_A_DAY),
    "the newest drinks": (lambda r: drinks_by_user(r, [VETERAN], DrinkPage(DayRange(), _PAGE)), 21),
    "the items of two meals": (
        lambda r: items_by_meal(r, [f"{VETERAN}-{LAST_DAY}-0", f"{VETERAN}-{_OLD}-1"]),
        4,
    ),
    "the foods logged last": (lambda r: recent_foods(r, [VETERAN], _PAGE), 21),
    "the foods logged most": (lambda r: frequent_foods(r, [VETERAN], _TIMES), 21),
    "the newest favourites": (lambda r: favourite_foods(r, [VETERAN], _PAGE), 42),  # and whether they are deleted
    "whether foods are favourites": (lambda r: favourites_among(r, ["food-7", "food-8"], VETERAN), 2),
    "the newest recipes": (lambda r: recipes_by_user(r, [VETERAN], _IDS), MOST_RECIPES),  # few enough to sort
    "what a dish is made of": (lambda r: recipes_by_food(r, [f"recipe-{VETERAN}-7"]), 1),
    "what it was made of": (lambda r: recipe_versions_by_food(r, [f"recipe-{VETERAN}-7"]), 20),
    "a published food": (lambda r: published_foods_by_id(r, ["p-food-3"]), 2),  # and its person
    "what was published of a dish": (lambda r: publications_by_food(r, [f"recipe-{VETERAN}-7"]), 2),
    "a page of public foods": (lambda r: public_foods_page(r, [PublishedFilter()], _PAGE), 60),
    "public foods by a rare word": (lambda r: public_foods_page(r, [PublishedFilter(("dish", "n17"))], _PAGE), 2),
    "what a person shows": (lambda r: published_foods_by_user(r, [VETERAN], _PAGE), 42),
    "for what a food was reported": (lambda r: report_reasons(r, ["p-food-3"]), 3),
    "the newest saved meals": (lambda r: saved_meals_by_user(r, [VETERAN], _PAGE), MOST_SAVED_MEALS),
    "the newest plans": (lambda r: meal_plans_by_user(r, [VETERAN], _PAGE), 21),
    "what is planned": (lambda r: planned_meals_by_user(r, [VETERAN], _DATES), 21),
    "what is planned for a day": (lambda r: planned_meals_by_day(r, _WEEK[:1]), 3),
    "the slots of one's own": (lambda r: custom_slots_by_user(r, [VETERAN]), 1),
    "what is told of two foods": (lambda r: declarations_by_food(r, ["food-7", "food-8"]), 2),
    "what is told of a dish": (
        lambda r: declarations_by_food(r, [f"recipe-{VETERAN}-7"]),
        6,
    ),  # its row, version, parts
    "what a person avoids": (lambda r: dietary_preferences_by_user(r, [VETERAN]), 1),
    "the newest fasts": (lambda r: fasts_by_user(r, [VETERAN], _PAGE), 21),
    "the fast that runs": (lambda r: running_fasts(r, [VETERAN]), 1),
    "the target of today": (lambda r: targets_by_day(r, _WEEK[:1]), 2),
    "the target of a day nine years ago": (lambda r: targets_by_day(r, [(VETERAN, _OLD)]), 2),
    "foods by name": (lambda r: foods_by_name(r, [FoodFilter(VETERAN)], _NAMES), 42),
    "own foods by name": (lambda r: foods_by_name(r, [FoodFilter(VETERAN, own=True)], _NAMES), 21),
    "a food": (lambda r: foods_by_id(r, ["food-7"]), 1),
    "the portions of a food": (lambda r: portions_by_food(r, ["food-7"]), 0),
    "a meal": (lambda r: meals_with_parts(r, [_MEAL], {}), 1),
    "a meal with all that is in it": (
        lambda r: meals_with_parts(r, [_MEAL], {_MEAL: ALL_PARTS}),
        1 + 3 * ITEMS_A_MEAL,
    ),
    "a drink": (lambda r: drinks_by_id(r, [f"drink-{VETERAN}-{LAST_DAY}-0"]), 1),
    "a saved meal": (lambda r: saved_meals_by_id(r, ["none"]), 1),
    "a plan": (lambda r: meal_plans_by_id(r, ["none"]), 1),
    "a planned meal": (lambda r: planned_meals_by_id(r, ["none"]), 1),
    "a fast": (lambda r: fasts_by_id(r, ["none"]), 1),
    "a person": (lambda r: people_by_id(r, [VETERAN]), 1),
    "a barcode": (lambda r: foods_by_gtin(r, ["00000000000031"], VETERAN), 1),
}


def test_no_read_of_the_api_is_left_out() -> None:
    """`search_foods` has its own bounds, in test_food_search, `changes_by_user` too, in the shell's test_changes, and
    `reads_by_owner` and `writes_by_owner` those of users' test.
    """
    named = {name for read, _ in READS.values() for name in getattr(read, "__code__").co_names}  # noqa: B009 - of a lambda
    assert named >= reads_of(NutritionLoaders) - {
        "search_foods",
        "changes_by_user",
        "reads_by_owner",
        "writes_by_owner",
    }


@pytest.mark.parametrize("name", READS)
async def test_a_page_reads_the_rows_that_it_shows(crowded: SubgraphUnderTest, name: str) -> None:
    read, rows = READS[name]
    for each in await _explained(crowded, read):
        assert each.whole_tables == set(), each
        assert each.rows_read <= rows, each
        # four pages of an index from its root to a leaf, and one of the table, for each row at the most
        assert each.buffers <= 12 + 5 * rows, each


async def _explained(crowded: SubgraphUnderTest, read: Read) -> list[Explained]:
    async with crowded.database.reading() as connection:
        reader = ExplainingReader(connection)
        await read(reader)
    assert reader.explained
    return reader.explained


async def test_writing_a_meal_reads_no_history(crowded: SubgraphUnderTest) -> None:
    """Ten years of meals cost a logged, changed and deleted meal no more statements than none."""
    log = """mutation ($items: [MealItemInput!]!) { logMeal(input: { slot: SNACK, at: "2026-03-31T20:00:00Z", items: $items }) {
        meal { id } userErrors { code } } }"""
    delete = "mutation ($id: ID!) { deleteMeal(input: { id: $id }) { deletedId userErrors { code } } }"
    counts = []
    for person in (VETERAN, "newcomer"):
        items = [{"foodId": f"food-{number}", "grams": 10} for number in (1, 2, 4, 5)]
        with crowded.counted_statements() as statements:
            meal = (await crowded.data(log, person, {"items": items}))["logMeal"]["meal"]["id"]
            await crowded.data(delete, person, {"id": meal})
        counts.append(len(statements))
    assert counts[0] <= counts[1] <= counts[0] + 2  # the newcomer's foods count a user more, and then one less


async def test_keys_are_indexed_only_where_there_are_any(crowded: SubgraphUnderTest) -> None:
    async with crowded.database.reading() as connection:
        sizes = await connection.execute(
            text("SELECT relname, pg_relation_size(oid) FROM pg_class WHERE relname IN ('meal_by_key', 'water_by_key')")
        )
        assert dict(sizes.all()) == {"meal_by_key": 8192, "water_by_key": 8192}
