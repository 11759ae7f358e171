"""The query graph: who resolves what, and which ways lead to an entity."""

from router.query_graph import QueryGraph, provided_selection
from router.supergraph import parse_field_set
from tests.testkit.plans import planner_of


def graph_of(*labels: str, **subgraphs: str) -> QueryGraph:
    return planner_of(**subgraphs).graph(labels)


def test_an_external_field_is_resolved_by_its_owner_only() -> None:
    graph = graph_of(
        a='type Query { t: T } type T @key(fields: "id") { id: ID! x: Int }',
        b='type T @key(fields: "id") { id: ID! x: Int @external y: Int @requires(fields: "x") }',
    )

    assert graph.subgraphs_resolving("T", "x") == ("a",)
    assert graph.declared_field("b", "T", "x") is not None
    assert graph.field("b", "T", "x") is None


def test_a_label_moves_a_field_from_one_subgraph_to_the_other() -> None:
    subgraphs = {
        "a": 'type Query { t: T } type T @key(fields: "id") { id: ID! x: Int }',
        "b": 'type T @key(fields: "id") { id: ID! x: Int @override(from: "a", label: "new") }',
    }

    assert graph_of(**subgraphs).subgraphs_resolving("T", "x") == ("a",)
    assert graph_of("new", **subgraphs).subgraphs_resolving("T", "x") == ("b",)


def test_an_entity_is_reached_by_its_keys_and_by_interface_objects() -> None:
    graph = graph_of(
        a='type Query { n: N } interface N @key(fields: "id") { id: ID! } type T implements N @key(fields: "id") '
        "{ id: ID! }",
        b='type N @key(fields: "id") @interfaceObject { id: ID! stars: Int }',
        c='type T @key(fields: "id", resolvable: false) { id: ID! } type Query { c: T }',
    )

    targets = [(target.subgraph, target.type, target.typename) for target in graph.entity_targets("T")]

    assert targets == [("a", "T", "T"), ("b", "N", "N")]
    assert graph.supergraph_possible_types("N") == {"T"}


def test_an_interface_field_is_not_resolved_where_one_object_needs_more_for_it() -> None:
    graph = graph_of(
        a='type Query { n: N } interface N { x: Int } type T implements N @key(fields: "id") '
        '{ id: ID! y: Int @external x: Int @requires(fields: "y") } type U implements N { x: Int }',
        b='type T @key(fields: "id") { id: ID! y: Int }',
    )

    assert graph.resolves_on_interface("a", "N", "x") is False


def test_provided_fields_are_found_through_fragments() -> None:
    graph = graph_of(a="type Query { u: U } union U = A | B type A { x: Int n: A } type B { x: Int }")
    provided = parse_field_set("... on A { x n { x } }")

    assert provided_selection(graph, "a", "A", "x", provided) == (True, None)
    assert provided_selection(graph, "a", "A", "n", provided) == (True, parse_field_set("x"))
    assert provided_selection(graph, "a", "B", "x", provided) == (False, None)
