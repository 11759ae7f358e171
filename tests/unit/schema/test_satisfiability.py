"""Which fields of an API can be reached: each case says where the way ends, or that there is one."""

from schema import SubgraphSource, compose

LINK = (
    'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ['
    '"@key", "@external", "@requires", "@provides", "@shareable", "@interfaceObject", "@override"])\n'
)


def unreachable(**subgraphs: str) -> list[str]:
    """The coordinates that cannot be reached."""
    composition = compose([SubgraphSource(name, LINK + sdl) for name, sdl in subgraphs.items()])
    assert {error.code for error in composition.errors} <= {"SATISFIABILITY_ERROR"}
    return [coordinate for error in composition.errors for coordinate in error.coordinates]


def test_a_key_leads_to_another_subgraph() -> None:
    a = 'type Query { t: T } type T @key(fields: "id") { id: ID! }'

    assert unreachable(a=a, b='type T @key(fields: "id") { id: ID! n: Int }') == []
    assert unreachable(a=a, b='type T @key(fields: "id", resolvable: false) { id: ID! n: Int }') == ["T.n"]


def test_a_key_may_have_to_be_fetched_from_a_third_subgraph() -> None:
    a = 'type Query { t: T } type T @key(fields: "id") { id: ID! }'
    b = 'type T @key(fields: "sku") { sku: ID! n: Int }'

    assert unreachable(a=a, b=b, c='type T @key(fields: "id") @key(fields: "sku") { id: ID! sku: ID! }') == []
    assert unreachable(a=a, b=b, c='type T @key(fields: "id") { id: ID! m: Int }') == ["T.sku", "T.n"]


def test_two_keys_that_need_each_other_lead_nowhere() -> None:
    a = 'type Query { t: T } type T @key(fields: "id") { id: ID! }'
    b = 'type T @key(fields: "x") { x: ID! y: ID! @shareable }'
    c = 'type T @key(fields: "y") { x: ID! @shareable y: ID! }'

    assert unreachable(a=a, b=b, c=c) == ["T.x", "T.y"]


def test_a_provided_field_is_reachable_on_its_way_only() -> None:
    a = 'type Query { t: T @provides(fields: "n") } type T @shareable { id: ID! n: Int @external }'
    b = "type T @shareable { id: ID! n: Int }"

    assert unreachable(a=a, b=b) == []
    assert unreachable(a=a.replace("t: T @", "u: T t: T @"), b=b) == ["T.n"]


def test_what_requires_asks_for_has_to_be_reachable() -> None:
    a = 'type Query { t: T } type T @key(fields: "id") { id: ID! m: Int @external n: Int @requires(fields: "m") }'

    assert unreachable(a=a, b='type T @key(fields: "id") { id: ID! m: Int }') == []
    assert unreachable(a=a, b='type T @key(fields: "id", resolvable: false) { id: ID! m: Int }') == ["T.m", "T.n"]


def test_every_possible_object_of_an_interface_is_asked() -> None:
    a = 'type Query { i: I } interface I { id: ID! } type T implements I @key(fields: "id") { id: ID! }'
    b = 'type T @key(fields: "id") { id: ID! n: Int }'

    assert unreachable(a=a, b=b) == []
    assert unreachable(a=a, b=b.replace('"id")', '"id", resolvable: false)')) == ["T.n"]


def test_an_interface_object_reaches_concrete_types_through_the_interface_key() -> None:
    a = 'interface I @key(fields: "id") { id: ID! n: Int } type T implements I @key(fields: "id") { id: ID! n: Int }'
    b = 'type Query { i: I } type I @interfaceObject @key(fields: "id") { id: ID! m: Int }'

    assert unreachable(a=a, b=b) == []
    unresolvable = a.replace('I @key(fields: "id")', 'I @key(fields: "id", resolvable: false)')
    assert unreachable(a=unresolvable, b=b) == ["Query.i", "T.n"]


def test_the_witness_is_a_shortest_operation_with_its_mandatory_variables() -> None:
    a = "type Query { t(id: ID!): T } type T @shareable { id: ID! u: U } type U @shareable { id: ID! }"
    composition = compose(
        [SubgraphSource("a", LINK + a), SubgraphSource("b", LINK + "type U @shareable { id: ID! n: Int }")]
    )

    assert composition.errors[0].message == (
        'Field "U.n" cannot be resolved for an operation that is valid in the API:\n'
        "query($id: ID!) {\n  t(id: $id) {\n    u {\n      n\n    }\n  }\n}\n"
        '  - the object comes from "a"\n'
        '  - subgraph "b" resolves it, but "U" has no resolvable @key there'
    )


