"""Work under way is joined and not repeated; whoever leaves takes nothing from the others."""

from __future__ import annotations

import asyncio
import gc
import weakref

import pytest

from router.single_flight import SingleFlight


class Value:
    """Something that can be referred to weakly."""


class Work:
    def __init__(self) -> None:
        self.runs = 0
        self.finish = asyncio.Event()

    async def run(self) -> int:
        self.runs += 1
        number = self.runs
        await self.finish.wait()
        return number


async def test_those_who_ask_while_it_is_under_way_get_the_one_outcome() -> None:
    flights, work = SingleFlight[str, int](), Work()
    waiting = [flights.run("a", work.run) for _ in range(3)]
    work.finish.set()

    assert await asyncio.gather(*waiting) == [1, 1, 1]
    assert await flights.run("a", work.run) == 2


async def test_one_who_leaves_takes_the_outcome_from_nobody() -> None:
    flights, work = SingleFlight[str, int](), Work()
    first, second = flights.run("a", work.run), flights.run("a", work.run)
    first.cancel()
    work.finish.set()

    assert await second == 1


async def test_a_failure_reaches_all_who_wait_and_is_not_kept() -> None:
    flights = SingleFlight[str, int]()

    async def fail() -> int:
        raise ConnectionError

    async def succeed() -> int:
        return 1

    outcomes = await asyncio.gather(*(flights.run("a", fail) for _ in range(2)), return_exceptions=True)
    assert [type(each) for each in outcomes] == [ConnectionError] * 2
    assert await flights.run("a", succeed) == 1


async def test_what_was_begun_before_a_write_is_not_joined_after_it() -> None:
    flights, work = SingleFlight[str, int](), Work()
    before = flights.run("a", work.run)
    flights.clear()
    after = flights.run("a", work.run)
    work.finish.set()

    assert await asyncio.gather(before, after) == [1, 2]


async def test_work_that_is_cancelled_cancels_those_who_wait() -> None:
    flights = SingleFlight[str, int]()
    tasks: list[asyncio.Task[int] | None] = []

    async def be_cancelled() -> int:
        tasks.append(asyncio.current_task())
        await asyncio.Event().wait()
        return 0

    waiting = flights.run("a", be_cancelled)
    await asyncio.sleep(0)
    assert tasks[0] is not None
    tasks[0].cancel()

    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_an_outcome_goes_with_the_last_who_holds_it() -> None:
    flights = SingleFlight[str, Value]()

    async def make() -> Value:
        return Value()

    gc.collect()
    gc.disable()
    try:
        value = weakref.ref(await flights.run("a", make))
        await asyncio.sleep(0)
        assert value() is None
    finally:
        gc.enable()
