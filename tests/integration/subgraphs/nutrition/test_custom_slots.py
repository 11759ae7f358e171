"""Slots of one's own: set as a list, named by meals, kept by copies, told by a day in its order."""

from typing import Any

from tests.testkit.subgraph import SubgraphUnderTest, user_errors

SET = """mutation ($input: SetCustomSlotsInput!) { setCustomSlots(input: $input) {
    customSlots { slots { name countsAs } version } userErrors { code field } } }"""
LOG = """mutation ($input: LogMealInput!) { logMeal(input: $input) {
    meal { id slot customSlot version } userErrors { code field } } }"""
UPDATE = """mutation ($input: UpdateMealInput!) { updateMeal(input: $input) {
    meal { slot customSlot } userErrors { code field } } }"""
DAY = """query ($representations: [_Any!]!) { _entities(representations: $representations) { ... on DiaryDay {
    slots { slot customSlot meals energyPercent totals { energyKcal } } } } }"""
ITEMS = [{"foodId": "milk", "grams": 200}]  # 100 kcal
MINE = [{"name": "Second breakfast", "countsAs": "BREAKFAST"}, {"name": "Before training", "countsAs": "SNACK"}]


async def set_slots(nutrition: SubgraphUnderTest, viewer: str, slots: list[dict[str, Any]], **more: Any) -> Any:
    return (await nutrition.data(SET, viewer, {"input": {"slots": slots, **more}}))["setCustomSlots"]["customSlots"]


async def log(nutrition: SubgraphUnderTest, viewer: str, day: str, hour: int, **more: Any) -> dict[str, Any]:
    told = {"slot": "LUNCH", "items": ITEMS, "at": f"{day}T{hour:02}:00:00Z"} | more
    meal: dict[str, Any] = (await nutrition.data(LOG, viewer, {"input": told}))["logMeal"]["meal"]
    return meal


async def slots_of(nutrition: SubgraphUnderTest, viewer: str, day: str) -> list[dict[str, Any]]:
    keys = [{"__typename": "DiaryDay", "userId": viewer, "date": day}]
    slots: list[dict[str, Any]] = (await nutrition.data(DAY, viewer, {"representations": keys}))["_entities"][0][
        "slots"
    ]
    return slots


async def test_a_list_is_set_as_a_whole_and_the_same_again_changes_nothing(nutrition: SubgraphUnderTest) -> None:
    assert await set_slots(nutrition, "lister", MINE) == {"slots": MINE, "version": 1}
    assert await set_slots(nutrition, "lister", MINE, expectedVersion=0) == {"slots": MINE, "version": 1}
    turned = MINE[::-1]
    stale = await nutrition.run(SET, "lister", {"input": {"slots": turned, "expectedVersion": 0}})
    assert [error["code"] for error in user_errors(stale)] == ["STALE_VERSION"]
    assert await set_slots(nutrition, "lister", turned, expectedVersion=1) == {"slots": turned, "version": 2}
    assert await set_slots(nutrition, "lister", []) == {"slots": [], "version": 3}


async def test_what_cannot_be_a_list_is_refused_with_its_place(nutrition: SubgraphUnderTest) -> None:
    slots = [{"name": "Tea"}, {"name": " tea "}, {"name": "x" * 41}, {"name": ""}]
    result = await nutrition.run(SET, "wrong", {"input": {"slots": slots}})
    assert [error["field"] for error in user_errors(result)] == [f"slots.{place}.name" for place in (1, 2, 3)]
    many = [{"name": f"Slot {number}"} for number in range(13)]
    result = await nutrition.run(SET, "wrong", {"input": {"slots": many}})
    assert [error["field"] for error in user_errors(result)] == ["slots"]


