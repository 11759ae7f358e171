"""An answer that lands, fails or is cancelled tells whoever asked, in the call in which it does."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from router.errors import SubgraphHttpError
from router.transport.pending_answer import CancellableAnswer, when_landed
from router.transport.protocol import SubgraphAnswer


@pytest.mark.parametrize("how", ["result", "failure", "cancellation"])
async def test_who_wants_to_know_is_told_at_once_when_an_answer_has_landed(how: str) -> None:
    answer, told = CancellableAnswer(), list[tuple[str, bool]]()
    answer.on_cancel = lambda: told.append(("nobody waits", answer.done()))
    when_landed(answer, lambda landed: told.append(("first", landed is answer)))
    when_landed(answer, lambda landed: told.append(("second", landed.done())))
    match how:
        case "result":
            answer.set_result(SubgraphAnswer(200, b"{}"))
        case "failure":
            answer.set_exception(SubgraphHttpError("It failed.", "a"))
            assert answer.exception() is not None
        case _:
            assert answer.cancel()
            assert not answer.cancel()
    expected = [("first", True), ("second", True)]
    assert told == ([("nobody waits", True), *expected] if how == "cancellation" else expected)

    when_landed(answer, lambda _: told.append(("late", True)))
    await asyncio.sleep(0)
    assert told[-1] == ("late", True)


async def test_any_other_future_tells_in_a_later_turn_of_the_loop() -> None:
    answer: asyncio.Future[SubgraphAnswer] = asyncio.get_running_loop().create_future()
    told: list[asyncio.Future[SubgraphAnswer]] = []
    when_landed(answer, told.append)
    answer.set_result(SubgraphAnswer(200, b"{}"))
    await asyncio.sleep(0)
    assert told == [answer]


async def test_one_who_fails_when_told_keeps_nobody_else_from_being_told() -> None:
    answer, told, failures = CancellableAnswer(), list[str](), list[dict[str, Any]]()
    loop = asyncio.get_running_loop()
    before = loop.get_exception_handler()
    loop.set_exception_handler(lambda _loop, failure: failures.append(failure))
    try:
        when_landed(answer, lambda _: told.remove("nobody"))
        when_landed(answer, lambda _: told.append("second"))
        answer.set_result(SubgraphAnswer(200, b"{}"))
    finally:
        loop.set_exception_handler(before)
    assert told == ["second"]
    assert [type(each["exception"]) for each in failures] == [ValueError]
    assert (await answer).body == b"{}"
