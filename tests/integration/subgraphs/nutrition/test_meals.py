"""Meals and diary days end to end over a real database: prices, versions, days, targets and what is refused."""

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import text

from events.contracts.nutrition import MealDeleted, MealLogged, MealUpdated, TargetChanged, WaterDeleted, WaterLogged
from tests.integration.subgraphs.nutrition.conftest import events_of, tell_settings
from tests.testkit.subgraph import SubgraphUnderTest, user_errors

LOG = """
    mutation ($input: LogMealInput!) { logMeal(input: $input) {
      meal { id slot localDate version notes user { displayName }
        totals { energyKcal proteinG carbsG fatG fiberG sodiumMg knownFraction { fiberG sodiumMg } }
        items { foodName grams portion quantity food { id } nutrients { energyKcal fiberG } } }
      diaryDay { id date totals { energyKcal } waterMl }
      userErrors { code field message }
    } }
"""
UPDATE = """
    mutation ($input: UpdateMealInput!) { updateMeal(input: $input) {
      meal { id version slot localDate notes items { food { id } grams nutrients { energyKcal } } totals { energyKcal } }
      diaryDay { date meals { id } } previousDiaryDay { date meals { id } }
      userErrors { code field }
    } }
"""
BREAKFAST = {
    "slot": "BREAKFAST",
    "at": "2026-03-02T07:00:00Z",
    "items": [
        {"foodId": "oats", "grams": 50},
        {"foodId": "banana", "portion": "Medium", "quantity": 1.5},
        {"foodId": "milk", "grams": 200},
    ],
}


async def log(nutrition: SubgraphUnderTest, person: str, **changes: Any) -> dict[str, Any]:
    data = await nutrition.data(LOG, person, {"input": BREAKFAST | changes})
    payload: dict[str, Any] = data["logMeal"]
    return payload


async def test_a_meal_is_priced_by_grams_and_by_portions(nutrition: SubgraphUnderTest, person: str) -> None:
    meal = (await log(nutrition, person))["meal"]

    # 194.5 + 1.77 x 89 + 100 kcal
    assert meal["items"][1] == {
        "foodName": "Banana, fresh",
        "grams": 177.0,
        "portion": "Medium",
        "quantity": 1.5,
        "food": {"id": "banana"},
        "nutrients": {"energyKcal": 157.53, "fiberG": 4.6},
    }
    assert meal["totals"] == {
        "energyKcal": 452.03,
        "proteinG": 17.0,
        "carbsG": 83.11,
        "fatG": 7.98,
        "fiberG": 9.9,
        "sodiumMg": 94.0,
        # milk does not tell its fibre, and only milk tells its sodium: 227 and 200 of 427 g
        "knownFraction": {"fiberG": 0.5316, "sodiumMg": 0.4684},
    }
    ((version, event),) = await events_of(nutrition, person)
    assert isinstance(event, MealLogged)
    assert (version, event.totals.energy_kcal, len(event.items)) == (1, Decimal("452.03"), 3)


async def test_a_nutrient_that_no_food_tells_is_null(nutrition: SubgraphUnderTest, person: str) -> None:
    meal = (await log(nutrition, person, items=[{"foodId": "oil", "grams": 10}]))["meal"]
    assert (meal["totals"]["fiberG"], meal["totals"]["knownFraction"]["fiberG"]) == (None, 0.0)


async def test_a_meal_belongs_to_the_day_of_the_persons_clock(nutrition: SubgraphUnderTest, person: str) -> None:
    await tell_settings(nutrition, person, "Europe/Berlin", day_start_hour=4)

    # 03:30 in Berlin: the day begins at four
    night = await log(nutrition, person, at="2026-03-02T02:30:00Z")
    morning = await log(nutrition, person, at="2026-03-02T03:30:00Z")
    abroad = await log(nutrition, person, at="2026-03-02T07:30:00Z", timeZone="Pacific/Honolulu")

    days = [each["meal"]["localDate"] for each in (night, morning, abroad)]
    assert days == ["2026-03-01", "2026-03-02", "2026-03-01"]
    assert night["meal"]["user"]["displayName"] == "Replicated Name"


