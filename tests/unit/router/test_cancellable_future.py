"""A future that is cancelled tells so at once, and only then."""

from __future__ import annotations

import asyncio

from router.cancellable_future import CancellableFuture


async def test_who_is_to_be_told_is_told_within_the_call_that_cancels_it_and_once() -> None:
    told: list[str] = []
    future = CancellableFuture[int](lambda: told.append("left"))

    assert future.cancel()
    assert told == ["left"]
    assert not future.cancel()
    assert told == ["left"]


async def test_a_future_with_a_result_or_without_anybody_to_tell_tells_nobody() -> None:
    told: list[str] = []
    landed = CancellableFuture[int](lambda: told.append("left"))
    landed.set_result(1)

    assert not landed.cancel()
    assert CancellableFuture[int]().cancel()
    assert told == []


async def test_a_task_that_is_cancelled_cancels_what_it_waits_for() -> None:
    told: list[str] = []
    future = CancellableFuture[int](lambda: told.append("left"))

    async def wait() -> int:
        return await future

    task = asyncio.create_task(wait())
    await asyncio.sleep(0)
    task.cancel()
    assert told == ["left"]
    await asyncio.wait([task])
    assert task.cancelled()
