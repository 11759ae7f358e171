"""Where in the subgraphs' SDL a finding points: its coordinates, looked up in their documents.

Looked up at the end, since only a composition with findings needs it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from graphql import (
    DirectiveDefinitionNode,
    DocumentNode,
    Node,
    SchemaDefinitionNode,
    SchemaExtensionNode,
    TypeDefinitionNode,
    TypeExtensionNode,
)

from schema.codes import Finding, Location, locations_of


def located(findings: Iterable[Finding], documents: Mapping[str, DocumentNode]) -> tuple[Finding, ...]:
    """The findings with their places, in the subgraphs concerned or, where they name none, in all that have them."""
    places = _Places(documents)
    return tuple(
        finding if finding.locations else replace(finding, locations=tuple(places.of(finding))) for finding in findings
    )


class _Places:
    def __init__(self, documents: Mapping[str, DocumentNode]) -> None:
        self._documents = documents
        self._nodes: dict[str, dict[str, Node]] = {}

    def of(self, finding: Finding) -> list[Location]:
        # What is about a subgraph as a whole is shown where its schema starts.
        return list(self._of_coordinates(finding)) or [
            location
            for name in finding.subgraphs
            if name in self._documents
            for location in locations_of(name, self._of_subgraph(name).get("schema"))
        ]

    def _of_coordinates(self, finding: Finding) -> Iterator[Location]:
        subgraphs = [name for name in finding.subgraphs if name in self._documents] or list(self._documents)
        for coordinate in _told_together(finding.coordinates):
            exact = [name for name in subgraphs if coordinate in self._of_subgraph(name)]
            exact = exact or [name for name in self._documents if coordinate in self._of_subgraph(name)]
            for name in exact:
                yield from locations_of(name, self._of_subgraph(name)[coordinate])
            if finding.subgraphs:
                # Where something is missing, the place is that of what lacks it.
                for name in (each for each in subgraphs if each not in exact):
                    yield from locations_of(name, self._nearest(name, coordinate))

    def _nearest(self, subgraph: str, coordinate: str) -> Node | None:
        nodes = self._of_subgraph(subgraph)
        field = coordinate.partition("(")[0]
        return nodes.get(field) or nodes.get(field.partition(".")[0])

    def _of_subgraph(self, name: str) -> dict[str, Node]:
        if name not in self._nodes:
            self._nodes[name] = {}
            for coordinate, node in _nodes_of(self._documents[name]):
                self._nodes[name].setdefault(coordinate, node)
        return self._nodes[name]


def _told_together(coordinates: Sequence[str]) -> Sequence[str]:
    """Where several fields of one type have a cause in common, the place is their type's."""
    types = {coordinate.partition(".")[0] for coordinate in coordinates}
    are_fields = all("." in coordinate for coordinate in coordinates)
    return tuple(types) if len(coordinates) > 1 and len(types) == 1 and are_fields else coordinates


def _nodes_of(document: DocumentNode) -> Iterator[tuple[str, Node]]:
    """Coordinates with the graph's names of root types; definitions before extensions."""
    roots = {
        operation.type.name.value: operation.operation.value.title()
        for node in document.definitions
        if isinstance(node, SchemaDefinitionNode | SchemaExtensionNode)
        for operation in node.operation_types or ()
    }
    for schema in document.definitions:
        if isinstance(schema, SchemaDefinitionNode | SchemaExtensionNode):
            yield "schema", schema
    for kind in (TypeDefinitionNode, TypeExtensionNode, DirectiveDefinitionNode):
        for node in document.definitions:
            if isinstance(node, kind):
                is_directive = isinstance(node, DirectiveDefinitionNode)
                local: str = node.name.value
                name = f"@{local}" if is_directive else roots.get(local, local)
                yield name, node
                yield from _members_of(node, name)


def _members_of(node: Any, name: str) -> Iterator[tuple[str, Node]]:
    for argument in getattr(node, "arguments", None) or ():
        yield f"{name}({argument.name.value}:)", argument
    for member in (*(getattr(node, "fields", None) or ()), *(getattr(node, "values", None) or ())):
        coordinate = f"{name}.{member.name.value}"
        yield coordinate, member
        yield from _members_of(member, coordinate)