async def test_an_hour_that_the_clock_skips_or_repeats_keeps_its_day(nutrition: SubgraphUnderTest, person: str) -> None:
    await tell_settings(nutrition, person, "Europe/Berlin", day_start_hour=3)
    # on 2026-03-29 two o'clock is followed by three o'clock
    before = await log(nutrition, person, at="2025-03-30T00:59:00Z")
    after = await log(nutrition, person, at="2025-03-30T01:00:00Z")
    assert [each["meal"]["localDate"] for each in (before, after)] == ["2025-03-29", "2025-03-30"]


async def test_who_is_not_replicated_yet_is_known_by_the_token(nutrition: SubgraphUnderTest, person: str) -> None:
    assert (await log(nutrition, person))["meal"]["user"]["displayName"] == f"Name of {person}"


async def test_one_idempotency_key_logs_one_meal(nutrition: SubgraphUnderTest, person: str) -> None:
    first = await log(nutrition, person, idempotencyKey="once")
    again = await asyncio.gather(*(log(nutrition, person, idempotencyKey="once", notes=None) for _ in range(3)))
    other = {"input": BREAKFAST | {"idempotencyKey": "once", "slot": "DINNER"}}
    assert await nutrition.codes(LOG, person, other) == ["CONFLICT"]

    assert [each["meal"] for each in again] == [first["meal"]] * 3
    assert len(await events_of(nutrition, person)) == 1


async def test_calls_at_once_with_one_key_log_one_meal(nutrition: SubgraphUnderTest, person: str) -> None:
    meals = await asyncio.gather(*(log(nutrition, person, idempotencyKey="together") for _ in range(5)))
    assert len({each["meal"]["id"] for each in meals}) == 1
    assert len(await events_of(nutrition, person)) == 1


async def test_a_food_that_changes_changes_no_past_meal(nutrition: SubgraphUnderTest, person: str) -> None:
    create = """mutation ($input: CreateFoodInput!) { createFood(input: $input) { food { id } } }"""
    own = {
        "name": "My bar",
        "category": "SNACK",
        "per100": {"energyKcal": 400, "proteinG": 20, "carbsG": 40, "fatG": 17},
    }
    bar = (await nutrition.data(create, person, {"input": own}))["createFood"]["food"]["id"]
    meal = (await log(nutrition, person, items=[{"foodId": bar, "grams": 100}]))["meal"]
    async with nutrition.database.transaction() as transaction:
        change = "UPDATE food SET per_100 = jsonb_set(per_100, '{energy_kcal}', '500'), version = 2 WHERE id = :id"
        await transaction.execute(text(change), {"id": bar})

    changed = await nutrition.data(
        UPDATE, person, {"input": {"id": meal["id"], "items": [{"foodId": bar, "grams": 50}]}}
    )
    assert changed["updateMeal"]["meal"]["totals"] == {"energyKcal": 200.0}
    new = (await log(nutrition, person, items=[{"foodId": bar, "grams": 50}]))["meal"]
    assert new["totals"]["energyKcal"] == 250.0


async def test_an_update_makes_a_version_and_moves_the_day(nutrition: SubgraphUnderTest, person: str) -> None:
    meal_id = (await log(nutrition, person, notes="as always"))["meal"]["id"]
    changes = {"id": meal_id, "expectedVersion": 1, "slot": "SNACK", "at": "2026-03-01T10:00:00Z", "notes": None}
    payload = (await nutrition.data(UPDATE, person, {"input": changes}))["updateMeal"]

    assert (payload["meal"]["version"], payload["meal"]["slot"], payload["meal"]["notes"]) == (2, "SNACK", None)
    assert payload["diaryDay"] == {"date": "2026-03-01", "meals": [{"id": meal_id}]}
    assert payload["previousDiaryDay"] == {"date": "2026-03-02", "meals": []}
    version, event = (await events_of(nutrition, person))[-1]
    assert isinstance(event, MealUpdated)
    assert (version, str(event.prev_local_date), str(event.local_date)) == (2, "2026-03-02", "2026-03-01")
    assert await nutrition.codes(UPDATE, person, {"input": changes}) == ["STALE_VERSION"]


