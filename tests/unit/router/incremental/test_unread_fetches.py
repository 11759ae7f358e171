"""What a deferred part does without: fetches that bring nothing of what it tells, nor lead there."""

from __future__ import annotations

from collections.abc import Iterator

from router.executor.sharing import fetches_of
from router.executor.subgraph_query import print_root_query
from router.incremental.unread_fetches import Reading, without_unread
from router.operation import normalize, parse_document
from router.query_plan import EntityFetch, Fetch, Path, PlanNode, Sequence
from router.selection_set import Field, SelectionSet
from tests.testkit.plans import plan, planner_of

PLANNER = planner_of(
    shop="type Query { item: Item items: [Item!]! thing: Thing } type Mutation { sell: Item } union Thing = Item | Maker "
    'type Item @key(fields: "id") { id: ID! weight: Int maker: Maker } type Maker @key(fields: "code") { code: ID! }',
    stock='type Item @key(fields: "id") { id: ID! left: Int weight: Int @external cost: Int @requires(fields: "weight") } '
    "type Query { open: Int }",
    people='type Maker @key(fields: "code") { code: ID! name: String city: City } type City @key(fields: "zip") { zip: ID! }',
    maps='type City @key(fields: "zip") { zip: ID! mayor: String }',
)


def selections(text: str) -> SelectionSet:
    return normalize(parse_document(text), None, PLANNER.supergraph.api_schema).selections


def kept(operation: str, path: Path, inside: str, *, is_known: bool = False) -> list[str]:
    """The fetches that are left for who tells so much of the objects at the path: their subgraph, paths and text."""
    node = plan(PLANNER, operation).node
    known = frozenset(fetches_of(node)) if is_known else frozenset()
    left = without_unread(node, Reading(path, inside_of(operation, path, inside)), known)
    return [told(fetch) for fetch in fetches_of(left)]


def inside_of(operation: str, path: Path, inside: str) -> SelectionSet:
    """The selections as they are in the operation, at the end of the path."""
    found = selections(operation)
    for key in (each for each in path if each != "@" and not each.startswith("|")):
        found = next(each.selections for each in _flat(found) if each.response_key == key) or SelectionSet()
    return SelectionSet(tuple(each for each in _flat(found) if each.response_key in inside.split()))


def _flat(found: SelectionSet) -> Iterator[Field]:
    for item in found.items:
        if isinstance(item, Field):
            yield item
        else:
            yield from _flat(item.selections)


def told(fetch: Fetch | EntityFetch) -> str:
    if isinstance(fetch, Fetch):
        return f"{fetch.subgraph} {print_root_query(fetch, {})}"
    places = sorted("/".join(path) for lookup in fetch.lookups for path in lookup.paths)
    return f"{fetch.subgraph} {' '.join(places)}"


def test_other_subgraphs_fields_of_the_same_objects_are_left_out() -> None:
    operation = "{ items { left maker { name } } }"
    assert kept(operation, ("items", "@"), "maker") == ["shop query{items{id maker{code}}}", "people items/@/maker"]
    assert kept(operation, ("items", "@"), "left") == ["shop query{items{id maker{code}}}", "stock items/@"]


def test_other_root_fields_are_left_out_and_so_is_what_hangs_on_them() -> None:
    operation = "{ items { left } open item { maker { name } } }"
    assert kept(operation, (), "open") == ["stock query{open}"]


def test_what_a_field_requires_and_the_keys_on_the_way_to_it_are_kept() -> None:
    operation = "{ item { cost } items { maker { name city { mayor } } } }"
    assert kept(operation, ("items", "@", "maker", "city"), "mayor") == [
        "shop query{item{id weight} items{maker{code}}}",
        "people items/@/maker",
        "maps items/@/maker/city",
    ]
    assert [each.partition(" ")[0] for each in kept(operation, ("item",), "cost")] == ["shop", "stock"]


def test_of_a_lookup_in_several_places_those_are_left_that_are_read() -> None:
    operation = "{ item { left } items { left } }"
    assert kept(operation, ("items", "@"), "left")[1:] == ["stock items/@"]


def test_what_others_ask_in_the_same_words_stays_as_it_is_or_goes() -> None:
    operation = "{ item { left maker { name } } items { left } }"
    assert kept(operation, ("items", "@"), "left", is_known=True)[1:] == ["stock item items/@"]
    assert [each.partition(" ")[0] for each in kept(operation, ("item", "maker"), "name", is_known=True)] == [
        "shop",
        "people",
    ]


def test_objects_whose_type_decides_keep_their_type_names() -> None:
    operation = "{ thing { __typename ... on Item { left } ... on Maker { name } } }"
    assert [each.partition(" ")[0] for each in kept(operation, ("thing", "|Item|"), "left")] == ["shop", "stock"]


def test_a_mutation_is_sent_whatever_is_read() -> None:
    operation = "mutation { sell { left maker { name } } }"
    assert [each.partition(" ")[0] for each in kept(operation, ("sell",), "left")] == ["shop", "stock"]
    node = plan(PLANNER, "mutation { sell { left } }").node
    left = without_unread(node, Reading(("nothing",), SelectionSet()))
    assert [each.subgraph for each in fetches_of(left)] == ["shop"]


def test_nothing_is_left_of_a_plan_of_which_nothing_is_read() -> None:
    node: PlanNode | None = plan(PLANNER, "{ items { left } }").node
    assert isinstance(node, Sequence)
    assert without_unread(node, Reading((), SelectionSet())) is None
    assert without_unread(None, Reading((), SelectionSet())) is None
