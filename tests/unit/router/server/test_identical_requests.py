"""Equal requests under way run once; writes, leavers and failures never hand anybody a wrong answer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from router.server.identical_requests import AT_ONCE, IdenticalRequests


class Work:
    """Runs that wait for `finish`, counted."""

    def __init__(self) -> None:
        self.runs = 0
        self.finish = asyncio.Event()

    def numbered(self) -> Callable[[], Awaitable[str]]:
        async def run() -> str:
            self.runs += 1
            number = self.runs
            await self.finish.wait()
            return f"answer {number}"

        return run


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_equal_requests_under_way_run_once_and_later_ones_run_again() -> None:
    identical, work = IdenticalRequests[str](), Work()
    tasks = [asyncio.create_task(identical.respond(key, work.numbered())) for key in ("a", "a", "b", "a")]
    await settle()
    work.finish.set()

    assert await asyncio.gather(*tasks) == ["answer 1", "answer 1", "answer 2", "answer 1"]
    assert await identical.respond("a", work.numbered()) == "answer 3"


async def test_whoever_asks_after_a_write_does_not_get_an_answer_begun_before_it() -> None:
    identical, work = IdenticalRequests[str](), Work()
    before = [asyncio.create_task(identical.respond("a", work.numbered())) for _ in range(2)]
    await settle()
    identical.forget()
    after = [asyncio.create_task(identical.respond("a", work.numbered())) for _ in range(2)]
    await settle()
    work.finish.set()

    assert await asyncio.gather(*before) == ["answer 1", "answer 1"]
    assert await asyncio.gather(*after) == ["answer 2", "answer 2"]


async def test_a_request_that_comes_while_the_answers_of_a_slow_run_are_handed_out_begins_the_next_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    identical, work, answered = IdenticalRequests[str](), Work(), list[str]()
    began_after: list[int] = []
    monkeypatch.setattr("router.server.identical_requests.ANSWERING_SECONDS", 0.0)  # any run is slow then

    async def client() -> None:
        answered.append(await identical.respond("a", work.numbered()))

    async def next_client() -> None:
        while len(answered) < AT_ONCE:
            await asyncio.sleep(0)
        began_after.append(len(answered))
        work.finish.clear()
        await client()

    tasks = [asyncio.create_task(client()) for _ in range(10 * AT_ONCE)]
    await settle()
    tasks.append(asyncio.create_task(next_client()))
    work.finish.set()
    await asyncio.wait_for(asyncio.gather(*tasks[:-1]), 60)

    assert began_after[0] < 10 * AT_ONCE
    assert answered == ["answer 1"] * (10 * AT_ONCE)
    work.finish.set()
    await asyncio.wait_for(tasks[-1], 60)
    assert answered[-1] == "answer 2"


async def test_who_leaves_before_the_turn_comes_takes_the_answer_from_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    identical, work = IdenticalRequests[str](), Work()
    monkeypatch.setattr("router.server.identical_requests.ANSWERING_SECONDS", 0.0)
    tasks = [asyncio.create_task(identical.respond("a", work.numbered())) for _ in range(10 * AT_ONCE)]
    await settle()
    work.finish.set()
    await tasks[0]
    tasks[-1].cancel()

    assert await asyncio.wait_for(asyncio.gather(*tasks[:-1]), 60) == ["answer 1"] * (10 * AT_ONCE - 1)
    assert tasks[-1].cancelled()


async def test_when_the_one_who_runs_it_leaves_one_of_the_others_runs_it() -> None:
    identical, work = IdenticalRequests[str](), Work()
    leader, follower, *others = [asyncio.create_task(identical.respond("a", work.numbered())) for _ in range(4)]
    await settle()
    leader.cancel()
    follower.cancel()
    await settle()
    work.finish.set()

    assert await asyncio.gather(*others) == ["answer 2", "answer 2"]
    assert leader.cancelled()
    assert follower.cancelled()


async def test_a_failure_stays_with_the_one_it_happened_to() -> None:
    identical, work = IdenticalRequests[str](), Work()

    async def fail() -> str:
        await asyncio.sleep(0)
        raise ConnectionError

    failing = asyncio.create_task(identical.respond("a", fail))
    await asyncio.sleep(0)
    waiting = asyncio.create_task(identical.respond("a", work.numbered()))
    work.finish.set()

    with pytest.raises(ConnectionError):
        await failing
    assert await waiting == "answer 1"