async def test_a_deleted_meal_leaves_a_tombstone_above_its_versions(nutrition: SubgraphUnderTest, person: str) -> None:
    meal_id = (await log(nutrition, person))["meal"]["id"]
    delete = """mutation ($id: ID!, $version: Int) { deleteMeal(input: { id: $id, expectedVersion: $version }) {
        deletedId diaryDay { date meals { id } totals { energyKcal } } userErrors { code } } }"""

    assert await nutrition.codes(delete, person, {"id": meal_id, "version": 7}) == ["STALE_VERSION"]
    payload = (await nutrition.data(delete, person, {"id": meal_id, "version": 1}))["deleteMeal"]
    assert payload["diaryDay"] == {"date": "2026-03-02", "meals": [], "totals": {"energyKcal": 0.0}}
    version, event = (await events_of(nutrition, person))[-1]
    assert isinstance(event, MealDeleted)
    assert version == 2
    assert await nutrition.codes(delete, person, {"id": meal_id}) == ["NOT_FOUND"]


async def test_a_copy_has_the_same_prices_and_its_own_day(nutrition: SubgraphUnderTest, person: str) -> None:
    meal_id = (await log(nutrition, person))["meal"]["id"]
    copy = """mutation ($input: CopyMealInput!) { copyMeal(input: $input) {
        meal { id slot localDate version totals { energyKcal } items { grams quantity } } userErrors { code } } }"""
    given = {"mealId": meal_id, "at": "2026-03-05T19:00:00Z", "slot": "DINNER", "scale": 0.5}
    meal = (await nutrition.data(copy, person, {"input": given}))["copyMeal"]["meal"]

    assert meal["id"] != meal_id
    assert (meal["slot"], meal["localDate"], meal["version"]) == ("DINNER", "2026-03-05", 1)
    assert meal["totals"] == {"energyKcal": 226.02}
    assert meal["items"][1] == {"grams": 88.5, "quantity": 0.75}
    assert await nutrition.codes(copy, person, {"input": given | {"scale": 0}}) == ["VALIDATION_ERROR"]


async def test_copies_of_copies_do_not_vanish(nutrition: SubgraphUnderTest, person: str) -> None:
    meal_id = (await log(nutrition, person, items=[{"foodId": "oil", "grams": 0.1}]))["meal"]["id"]
    copy = "mutation ($input: CopyMealInput!) { copyMeal(input: $input) { meal { id } userErrors { code } } }"
    smaller = {"mealId": meal_id, "scale": 0.1}
    smallest = (await nutrition.data(copy, person, {"input": smaller}))["copyMeal"]["meal"]["id"]
    assert await nutrition.codes(copy, person, {"input": smaller | {"mealId": smallest}}) == ["VALIDATION_ERROR"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"items": []}, "items"),
        ({"items": [{"foodId": "oats", "grams": 1}] * 51}, "items"),
        ({"items": [{"foodId": "oats"}]}, "items.0"),
        ({"items": [{"foodId": "oats", "grams": 0}]}, "items.0.grams"),
        ({"items": [{"foodId": "oats", "portion": "cup", "quantity": 1001}]}, "items.0.quantity"),
        ({"items": [{"foodId": "oats", "portion": "cup", "quantity": 700}]}, "items.0.quantity"),
        ({"items": [{"foodId": "oats", "grams": 50_001}]}, "items.0.grams"),
        ({"items": [{"foodId": "oats", "portion": "bucket", "quantity": 1}]}, "items.0.portion"),
        ({"items": [{"foodId": "no such food", "grams": 10}]}, "items.0.foodId"),
        ({"notes": "x" * 501}, "notes"),
        ({"at": (datetime.now(UTC) + timedelta(hours=1)).isoformat()}, "at"),
    ],
)
async def test_impossible_meals_are_refused_and_leave_nothing(
    nutrition: SubgraphUnderTest, person: str, changes: dict[str, Any], field: str
) -> None:
    result = await nutrition.run(LOG, person, {"input": BREAKFAST | changes})

    assert [refusal["field"] for refusal in user_errors(result)] == [field]
    assert await events_of(nutrition, person) == []


