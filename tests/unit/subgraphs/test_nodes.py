"""Every entity of the graph is a node, and its kind can be read from its id."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from graphql import ObjectTypeDefinitionNode, parse

from subgraphs.shell.node import NodeKind, day_id, kind_of, new_node_id, read_day_id
from subgraphs.users.api.node import NAMES_ELSEWHERE

SUPERGRAPH = Path(__file__).parents[3] / "schema" / "fittracker" / "supergraph.graphql"
AT_HOME = {
    NodeKind.USER: "User",
    NodeKind.WEIGHT_ENTRY: "WeightEntry",
    NodeKind.MEASUREMENT: "Measurement",
}


def _entities() -> Iterator[ObjectTypeDefinitionNode]:
    for definition in parse(SUPERGRAPH.read_text(encoding="utf-8")).definitions:
        if isinstance(definition, ObjectTypeDefinitionNode) and any(map(_has_key, definition.directives or ())):
            yield definition


def _has_key(directive: Any) -> bool:
    return directive.name.value == "join__type" and any(each.name.value == "key" for each in directive.arguments)


def test_every_entity_is_a_node_and_every_kind_has_its_entity() -> None:
    nodes = {
        entity.name.value: [interface.name.value for interface in entity.interfaces or ()] for entity in _entities()
    }
    assert all("Node" in interfaces for interfaces in nodes.values()), nodes
    assert {**AT_HOME, **NAMES_ELSEWHERE}.keys() == set(NodeKind)
    assert sorted({**AT_HOME, **NAMES_ELSEWHERE}.values()) == sorted(nodes)


@pytest.mark.parametrize("kind", NodeKind)
def test_an_id_tells_its_kind(kind: NodeKind) -> None:
    assert kind_of(new_node_id(kind)) is kind
    day = date(2026, 1, 31)
    assert read_day_id(day_id(kind, "user_1", day)) == ("user_1", day)


@pytest.mark.parametrize("node_id", ["", "_", "0199b1c2-7d1a-7c11-8a35-4f3b61c933ba", "nobody_1", "Meal_1"])
def test_an_id_without_a_kind_is_of_nothing(node_id: str) -> None:
    assert kind_of(node_id) is None
    assert read_day_id(node_id) is None
