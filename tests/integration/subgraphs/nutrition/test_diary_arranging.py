"""What spares typing in a diary, over a real database: quick adds, moved items, copied days, undone deletions, favourites."""

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import text

from events.contracts.nutrition import MealDeleted, MealLogged, MealUpdated, WaterLogged
from subgraphs.nutrition.commands.deleted_entry import forget_deleted
from tests.integration.subgraphs.nutrition.conftest import events_of, tell_settings
from tests.testkit.subgraph import SubgraphUnderTest, codes_of

MEAL = """meal { id version slot localDate items { position food { id } grams nutrients { energyKcal } }
    quickAdds { name energyKcal proteinG } totals { energyKcal proteinG quickAddKcal knownFraction { fiberG } } }"""
LOG = f"mutation ($input: LogMealInput!) {{ logMeal(input: $input) {{ {MEAL} userErrors {{ code field }} }} }}"
QUICK = f"""mutation ($input: QuickAddInput!) {{ quickAdd(input: $input) {{ {MEAL}
    diaryDay {{ totals {{ energyKcal }} }} userErrors {{ code field message }} }} }}"""
UPDATE = f"mutation ($input: UpdateMealInput!) {{ updateMeal(input: $input) {{ {MEAL} userErrors {{ code field }} }} }}"
MOVE = """mutation ($input: MoveMealItemsInput!) { moveMealItems(input: $input) {
    meal { id version items { position food { id } } } target { id slot localDate version items { food { id } nutrients { energyKcal } } }
    diaryDay { date } previousDiaryDay { date } userErrors { code field } } }"""
COPY_DAY = """mutation ($input: CopyDayInput!) { copyDay(input: $input) {
    meals { id slot at localDate totals { energyKcal } } diaryDay { date totals { energyKcal } } userErrors { code field message } } }"""
UNDO = """mutation ($input: UndoDeleteInput!) { undoDelete(input: $input) { restored { __typename id
      ... on Meal { version slot notes items { food { id } } quickAdds { energyKcal } totals { energyKcal } }
      ... on Drink { version amountMl } ... on Food { version name } }
    diaryDay { date totals { energyKcal } waterMl } userErrors { code field } } }"""
DELETE_MEAL = "mutation ($id: ID!) { deleteMeal(input: { id: $id }) { deletedId userErrors { code } } }"
FAVOUR = """mutation ($food: ID!, $is: Boolean!) { setFavouriteFood(input: { foodId: $food, isFavourite: $is }) {
    food { id isFavourite } userErrors { code field } } }"""
BREAKFAST: dict[str, Any] = {
    "slot": "BREAKFAST",
    "at": "2026-03-02T07:00:00Z",
    "items": [
        {"foodId": "oats", "grams": 50},
        {"foodId": "banana", "grams": 100},
        {"foodId": "milk", "grams": 200},
    ],
}


async def log(nutrition: SubgraphUnderTest, person: str, **changes: Any) -> dict[str, Any]:
    data = await nutrition.data(LOG, person, {"input": BREAKFAST | changes})
    meal: dict[str, Any] = data["logMeal"]["meal"]
    return meal


async def recent(nutrition: SubgraphUnderTest, person: str, name: str = "recentFoods") -> list[tuple[str, int]]:
    found = f'query ($id: ID!) {{ _entities(representations: [{{ __typename: "User", id: $id }}]) {{ ... on User {{ {name}(first: 9) {{ nodes {{ food {{ id }} timesLogged }} }} }} }} }}'
    data = await nutrition.data(found, person, {"id": person})
    return [(each["food"]["id"], each["timesLogged"]) for each in data["_entities"][0][name]["nodes"]]


async def test_energy_without_a_food_counts_and_says_what_it_does_not_know(
    nutrition: SubgraphUnderTest, person: str
) -> None:
    told = {"slot": "DINNER", "at": "2026-03-02T19:00:00Z", "energyKcal": 600, "proteinG": 30, "name": "Canteen"}
    quick = (await nutrition.data(QUICK, person, {"input": told | {"idempotencyKey": "q"}}))["quickAdd"]
    again = (await nutrition.data(QUICK, person, {"input": told | {"idempotencyKey": "q"}}))["quickAdd"]
    assert again["meal"] == quick["meal"]
    assert quick["meal"]["quickAdds"] == [{"name": "Canteen", "energyKcal": 600.0, "proteinG": 30.0}]
    assert (quick["meal"]["items"], quick["diaryDay"]["totals"]["energyKcal"]) == ([], 600.0)

    mixed = await log(nutrition, person, quickAdds=[{"energyKcal": 100}])
    # 194.5 + 89 + 100 of foods; 350 g of which 150 tell their fibre
    assert mixed["totals"] == {
        "energyKcal": 483.5,
        "proteinG": 16.15,
        "quickAddKcal": 100.0,
        "knownFraction": {"fiberG": 0.4286},
    }
    (_, first), (_, second) = await events_of(nutrition, person)
    assert isinstance(first, MealLogged)
    assert (first.items, first.totals.energy_kcal, first.quick_adds[0].name) == ((), Decimal(600), "Canteen")
    assert isinstance(second, MealLogged)
    assert second.totals.energy_kcal == Decimal("483.5")