async def test_a_day_adds_up_meals_water_and_target(nutrition: SubgraphUnderTest, person: str) -> None:
    await log(nutrition, person)
    await log(nutrition, person, slot="LUNCH", at="2026-03-02T12:00:00Z", items=[{"foodId": "oil", "grams": 10}])
    await log(nutrition, person, at="2026-03-03T07:00:00Z")
    water = """mutation ($input: LogWaterInput!) { logWater(input: $input) {
        drink { id amountMl } diaryDay { waterMl drinks { amountMl } } userErrors { code } } }"""
    first = await nutrition.data(water, person, {"input": {"amountMl": 300, "at": "2026-03-02T08:00:00Z"}})
    again = {"amountMl": 250, "at": "2026-03-02T09:00:00Z", "idempotencyKey": "glass"}
    for _ in range(2):
        data = await nutrition.data(water, person, {"input": again})
    assert data["logWater"]["diaryDay"] == {"waterMl": 550, "drinks": [{"amountMl": 300}, {"amountMl": 250}]}
    assert await nutrition.codes(water, person, {"input": again | {"amountMl": 251}}) == ["CONFLICT"]
    target = """mutation ($input: SetNutritionTargetInput!) { setNutritionTarget(input: $input) {
        target { effectiveFrom energyKcal } user { id nutritionTarget(date: "2026-03-02") { energyKcal } }
        userErrors { code } } }"""
    aim = {"energyKcal": 2000, "proteinG": 120, "waterMl": 2000, "effectiveFrom": "2026-03-01"}
    await nutrition.data(target, person, {"input": aim})
    later = aim | {"energyKcal": 2500, "effectiveFrom": "2026-03-03", "idempotencyKey": "aim"}
    for _ in range(2):  # the second is the first, and no change
        data = await nutrition.data(target, person, {"input": later})
        assert data["setNutritionTarget"]["target"] == {"effectiveFrom": "2026-03-03", "energyKcal": 2500.0}
    assert await nutrition.codes(target, person, {"input": later | {"energyKcal": 2501}}) == ["CONFLICT"]

    day = """query ($representations: [_Any!]!) { _entities(representations: $representations) { ... on DiaryDay {
        date meals { slot } totals { energyKcal fatG } waterMl target { energyKcal effectiveFrom }
        remaining { energyKcal proteinG carbsG waterMl } } } }"""
    representation = {"__typename": "DiaryDay", "userId": person, "date": "2026-03-02"}
    assert (await nutrition.data(day, person, {"representations": [representation]}))["_entities"] == [
        {
            "date": "2026-03-02",
            "meals": [{"slot": "BREAKFAST"}, {"slot": "LUNCH"}],
            "totals": {"energyKcal": 540.43, "fatG": 17.98},
            "waterMl": 550,
            "target": {"energyKcal": 2000.0, "effectiveFrom": "2026-03-01"},
            "remaining": {"energyKcal": 1459.57, "proteinG": 103.0, "carbsG": None, "waterMl": 1450},
        }
    ]
    events = await events_of(nutrition, person)
    assert [version for version, event in events if isinstance(event, TargetChanged)] == [1, 2]
    assert len([event for _, event in events if isinstance(event, WaterLogged)]) == 2

    take_back = "mutation ($id: ID!) { deleteWater(input: { id: $id }) { diaryDay { waterMl } } }"
    data = await nutrition.data(take_back, person, {"id": first["logWater"]["drink"]["id"]})
    assert data["deleteWater"]["diaryDay"]["waterMl"] == 250
    assert isinstance((await events_of(nutrition, person))[-1][1], WaterDeleted)


async def test_a_target_is_suggested_from_what_users_tells(nutrition: SubgraphUnderTest, person: str) -> None:
    ask = """query ($representations: [_Any!]!) { _entities(representations: $representations) { ... on User {
        suggestedTarget { energyKcal basalKcal activityFactor goalFactor proteinG carbsG fatG waterMl effectiveFrom } } } }"""
    body = {"weightKg": 80, "heightCm": 180, "ageYears": 35, "sex": "MALE", "activityLevel": "MODERATE"}
    known = {"__typename": "User", "id": person, "physiology": body}
    no_weight = {"__typename": "User", "id": person, "physiology": body | {"weightKg": None}}
    nothing = {"__typename": "User", "id": person, "physiology": None}

    full, *empty = (await nutrition.data(ask, person, {"representations": [known, no_weight, nothing]}))["_entities"]
    assert full["suggestedTarget"] == {
        "energyKcal": 2720.25,
        "basalKcal": 1755.0,
        "activityFactor": 1.55,
        "goalFactor": 1.0,
        "proteinG": 128.0,
        "carbsG": 348.04,
        "fatG": 90.68,
        "waterMl": 2500,
        "effectiveFrom": None,
    }
    assert empty == [{"suggestedTarget": None}] * 2


