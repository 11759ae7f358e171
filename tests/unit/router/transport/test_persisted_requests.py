"""Queries by hash: what is told of the instances that were asked."""

from __future__ import annotations

import asyncio

from router.transport.pending_answer import CancellableAnswer, again
from router.transport.persisted_requests import PersistedRequests
from router.transport.protocol import SubgraphAnswer, SubgraphRequest

QUERY = SubgraphRequest("shop", "http://shop", b'{"query":"{a}","variables":{}}')


class Instances:
    """Answers each request by another instance, with what is in store."""

    def __init__(self, *answers: SubgraphAnswer | None) -> None:
        self._answers = list(answers)
        self.sent: list[CancellableAnswer] = []

    def send(self, _request: SubgraphRequest) -> asyncio.Future[SubgraphAnswer]:
        answer = CancellableAnswer()
        answer.asked = (f"http://{len(self.sent)}",)
        given = self._answers[len(self.sent)]
        if given is not None:
            answer.set_result(given)
        self.sent.append(answer)
        return answer


async def test_a_retry_knows_which_instances_were_asked() -> None:
    unknown = SubgraphAnswer(200, b'{"errors":[{"message":"PersistedQueryNotFound"}]}')
    instances = Instances(unknown, SubgraphAnswer(503, b""))
    answer = PersistedRequests(instances, lambda _: "post").send(QUERY)

    assert (await answer).status == 503
    assert again(QUERY, answer).avoided == ("http://0", "http://1")


async def test_who_waits_no_more_ends_the_request() -> None:
    instances = Instances(None)
    answer = PersistedRequests(instances, lambda _: "post").send(QUERY)
    while not instances.sent:
        await asyncio.sleep(0)
    answer.cancel()
    async with asyncio.timeout(60):
        while not instances.sent[0].cancelled():
            await asyncio.sleep(0)
