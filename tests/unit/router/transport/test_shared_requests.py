"""Equal queries under way are one request, but not where the answer's headers are for one asker."""

from __future__ import annotations

import asyncio

import pytest

from router.errors import SubgraphHttpError
from router.settings import Retry
from router.transport.deadlines import ending_at, operation_ends_at
from router.transport.pending_answer import CancellableAnswer
from router.transport.protocol import SubgraphAnswer, SubgraphRequest
from router.transport.retries import Retries
from router.transport.shared_requests import SharedRequests

QUERY = SubgraphRequest("a", "http://a", b"{}")


class Waiting:
    """A transport whose answers come when they are told to."""

    def __init__(self) -> None:
        self.sent: list[asyncio.Future[SubgraphAnswer]] = []

    def send(self, _: SubgraphRequest) -> asyncio.Future[SubgraphAnswer]:
        future: asyncio.Future[SubgraphAnswer] = asyncio.get_running_loop().create_future()
        self.sent.append(future)
        return future


async def test_equal_queries_under_way_are_one_request() -> None:
    transport = Waiting()
    shared = SharedRequests(transport)
    asked = [shared.send(QUERY) for _ in range(3)]
    transport.sent[0].set_result(SubgraphAnswer(200, b"1"))

    answers = await asyncio.gather(*asked)
    assert [answer.body for answer in answers] == [b"1"] * 3
    assert answers[0].readings == {}  # what one reads of it, the others need not read
    assert len(transport.sent) == 1


async def test_of_an_answer_for_one_nothing_is_kept() -> None:
    transport = Waiting()
    asked = SharedRequests(transport).send(QUERY)
    transport.sent[0].set_result(SubgraphAnswer(200, b"1"))
    assert (await asked).readings is None


async def test_where_headers_are_for_one_asker_each_gets_an_answer_of_its_own() -> None:
    transport = Waiting()
    shared = SharedRequests(transport, is_for_one=lambda name: name == "a")
    asked = [shared.send(QUERY) for _ in range(2)]
    for number, sent in enumerate(transport.sent):
        sent.set_result(SubgraphAnswer(200, str(number).encode()))

    assert [answer.body for answer in await asyncio.gather(*asked)] == [b"0", b"1"]


async def test_the_request_ends_when_the_last_asker_has_left() -> None:
    transport = Waiting()
    shared = SharedRequests(transport)
    first, second = shared.send(QUERY), shared.send(QUERY)
    first.cancel()
    assert not transport.sent[0].cancelled()
    second.cancel()
    assert transport.sent[0].cancelled()

    again = shared.send(QUERY)
    assert len(transport.sent) == 2
    transport.sent[1].cancel()
    with pytest.raises(SubgraphHttpError):
        await again


async def test_who_asks_after_a_write_does_not_get_what_was_begun_before_it() -> None:
    transport = Waiting()
    shared = SharedRequests(transport)
    before = shared.send(QUERY)
    written = shared.send(SubgraphRequest("a", "http://a", b"{}", is_query=False))
    transport.sent[1].set_result(SubgraphAnswer(200, b"written"))
    await written
    await asyncio.sleep(0)
    after = shared.send(QUERY)
    transport.sent[0].set_result(SubgraphAnswer(200, b"old"))
    transport.sent[2].set_result(SubgraphAnswer(200, b"new"))

    assert [(await each).body for each in (before, after)] == [b"old", b"new"]


async def test_an_asker_with_time_does_not_join_a_request_that_was_told_of_little() -> None:
    transport, now = Waiting(), asyncio.get_running_loop().time()
    shared = SharedRequests(transport, seconds_of=lambda _: 15)
    with ending_at(now + 4):
        late = shared.send(QUERY)
        assert len(transport.sent) == 1
    with ending_at(now + 30):
        asked = [shared.send(QUERY), shared.send(QUERY)]
    with ending_at(now + 4.5):  # loses half a second at most of one that was told of more
        asked.append(shared.send(QUERY))
    assert len(transport.sent) == 2
    transport.sent[0].set_result(SubgraphAnswer(504, b"late"))
    transport.sent[1].set_result(SubgraphAnswer(200, b"whole"))
    assert (await late).body == b"late"
    assert [answer.body for answer in await asyncio.gather(*asked)] == [b"whole"] * 3


async def test_a_request_that_has_all_the_time_of_an_attempt_is_joined_by_later_askers() -> None:
    transport, now = Waiting(), asyncio.get_running_loop().time()
    shared = SharedRequests(transport, seconds_of=lambda _: 15)
    for seconds in (20, 25, 30):
        with ending_at(now + seconds):
            shared.send(QUERY)
    shared.send(QUERY)  # of a subscription's event, which has no end
    assert len(transport.sent) == 1


async def test_another_attempt_has_what_is_left_of_its_own_operations_time() -> None:
    class Told:
        """Answers as the HTTP client does, and notes until when each attempt may take."""

        def __init__(self) -> None:
            self.sent: list[CancellableAnswer] = []
            self.ends: list[float] = []

        def send(self, _: SubgraphRequest) -> asyncio.Future[SubgraphAnswer]:
            self.sent.append(CancellableAnswer())
            self.ends.append(operation_ends_at())
            return self.sent[-1]

    transport, now = Told(), asyncio.get_running_loop().time()
    shared = SharedRequests(transport, Retries(lambda _: Retry(pause_seconds=0)))
    with ending_at(now + 40):
        asked = shared.send(QUERY)
    with ending_at(now - 100):  # where the answer is read: for the request that opened the connection
        transport.sent[0].set_exception(SubgraphHttpError("It failed in passing.", "a"))
    while len(transport.sent) < 2:
        await asyncio.sleep(0.001)
    assert transport.ends == [now + 40, now + 40]
    transport.sent[1].set_result(SubgraphAnswer(200, b"1"))
    assert (await asked).body == b"1"
