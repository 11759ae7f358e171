"""Random subscriptions: the mutation roots of random graphs are made subscription roots, and each field tells one event.

Run by `tests/conformance/test_random_subscriptions.py` for some hundreds, and for many by
`python -m tests.testkit.random_subscriptions --operations 5000`.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from graphql import FieldNode, GraphQLSchema, OperationDefinitionNode, SelectionSetNode, parse, validate

from router.pipeline import prepare, subscribe
from router.prepared_request import OperationRequest, Runtime
from router.transport.protocol import SubgraphRequest
from tests.testkit.differences import Difference, agree, answer_or_crash, is_too_large, make_trial
from tests.testkit.federated_graph import CompositionFailedError, FederatedGraph
from tests.testkit.long_run import LongRun
from tests.testkit.monolith import Monolith
from tests.testkit.random_model import ACTIVE_LABELS
from tests.testkit.random_operation import RandomOperation, random_operation
from tests.testkit.random_sdl import print_subgraphs
from tests.testkit.shrink import tidied
from tests.testkit.stub_transport import StubTransport
from tests.testkit.subgraph_stub import SubgraphStub
from tests.testkit.world import JsonObject


@dataclass(frozen=True, slots=True)
class OneEvent:
    """A `SubscriptionSource` whose streams tell one event, and end."""

    stubs: Mapping[str, SubgraphStub]

    async def open(self, request: SubgraphRequest) -> AsyncIterator[dict[str, Any]]:
        response = await self.stubs[request.subgraph].answer(request.body)
        yield json.loads(response.body)


async def differences_of(seed: int, operations: int) -> AsyncIterator[Difference | None]:
    """For each random subscription over the seed's graph: None, or how its event differs from the monolith's answer."""
    trial = make_trial(seed)
    if trial is None or "Mutation" not in trial.supergraph.types or trial.supergraph.types["Mutation"].is_hidden:
        return
    sdls = {name: _with_subscriptions(sdl) for name, sdl in print_subgraphs(trial.supergraph).items()}
    world = replace(trial.world, roots={**trial.world.roots, "Subscription": trial.world.roots["Mutation"]})
    try:
        graph = FederatedGraph.compose(sdls, world)
    except CompositionFailedError:
        return  # what `differences` is about
    for operation in _subscriptions(graph.graph.api_schema, seed, operations):
        expected = Monolith(graph.graph.api_schema, world).answer(operation.text, operation.variables)
        received = await answer_or_crash(_event(graph, operation))
        is_same = is_too_large(received) or agree(expected, received)
        yield None if is_same else Difference(trial, operation, expected, received)


def _with_subscriptions(sdl: str) -> str:
    lines = [line for line in sdl.splitlines() if not line.strip().startswith("again:")]
    text = "\n".join(lines).replace("type Mutation", "type Subscription")
    return text.replace("extend type Subscription {\n}", "").replace("type Subscription {\n}", "")


def _subscriptions(schema: GraphQLSchema, seed: int, count: int) -> Iterator[RandomOperation]:
    """Of random operations on the subscription root the first field each, where that alone is valid."""
    as_query = GraphQLSchema(query=schema.subscription_type, types=tuple(schema.type_map.values()))
    for index in range(count):
        drawn = random_operation(as_query, Random(f"{seed}/{index}"))
        document = parse(drawn.text.replace("query", "subscription", 1), no_location=True)
        (definition,) = (each for each in document.definitions if isinstance(each, OperationDefinitionNode))
        fields = [each for each in definition.selection_set.selections if isinstance(each, FieldNode)]
        fields = [each for each in fields if not each.name.value.startswith("__")]
        if not fields:
            continue
        one = replace(fields[0], directives=())
        single = replace(definition, selection_set=SelectionSetNode(selections=(one,)))
        others = tuple(each for each in document.definitions if each is not definition)
        operation = tidied(replace(document, definitions=(single, *others)), drawn.variables)
        if not validate(schema, parse(operation.text)):
            yield operation


async def _event(graph: FederatedGraph, operation: RandomOperation) -> JsonObject:
    runtime = Runtime(
        StubTransport(graph.stubs),
        OneEvent(graph.stubs),
        choose_labels=lambda known, _: ACTIVE_LABELS & known,
    )
    request = OperationRequest(operation.text, operation.variables)
    events = [json.loads(each) async for each in await subscribe(await prepare(request, graph.graph, runtime))]
    return events[0] if len(events) == 1 else {"data": "EVENTS", "errors": [{"message": str(events)}]}


if __name__ == "__main__":
    LongRun("operations", "differences", differences_of, default=5_000, per_graph=8).main(__doc__)