def test_one_wrong_key_is_told_once_in_each_direction() -> None:
    subgraphs = {
        "a": 'type Query { t: T } type T @key(fields: "id") { id: ID! a: Int }',
        "b": 'type Query { b: T } type T @key(fields: "id") { id: ID! b: Int }',
        "c": 'type Query { c: T } type T @key(fields: "uid") { uid: ID! c: Int d: Int }',
    }

    there, away = compose([SubgraphSource(name, LINK + sdl) for name, sdl in subgraphs.items()]).errors

    assert there.coordinates == ("T.uid", "T.c", "T.d")
    assert there.subgraphs == ("c", "a", "b")
    assert [str(place) for place in there.locations] == ["c:2:21", "a:2:21", "b:2:21"]
    assert there.message == (
        '3 fields of "T" cannot be resolved for operations that are valid in the API: "uid", "c", "d". For example:\n'
        "query {\n  t {\n    uid\n  }\n}\n"
        '  - the object comes from "a"; the same goes for objects from "b"\n'
        '  - cannot move to subgraph "c" by the key "uid": it cannot be fetched before\n'
        '  - keys of "T" are "id" in subgraphs "a" and "b"; "uid" in subgraph "c": one that both sides have leads from one to '
        "the other"
    )
    assert away.coordinates == ("T.id", "T.a", "T.b")
    assert away.subgraphs == ("c", "a", "b")
    assert away.message.count("cannot move to subgraph") == 2


def test_what_cannot_be_reached_for_another_reason_is_told_by_itself() -> None:
    a = 'type Query { t: T u: U } type T @key(fields: "id") { id: ID! } type U @key(fields: "id") { id: ID! }'
    b = """
    type T @key(fields: "id", resolvable: false) { id: ID! n: Int m: Int }
    type U @key(fields: "id", resolvable: false) { id: ID! n: Int }
    """
    c = 'type T @key(fields: "id") { id: ID! n: Int @external r: Int @requires(fields: "n") }'

    errors = compose([SubgraphSource(name, LINK + sdl) for name, sdl in {"a": a, "b": b, "c": c}.items()]).errors

    assert [error.coordinates for error in errors] == [("T.n", "T.m"), ("T.r",), ("U.n",)]


def test_so_many_fields_are_named_and_all_are_counted() -> None:
    fields = " ".join(f"f{number}: Int" for number in range(12))
    a = "type Query { t: T } type T @shareable { id: ID }"

    (error,) = compose(
        [SubgraphSource("a", LINK + a), SubgraphSource("b", LINK + f"type T @shareable {{ id: ID {fields} }}")]
    ).errors

    assert error.message.startswith('12 fields of "T" cannot be resolved')
    assert '"f8", "f9" and 2 more. For example:' in error.message
    assert len(error.coordinates) == 12


def test_what_requires_asks_for_travels_with_a_key_even_to_where_the_object_comes_from() -> None:
    a = 'type Query { t: T } type T { id: ID! @shareable m: Int @external n: Int @requires(fields: "m") }'
    b = 'type T @key(fields: "id") { id: ID! m: Int }'

    assert unreachable(a=a, b=b) == ["T.n"]
    assert unreachable(a=a.replace("type T {", 'type T @key(fields: "id") {'), b=b) == []


def test_a_shared_mutation_field_is_called_once_so_one_subgraph_has_to_be_enough() -> None:
    a = "type Query { q: Int } type Mutation { f: F @shareable } type F { x: Int }"
    b = "type Mutation { f: F @shareable } type F { y: Int }"

    assert unreachable(a=a, b=b) == ["Mutation.f"]
    shared = a.replace("x: Int", "x: Int @shareable")
    assert unreachable(a=shared, b=b.replace("y: Int", "y: Int x: Int @shareable")) == []


def test_a_label_that_leads_into_a_dead_end_is_named() -> None:
    a = "type Query { t: T } type T @shareable { id: ID n: Int }"
    b = 'type T @shareable { id: ID n: Int @override(from: "a", label: "percent(5)") }'
    composition = compose([SubgraphSource("a", LINK + a), SubgraphSource("b", LINK + b)])

    (error,) = composition.errors
    assert error.coordinates == ("T.n",)
    assert error.message.endswith('\n  - with the override labels "percent(5)" on')


