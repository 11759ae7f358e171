"""Makes a difference small: selections, then fields and types are removed while the answers still differ."""

from __future__ import annotations

import copy
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from typing import Any, TypeVar

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    parse,
    print_ast,
    validate,
)

from tests.testkit.differences import Difference, Trial, difference
from tests.testkit.federated_graph import FederatedGraph
from tests.testkit.random_model import RandomSupergraph
from tests.testkit.random_operation import RandomOperation

MAX_ATTEMPTS = 1_500
Found = TypeVar("Found")


async def shrink(found: Difference) -> Difference:
    """The smallest difference reached; a failed composition is given back as it is."""
    if found.operation is None:
        return found
    found = await _shrink_operation(found)
    found = await _shrink_supergraph(found)
    return await _shrink_operation(found)


async def _shrink_operation(found: Difference) -> Difference:
    graph = found.trial.compose()
    assert found.operation is not None
    schema = graph.graph.api_schema
    return await smallest(found, found.operation, schema, lambda smaller: difference(found.trial, graph, smaller))


async def smallest(
    found: Found,
    operation: RandomOperation,
    schema: GraphQLSchema,
    ask: Callable[[RandomOperation], Awaitable[Found | None]],
    max_attempts: int = MAX_ATTEMPTS,
) -> Found:
    """What `ask` finds with the smallest operation of which it still finds something."""
    attempts, progress = 0, True
    while progress and attempts < max_attempts:
        progress = False
        for smaller in _smaller_operations(operation):
            attempts += 1
            if validate(schema, parse(smaller.text)):
                continue
            still = await ask(smaller)
            if still is not None:
                found, operation, progress = still, smaller, True
                break
    return found


def _smaller_operations(operation: RandomOperation) -> Iterator[RandomOperation]:
    document = parse(operation.text, no_location=True)
    for smaller in _smaller_documents(document):
        yield tidied(smaller, operation.variables)


def tidied(document: DocumentNode, variables: dict[str, Any]) -> RandomOperation:
    """The operation without fragments that are not spread, and without variables that are not used."""
    cleaned = _without_unused(document)
    used = {v.variable.name.value for d in cleaned.definitions for v in getattr(d, "variable_definitions", None) or ()}
    return RandomOperation(print_ast(cleaned), {n: v for n, v in variables.items() if n in used})


def _smaller_documents(document: DocumentNode) -> Iterator[DocumentNode]:
    for index, definition in enumerate(document.definitions):
        assert isinstance(definition, (OperationDefinitionNode, FragmentDefinitionNode))
        for selections in _smaller_sets(definition.selection_set):
            changed = replace(definition, selection_set=selections)
            yield DocumentNode(definitions=(*document.definitions[:index], changed, *document.definitions[index + 1 :]))


def _smaller_sets(selections: SelectionSetNode) -> Iterator[SelectionSetNode]:
    items = tuple(selections.selections)
    for index, item in enumerate(items):
        before, after = items[:index], items[index + 1 :]
        if len(items) > 1:
            yield SelectionSetNode(selections=(*before, *after))
        if isinstance(item, InlineFragmentNode):
            yield SelectionSetNode(selections=(*before, *item.selection_set.selections, *after))
        for plain in _plainer(item):
            yield SelectionSetNode(selections=(*before, plain, *after))
        if isinstance(item, (FieldNode, InlineFragmentNode)) and item.selection_set is not None:
            for smaller in _smaller_sets(item.selection_set):
                changed = replace(item, selection_set=smaller)
                yield SelectionSetNode(selections=(*before, changed, *after))


def _plainer(item: object) -> Iterator[FieldNode | InlineFragmentNode]:
    """The same selection without its directives, its arguments or its alias."""
    for part in ("directives", "arguments", "alias"):
        if isinstance(item, (FieldNode, InlineFragmentNode)) and getattr(item, part, None):
            changes: dict[str, Any] = {part: None if part == "alias" else ()}
            yield replace(item, **changes)


def _without_unused(document: DocumentNode) -> DocumentNode:
    """Without fragments that are not spread and variables that are not used."""
    definitions = list(document.definitions)
    while True:
        text = " ".join(print_ast(d) for d in definitions)
        unused = [
            d
            for d in definitions
            if isinstance(d, FragmentDefinitionNode) and f"...{d.name.value} " not in _spaced(text)
        ]
        if not unused:
            break
        definitions = [d for d in definitions if d not in unused]
    kept: list[Any] = []
    for definition in definitions:
        if isinstance(definition, OperationDefinitionNode) and definition.variable_definitions:
            names = definition.variable_definitions
            used = tuple(v for v in names if _spaced(text).count(f"${v.variable.name.value} ") > 1)
            kept.append(replace(definition, variable_definitions=used))
        else:
            kept.append(definition)
    return DocumentNode(definitions=tuple(kept))


def _spaced(text: str) -> str:
    for mark in ":),]}\n":
        text = text.replace(mark, f" {mark}")
    return text + " "


async def _shrink_supergraph(found: Difference) -> Difference:
    attempts, progress = 0, True
    while progress and attempts < MAX_ATTEMPTS:
        progress = False
        for smaller in _smaller_supergraphs(found.trial.supergraph):
            attempts += 1
            still = await _still_differs(found, replace(found.trial, supergraph=smaller))
            if still is not None:
                found, progress = still, True
                break
    return found


async def _still_differs(found: Difference, trial: Trial) -> Difference | None:
    assert found.operation is not None
    try:
        graph: FederatedGraph = trial.compose()
        if validate(graph.graph.api_schema, parse(found.operation.text)):
            return None
        return await difference(trial, graph, found.operation)
    except Exception:  # this graph is no longer a graph
        return None


def _smaller_supergraphs(supergraph: RandomSupergraph) -> Iterator[RandomSupergraph]:
    for type_name, kind in supergraph.types.items():
        if kind.kind != "root":
            smaller = copy.deepcopy(supergraph)
            del smaller.types[type_name]
            yield smaller
    for type_name, kind in supergraph.types.items():
        for subgraph in kind.placements:
            smaller = copy.deepcopy(supergraph)
            del smaller.types[type_name].placements[subgraph]
            yield smaller
        for name in kind.fields:
            smaller = copy.deepcopy(supergraph)
            del smaller.types[type_name].fields[name]
            yield smaller
    if len(supergraph.subgraphs) > 1:
        for subgraph in supergraph.subgraphs:
            yield replace(supergraph, subgraphs=[s for s in supergraph.subgraphs if s != subgraph])