async def test_meals_come_in_stable_pages_filtered_by_day_and_slot(nutrition: SubgraphUnderTest, person: str) -> None:
    for day in range(1, 6):
        for slot in ("LUNCH", "DINNER"):
            await log(nutrition, person, slot=slot, at=f"2026-03-0{day}T12:00:00Z")
    page = """query ($representations: [_Any!]!, $after: String) { _entities(representations: $representations) { ... on User {
        meals(first: 3, after: $after, from: "2026-03-02", to: "2026-03-04", slot: LUNCH) {
          edges { node { localDate slot } } pageInfo { hasNextPage endCursor } } } } }"""
    variables = {"representations": [{"__typename": "User", "id": person}]}
    meals = (await nutrition.data(page, person, variables))["_entities"][0]["meals"]

    assert [edge["node"]["localDate"] for edge in meals["edges"]] == ["2026-03-04", "2026-03-03", "2026-03-02"]
    assert meals["pageInfo"]["hasNextPage"] is False
    rest = await nutrition.data(page, person, variables | {"after": meals["pageInfo"]["endCursor"]})
    assert rest["_entities"][0]["meals"]["edges"] == []


RECENT = """query ($r: [_Any!]!, $first: Int, $after: String, $last: Int) { _entities(representations: $r) { ... on User {
    recentFoods(first: $first, after: $after, last: $last) { nodes { timesLogged lastLoggedAt food { id } }
      pageInfo { hasNextPage endCursor } } } } }"""


async def recent(nutrition: SubgraphUnderTest, person: str, **page: Any) -> list[tuple[str, int, str]]:
    variables = {"r": [{"__typename": "User", "id": person}], **page}
    foods = (await nutrition.data(RECENT, person, variables))["_entities"][0]["recentFoods"]["nodes"]
    return [(each["food"]["id"], each["timesLogged"], each["lastLoggedAt"][8:10]) for each in foods]


async def test_the_foods_logged_last_come_first_and_follow_every_change(
    nutrition: SubgraphUnderTest, person: str
) -> None:
    await log(nutrition, person)
    banana = {"items": [{"foodId": "banana", "grams": 100}]}
    later = (await log(nutrition, person, at="2026-03-03T07:00:00Z", **banana))["meal"]["id"]
    assert await recent(nutrition, person) == [("banana", 2, "03"), ("oats", 1, "02"), ("milk", 1, "02")]
    assert await recent(nutrition, person, first=1) == [("banana", 2, "03")]
    assert await recent(nutrition, person, last=1) == [("milk", 1, "02")]

    await nutrition.data(UPDATE, person, {"input": {"id": later, "items": [{"foodId": "oil", "grams": 5}]}})
    assert await recent(nutrition, person) == [
        ("oil", 1, "03"),
        ("oats", 1, "02"),
        ("milk", 1, "02"),
        ("banana", 1, "02"),
    ]
    await nutrition.data(UPDATE, person, {"input": {"id": later, "at": "2026-03-01T07:00:00Z"}})
    assert (await recent(nutrition, person))[-1] == ("oil", 1, "01")
    delete = "mutation ($id: ID!) { deleteMeal(input: { id: $id }) { deletedId userErrors { code } } }"
    await nutrition.data(delete, person, {"id": later})
    assert [food for food, _, _ in await recent(nutrition, person)] == ["oats", "milk", "banana"]


async def test_a_person_counts_once_among_those_who_use_a_food(nutrition: SubgraphUnderTest, person: str) -> None:
    async def users() -> int:
        async with nutrition.database.reading() as connection:
            return int((await connection.execute(text("SELECT users FROM search_entry WHERE id = 'oil'"))).scalar_one())

    before = await users()
    items = [{"foodId": "oil", "grams": 5}, {"foodId": "oil", "grams": 6}]
    meal = (await log(nutrition, person, items=items))["meal"]["id"]
    await log(nutrition, person, items=items)
    await nutrition.data(UPDATE, person, {"input": {"id": meal, "items": [{"foodId": "oil", "grams": 7}]}})
    assert await users() == before + 1


