"""A time limit ends what takes longer, and nothing else, for any number of blocks under one timer."""

from __future__ import annotations

import asyncio

import pytest

from router.server.time_limit import RESOLUTION_SECONDS, TimeLimit


async def never() -> None:
    await asyncio.Event().wait()


async def test_what_takes_longer_ends_with_a_time_out() -> None:
    limit = TimeLimit(0.01)
    with pytest.raises(TimeoutError), limit.running():
        await never()
    task = asyncio.current_task()
    assert task is not None
    assert not task.cancelling()


async def test_each_has_the_whole_time() -> None:
    limit = TimeLimit(0.05)
    now = asyncio.get_running_loop().time
    taken: list[float] = []

    async def run() -> None:
        began = now()
        try:
            with limit.running() as block:
                assert block.ends_at >= began + limit.seconds
                await never()
        except TimeoutError:
            taken.append(now() - began)

    runs = []
    for _ in range(5):
        runs.append(asyncio.create_task(run()))
        await asyncio.sleep(0.01)
    async with asyncio.timeout(60):
        await asyncio.gather(*runs)
    assert len(taken) == len(runs)
    assert min(taken) >= limit.seconds - 2 * RESOLUTION_SECONDS


async def test_what_ends_in_time_is_left_alone() -> None:
    limit = TimeLimit(0.01)
    for _ in range(3):
        with limit.running():
            await asyncio.sleep(0)
    await asyncio.sleep(0.05)  # the timer has nobody to end
    with limit.running():
        await asyncio.sleep(0)


async def test_a_cancellation_by_another_is_no_time_out() -> None:
    limit = TimeLimit(3_600)

    async def run() -> None:
        with limit.running():
            await never()

    task = asyncio.create_task(run())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_an_error_of_the_block_is_told_as_it_is() -> None:
    limit = TimeLimit(3_600)
    with pytest.raises(LookupError), limit.running():
        raise LookupError


def test_a_limit_serves_one_event_loop_after_another() -> None:
    limit = TimeLimit(0.01)

    async def run() -> None:
        with pytest.raises(TimeoutError), limit.running():
            await never()

    async def leave() -> None:
        with limit.running():
            await asyncio.sleep(0)

    asyncio.run(leave())
    asyncio.run(run())
