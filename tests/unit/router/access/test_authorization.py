from typing import Any

import pytest
from graphql import build_schema, parse

from router.access.authorization import Authorization, AuthorizationRules
from router.access.caller import ANONYMOUS, Caller
from router.operation import normalize

SDL = """
directive @authenticated on OBJECT | FIELD_DEFINITION | INTERFACE | SCALAR | ENUM
directive @requiresScopes(scopes: [[String!]!]!) on OBJECT | FIELD_DEFINITION | INTERFACE | SCALAR | ENUM
directive @policy(policies: [[String!]!]!) on OBJECT | FIELD_DEFINITION | INTERFACE | SCALAR | ENUM
type Query { public: String mine: String @authenticated node: Node nodes: [Node] user: User secret: Secret either: Either }
type Mutation { erase: Boolean @requiresScopes(scopes: [["admin"]]) }
interface Node { id: ID name: String }
type User implements Node { id: ID name: String @authenticated salary: Int @requiresScopes(scopes: [["a", "b"], ["c"]])
  grade: Int @policy(policies: [["hr"]]) self: User }
type Robot implements Node { id: ID name: String }
type Secret @authenticated { text: String }
union Either = Robot | Secret
scalar Token @authenticated
"""
ROBOT = "type Robot implements Node { id: ID name: String self: User twin: Robot }"
SCHEMA = build_schema(SDL)
RULES = AuthorizationRules.from_sdl(SDL, SCHEMA)


def judge(operation: str, caller: Caller = ANONYMOUS) -> Authorization:
    return RULES.authorize(normalize(parse(operation), None, SCHEMA), caller)


def denied(operation: str, caller: Caller = ANONYMOUS) -> list[str]:
    return [".".join(denial.path) for denial in judge(operation, caller).denials]


def somebody(*scopes: str, **claims: Any) -> Caller:
    return Caller("u1", frozenset(scopes), claims=claims)


def test_an_operation_without_refusals_is_handed_on_itself() -> None:
    operation = normalize(parse("{ public }"), None, SCHEMA)
    assert RULES.authorize(operation, ANONYMOUS).allowed is operation


def test_only_the_refused_fields_are_taken_out() -> None:
    authorization = judge("{ public mine user { id name } }")
    assert [".".join(denial.path) for denial in authorization.denials] == ["mine", "user.name"]
    assert authorization.allowed == normalize(parse("{ public user { id } }"), None, SCHEMA)


@pytest.mark.parametrize(
    ("scopes", "is_denied"), [((), True), (("a",), True), (("a", "b"), False), (("c",), False), (("c", "z"), False)]
)
def test_one_full_set_of_scopes_is_enough(scopes: tuple[str, ...], is_denied: bool) -> None:
    assert denied("{ user { salary } }", somebody(*scopes)) == (["user.salary"] if is_denied else [])


def test_policies_are_those_the_token_lists() -> None:
    assert denied("{ user { grade } }", somebody()) == ["user.grade"]
    assert denied("{ user { grade } }", somebody(policies=["hr"])) == []
    assert denied("{ user { grade } }", Caller(claims={"policies": ["hr"]})) == ["user.grade"]


def test_a_type_guards_every_field_that_leads_to_it() -> None:
    assert denied("{ secret { text } }") == ["secret"]
    assert denied("{ either { ... on Secret { text } ... on Robot { id } } }") == ["either.text"]


def test_an_interface_asks_for_what_its_strictest_member_asks() -> None:
    assert denied("{ node { id name } }") == ["node.name"]
    assert denied("{ node { ... on Robot { name } } }") == []
    assert denied("{ node { id name } }", somebody()) == []


def test_a_refused_mutation_is_not_run() -> None:
    authorization = judge("mutation { erase }", somebody("reader"))
    assert authorization.allowed.selections.items == ()


def test_withholding_makes_null_and_tells_each_place() -> None:
    authorization = judge("{ nodes { ... on User { name } ... on Robot { name } } }")
    tree = {"nodes": [{"__typename": "User", "name": "Ann"}, None, {"__typename": "Robot", "name": "R2"}]}
    entries = authorization.withhold(tree, {})
    assert tree == {"nodes": [{"__typename": "User", "name": None}, None, {"__typename": "Robot", "name": "R2"}]}
    assert [entry["path"] for entry in entries] == [["nodes", 0, "name"]]


@pytest.mark.parametrize("of_robots", ["self { x: id }", "self: twin { x: id }"])
def test_another_field_under_the_same_key_is_left_alone_on_other_types(of_robots: str) -> None:
    """Fields of different object types may share a response key; one is denied, and the other is not."""
    sdl = SDL.replace("type Robot implements Node { id: ID name: String }", ROBOT)
    schema = build_schema(sdl)
    rules = AuthorizationRules.from_sdl(sdl, schema)
    operation = f"{{ nodes {{ ... on User {{ self {{ x: name }} }} ... on Robot {{ {of_robots} }} }} }}"
    authorization = rules.authorize(normalize(parse(operation), None, schema), ANONYMOUS)
    tree = {
        "nodes": [
            {"__typename": "User", "self": {"x": "Ann"}},
            {"__typename": "Robot", "self": {"x": "r1"}},
            {"__typename": "Node", "self": {"x": "whoever this is"}},
        ]
    }
    entries = authorization.withhold(tree, {})
    assert [each["path"] for each in entries] == [["nodes", 0, "self", "x"], ["nodes", 2, "self", "x"]]
    assert [each["self"]["x"] for each in tree["nodes"]] == [None, "r1", None]


def test_what_variables_switch_off_is_not_complained_of() -> None:
    authorization = judge(
        "query ($a: Boolean!, $b: Boolean!) { user { id ... on User @include(if: $a) { name @skip(if: $b) } } }"
    )
    tree = {"user": {"id": "1", "name": "Ann"}}
    for a, b in ((False, False), (False, True), (True, True)):
        assert authorization.withhold(tree, {"a": a, "b": b}) == []
    assert tree["user"]["name"] == "Ann"
    assert [each["path"] for each in authorization.withhold(tree, {"a": True, "b": False})] == [["user", "name"]]


def test_a_field_asked_under_two_conditions_is_refused_once() -> None:
    authorization = judge(
        "query ($a: Boolean!, $b: Boolean!) { user { name @include(if: $a) } user { name @include(if: $b) } }"
    )
    entries = authorization.withhold({"user": {"name": None}}, {"a": True, "b": True})
    assert [each["path"] for each in entries] == [["user", "name"]]


def test_a_refusal_is_told_once_where_no_object_stands() -> None:
    entries = judge("{ user { name } }").withhold({"user": None}, {})
    assert [(entry["path"], entry["extensions"]["code"]) for entry in entries] == [(["user"], "UNAUTHENTICATED")]