async def test_quick_adds_are_changed_and_copied_and_an_empty_meal_is_refused(
    nutrition: SubgraphUnderTest, person: str
) -> None:
    meal = await log(nutrition, person, items=[], quickAdds=[{"energyKcal": 100, "fatG": 5}])
    changed = {"id": meal["id"], "quickAdds": [{"energyKcal": 250}, {"energyKcal": 50}]}
    assert (await nutrition.data(UPDATE, person, {"input": changed}))["updateMeal"]["meal"]["totals"][
        "energyKcal"
    ] == 300
    emptied = {"id": meal["id"], "quickAdds": []}
    assert await nutrition.codes(UPDATE, person, {"input": emptied}) == ["VALIDATION_ERROR"]
    assert await nutrition.codes(LOG, person, {"input": BREAKFAST | {"items": []}}) == ["VALIDATION_ERROR"]
    replaced = {"id": meal["id"], "quickAdds": None, "items": [{"foodId": "milk", "grams": 100}]}
    assert (await nutrition.data(UPDATE, person, {"input": replaced}))["updateMeal"]["meal"]["totals"][
        "energyKcal"
    ] == 50
    both = await log(nutrition, person, quickAdds=[{"energyKcal": 100}])
    copy = "mutation ($id: ID!) { copyMeal(input: { mealId: $id, scale: 0.5 }) { meal { totals { energyKcal quickAddKcal } } } }"
    copied = (await nutrition.data(copy, person, {"id": both["id"]}))["copyMeal"]["meal"]["totals"]
    assert copied == {"energyKcal": 241.75, "quickAddKcal": 50.0}


@pytest.mark.parametrize(
    ("quick", "field"),
    [
        ({"energyKcal": -1}, "energyKcal"),
        ({"energyKcal": 20_001}, "energyKcal"),
        ({"energyKcal": 1, "fatG": 2501}, "fatG"),
        ({"energyKcal": 1, "name": ""}, "name"),
        ({"energyKcal": 1, "at": "2999-01-01T00:00:00Z"}, None),
    ],
)
async def test_impossible_quick_adds_are_refused(
    nutrition: SubgraphUnderTest, person: str, quick: dict[str, Any], field: str | None
) -> None:
    result = await nutrition.run(QUICK, person, {"input": {"slot": "SNACK"} | quick})
    if field is not None:
        assert result.data is not None
        assert [error["field"] for error in result.data["quickAdd"]["userErrors"]] == [field]
        listed = {"input": BREAKFAST | {"quickAdds": [quick]}}
        refused = await nutrition.run(LOG, person, listed)
        assert refused.data is not None
        assert [error["field"] for error in refused.data["logMeal"]["userErrors"]] == [f"quickAdds.0.{field}"]
    assert await events_of(nutrition, person) == []


async def test_items_move_to_another_meal_at_their_prices(nutrition: SubgraphUnderTest, person: str) -> None:
    breakfast = await log(nutrition, person)
    lunch = await log(
        nutrition, person, slot="LUNCH", at="2026-03-03T12:00:00Z", items=[{"foodId": "oil", "grams": 10}]
    )
    move = {"mealId": breakfast["id"], "positions": [2, 0], "toMealId": lunch["id"], "expectedVersion": 1}
    moved = (await nutrition.data(MOVE, person, {"input": move}))["moveMealItems"]
    assert [each["food"]["id"] for each in moved["meal"]["items"]] == ["banana"]
    assert [each["food"]["id"] for each in moved["target"]["items"]] == ["oil", "milk", "oats"]
    assert [each["nutrients"]["energyKcal"] for each in moved["target"]["items"]] == [88.4, 100.0, 194.5]
    assert (moved["diaryDay"]["date"], moved["previousDiaryDay"]["date"]) == ("2026-03-03", "2026-03-02")
    assert await nutrition.codes(MOVE, person, {"input": move}) == ["STALE_VERSION"]
    assert sorted(await recent(nutrition, person)) == [("banana", 1), ("milk", 1), ("oats", 1), ("oil", 1)]
    versions = [(type(event), version) for version, event in await events_of(nutrition, person)]
    assert versions == [(MealLogged, 1), (MealLogged, 1), (MealUpdated, 2), (MealUpdated, 2)]


