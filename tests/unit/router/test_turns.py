"""A few at a time in each turn of the event loop, whoever asked first."""

import asyncio
from collections import Counter

from router.turns import Turns
from tests.testkit.loop_turns import measured_each_turn


async def test_a_thousand_that_are_ready_at_once_take_as_many_turns_as_they_need() -> None:
    turns, done = Turns(16), list[tuple[int, int]]()

    async def work(number: int) -> None:
        await turns.next()
        done.append((loop.number, number))

    with measured_each_turn(lambda: 0) as loop:
        await asyncio.gather(*(work(number) for number in range(1_000)))
    by_turn = Counter(turn for turn, _ in done)
    assert max(by_turn.values()) == 16
    assert len(by_turn) == 63  # none is left empty
    assert [number for _, number in done] == list(range(1_000))


async def test_one_task_alone_is_let_in_as_often_in_a_turn_and_no_more() -> None:
    turns = Turns(4)
    seen = []
    with measured_each_turn(lambda: 0) as loop:
        for _ in range(10):
            await turns.next()
            seen.append(loop.number)
    assert seen[0] == seen[3]  # at once, while there are places
    assert max(Counter(seen).values()) == 4


async def test_who_is_cancelled_while_waiting_takes_no_place() -> None:
    turns = Turns(1)
    first, leaving, staying = (asyncio.ensure_future(turns.next()) for _ in range(3))
    await asyncio.sleep(0)
    assert first.done()
    assert not leaving.done()
    leaving.cancel()
    async with asyncio.timeout(60):
        await staying
    assert leaving.cancelled()


async def test_nothing_is_left_in_the_loop_when_nobody_asks() -> None:
    turns = Turns(2)
    await turns.next()
    for _ in range(3):
        await asyncio.sleep(0)
    assert not turns._is_renewing