async def test_a_copied_meal_of_twenty_kilograms_can_be_edited(nutrition: SubgraphUnderTest, person: str) -> None:
    meal_id = (await log(nutrition, person, items=[{"foodId": "oats", "grams": 2000}]))["meal"]["id"]
    copy = """mutation ($input: CopyMealInput!) { copyMeal(input: $input) { meal { id items { grams } }
        userErrors { code message } } }"""
    large = (await nutrition.data(copy, person, {"input": {"mealId": meal_id, "scale": 10}}))["copyMeal"]["meal"]
    assert large["items"] == [{"grams": 20000.0}]
    for change in ({"notes": "for a week"}, {"items": [{"foodId": "oats", "grams": 20000}]}):
        await nutrition.data(UPDATE, person, {"input": {"id": large["id"]} | change})
    result = await nutrition.run(copy, person, {"input": {"mealId": large["id"], "scale": 10}})
    (refusal,) = user_errors(result)
    assert refusal["message"] == "makes 200000 g of Rolled oats; it must be from 0.01 to 50000 g"


async def test_what_is_absent_stays_and_what_is_null_is_cleared(nutrition: SubgraphUnderTest, person: str) -> None:
    await tell_settings(nutrition, person, "Europe/Berlin")
    abroad = {"notes": "late", "timeZone": "Pacific/Honolulu", "at": "2026-03-02T07:30:00Z"}
    meal = (await log(nutrition, person, **abroad))["meal"]
    assert meal["localDate"] == "2026-03-01"
    kept = await nutrition.data(UPDATE, person, {"input": {"id": meal["id"], "slot": "SNACK"}})
    assert (kept["updateMeal"]["meal"]["notes"], kept["updateMeal"]["meal"]["localDate"]) == ("late", "2026-03-01")
    cleared = {"id": meal["id"], "notes": None, "timeZone": None}
    changed = (await nutrition.data(UPDATE, person, {"input": cleared}))["updateMeal"]["meal"]
    assert (changed["notes"], changed["localDate"]) == (None, "2026-03-02")
    for name in ("slot", "at", "items"):
        assert await nutrition.codes(UPDATE, person, {"input": {"id": meal["id"], name: None}}) == ["VALIDATION_ERROR"]


async def test_a_drink_of_another_clock_counts_for_the_day_that_is_told(
    nutrition: SubgraphUnderTest, person: str
) -> None:
    drink = """mutation ($input: LogWaterInput!) { logWater(input: $input) {
      drink { localDate } diaryDay { date waterMl } userErrors { code field } } }"""
    given = {"amountMl": 200, "at": "2026-03-04T12:00:00Z", "localDate": "2026-03-05"}
    logged = (await nutrition.data(drink, person, {"input": given}))["logWater"]
    assert logged["drink"]["localDate"] == "2026-03-05"
    assert logged["diaryDay"] == {"date": "2026-03-05", "waterMl": 200}
    assert await nutrition.codes(drink, person, {"input": given | {"localDate": "2026-03-06"}}) == ["VALIDATION_ERROR"]