async def test_a_meal_that_nothing_is_left_of_goes_and_a_slot_makes_a_new_one(
    nutrition: SubgraphUnderTest, person: str
) -> None:
    breakfast = await log(nutrition, person)
    move = {"mealId": breakfast["id"], "positions": [0, 1, 2], "toSlot": "SNACK"}
    moved = (await nutrition.data(MOVE, person, {"input": move}))["moveMealItems"]
    assert (moved["meal"], moved["previousDiaryDay"]) == (None, None)
    assert (moved["target"]["slot"], moved["target"]["localDate"], len(moved["target"]["items"])) == (
        "SNACK",
        "2026-03-02",
        3,
    )
    kinds = [type(event) for _, event in await events_of(nutrition, person)]
    assert kinds == [MealLogged, MealDeleted, MealLogged]


@pytest.mark.parametrize(
    ("move", "field"),
    [
        ({"positions": [3], "toSlot": "SNACK"}, "positions.0"),
        ({"positions": [-1], "toSlot": "SNACK"}, "positions.0"),
        ({"positions": [], "toSlot": "SNACK"}, "positions"),
        ({"positions": [0, 0], "toSlot": "SNACK"}, "positions"),
        ({"positions": [0]}, "toMealId"),
        ({"positions": [0], "toMealId": "meal_none"}, "toMealId"),
        ({"positions": [0], "toMealId": "meal_none", "toSlot": "SNACK"}, "toMealId"),
    ],
)
async def test_moves_that_cannot_be_are_refused_with_their_place(
    nutrition: SubgraphUnderTest, person: str, move: dict[str, Any], field: str
) -> None:
    meal = await log(nutrition, person)
    result = await nutrition.run(MOVE, person, {"input": {"mealId": meal["id"]} | move})
    assert result.data is not None
    assert [error["field"] for error in result.data["moveMealItems"]["userErrors"]] == [field]
    assert len(await events_of(nutrition, person)) == 1


async def test_a_day_is_copied_by_the_clock_over_a_change_of_summer_time(
    nutrition: SubgraphUnderTest, person: str
) -> None:
    await tell_settings(nutrition, person, "Europe/Berlin", day_start_hour=4)
    await log(nutrition, person, at="2025-03-29T07:00:00Z")  # 08:00 in winter
    await log(nutrition, person, slot="SNACK", at="2025-03-30T01:30:00Z")  # 03:30 in summer: the night after the 29th
    await log(nutrition, person, slot="LUNCH", at="2025-03-29T12:00:00Z", quickAdds=[{"energyKcal": 100}])
    copy = {"from": "2025-03-29", "to": "2025-03-30", "slots": ["BREAKFAST", "SNACK"], "idempotencyKey": "d"}
    copied = (await nutrition.data(COPY_DAY, person, {"input": copy}))["copyDay"]
    assert [(each["slot"], each["at"], each["localDate"]) for each in copied["meals"]] == [
        ("BREAKFAST", "2025-03-30T06:00:00Z", "2025-03-30"),
        ("SNACK", "2025-03-31T01:30:00Z", "2025-03-30"),
    ]
    assert copied["diaryDay"] == {"date": "2025-03-30", "totals": {"energyKcal": 767.0}}
    assert (await nutrition.data(COPY_DAY, person, {"input": copy}))["copyDay"]["meals"] == copied["meals"]
    assert await nutrition.codes(COPY_DAY, person, {"input": copy | {"scale": 2.0}}) == ["CONFLICT"]
    half = copy | {"to": "2025-04-02", "slots": ["LUNCH"], "scale": 0.5, "idempotencyKey": None}
    assert (await nutrition.data(COPY_DAY, person, {"input": half}))["copyDay"]["diaryDay"]["totals"] == {
        "energyKcal": 241.75
    }
    assert len(await events_of(nutrition, person)) == 6
    assert ("oats", 6) in await recent(nutrition, person, "frequentFoods")


async def test_a_copy_to_today_logs_what_is_to_come_as_of_now(nutrition: SubgraphUnderTest, person: str) -> None:
    yesterday = (datetime.now(UTC) - timedelta(days=1)).date().isoformat()
    await log(nutrition, person, slot="DINNER", at=f"{yesterday}T23:59:59Z")
    copied = (await nutrition.data(COPY_DAY, person, {"input": {"from": yesterday}}))["copyDay"]["meals"]
    assert datetime.fromisoformat(copied[0]["at"]) <= datetime.now(UTC)
    async with nutrition.database.reading() as connection:
        waiting = "SELECT count(*) FROM outbox WHERE aggregate_id = :id AND published_at IS NULL"
        assert (await connection.execute(text(waiting), {"id": copied[0]["id"]})).scalar_one() == 1


