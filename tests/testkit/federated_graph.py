"""Our composition, planner and executor over stub subgraphs, in this process.

Used by the conformance runner and the property test.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from router.access.caller import ANONYMOUS, Caller
from router.entity_cache.cache import EntityCache
from router.loaded_graph import GraphOptions, LoadedGraph
from router.operation import DocumentLimits
from router.pipeline import Response, prepare, respond_in_pieces, run
from router.prepared_request import Authorize, OperationRequest, Runtime
from router.server.multipart import FormerIncrementalParts, IncrementalParts
from schema import SubgraphSource, compose
from tests.testkit.failure_modes import FailureMode
from tests.testkit.stub_transport import StubTransport
from tests.testkit.subgraph_schema import implementations_of
from tests.testkit.subgraph_stub import SubgraphStub
from tests.testkit.world import JsonObject, World

#: Random operations are larger than any client's.
WIDE_LIMITS = DocumentLimits(
    tokens=200_000, depth=500, aliases=100_000, fields=200_000, root_fields=10_000, directives=100_000, repeats=10_000
)


class CompositionFailedError(Exception):
    """`codes` are the composition error codes, in order."""

    def __init__(self, errors: Iterable[Any]) -> None:
        errors = list(errors)
        super().__init__("\n".join(f"[{error.code}] {error.message}" for error in errors))
        self.codes = [error.code for error in errors]


@dataclass(frozen=True, slots=True)
class FederatedGraph:
    graph: LoadedGraph
    stubs: Mapping[str, SubgraphStub]
    supergraph_sdl: str

    @classmethod
    def compose(cls, sdls: Mapping[str, str], world: World) -> FederatedGraph:
        """Raises CompositionFailedError."""
        sources = [SubgraphSource(name, sdl, url=f"http://{name}") for name, sdl in sdls.items()]
        result = compose(sources)
        if result.supergraph_sdl is None:
            raise CompositionFailedError(result.errors)
        return cls.from_supergraph(result.supergraph_sdl, sdls, world)

    @classmethod
    def from_supergraph(cls, supergraph_sdl: str, sdls: Mapping[str, str], world: World) -> FederatedGraph:
        stubs = {name: SubgraphStub(name, sdl, world) for name, sdl in sdls.items()}
        graph = LoadedGraph.from_sdl(supergraph_sdl, GraphOptions(limits=WIDE_LIMITS, planning_timeout_seconds=120))
        return cls(graph, stubs, supergraph_sdl)

    async def answer(
        self,
        operation: str,
        variables: Mapping[str, Any] | None = None,
        *,
        failures: Mapping[str, FailureMode] | None = None,
        override_labels: frozenset[str] = frozenset(),
        authorize: Authorize | None = None,
        entity_cache: EntityCache | None = None,
        caller: Caller = ANONYMOUS,
        timeout_seconds: float = 5.0,
    ) -> JsonObject:
        """The response to one operation; the stubs' request records then hold this operation's requests only."""
        runtime = replace(
            self._runtime(failures, override_labels, timeout_seconds, authorize), entity_cache=entity_cache
        )
        response = await run(OperationRequest(operation, variables, caller=caller), self.graph, runtime)
        answered: JsonObject = json.loads(response.body)  # with all digits
        return answered

    @property
    def resolved(self) -> set[tuple[str, str]]:
        """(type, field) that subgraphs were asked for by the last operation."""
        return set().union(*(stub.resolved for stub in self.stubs.values()))

    async def payloads(
        self,
        operation: str,
        variables: Mapping[str, Any] | None = None,
        *,
        former: bool = False,
        failures: Mapping[str, FailureMode] | None = None,
        override_labels: frozenset[str] = frozenset(),
        authorize: Authorize | None = None,
    ) -> list[JsonObject]:
        """The answer in pieces, as they are written in the current or the `former` format; one without `hasNext` where
        it comes whole.
        """
        runtime = self._runtime(failures, override_labels, 5.0, authorize)
        request = OperationRequest(operation, variables, takes_pieces=True, repeats_fields=former)
        answered = await respond_in_pieces(await prepare(request, self.graph, runtime))
        if isinstance(answered, Response):
            return [json.loads(answered.body)]
        parts = FormerIncrementalParts() if former else IncrementalParts()
        return [_body_of(parts.part(body)) async for body in answered]

    def _runtime(
        self,
        failures: Mapping[str, FailureMode] | None,
        override_labels: frozenset[str],
        timeout_seconds: float,
        authorize: Authorize | None,
    ) -> Runtime:
        for name, stub in self.stubs.items():
            stub.failure = (failures or {}).get(name)
            stub.requests.clear()
            stub.resolved.clear()
            stub.entity_types.clear()
        return Runtime(
            StubTransport(self.stubs, timeout_seconds),
            authorize=authorize,
            choose_labels=lambda known, _: override_labels & known,
        )


def _body_of(part: bytes) -> JsonObject:
    """What stands between the part's headers and the boundary after it."""
    body = part.partition(b"\r\n\r\n")[2].rpartition(b"\r\n")[0]
    read: JsonObject = json.loads(body)
    return read


def world_of_sdls(data: str, sdls: Mapping[str, str]) -> World:
    """Facts for hand-written subgraphs: which types implement what is read from their SDLs."""
    return World.from_json(data, implementations_of(sdls.values()))