async def test_days_and_pages_of_drinks_come_in_order(nutrition: SubgraphUnderTest, person: str) -> None:
    drink = "mutation ($input: LogWaterInput!) { logWater(input: $input) { drink { id } userErrors { code } } }"
    for day, hour in ((1, 9), (3, 8), (3, 7), (2, 6)):
        await nutrition.data(
            drink, person, {"input": {"amountMl": 100 * day + hour, "at": f"2026-03-0{day}T0{hour}:00:00Z"}}
        )
    ask = """query ($r: [_Any!]!, $first: Int, $after: String, $last: Int, $before: String) { _entities(representations: $r) { ... on User {
        drinks(first: $first, after: $after, last: $last, before: $before, from: "2026-03-02") { nodes { amountMl } pageInfo { startCursor endCursor hasNextPage } }
        diaryDays(from: "2026-03-01", to: "2026-03-04") { id date waterMl drinks { amountMl } } } } }"""

    async def page(**arguments: Any) -> dict[str, Any]:
        variables = {"r": [{"__typename": "User", "id": person}], **arguments}
        user: dict[str, Any] = (await nutrition.data(ask, person, variables))["_entities"][0]
        return user

    user = await page(first=2)
    assert [each["amountMl"] for each in user["drinks"]["nodes"]] == [308, 307]
    assert user["drinks"]["pageInfo"]["hasNextPage"] is True
    rest = await page(first=2, after=user["drinks"]["pageInfo"]["endCursor"])
    assert [each["amountMl"] for each in rest["drinks"]["nodes"]] == [206]
    back = await page(last=5, before=rest["drinks"]["pageInfo"]["startCursor"])
    assert back["drinks"]["nodes"] == user["drinks"]["nodes"]
    assert [(each["date"][-2:], each["waterMl"]) for each in user["diaryDays"]] == [
        ("01", 109), ("02", 206), ("03", 615), ("04", 0),
    ]  # fmt: skip
    assert user["diaryDays"][2]["drinks"] == [{"amountMl": 307}, {"amountMl": 308}]
    assert user["diaryDays"][2]["id"] == f"diary_{person}:2026-03-03"


async def test_a_day_holds_so_many_meals_and_drinks(nutrition: SubgraphUnderTest, person: str) -> None:
    async with nutrition.database.transaction() as transaction:
        await transaction.execute(
            text(
                "INSERT INTO meal (id, user_id, slot, at, local_date, time_zone, totals) SELECT :user || n, :user,"
                " 'SNACK', '2026-03-02T12:00:00Z', '2026-03-02', 'UTC', '{}' FROM generate_series(1, 50) AS n"
            ),
            {"user": person},
        )
        await transaction.execute(
            text(
                "INSERT INTO water (id, user_id, amount_ml, at, local_date, time_zone) SELECT :user || n, :user, 10,"
                " '2026-03-02T12:00:00Z', '2026-03-02', 'UTC' FROM generate_series(1, 100) AS n"
            ),
            {"user": person},
        )
    assert await nutrition.codes(LOG, person, {"input": BREAKFAST}) == ["CONFLICT"]
    drink = "mutation ($input: LogWaterInput!) { logWater(input: $input) { drink { id } userErrors { code } } }"
    full = {"amountMl": 10, "at": "2026-03-02T12:00:00Z"}
    assert await nutrition.codes(drink, person, {"input": full}) == ["CONFLICT"]
    assert await events_of(nutrition, person) == []


async def test_a_meal_of_many_items_is_a_constant_number_of_statements(
    nutrition: SubgraphUnderTest, person: str
) -> None:
    counts = []
    for number in (1, 50):
        with nutrition.counted_statements() as statements:
            await log(nutrition, person, items=[{"foodId": "oats", "grams": 1 + each} for each in range(number)])
        counts.append(len(statements))
    assert counts[0] >= counts[1] - 0 >= 5


async def test_statements_do_not_grow_with_meals_and_items(nutrition: SubgraphUnderTest, person: str) -> None:
    ask = """query ($representations: [_Any!]!) { _entities(representations: $representations) { ... on User {
        meals(first: 50) { edges { node { id user { displayName } totals { energyKcal }
          items { grams nutrients { energyKcal } food { name portions { label } } } } } }
        today: diaryDay(date: "2026-03-02") { totals { energyKcal } waterMl remaining { energyKcal } meals { id items { grams } } }
        other: diaryDay(date: "2026-03-03") { totals { energyKcal } waterMl target { energyKcal } } } } }"""
    variables = {"representations": [{"__typename": "User", "id": person}]}
    counts = []
    for number in (1, 12):
        for hour in range(number):
            await log(nutrition, person, at=f"2026-03-02T{hour:02}:00:00Z")
        with nutrition.counted_statements() as statements:
            data = await nutrition.data(ask, person, variables)
        counts.append(len(statements))

    assert len(data["_entities"][0]["meals"]["edges"]) == 13
    # pages with items and foods, portions, people, meals of days with items, water, targets
    assert counts == [6, 6]