@pytest.mark.parametrize(
    ("copy", "code", "field"),
    [
        ({"from": "2026-03-02", "to": "2200-01-01"}, "VALIDATION_ERROR", "to"),
        ({"from": "2026-03-02", "to": "2026-03-02"}, "VALIDATION_ERROR", "to"),
        ({"from": "2026-03-02", "to": "2026-03-03", "scale": 11.0}, "VALIDATION_ERROR", "scale"),
        ({"from": "2026-03-02", "to": "2026-03-03", "slots": []}, "NOT_FOUND", "from"),
        ({"from": "2026-03-01", "to": "2026-03-03"}, "NOT_FOUND", "from"),
    ],
)
async def test_days_that_cannot_be_copied_are_refused(
    nutrition: SubgraphUnderTest, person: str, copy: dict[str, Any], code: str, field: str
) -> None:
    await log(nutrition, person)
    result = await nutrition.run(COPY_DAY, person, {"input": copy})
    assert result.data is not None
    assert [(error["code"], error["field"]) for error in result.data["copyDay"]["userErrors"]] == [(code, field)]
    assert len(await events_of(nutrition, person)) == 1


async def test_a_day_holds_no_more_meals_by_copying(nutrition: SubgraphUnderTest, person: str) -> None:
    for hour in range(26):
        await log(nutrition, person, at=f"2026-03-02T{hour % 24:02}:0{hour // 24}:00Z")
    for target in ("2026-03-03", "2026-03-04"):
        copy = {"from": "2026-03-02", "to": target}
        with nutrition.counted_statements() as statements:
            assert await nutrition.codes(COPY_DAY, person, {"input": copy}) == []
        assert len(statements) < 30
    assert await nutrition.codes(COPY_DAY, person, {"input": {"from": "2026-03-03", "to": "2026-03-04"}}) == [
        "CONFLICT"
    ]


async def test_a_deleted_meal_comes_back_as_it_was(nutrition: SubgraphUnderTest, person: str) -> None:
    meal = await log(nutrition, person, notes="good", quickAdds=[{"energyKcal": 10}])
    await nutrition.data(DELETE_MEAL, person, {"id": meal["id"]})
    assert await recent(nutrition, person) == []
    undone = (await nutrition.data(UNDO, person, {"input": {"id": meal["id"]}}))["undoDelete"]
    assert undone["restored"] == {
        "__typename": "Meal",
        "id": meal["id"],
        "version": 3,
        "slot": "BREAKFAST",
        "notes": "good",
        "items": [{"food": {"id": "oats"}}, {"food": {"id": "banana"}}, {"food": {"id": "milk"}}],
        "quickAdds": [{"energyKcal": 10.0}],
        "totals": {"energyKcal": 393.5},
    }
    assert undone["diaryDay"] == {"date": "2026-03-02", "totals": {"energyKcal": 393.5}, "waterMl": 0}
    assert len(await recent(nutrition, person)) == 3
    told = [(type(event), version) for version, event in await events_of(nutrition, person)]
    assert told == [(MealLogged, 1), (MealDeleted, 2), (MealUpdated, 3)]
    # once more changes nothing, and what was deleted a second time comes back too
    assert (await nutrition.data(UNDO, person, {"input": {"id": meal["id"]}}))["undoDelete"]["restored"]["version"] == 3
    await nutrition.data(DELETE_MEAL, person, {"id": meal["id"]})
    both = await asyncio.gather(*(nutrition.run(UNDO, person, {"input": {"id": meal["id"]}}) for _ in range(3)))
    assert [codes_of(result) for result in both] == [[]] * 3
    assert len(await events_of(nutrition, person)) == 5