async def test_meals_are_eaten_in_slots_of_ones_own_and_a_day_is_told_by_them(nutrition: SubgraphUnderTest) -> None:
    day = "2026-03-02"
    await set_slots(nutrition, "eater", MINE)
    await log(nutrition, "eater", day, 7, slot="BREAKFAST", items=[{"foodId": "milk", "grams": 400}])
    own = await log(nutrition, "eater", day, 10, slot="DINNER", customSlot="second BREAKFAST ")
    assert (own["slot"], own["customSlot"]) == ("BREAKFAST", "Second breakfast")
    told = await slots_of(nutrition, "eater", day)
    assert [(each["slot"], each["customSlot"], each["meals"], each["totals"]["energyKcal"]) for each in told] == [
        ("BREAKFAST", None, 1, 200.0),
        ("BREAKFAST", "Second breakfast", 1, 100.0),
        ("LUNCH", None, 0, 0.0),
        ("DINNER", None, 0, 0.0),
        ("SNACK", None, 0, 0.0),
        ("SNACK", "Before training", 0, 0.0),
    ]
    assert [each["energyPercent"] for each in told] == [66.67, 33.33, 0, 0, 0, 0]
    empty = await slots_of(nutrition, "eater", "2026-03-03")
    assert [each["energyPercent"] for each in empty] == [None] * 6


async def test_a_slot_that_is_no_more_keeps_its_meals_under_its_name(nutrition: SubgraphUnderTest) -> None:
    day = "2026-03-04"
    await set_slots(nutrition, "mover", MINE)
    meal = await log(nutrition, "mover", day, 16, customSlot="Before training")
    await set_slots(nutrition, "mover", [{"name": "Tea", "countsAs": "SNACK"}])
    refused = await nutrition.run(
        LOG, "mover", {"input": {"slot": "SNACK", "items": ITEMS, "customSlot": "Before training"}}
    )
    assert user_errors(refused) == [{"code": "NOT_FOUND", "field": "customSlot"}]
    kept = (await nutrition.data(UPDATE, "mover", {"input": {"id": meal["id"], "notes": "late"}}))["updateMeal"]["meal"]
    assert kept == {"slot": "SNACK", "customSlot": "Before training"}
    told = [(each["customSlot"], each["meals"]) for each in await slots_of(nutrition, "mover", day)]
    assert told[-3:] == [(None, 0), ("Tea", 0), ("Before training", 1)]

    moved = await nutrition.data(UPDATE, "mover", {"input": {"id": meal["id"], "customSlot": "Tea"}})
    assert moved["updateMeal"]["meal"] == {"slot": "SNACK", "customSlot": "Tea"}
    moved = await nutrition.data(UPDATE, "mover", {"input": {"id": meal["id"], "slot": "DINNER"}})
    assert moved["updateMeal"]["meal"] == {"slot": "DINNER", "customSlot": None}


async def test_copies_and_what_is_brought_back_keep_the_slot(nutrition: SubgraphUnderTest) -> None:
    await set_slots(nutrition, "copier", MINE)
    meal = await log(nutrition, "copier", "2026-03-05", 16, customSlot="Before training")
    copy = """mutation ($id: ID!) { a: copyMeal(input: {mealId: $id, at: "2026-03-06T10:00:00Z"}) { meal { customSlot } }
        b: copyMeal(input: {mealId: $id, slot: LUNCH, at: "2026-03-06T11:00:00Z"}) { meal { slot customSlot } }
        c: copyDay(input: {from: "2026-03-05", to: "2026-03-07"}) { meals { customSlot } } }"""
    copies = await nutrition.data(copy, "copier", {"id": meal["id"]})
    assert copies["a"]["meal"] == {"customSlot": "Before training"}
    assert copies["b"]["meal"] == {"slot": "LUNCH", "customSlot": None}
    assert copies["c"]["meals"] == [{"customSlot": "Before training"}]
    back = """mutation ($id: ID!) { deleteMeal(input: {id: $id}) { deletedId }
        undoDelete(input: {id: $id}) { restored { ... on Meal { customSlot } } } }"""
    assert (await nutrition.data(back, "copier", {"id": meal["id"]}))["undoDelete"]["restored"] == {
        "customSlot": "Before training"
    }
