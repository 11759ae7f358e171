"""What foods are told to contain, what people avoid, and how the two go together, over a real database."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import text

from subgraphs.nutrition.commands.catalogue import drop_source, merge_foods
from subgraphs.nutrition.domain.catalogue_food import CatalogueFood
from subgraphs.nutrition.domain.declaration import Allergen, Diet, declare
from subgraphs.nutrition.domain.food import FoodCategory
from subgraphs.nutrition.domain.food_source import BulkSource
from subgraphs.nutrition.domain.nutrients import Nutrients
from subgraphs.shell.auth import KeyRing
from subgraphs.shell.key_scope import KEY, KeyScope
from tests.testkit.subgraph import SECRET, SubgraphUnderTest, claims_of, codes_of, user_errors

FOOD = "food { id version declared { contains freeFrom suits suitsNot } dietaryFit { fit contains notKnown diet } }"
CREATE = f"mutation ($input: CreateFoodInput!) {{ createFood(input: $input) {{ {FOOD} userErrors {{ code field }} }} }}"
UPDATE = f"mutation ($input: UpdateFoodInput!) {{ updateFood(input: $input) {{ {FOOD} userErrors {{ code field }} }} }}"
RECIPE = (
    f"mutation ($input: CreateRecipeInput!) {{ createRecipe(input: $input) {{ {FOOD} userErrors {{ code field }} }} }}"
)
CHOOSE = """mutation ($input: SetDietaryPreferencesInput!) { setDietaryPreferences(input: $input) {
    dietaryPreferences { avoid diet version } userErrors { code field } } }"""
READ = f"query ($id: ID!) {{ {FOOD.replace('food {', 'food(id: $id) {')} }}"
NOTHING: dict[str, list[str]] = {"contains": [], "freeFrom": [], "suits": [], "suitsNot": []}


def bar(name: str, **declared: list[str]) -> dict[str, Any]:
    per_100 = {"energyKcal": 400, "proteinG": 10, "carbsG": 60, "fatG": 13}
    return {"name": name, "category": "SNACK", "per100": per_100, **({"declared": declared} if declared else {})}


async def make(nutrition: SubgraphUnderTest, person: str, name: str, **declared: list[str]) -> dict[str, Any]:
    made: dict[str, Any] = (await nutrition.data(CREATE, person, {"input": bar(name, **declared)}))["createFood"][
        "food"
    ]
    return made


async def choose(
    nutrition: SubgraphUnderTest, person: str, avoid: list[str], diet: str | None = None
) -> dict[str, Any]:
    data = await nutrition.data(CHOOSE, person, {"input": {"avoid": avoid, "diet": diet}})
    chosen: dict[str, Any] = data["setDietaryPreferences"]["dietaryPreferences"]
    return chosen


async def read(nutrition: SubgraphUnderTest, person: str | None, food_id: str) -> dict[str, Any]:
    food: dict[str, Any] = (await nutrition.data(READ, person, {"id": food_id}))["food"]
    return food


async def test_a_label_is_told_corrected_and_taken_back(nutrition: SubgraphUnderTest, person: str) -> None:
    food = await make(nutrition, person, "Bar", contains=["MILK", "NUTS"], freeFrom=["GLUTEN"], suits=["VEGETARIAN"])
    assert food["declared"] == {
        "contains": ["MILK", "NUTS"],
        "freeFrom": ["GLUTEN"],
        "suits": ["VEGETARIAN"],
        "suitsNot": ["VEGAN"],
    }
    assert food["dietaryFit"] is None
    for declared, version in (
        ({"contains": ["NUTS", "MILK"], "freeFrom": ["GLUTEN"], "suits": ["VEGETARIAN"]}, 1),
        (None, 2),
    ):
        changed = await nutrition.data(UPDATE, person, {"input": {"id": food["id"], "declared": declared}})
        assert changed["updateFood"]["food"]["version"] == version
    assert changed["updateFood"]["food"]["declared"] == NOTHING

    result = await nutrition.run(
        CREATE, person, {"input": bar("No", contains=["MILK"], freeFrom=["MILK"], suits=["VEGAN"])}
    )
    assert [each["field"] for each in user_errors(result)] == ["declared.freeFrom", "declared.suits"]


async def test_what_a_person_avoids_is_chosen_as_a_whole(nutrition: SubgraphUnderTest, person: str) -> None:
    first = await choose(nutrition, person, ["SESAME", "GLUTEN", "GLUTEN"], "VEGAN")
    assert first == {"avoid": ["GLUTEN", "SESAME"], "diet": "VEGAN", "version": 1}
    assert await choose(nutrition, person, ["GLUTEN", "SESAME"], "VEGAN") == first
    stale = {"input": {"avoid": [], "expectedVersion": 0}}
    assert codes_of(await nutrition.run(CHOOSE, person, stale)) == ["STALE_VERSION"]
    assert await choose(nutrition, person, []) == {"avoid": [], "diet": None, "version": 2}
    food = await make(nutrition, person, "Bar")
    assert food["dietaryFit"] is None


async def test_a_food_is_judged_by_what_its_viewer_avoids(nutrition: SubgraphUnderTest, person: str) -> None:
    await choose(nutrition, person, ["MILK", "PEANUTS"], "VEGETARIAN")
    judged = {
        "nothing told": ({}, ("UNKNOWN", [], ["PEANUTS", "MILK"], "UNKNOWN")),
        "milk": ({"contains": ["MILK"]}, ("CONFLICTS", ["MILK"], ["PEANUTS"], "UNKNOWN")),
        "fish": ({"contains": ["FISH"], "freeFrom": ["MILK", "PEANUTS"]}, ("CONFLICTS", [], [], "CONFLICTS")),
        "fits": ({"freeFrom": ["MILK", "PEANUTS"], "suits": ["VEGAN"]}, ("FITS", [], [], "FITS")),
    }
    for name, (declared, expected) in judged.items():
        fit = (await make(nutrition, person, name, **declared))["dietaryFit"]
        assert (fit["fit"], fit["contains"], fit["notKnown"], fit["diet"]) == expected, name
    assert (await read(nutrition, "somebody-else", "oats"))["dietaryFit"] is None
    assert (await read(nutrition, None, "oats"))["dietaryFit"] is None


async def test_a_recipe_has_what_its_ingredients_have_now(nutrition: SubgraphUnderTest, person: str) -> None:
    await choose(nutrition, person, ["MILK"])
    base = await make(nutrition, person, "Base", freeFrom=["MILK", "GLUTEN"])
    extra = await make(nutrition, person, "Extra", freeFrom=["MILK"], contains=["CELERY"])
    told = {"servings": 1, "ingredients": [{"foodId": each["id"], "grams": 50} for each in (base, extra)]}
    sauce = (await nutrition.data(RECIPE, person, {"input": {"name": "Sauce", **told}}))["createRecipe"]["food"]
    assert sauce["declared"] == NOTHING | {"contains": ["CELERY"], "freeFrom": ["MILK"]}
    assert sauce["dietaryFit"]["fit"] == "FITS"
    told = {"servings": 1, "ingredients": [{"foodId": sauce["id"], "grams": 50}, {"foodId": base["id"], "grams": 50}]}
    dish = (await nutrition.data(RECIPE, person, {"input": {"name": "Dish", **told}}))["createRecipe"]["food"]
    assert dish["declared"] == sauce["declared"]

    await nutrition.data(UPDATE, person, {"input": {"id": extra["id"], "declared": {"contains": ["MILK"]}}})
    for recipe in (sauce, dish):
        now = await read(nutrition, person, recipe["id"])
        assert (now["declared"]["contains"], now["declared"]["suitsNot"]) == (["MILK"], ["VEGAN"])
        assert now["dietaryFit"]["fit"] == "CONFLICTS"
    await nutrition.data(UPDATE, person, {"input": {"id": extra["id"], "declared": None}})
    assert (await read(nutrition, person, dish["id"]))["dietaryFit"]["fit"] == "UNKNOWN"


async def test_an_item_of_a_meal_warns_of_its_food(nutrition: SubgraphUnderTest, person: str) -> None:
    await choose(nutrition, person, ["NUTS"])
    food = await make(nutrition, person, "Nougat", contains=["NUTS"])
    log = """mutation ($id: ID!) { logMeal(input: { slot: SNACK, items: [{ foodId: $id, grams: 30 }, { foodId: "oats", grams: 50 }] }) {
        meal { items { food { dietaryFit { fit } } } } } }"""
    with nutrition.counted_statements() as statements:
        meal = (await nutrition.data(log, person, {"id": food["id"]}))["logMeal"]["meal"]
    assert [each["food"]["dietaryFit"]["fit"] for each in meal["items"]] == ["CONFLICTS", "UNKNOWN"]
    assert len([each for each in statements if "RECURSIVE part" in each]) == 1


async def test_a_search_leaves_out_what_does_not_fit(nutrition: SubgraphUnderTest, person: str) -> None:
    for name, declared in {
        "Granola plain": {"freeFrom": ["NUTS"]},
        "Granola crunchy": {"contains": ["NUTS"]},
        "Granola other": {},
    }.items():
        await make(nutrition, person, name, **declared)
    search = (
        """query ($least: Fit) { foods(search: "granola", leastFit: $least, first: 9) { totalCount nodes { name } } }"""
    )

    async def found(least: str | None, viewer: str | None = person) -> set[str]:
        page = (await nutrition.data(search, viewer, {"least": least}))["foods"]
        assert page["totalCount"] == len(page["nodes"])
        return {each["name"].removeprefix("Granola ") for each in page["nodes"]}

    assert await found("FITS") == {"plain", "crunchy", "other"}  # who avoids nothing
    await choose(nutrition, person, ["NUTS"])
    assert await found("FITS") == {"plain"}
    assert await found("UNKNOWN") == {"plain", "other"}
    assert await found("CONFLICTS") == await found(None) == {"plain", "crunchy", "other"}
    assert await found("FITS", None) == set()
    assert await nutrition.codes("{ foods(leastFit: FITS) { nodes { id } } }", person) == ["VALIDATION_ERROR"]


async def test_a_program_is_told_nothing_of_what_a_person_avoids(nutrition: SubgraphUnderTest, person: str) -> None:
    await choose(nutrition, person, ["MILK"])
    food = await make(nutrition, person, "Bar", contains=["MILK"])
    scopes = " ".join([KEY, *(scope.value for scope in KeyScope)])
    token = f"Bearer {KeyRing(SECRET).sign(claims_of(person) | {'scope': scopes})}"
    result = await nutrition.run_with(token, READ, {"id": food["id"]})
    assert result.data is not None
    assert result.data["food"]["declared"]["contains"] == ["MILK"]
    assert result.data["food"]["dietaryFit"] is None
    own = """query ($id: ID!) { _entities(representations: [{ __typename: "User", id: $id }]) {
        ... on User { dietaryPreferences { avoid } } } }"""
    assert codes_of(await nutrition.run_with(token, own, {"id": person})) == ["FORBIDDEN"]
    mine = await nutrition.data(own, person, {"id": person})
    assert mine["_entities"] == [{"dietaryPreferences": {"avoid": ["MILK"]}}]


async def test_a_load_brings_labels_changes_them_and_takes_them_along(
    nutrition: SubgraphUnderTest, person: str
) -> None:
    now = datetime.now(UTC)

    def product(**told: Any) -> CatalogueFood:
        return CatalogueFood(
            source=BulkSource.OPEN_FOOD_FACTS,
            code="labelled",
            name="Labelled wafer",
            category=FoodCategory.SWEET,
            per_100=Nutrients(energy_kcal=400, protein_g=10, carbs_g=60, fat_g=13),
            declared=declare(**told),
        )

    async def loaded(food: CatalogueFood) -> dict[str, Any]:
        async with nutrition.database.transaction() as connection:
            await merge_foods(connection, [food], now)
        declared: dict[str, Any] = (await read(nutrition, person, food.id))["declared"]
        return declared

    assert await loaded(product(contains=[Allergen.GLUTEN], suits=[Diet.VEGETARIAN])) == NOTHING | {
        "contains": ["GLUTEN"],
        "suits": ["VEGETARIAN"],
    }
    assert await loaded(product(contains=[Allergen.GLUTEN], traces=[Allergen.NUTS])) == NOTHING | {
        "contains": ["GLUTEN", "NUTS"]
    }
    log = "mutation ($id: ID!) { logMeal(input: { slot: SNACK, items: [{ foodId: $id, grams: 30 }] }) { meal { id } } }"
    await nutrition.data(log, person, {"id": product().id})
    await drop_source(nutrition.database, BulkSource.OPEN_FOOD_FACTS, now)
    async with nutrition.database.reading() as connection:
        kept = await connection.execute(
            text("SELECT contains, free_from FROM food WHERE id = :id"), {"id": product().id}
        )
    assert kept.one() == (None, None)