def test_two_labels_that_fail_only_together_are_named_together() -> None:
    a = 'type Query { t: T } type T @key(fields: "id") { id: ID! sku: ID! n: Int }'
    b = """
    type T @key(fields: "sku") {
      sku: ID! @override(from: "a", label: "keys")
      n: Int @override(from: "a", label: "numbers")
    }
    """

    composition = compose([SubgraphSource("a", LINK + a), SubgraphSource("b", LINK + b)])

    told = {
        error.coordinates[0]: error.message.rpartition("with the override labels ")[2] for error in composition.errors
    }
    assert told == {"T.sku": '"keys" on', "T.n": '"keys", "numbers" on'}


def test_each_of_many_labels_is_tried() -> None:
    fields = " ".join(f"f{number}: Int" for number in range(9))
    overriding = " ".join(f'f{number}: Int @override(from: "a", label: "l{number}")' for number in range(9))
    a = f"type Query {{ t: T }} type T @shareable {{ id: ID {fields} }}"
    b = f"type T @shareable {{ id: ID {overriding} }}"

    composition = compose([SubgraphSource("a", LINK + a), SubgraphSource("b", LINK + b)])

    assert [(error.coordinates[0], error.message.rpartition("labels ")[2]) for error in composition.errors] == [
        (f"T.f{number}", f'"l{number}" on') for number in range(9)
    ]


def test_somebody_has_to_know_the_object_type_behind_an_interface_object() -> None:
    a = 'interface I { id: ID! } type T implements I @key(fields: "id") { id: ID! }'
    b = 'type Query { i: I } type I @interfaceObject @key(fields: "id") { id: ID! }'

    assert unreachable(a=a, b=b) == ["Query.i"]
    assert unreachable(a=a.replace("interface I {", 'interface I @key(fields: "id") {'), b=b) == []


def test_a_way_on_which_nothing_sets_the_context_is_a_dead_end() -> None:
    link = LINK.replace('"@key"', '"@key", "@context", "@fromContext"')
    sdl = """
    type Query { t: T s: S }
    type T @key(fields: "id") @context(name: "c") { id: ID! p: Int u: U }
    type S @key(fields: "id") { id: ID! u: U }
    type U @key(fields: "id") { id: ID! f(x: Int @fromContext(field: "$c { p }")): Int }
    """

    (error,) = compose([SubgraphSource("a", link + sdl)]).errors

    assert error.message == (
        'Field "U.f" cannot be resolved for an operation that is valid in the API:\n'
        "query {\n  s {\n    u {\n      f\n    }\n  }\n}\n"
        '  - the object comes from "a"\n'
        "  - an argument is filled from a @context that no type on this way sets"
    )
    assert compose([SubgraphSource("a", link + sdl.replace(" s: S", ""))]).errors == ()


def test_an_interface_object_of_an_interface_that_nothing_implements_can_be_returned() -> None:
    a = 'type Query { a: Node } interface Node @key(fields: "id") { id: ID! }'
    b = 'type Query { b: Node } type Node @key(fields: "id", resolvable: false) @interfaceObject { id: ID! n: Int }'

    assert unreachable(a=a, b=b) == []


def test_a_long_chain_in_which_each_field_requires_the_two_before_takes_no_time() -> None:
    """Asked anew for each that requires them, the way to the fields would take as many steps as there are paths."""
    chain = {"s0": 'type Query { t: T } type T @key(fields: "id") { id: ID! f0: Int }'}
    for number in range(1, 60):
        before = [f"f{each}" for each in (number - 2, number - 1) if each >= 0]
        external = " ".join(f"{name}: Int @external" for name in before)
        own = f'f{number}: Int @requires(fields: "{" ".join(before)}")'
        chain[f"s{number}"] = f'type T @key(fields: "id") {{ id: ID! {external} {own} }}'

    assert unreachable(**chain) == []
    chain["s0"] = 'type Query { t: T } type T @key(fields: "id") { id: ID! }'
    chain["s00"] = 'type T @key(fields: "id", resolvable: false) { id: ID! f0: Int }'
    assert len(unreachable(**chain)) == 60
