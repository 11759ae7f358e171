"""A background loop goes on after whatever happens within it, and ends when somebody cancels it."""

import asyncio

import pytest

from events.consumer import _try_to_close
from events.supervision import Loops


async def cancelled_within() -> None:
    """As aiokafka's fetcher closes: cancels a task of its own and waits for it."""
    task = asyncio.create_task(asyncio.sleep(60))
    await asyncio.sleep(0)
    task.cancel()
    await task


async def test_a_cancellation_that_was_not_its_own_does_not_end_a_loop() -> None:
    loop = Loops().add("consumer")
    sessions = 0
    goes_on = asyncio.Event()

    async def session() -> None:
        nonlocal sessions
        sessions += 1
        if sessions == 1:
            await cancelled_within()
        loop.progress()
        goes_on.set()
        await asyncio.sleep(60)

    task = asyncio.create_task(loop.run(session))
    async with asyncio.timeout(60):
        await goes_on.wait()
    assert (loop.restarts, loop.is_well) == (1, True)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_loop_that_is_cancelled_ends_though_its_session_says_otherwise() -> None:
    loop = Loops().add("consumer")
    is_running = asyncio.Event()

    async def session() -> None:
        try:
            is_running.set()
            await asyncio.sleep(60)
        finally:
            await cancelled_within()

    task = asyncio.create_task(loop.run(session))
    await is_running.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert loop.restarts == 0


async def test_closing_a_client_lets_no_cancellation_or_failure_out() -> None:
    async def fails() -> None:
        raise OSError("gone")

    for closing in (cancelled_within(), fails()):
        await _try_to_close(closing)
