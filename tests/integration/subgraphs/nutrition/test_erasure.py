"""A person who is erased leaves no row in any table that holds people's things."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import text

from events.contracts.users import UserErased
from events.envelope import Aggregate, Envelope, encode_payload
from subgraphs.nutrition.commands.training_entry import TrainingEntry, keep_training
from subgraphs.nutrition.projections.person import project_people
from subgraphs.nutrition.tables import metadata
from tests.integration.subgraphs.nutrition.conftest import tell_settings
from tests.testkit.subgraph import SubgraphUnderTest

EVERYTHING = """mutation {
  createFood(input: { name: "Bar", category: SNACK, per100: { energyKcal: 0, proteinG: 0, carbsG: 0, fatG: 0 } }) { food { id } }
  createRecipe(input: { name: "Stew", servings: 2, ingredients: [{ foodId: "oats", grams: 50 }] }) { food { id } }
  logMeal(input: { slot: LUNCH, items: [{ foodId: "oats", grams: 50 }] }) { meal { id } }
  quickAdd(input: { slot: SNACK, energyKcal: 100 }) { meal { id } }
  setCustomSlots(input: { slots: [{ name: "Tea" }] }) { customSlots { version } }
  createMealPlan(input: { name: "Week", days: [{ meals: [{ slot: LUNCH, quickAdds: [{ energyKcal: 300 }] }] }] }) { mealPlan { id } }
  saveMeal(input: { name: "Usual", quickAdds: [{ energyKcal: 300 }] }) { savedMeal { id } }
  setFavouriteFood(input: { foodId: "oats", isFavourite: true }) { food { id } }
  setNutritionTarget(input: { energyKcal: 2000 }) { target { energyKcal } }
  setDietaryPreferences(input: { avoid: [CELERY] }) { dietaryPreferences { version } }
  startFast(input: {}) { fast { id } }
  logWater(input: { amountMl: 100 }) { drink { id } }
}"""
SHOW = """mutation ($food: ID!) {
  publishFood(input: { foodId: $food, audience: EVERYBODY }) { food { published { id } } userErrors { message } } }"""
REPORT = """mutation ($shown: ID!) {
  reportFood(input: { publishedFoodId: $shown, reason: SPAM }) { userErrors { message } } }"""
PLAN = """mutation ($id: ID!, $from: LocalDate!) {
  applyMealPlan(input: { id: $id, from: $from }) { diaryDays { id } userErrors { message } } }"""
DELETE = "mutation ($id: ID!) { deleteMeal(input: { id: $id }) { deletedId } }"
OWNERS = {
    table.name: column
    for table in metadata.sorted_tables
    for column in ("user_id", "created_by", "reporter_id")
    if column in table.c
}


async def rows_of(nutrition: SubgraphUnderTest, person: str) -> dict[str, int]:
    counts = {}
    async with nutrition.database.reading() as connection:
        for table, column in OWNERS.items():
            statement = text(f"SELECT count(*) FROM {table} WHERE {column} = :id")
            counts[table] = (await connection.execute(statement, {"id": person})).scalar_one()
        made = "SELECT count(*) FROM recipe_version JOIN food ON food.id = food_id WHERE created_by = :id"
        counts["recipe_version"] = (await connection.execute(text(made), {"id": person})).scalar_one()
    return counts


async def test_an_erased_person_leaves_no_row_anywhere(nutrition: SubgraphUnderTest, person: str) -> None:
    await tell_settings(nutrition, person, "UTC")
    await tell_settings(nutrition, "bystander", "UTC")
    shown = {}
    for each in (person, "bystander"):
        made: Any = await nutrition.data(EVERYTHING, each)
        await nutrition.data(DELETE, each, {"id": made["quickAdd"]["meal"]["id"]})
        show = await nutrition.data(SHOW, each, {"food": made["createFood"]["food"]["id"]})
        shown[each] = show["publishFood"]["food"]["published"]["id"]
        async with nutrition.database.transaction() as connection:
            trained = TrainingEntry(id=f"workout of {each}", user_id=each, local_date=datetime.now(UTC).date())
            await keep_training(connection, [trained], [])
        tomorrow = (datetime.now(UTC) + timedelta(days=1)).date().isoformat()
        await nutrition.data(PLAN, each, {"id": made["createMealPlan"]["mealPlan"]["id"], "from": tomorrow})
    await nutrition.data(REPORT, person, {"shown": shown["bystander"]})
    await nutrition.data(REPORT, "somebody", {"shown": shown[person]})
    await tell_settings(nutrition, "third", "UTC")
    third: Any = await nutrition.data(EVERYTHING, "third")
    show = await nutrition.data(SHOW, "third", {"food": third["createFood"]["food"]["id"]})
    await nutrition.data(REPORT, "bystander", {"shown": show["publishFood"]["food"]["published"]["id"]})
    before = await rows_of(nutrition, "bystander")
    assert [table for table, count in (await rows_of(nutrition, person)).items() if count == 0] == []

    at = datetime(2026, 1, 2, tzinfo=UTC)
    envelope = Envelope(
        event_id=f"{person}-erased",
        type="UserErased",
        schema_version=1,
        aggregate=Aggregate("user", person, 3),
        user_id=person,
        occurred_at=at,
        recorded_at=at,
        tombstone=True,
        payload=encode_payload(UserErased()),
    )
    async with nutrition.database.transaction() as connection:
        await project_people(connection, [envelope])
    assert set((await rows_of(nutrition, person)).values()) == {0}
    assert await rows_of(nutrition, "bystander") == before
