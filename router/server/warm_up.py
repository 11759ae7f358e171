"""Plans operations on a graph before it serves: after a reload nobody pays for the first request of what everybody asks.

`server.app` gives `WarmUp.warm` to the graph file, which waits for it before it swaps a graph in.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import structlog
from graphql import GraphQLError, OperationDefinitionNode, parse

from router.access.persisted_documents import DocumentStore
from router.errors import RequestError
from router.loaded_graph import LoadedGraph
from router.settings import WarmUp as WarmUpSettings
from router.telemetry import WARMED_OPERATIONS

log = structlog.get_logger(__name__)


class WarmUp:
    """Trusted documents, and what ran last on the graph before."""

    def __init__(self, settings: WarmUpSettings, documents: DocumentStore) -> None:
        self._settings = settings
        self._documents = documents

    async def warm(self, graph: LoadedGraph, previous: LoadedGraph | None) -> None:
        """Plans at most as many operations as the settings say, for as long as they say."""
        limit = self._settings.operations
        recent = list(reversed(previous.known_operations()))[:limit] if previous is not None else []
        named = dict.fromkeys(recent)
        if len(named) < limit:
            for text in await self._documents.trusted(limit - len(named)):
                named.update(dict.fromkeys((text, name) for name in _operations_in(text)))
        planned = 0
        try:
            async with asyncio.timeout(self._settings.seconds):
                for text, name in list(named)[:limit]:
                    planned += await self._plan(graph, text, name)
                    await asyncio.sleep(0)  # requests to the graph that still serves come first
        except TimeoutError:
            log.warning("warm_up_out_of_time", planned=planned, left=min(len(named), limit) - planned)
        log.info("graph_warmed_up", operations=planned)

    async def _plan(self, graph: LoadedGraph, text: str, name: str | None) -> bool:
        """Whether the graph can run it: what it no longer has is nobody's fault."""
        try:
            prepared = await graph.prepare(text, name)
            await graph.plan(prepared, prepared.plannable)
        except RequestError:
            WARMED_OPERATIONS.labels("refused").inc()
            return False
        WARMED_OPERATIONS.labels("planned").inc()
        return True


def _operations_in(text: str) -> Iterator[str | None]:
    """As clients name them: not at all where there is only one, which some do and some do not."""
    try:
        definitions = parse(text, no_location=True).definitions
    except GraphQLError:
        return
    names = [
        each.name.value if each.name else None for each in definitions if isinstance(each, OperationDefinitionNode)
    ]
    yield from names
    if len(names) == 1 and names[0] is not None:
        yield None
