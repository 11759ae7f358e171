from __future__ import annotations

import pytest
from graphql import build_schema

from router.errors import DocumentInvalidError, LimitExceededError, OperationNotFoundError
from router.executor.subgraph_query import print_selections
from router.operation import Operation, normalize, parse_and_validate, parse_document
from router.selection_set import Deferral, InlineFragment

SCHEMA = build_schema(
    """
    interface Named { id: ID! name: String }
    type User implements Named { id: ID! name: String friend: User posts(first: Int, tag: String): [Post] }
    type Team implements Named { id: ID! name: String members: [User] }
    type Post { id: ID! author: User }
    union Found = User | Team | Post
    type Query { me(id: ID): User named: Named found: [Found!] }
    """
)


def normalized(text: str, **options: bool) -> Operation:
    return normalize(parse_and_validate(text, SCHEMA), None, SCHEMA, **options)


def printed(text: str) -> str:
    return print_selections(normalized(text).selections)


def test_named_fragments_are_inlined_and_their_fields_merged() -> None:
    text = "{ me { ...F friend { id } } } fragment F on User { name friend { name } }"

    assert printed(text) == "{me{name friend{name id}}}"


def test_a_fragment_on_an_interface_of_the_object_needs_no_condition() -> None:
    assert printed("{ me { ... on Named { name } id } }") == "{me{name id}}"


def test_an_abstract_condition_that_leaves_one_type_becomes_that_type() -> None:
    assert printed("{ found { ... on Named { ... on Team { name } } } }") == "{found{...on Named{...on Team{name}}}}"
    assert printed("{ named { ... on Found { ... on User { name } } } }") == "{named{...on Found{...on User{name}}}}"


def test_types_that_cannot_occur_are_dropped() -> None:
    # a Post is Found but never Named
    assert printed("{ named { id ... on Found { ... on Post { author { id } } } } }") == "{named{id}}"


def test_neighbouring_fragments_merge_but_distant_ones_keep_the_order_of_response_keys() -> None:
    assert printed("{ named { ... on User { id } ... on User { name } } }") == "{named{...on User{id name}}}"
    assert printed("{ found { ... on User { id } __typename ... on User { name } } }") == (
        "{found{...on User{id} __typename ...on User{name}}}"
    )


def test_what_the_parent_selected_before_is_not_repeated_in_a_fragment() -> None:
    assert printed("{ named { id ... on User { id name } } }") == "{named{id ...on User{name}}}"


def test_literal_conditions_are_decided_and_variable_ones_kept() -> None:
    text = "query ($v: Boolean!) { me { id @skip(if: true) name @include(if: true) friend @skip(if: $v) { id } } }"

    assert printed(text) == "{me{name friend@skip(if:$v){id}}}"


def test_a_field_selected_anyway_carries_its_conditional_part_inside() -> None:
    text = "query ($v: Boolean!) { me { friend { id } ... @include(if: $v) { friend { name } } } }"

    assert printed(text) == "{me{friend{id name@include(if:$v)}}}"


def test_contradicting_conditions_drop_the_field() -> None:
    assert printed("query ($v: Boolean!) { me { id name @include(if: $v) @skip(if: $v) } }") == "{me{id}}"


def test_an_object_of_which_everything_is_skipped_is_still_asked_for() -> None:
    assert printed("{ me { id @skip(if: true) } }") == "{me{__typename}}"


def test_equal_shapes_with_other_literals_are_equal_operations() -> None:
    first = normalized('query A { me(id: 1) { posts(first: 2, tag: "x") { id } } }', lift_literals=True)
    second = normalized('query B { me(id: "7") { posts(tag: "y", first: 5) { id } } }', lift_literals=True)

    assert first == second
    assert hash(first) == hash(second)
    assert first.literals == {"_0": "1", "_1": 2, "_2": "x"}
    assert second.literals == {"_0": "7", "_1": 5, "_2": "y"}


def test_equal_literals_share_a_variable_and_null_stays_in_the_text() -> None:
    operation = normalized("{ a: me(id: 1) { id } b: me(id: 1) { id } c: me(id: null) { id } }", lift_literals=True)

    assert print_selections(operation.selections) == "{a:me(id:$_0){id} b:me(id:$_0){id} c:me(id:null){id}}"


def test_lifted_names_avoid_the_clients_names() -> None:
    operation = normalized('query ($_0: ID) { a: me(id: $_0) { id } b: me(id: "x") { id } }', lift_literals=True)

    assert operation.literals == {"_1": "x"}


def test_defer_is_kept_only_on_request() -> None:
    text = '{ me { id ... @defer(label: "slow") { name } } }'

    assert printed(text) == "{me{id name}}"
    (me,) = normalized(text, keep_incremental=True).selections.items
    assert me.selections is not None
    fragment = me.selections.items[1]
    assert isinstance(fragment, InlineFragment)
    assert fragment.deferral == Deferral("slow")


def test_an_alias_that_poses_as_a_meta_field_is_refused() -> None:
    with pytest.raises(DocumentInvalidError, match='alias "__typename" is reserved'):
        normalized("{ me { __typename: name } }")


def test_the_operation_is_chosen_by_name() -> None:
    document = parse_document("query A { me { id } } query B { me { name } }")

    assert print_selections(normalize(document, "B", SCHEMA).selections) == "{me{name}}"
    with pytest.raises(OperationNotFoundError, match="Must provide operation name"):
        normalize(document, None, SCHEMA)
    with pytest.raises(OperationNotFoundError, match='Unknown operation named "C"'):
        normalize(document, "C", SCHEMA)


def test_inlining_stops_at_the_field_limit() -> None:
    document = parse_document("{ " + " ".join(f"a{number}: me {{ id }}" for number in range(60)) + " }")

    with pytest.raises(LimitExceededError):
        normalize(document, None, SCHEMA, max_fields=100)


def test_normalising_its_own_print_changes_nothing() -> None:
    text = "query ($v: Boolean!) { found { ...F ... on Team { members { id } } } named { ...N @include(if: $v) } } "
    text += (
        "fragment F on Found { __typename ... on Named { id name } } fragment N on Named { name ... on User { id } }"
    )
    once = normalized(text)
    again = normalized("query ($v: Boolean!) " + print_selections(once.selections))

    assert again.selections == once.selections


def test_the_same_field_under_other_conditions_in_between_keeps_the_order_of_subfields() -> None:
    text = (
        "query ($v: Boolean!, $w: Boolean!) { me { ... @skip(if: $v) "
        "{ friend { id } friend @skip(if: $w) { name } friend { friend { id } } } } }"
    )

    assert printed(text) == (
        "{me{friend@skip(if:$v){id} ...@skip(if:$w){friend@skip(if:$v){name}} friend@skip(if:$v){friend{id}}}}"
    )
