"""Turns the text of a query to a subgraph, or to a graph as a whole, into a function of its variables, once per text.

Used by `subgraph_server` and for the expected answers. With `remember`, a selection on one of the graph's fixed objects
is encoded once: the server must be faster than every gateway that is measured through it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    parse,
    print_ast,
    value_from_ast_untyped,
)

from benchmarks.served_graph import Fact, FieldFailure, Resolved, ServedGraph

Variables = Mapping[str, Any]
Projection = Callable[[Fact, Variables], Any]
ROOT: Fact = {"__typename": "Query"}


@dataclass(frozen=True, slots=True)
class CompiledQuery:
    """Answers with the data and the errors; `fails` says whether a selected leaf can be a FieldFailure."""

    project: Projection
    fails: bool

    def answer(self, variables: Variables) -> dict[str, Any]:
        """An answer as GraphQL over HTTP has it, without `errors` where there are none."""
        data = self.project(ROOT, variables)
        errors: list[dict[str, Any]] = []
        if self.fails:
            _take_failures(data, [], errors)
        return {"data": data, "errors": errors} if errors else {"data": data}


def compile_query(graph: ServedGraph, text: str, subgraph: str, *, remember: bool = False) -> CompiledQuery:
    """Raises KeyError for a field that the graph does not have, GraphQLSyntaxError for text that is no GraphQL."""
    document = parse(text)
    operation = next(node for node in document.definitions if isinstance(node, OperationDefinitionNode))
    only_representations = all("_Any" in print_ast(node.type) for node in operation.variable_definitions or ())
    remember = remember and only_representations
    compiler = _Compiler(graph, document, subgraph, remember)
    return CompiledQuery(compiler.selection_set("Query", operation.selection_set), compiler.fails)


def _take_failures(value: Any, path: list[str | int], errors: list[dict[str, Any]]) -> None:
    """Puts null in the place of each failure, and an error for it into `errors`."""
    entries: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        entries = list(value.items())
    elif isinstance(value, list):
        entries = list(enumerate(value))
    for key, entry in entries:
        if entry is FieldFailure:
            value[key] = None
            errors.append({"message": "it has none", "path": [*path, key]})
        elif isinstance(entry, dict | list):
            _take_failures(entry, [*path, key], errors)


class _Compiler:
    def __init__(self, graph: ServedGraph, document: DocumentNode, subgraph: str, remember: bool) -> None:
        self._graph, self._subgraph, self._remember = graph, subgraph, remember
        self.fails = False
        self._fragments = {n.name.value: n for n in document.definitions if isinstance(n, FragmentDefinitionNode)}

    def selection_set(self, type_name: str, selections: SelectionSetNode) -> Projection:
        fields = tuple(self._fields(type_name, selections).items())

        def project(fact: Fact, variables: Variables) -> Fact:
            return {key: read(fact, variables) for key, read in fields}

        return _remembering(project, self._graph.fixed) if self._remember and type_name != "Query" else project

    def _fields(self, type_name: str, selections: SelectionSetNode) -> dict[str, Projection]:
        merged: dict[str, list[FieldNode]] = {}
        self._collect(type_name, selections, merged)
        return {key: self._field(type_name, nodes) for key, nodes in merged.items()}

    def _collect(self, type_name: str, selections: SelectionSetNode, merged: dict[str, list[FieldNode]]) -> None:
        for node in selections.selections:
            if isinstance(node, FieldNode):
                key = node.alias.value if node.alias else node.name.value
                merged.setdefault(key, []).append(node)
            elif isinstance(node, InlineFragmentNode):
                if node.type_condition is None or node.type_condition.name.value == type_name:
                    self._collect(type_name, node.selection_set, merged)
            elif isinstance(node, FragmentSpreadNode):
                fragment = self._fragments[node.name.value]
                if fragment.type_condition.name.value == type_name:
                    self._collect(type_name, fragment.selection_set, merged)

    def _field(self, type_name: str, nodes: list[FieldNode]) -> Projection:
        name = nodes[0].name.value
        if name == "__typename":
            return lambda fact, _variables: fact["__typename"]
        if name == "_entities":
            return self._entities(nodes)
        resolved = self._graph.fields[type_name][name]
        self._note_failing(resolved)
        read, arguments = resolved.read, self._arguments(nodes[0])
        if resolved.type_name is None:
            return lambda fact, _variables: read(fact, arguments)
        inner = self.selection_set(resolved.type_name, _joined(nodes))
        has_variables = bool(nodes[0].arguments)

        def project(fact: Fact, variables: Variables) -> Any:
            value = read(fact, self._bound(nodes[0], variables) if has_variables else arguments)
            if isinstance(value, list):
                return [inner(element, variables) for element in value]
            return None if value is None else inner(value, variables)

        return project

    def _note_failing(self, resolved: Resolved) -> None:
        """What can fail is never remembered: its errors belong to the answer in which it stands."""
        if resolved.may_fail:
            self.fails = True
            self._remember = False

    def _arguments(self, node: FieldNode) -> Variables:
        plain = [a for a in node.arguments or () if not isinstance(a.value, VariableNode)]
        return {a.name.value: value_from_ast_untyped(a.value) for a in plain}

    def _bound(self, node: FieldNode, variables: Variables) -> Variables:
        return {a.name.value: value_from_ast_untyped(a.value, dict(variables)) for a in node.arguments or ()}

    def _entities(self, nodes: list[FieldNode]) -> Projection:
        value = (nodes[0].arguments or ())[0].value
        selections = _joined(nodes)
        by_type = {name: self.selection_set(name, selections) for name in self._graph.fields if name != "Query"}
        subgraph, entity = self._subgraph, self._graph.entity

        def project(_fact: Fact, variables: Variables) -> list[Any]:
            representations: Any = (
                variables[value.name.value]
                if isinstance(value, VariableNode)
                else value_from_ast_untyped(value, dict(variables))
            )
            answers: list[Any] = []
            for representation in representations:
                fact = entity(subgraph, representation)
                answers.append(None if fact is None else by_type[fact["__typename"]](fact, variables))
            return answers

        return project


def _remembering(project: Projection, fixed: frozenset[int]) -> Projection:
    """Only for fixed objects: one that carries a representation's fields is new in each request."""
    encoded: dict[int, orjson.Fragment] = {}

    def look_up(fact: Fact, variables: Variables) -> Any:
        known = encoded.get(id(fact))
        if known is None:
            if id(fact) not in fixed:
                return project(fact, variables)
            known = encoded[id(fact)] = orjson.Fragment(orjson.dumps(project(fact, variables)))
        return known

    return look_up


def _joined(nodes: list[FieldNode]) -> SelectionSetNode:
    selections = tuple(item for node in nodes if node.selection_set for item in node.selection_set.selections)
    return SelectionSetNode(selections=selections)
