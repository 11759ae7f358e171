"""The subgraphs' answers within one request that is answered in pieces: what two parts ask in the same words is sent
once.
"""

from __future__ import annotations

import asyncio

from router.transport.pending_answer import look_at_error
from router.transport.protocol import Headers, SubgraphAnswer, SubgraphRequest, SubgraphTransport


class AnswersOfRequest:
    """Sends what the parts of one client's request ask in the same words once, mutations included, and keeps the answers
    until the request is over: a part that asks later sees the same data.
    """

    def __init__(self, transport: SubgraphTransport) -> None:
        self._transport = transport
        self._asked: dict[tuple[str, bytes, Headers], asyncio.Future[SubgraphAnswer]] = {}

    def send(self, request: SubgraphRequest) -> asyncio.Future[SubgraphAnswer]:
        key = (request.subgraph, request.body, request.headers)
        answer = self._asked.get(key)
        if answer is None:
            answer = self._asked[key] = self._transport.send(request)
        own = asyncio.shield(answer)  # one part may be given up while another waits
        own.add_done_callback(look_at_error)
        return own

    def cancel(self) -> None:
        """Stops what is under way: nobody waits for it any more."""
        for answer in self._asked.values():
            answer.cancel()
