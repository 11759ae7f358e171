"""What happens to one person's meals at the same moment: nobody waits in a circle, and who loses a conflict all the same is begun anew."""

import asyncio
from typing import Any

import asyncpg
import pytest

from subgraphs.shell.database import counted_commits
from tests.testkit.conflicts import lose_conflicts
from tests.testkit.subgraph import SubgraphUnderTest

LOG = "mutation ($input: LogMealInput!) { logMeal(input: $input) { meal { id } userErrors { code } } }"
UPDATE = "mutation ($input: UpdateMealInput!) { updateMeal(input: $input) { meal { id } userErrors { code } } }"
DELETE = "mutation ($input: DeleteMealInput!) { deleteMeal(input: $input) { deletedId userErrors { code } } }"
COPY = "mutation ($input: CopyDayInput!) { copyDay(input: $input) { meals { id } userErrors { code } } }"
MOVE = "mutation ($input: MoveMealItemsInput!) { moveMealItems(input: $input) { target { id } userErrors { code } } }"


_SOMEBODY_WAITS = (
    "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')"
)


def of(*foods: str) -> dict[str, Any]:
    return {"items": [{"foodId": food, "grams": 10} for food in foods]}


async def log(nutrition: SubgraphUnderTest, person: str, *foods: str, day: str = "2026-03-02") -> str:
    told = {"slot": "LUNCH", "at": f"{day}T12:00:00Z", **of(*foods)}
    return str((await nutrition.data(LOG, person, {"input": told}))["logMeal"]["meal"]["id"])


async def users_of(nutrition: SubgraphUnderTest, food: str) -> int:
    connection = await asyncpg.connect(nutrition.database.url)
    try:
        return int(await connection.fetchval("SELECT users FROM search_entry WHERE id = $1", food))
    finally:
        await connection.close()


async def test_an_edit_takes_nothing_before_it_has_what_comes_first(nutrition: SubgraphUnderTest, person: str) -> None:
    """An edit from bananas to oats, and somebody who has the bananas and wants the oats: in the order of foods, so not in a circle."""
    meal = await log(nutrition, person, "banana")
    await log(nutrition, person, "oats")
    holder = await asyncpg.connect(nutrition.database.url)
    lock = "SELECT FROM recent_food WHERE user_id = $1 AND food_id = $2 FOR UPDATE"
    try:
        async with holder.transaction():
            await holder.execute(lock, person, "banana")
            edit = asyncio.create_task(nutrition.codes(UPDATE, person, {"input": {"id": meal, **of("oats")}}))
            async with asyncio.timeout(60):
                while not await holder.fetchval(_SOMEBODY_WAITS):
                    await asyncio.sleep(0.02)
            await holder.execute(f"{lock} NOWAIT", person, "oats")
        assert await edit == []
    finally:
        await holder.close()


async def test_a_person_who_takes_a_food_back_and_logs_it_again_is_one_user_of_it(
    nutrition: SubgraphUnderTest, person: str
) -> None:
    """Else one person makes a food the first of everybody's search by doing so a thousand times."""
    before = await users_of(nutrition, "oil")
    for _ in range(3):
        meal = await log(nutrition, person, "oil")
        assert await users_of(nutrition, "oil") == before + 1
        await nutrition.data(UPDATE, person, {"input": {"id": meal, **of("milk")}})
        assert await users_of(nutrition, "oil") == before
        await nutrition.data(UPDATE, person, {"input": {"id": meal, **of("milk", "oil", "oil")}})
        assert await users_of(nutrition, "oil") == before + 1
        moved = {"mealId": meal, "positions": [1, 2], "toSlot": "DINNER"}
        dinner = (await nutrition.data(MOVE, person, {"input": moved}))["moveMealItems"]["target"]["id"]
        assert await users_of(nutrition, "oil") == before + 1
        await nutrition.data(DELETE, person, {"input": {"id": meal}})
        other = await log(nutrition, person, "oil")
        assert await users_of(nutrition, "oil") == before + 1
        await nutrition.data(UPDATE, person, {"input": {"id": other, **of("milk")}})
        assert await users_of(nutrition, "oil") == before + 1, "the dinner still has it"
        await nutrition.data(DELETE, person, {"input": {"id": dinner}})
        assert await users_of(nutrition, "oil") == before


@pytest.mark.parametrize("times", [1, 3])
async def test_a_write_that_loses_a_conflict_is_begun_anew(
    nutrition: SubgraphUnderTest, person: str, times: int
) -> None:
    await log(nutrition, person, "oats")
    await lose_conflicts(nutrition.database.url, "meal", times=times)
    copied = await nutrition.data(COPY, person, {"input": {"from": "2026-03-02", "to": "2026-03-03"}})
    assert len(copied["copyDay"]["meals"]) == 1


async def test_who_loses_again_and_again_is_told_to_come_back(nutrition: SubgraphUnderTest, person: str) -> None:
    await lose_conflicts(nutrition.database.url, "meal", times=4)
    told = {"slot": "LUNCH", "at": "2026-03-02T12:00:00Z", **of("oats")}
    assert await nutrition.codes(LOG, person, {"input": told}) == ["UNAVAILABLE"]
    assert await nutrition.codes(LOG, person, {"input": told}) == []


async def test_what_was_committed_is_counted_and_what_was_rolled_back_is_not(nutrition: SubgraphUnderTest) -> None:
    """So that only what has written nothing is begun anew."""
    with counted_commits() as commits:
        async with nutrition.database.transaction():
            pass
        with pytest.raises(LookupError):
            async with nutrition.database.transaction():
                raise LookupError
        assert commits.count == 1
    async with nutrition.database.transaction():
        pass
    assert commits.count == 1


async def test_days_are_copied_while_their_meals_are_written(nutrition: SubgraphUnderTest, person: str) -> None:
    """The same day under the same key and under others, beside edits, with foods that change places: nobody fails."""
    foods = ("banana", "milk", "oats")
    meals = [await log(nutrition, person, foods[number % 3], foods[(number + 1) % 3]) for number in range(4)]
    again = {"from": "2026-03-02", "to": "2026-03-05", "idempotencyKey": "the-same"}
    work = [nutrition.codes(COPY, person, {"input": again}) for _ in range(4)]
    for number in range(6):
        other = {"from": "2026-03-02", "to": "2026-03-06", "idempotencyKey": f"key-{number}"}
        work.append(nutrition.codes(COPY, person, {"input": other}))
        changed = of(foods[(number + 2) % 3], foods[number % 3])
        work.append(nutrition.codes(UPDATE, person, {"input": {"id": meals[number % 4], **changed}}))
    assert [codes for codes in await asyncio.gather(*work) if codes] == []
