"""An event of several clients: completed once for each audience, and never changed."""

from __future__ import annotations

import asyncio
from typing import Any

from router.errors import SubgraphMalformedError
from router.transport.shared_event import TOLD_AT_ONCE, SharedEvent
from tests.testkit.loop_turns import measured_each_turn


class Completing:
    """Makes a body of a payload when it is let, and counts how often it is asked to."""

    def __init__(self) -> None:
        self.times = 0
        self.may_end = asyncio.Event()

    async def __call__(self, payload: dict[str, Any]) -> bytes:
        self.times += 1
        await self.may_end.wait()
        number = payload["data"]["n"]
        payload["data"]["n"] = "spoilt"  # as a merge may
        return b"body %d of event %d" % (self.times, number)


def event() -> SharedEvent:
    return SharedEvent({"data": {"n": 7}})


async def test_clients_of_one_audience_get_one_body_and_the_event_stays_as_it_is() -> None:
    shared, complete = event(), Completing()
    waiting = [asyncio.ensure_future(shared.body("all", complete)) for _ in range(3)]
    await asyncio.sleep(0)
    complete.may_end.set()

    assert await asyncio.gather(*waiting) == [b"body 1 of event 7"] * 3
    assert await shared.body("all", complete) == b"body 1 of event 7"  # one who was slow
    assert await shared.body("others", complete) == b"body 2 of event 7"
    assert shared == {"data": {"n": 7}}


async def test_the_first_client_that_leaves_takes_the_body_from_nobody() -> None:
    shared, complete = event(), Completing()
    first, second = (asyncio.ensure_future(shared.body("all", complete)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    complete.may_end.set()

    assert await second == b"body 1 of event 7"
    assert complete.times == 1


async def test_what_cannot_be_completed_is_told_to_all_who_wait() -> None:
    shared = event()

    async def fail(_: dict[str, Any]) -> bytes:
        raise SubgraphMalformedError("no object", "live")

    outcomes = await asyncio.gather(*(shared.body("all", fail) for _ in range(3)), return_exceptions=True)

    assert [str(each) for each in outcomes] == ["no object"] * 3


async def test_a_body_is_told_to_a_few_in_each_turn_of_the_loop() -> None:
    shared, complete = event(), Completing()
    told = 0

    async def listen() -> None:
        nonlocal told
        await shared.body("all", complete)
        told += 1

    waiting = [asyncio.ensure_future(listen()) for _ in range(200)]
    await asyncio.sleep(0)
    with measured_each_turn(lambda: told) as turns:
        complete.may_end.set()
        await asyncio.gather(*waiting)

    assert 0 < turns.most <= TOLD_AT_ONCE
