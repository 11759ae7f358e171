"""Plans of parts that meet: what a later part leaves to the one before it, and what it asks by itself."""

from __future__ import annotations

from router.executor.sharing import fetches_of
from router.executor.subgraph_query import print_entity_query, print_root_query
from router.incremental.share_fetches import HarmlessFields, PlannedPart, asks_again, in_levels, share_fetches
from router.operation import normalize, parse_and_validate
from router.query_plan import Fetch, Parallel, QueryPlan, Sequence
from router.selection_set import SelectionSet
from tests.testkit.plans import plan, planner_of

PLANNER = planner_of(
    shop="type Query { item: Item items: [Item!]! slow: Int } type Mutation { sell: Item } "
    'type Item @key(fields: "id") { id: ID! name: String note(n: Int): String maker: Maker } '
    'type Maker @key(fields: "code") { code: ID! }',
    stock='type Item @key(fields: "id") { id: ID! left: Int place: String } type Query { open: Int }',
    people='type Maker @key(fields: "code") { code: ID! name: String }',
)


def shared(*operations: str, outer: tuple[int | None, ...] | None = None) -> list[QueryPlan]:
    """The plans of parts of which each holds what the one that it stands in has; all stand in the first, unless told."""
    places = outer or (None, *(0 for _ in operations[1:]))
    parts = [
        PlannedPart(plan(PLANNER, each), selections_of(each), place)
        for each, place in zip(operations, places, strict=True)
    ]
    return share_fetches(parts, HarmlessFields(PLANNER.supergraph))


def selections_of(operation: str) -> SelectionSet:
    schema = PLANNER.supergraph.api_schema
    return normalize(parse_and_validate(operation, schema), None, schema).selections


def asked(plan: QueryPlan) -> list[str]:
    return [
        f"{fetch.subgraph} {print_root_query(fetch, {}) if isinstance(fetch, Fetch) else print_entity_query(fetch, {})[0]}"
        for fetch in fetches_of(plan.node)
    ]


LEFT = "stock query($representations:[_Any!]!){_entities(representations:$representations){...on Item{left}}}"


def test_a_key_that_a_later_part_needs_travels_with_the_first_part() -> None:
    first, later = shared("{ items { name } }", "{ items { name left } }")

    assert asked(first) == ["shop query{items{name id}}"]
    assert asked(later) == ["shop query{items{name id}}", LEFT]
    assert not asks_again(later, [first])


def test_any_other_field_of_the_same_subgraph_is_asked_alone_with_the_key_that_tells_the_objects_apart() -> None:
    first, later = shared("{ items { id name } }", "{ items { id name note left } }")

    assert asked(first) == ["shop query{items{id name}}"]
    assert asked(later) == ["shop query{items{id name}}", "shop query{items{id note}}", LEFT]
    assert asks_again(later, [first])


def test_items_of_a_list_that_is_asked_for_twice_can_be_told_apart() -> None:
    first, later = shared("{ items { name } }", "{ items { name note } }")

    assert asked(first) == ["shop query{items{name id}}"]
    assert asked(later) == [*asked(first), "shop query{items{id note}}"]


def test_the_same_field_with_other_arguments_is_another_field() -> None:
    first, later = shared("{ item { note(n: 1) } }", "{ item { note(n: 1) other: note(n: 2) } }")

    assert asked(later) == [*asked(first), "shop query{item{other:note(n:2)}}"]


def test_entity_fetches_meet_as_those_of_the_root_do() -> None:
    first, later = shared("{ item { left } }", "{ item { left place } }")

    assert asked(later) == [*asked(first), LEFT.replace("left", "place")]
    assert asks_again(later, [first])


def test_a_part_within_a_part_takes_from_both() -> None:
    first, outer, inner = shared(
        "{ item { name } }", "{ item { name note } }", "{ item { name note left } }", outer=(None, 0, 1)
    )

    assert asked(first) == ["shop query{item{name}}"]
    assert asked(outer) == ["shop query{item{name}}", "shop query{item{note id}}"]
    assert asked(inner) == [*asked(outer), LEFT]
    assert not asks_again(inner, [first, outer])


def test_a_key_whose_name_stands_for_something_else_stays_out_of_the_first_part() -> None:
    first, later = shared("{ item { name } }", "{ item { name left id: name } }")

    assert asked(first) == ["shop query{item{name}}"]
    assert asked(later)[:2] == ["shop query{item{name}}", "shop query{item{__k0_id:id id:name}}"]


def test_a_key_that_is_wanted_on_a_condition_only_is_asked_in_the_first_part_on_that_condition() -> None:
    first, later = shared("{ item { name } }", "query ($x: Boolean!) { item { name id @include(if: $x) } }")

    assert asked(first) == ["shop query($x:Boolean!){item{name id@include(if:$x)}}"]
    assert asked(later) == asked(first)


def test_a_mutation_asks_at_once_for_all_that_is_wanted_of_it() -> None:
    first, later = shared("mutation { sell { name } }", "mutation { sell { name note left } }")

    assert asked(first) == ["shop mutation{sell{name note id}}"]
    assert asked(later) == [*asked(first), LEFT]


def test_mutations_that_would_be_sent_otherwise_do_not_come_apart() -> None:
    assert shared("mutation { sell { name } }", "mutation { again: sell { name } }") == []


def test_levels_let_what_is_short_wait() -> None:
    levelled = in_levels(plan(PLANNER, "{ items { left } open }"))

    assert isinstance(levelled.node, Sequence)
    beginning, rest = levelled.node.nodes
    assert isinstance(beginning, Parallel)
    assert {each.subgraph for each in beginning.nodes if isinstance(each, Fetch)} == {"shop", "stock"}
    assert [fetch.subgraph for fetch in fetches_of(rest)] == ["stock"]
