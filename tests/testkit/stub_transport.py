"""Reaches stub subgraphs in this process: the router's `SubgraphTransport` over `SubgraphStub`s."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from router.errors import SubgraphHttpError, SubgraphTimeoutError
from router.transport.protocol import SubgraphAnswer, SubgraphRequest
from tests.testkit.subgraph_stub import SubgraphStub


@dataclass(frozen=True, slots=True)
class StubTransport:
    stubs: Mapping[str, SubgraphStub]
    timeout_seconds: float = 5.0

    def send(self, request: SubgraphRequest) -> asyncio.Future[SubgraphAnswer]:
        return asyncio.ensure_future(self._answer(request))

    async def _answer(self, request: SubgraphRequest) -> SubgraphAnswer:
        try:
            async with asyncio.timeout(self.timeout_seconds):
                response = await self.stubs[request.subgraph].answer(request.body)
        except TimeoutError:
            raise SubgraphTimeoutError("The subgraph did not answer in time.", request.subgraph) from None
        except ConnectionError as error:
            raise SubgraphHttpError("The subgraph failed.", request.subgraph, detail=repr(error)) from error
        return SubgraphAnswer(response.status, response.body, response.content_type)