async def test_a_drink_and_an_own_food_come_back(nutrition: SubgraphUnderTest, person: str) -> None:
    drink = await nutrition.data(
        'mutation { logWater(input: { amountMl: 300, at: "2026-03-02T08:00:00Z" }) { drink { id } } }', person
    )
    drink_id = drink["logWater"]["drink"]["id"]
    await nutrition.data(
        "mutation ($id: ID!) { deleteWater(input: { id: $id }) { deletedId } }", person, {"id": drink_id}
    )
    undone = (await nutrition.data(UNDO, person, {"input": {"id": drink_id}}))["undoDelete"]
    assert undone["restored"] == {"__typename": "Drink", "id": drink_id, "version": 3, "amountMl": 300}
    assert undone["diaryDay"]["waterMl"] == 300
    version, event = (await events_of(nutrition, person))[-1]
    assert isinstance(event, WaterLogged)
    assert (version, event.amount_ml) == (3, 300)

    bar = """mutation { createFood(input: { name: "Wobble bar", category: SNACK, gtin: "73513537",
        per100: { energyKcal: 0, proteinG: 0, carbsG: 0, fatG: 0 } }) { food { id } } }"""
    food = (await nutrition.data(bar, person))["createFood"]["food"]["id"]
    await log(nutrition, person, items=[{"foodId": food, "grams": 10}])
    await nutrition.data(FAVOUR, person, {"food": food, "is": True})
    delete = "mutation ($id: ID!) { deleteFood(input: { id: $id }) { deletedId } }"
    await nutrition.data(delete, person, {"id": food})
    undone = (await nutrition.data(UNDO, person, {"input": {"id": food}}))["undoDelete"]
    assert undone["restored"] == {"__typename": "Food", "id": food, "version": 3, "name": "Wobble bar"}
    found = await nutrition.data('{ foods(search: "wobble bar") { nodes { id isFavourite } } }', person)
    assert found["foods"]["nodes"] == [{"id": food, "isFavourite": True}]
    assert await recent(nutrition, person) == [(food, 1)]
    # a food made since with its barcode stands in the way
    await nutrition.data(delete, person, {"id": food})
    await nutrition.data(bar, person)
    assert await nutrition.codes(UNDO, person, {"input": {"id": food}}) == ["CONFLICT"]


async def test_what_was_deleted_is_kept_for_a_month_and_only_so_much_of_it(
    nutrition: SubgraphUnderTest, person: str
) -> None:
    old, new = await log(nutrition, person), await log(nutrition, person)
    await nutrition.data(DELETE_MEAL, person, {"id": old["id"]})
    async with nutrition.database.transaction() as connection:
        await connection.execute(
            text("UPDATE deleted_entry SET deleted_at = now() - interval '31 days' WHERE id = :id"), {"id": old["id"]}
        )
        assert [await forget_deleted(connection, 100) for _ in range(2)] == [1, 0]
        await connection.execute(
            text(
                "INSERT INTO deleted_entry SELECT 'drink_' || :id || n, :id, 2, now() - make_interval(hours => n), '{}'"
                " FROM generate_series(1, 120) AS n"
            ),
            {"id": person},
        )
    assert await nutrition.codes(UNDO, person, {"input": {"id": old["id"]}}) == ["NOT_FOUND"]
    await nutrition.data(DELETE_MEAL, person, {"id": new["id"]})
    async with nutrition.database.reading() as connection:
        count = await connection.execute(text("SELECT count(*) FROM deleted_entry WHERE user_id = :id"), {"id": person})
        assert count.scalar_one() == 100
    assert await nutrition.codes(UNDO, person, {"input": {"id": new["id"]}}) == []


async def test_favourites_are_marked_listed_and_unmarked(nutrition: SubgraphUnderTest, person: str) -> None:
    for food in ("oats", "milk", "oats", "banana"):
        marked = await nutrition.data(FAVOUR, person, {"food": food, "is": True})
        assert marked["setFavouriteFood"]["food"] == {"id": food, "isFavourite": True}
    gone = await nutrition.data(FAVOUR, person, {"food": "milk", "is": False})
    assert gone["setFavouriteFood"]["food"]["isFavourite"] is False
    listed = """query ($id: ID!, $after: String) { _entities(representations: [{ __typename: "User", id: $id }]) { ... on User {
        favouriteFoods(first: 1, after: $after) { nodes { id } pageInfo { endCursor hasNextPage } } } } }"""
    page = (await nutrition.data(listed, person, {"id": person}))["_entities"][0]["favouriteFoods"]
    assert page["nodes"] == [{"id": "banana"}]
    after = {"id": person, "after": page["pageInfo"]["endCursor"]}
    rest = (await nutrition.data(listed, person, after))["_entities"][0]["favouriteFoods"]
    assert (rest["nodes"], rest["pageInfo"]["hasNextPage"]) == ([{"id": "oats"}], False)
    assert await nutrition.codes(FAVOUR, person, {"food": "none", "is": True}) == ["NOT_FOUND"]
    nobody = await nutrition.run_with(None, "{ foods(first: 5) { nodes { isFavourite } } }", {})
    assert nobody.data is not None
    assert {each["isFavourite"] for each in nobody.data["foods"]["nodes"]} == {False}
