"""Hand-written plans over subgraphs that are functions: requests sent, tree merged, errors placed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from graphql import build_schema

from router.executor.execute import CompiledPlan, compile_plan
from router.executor.fetch import Execution
from router.operation import normalize, parse_document
from router.query_plan import (
    ConditionNode,
    EntityFetch,
    EntityLookup,
    Fetch,
    KeyRename,
    Parallel,
    Path,
    PlanNode,
    QueryPlan,
    RepresentationRule,
    Sequence,
)
from router.selection_set import Condition, Field, InlineFragment, SelectionSet
from router.transport.protocol import SubgraphAnswer, SubgraphRequest

SCHEMA = build_schema(
    """
    interface Media { id: ID! title: String }
    type Book implements Media { id: ID! title: String author: User pages: Int }
    type Film implements Media { id: ID! title: String author: User }
    type User { id: ID! code: String name: String books: [Book] home: Address must: Int! }
    type Address { street: String zip: String }
    type Shelf { books: [[Book]] }
    type Query { users: [User] me: User you: User media: [Media] shelf: [Shelf] }
    type Mutation { a: Int b: Int }
    """
)

Answer = dict[str, Any] | bytes
Answerer = Callable[[dict[str, Any]], Answer]


class Subgraphs:
    """Answers at once, in the order asked; keeps what was asked."""

    def __init__(self, **answers: Answerer | Answer) -> None:
        self._answers = answers
        self.sent: list[tuple[str, dict[str, Any]]] = []

    def send(self, request: SubgraphRequest) -> asyncio.Future[SubgraphAnswer]:
        body = orjson.loads(request.body)
        self.sent.append((request.subgraph, body))
        answer = self._answers[request.subgraph]
        made = answer(body) if callable(answer) else answer
        future: asyncio.Future[SubgraphAnswer] = asyncio.get_running_loop().create_future()
        future.set_result(SubgraphAnswer(200, made if isinstance(made, bytes) else orjson.dumps(made)))
        return future

    def representations(self, subgraph: str) -> list[list[Any]]:
        return [body["variables"]["representations"] for name, body in self.sent if name == subgraph]


def fields(text: str) -> SelectionSet:
    """`"id name"` as leaves."""
    return SelectionSet(tuple(Field(name, name) for name in text.split()))


def nested(name: str, inner: SelectionSet) -> SelectionSet:
    return SelectionSet((Field(name, name, (), inner),))


def on(type_name: str, inner: SelectionSet) -> SelectionSet:
    return SelectionSet((InlineFragment(type_name, inner),))


def key(typename: str, text: str = "id") -> RepresentationRule:
    return RepresentationRule(frozenset(), typename, fields(text))


def entities(subgraph: str, path: Path, rule: RepresentationRule, selections: SelectionSet) -> EntityFetch:
    return EntityFetch(subgraph, (EntityLookup((path,), (rule,), selections),))


def compiled(operation: str, *nodes: PlanNode, operation_type: str = "query") -> CompiledPlan:
    normalized = normalize(parse_document(operation), None, SCHEMA)
    return compile_plan(QueryPlan(operation_type, Sequence(nodes)), normalized, SCHEMA, {})


async def run(plan: CompiledPlan, subgraphs: Subgraphs, variables: dict[str, Any] | None = None) -> dict[str, Any]:
    """Twice: the first run projects plainly, the second by compiled code; they must not differ."""
    first = await plan.respond(Execution(subgraphs, dict(variables or {})))
    sent = list(subgraphs.sent)
    assert await plan.respond(Execution(subgraphs, dict(variables or {}))) == first
    subgraphs.sent = sent
    answer: dict[str, Any] = orjson.loads(first)
    return answer


USERS = Fetch("users", "query", nested("users", fields("id code")))
NAMES = entities("names", ("users", "@"), key("User"), on("User", fields("name")))


async def test_equal_entities_are_asked_once_and_stand_everywhere() -> None:
    subgraphs = Subgraphs(
        users={"data": {"users": [{"id": "1"}, {"id": "2"}, None, {"id": "1"}]}},
        names={"data": {"_entities": [{"name": "one"}, {"name": "two"}]}},
    )

    assert await run(compiled("{ users { id name } }", USERS, NAMES), subgraphs) == {
        "data": {"users": [
            {"id": "1", "name": "one"}, {"id": "2", "name": "two"}, None, {"id": "1", "name": "one"},
        ]}
    }  # fmt: skip
    assert subgraphs.representations("names") == [
        [{"__typename": "User", "id": "1"}, {"__typename": "User", "id": "2"}]
    ]


@pytest.mark.parametrize("more", ["", "null", "None", "__typename"])
async def test_what_a_subgraph_adds_to_its_objects_identifies_none_of_them(more: str) -> None:
    users = [{"id": "1", "code": "a", more: "User"}, {"id": "2", "code": "a", more: "User"}]
    subgraphs = Subgraphs(
        users={"data": {"users": users}}, names={"data": {"_entities": [{"name": "one"}, {"name": "two"}]}}
    )
    plan = compiled(
        "{ users { id name } }",
        USERS,
        entities("names", ("users", "@"), key("User", "id code"), on("User", fields("name"))),
    )
    assert await run(plan, subgraphs) == {"data": {"users": [{"id": "1", "name": "one"}, {"id": "2", "name": "two"}]}}
    assert len(subgraphs.representations("names")[0]) == 2


async def test_of_fetches_at_the_same_time_those_of_objects_further_up_come_first() -> None:
    """So that equal ones are one object when what is below them is looked for."""
    users = [{"id": "1", "home": {"zip": "8000"}}, {"id": "1", "home": {"zip": "8000"}}]
    subgraphs = Subgraphs(
        users={"data": {"users": users}},
        streets={"data": {"_entities": [{"street": "High Street"}]}},
        names={"data": {"_entities": [{"name": "one"}]}},
    )
    streets = entities("streets", ("users", "@", "home"), key("Address", "zip"), on("Address", fields("street")))
    first = Fetch(
        "users", "query", nested("users", SelectionSet((*fields("id").items, *nested("home", fields("zip")).items)))
    )
    user = {"id": "1", "name": "one", "home": {"street": "High Street"}}

    plan = compiled("{ users { id name home { street } } }", first, Parallel((streets, NAMES)))
    assert await run(plan, subgraphs) == {"data": {"users": [user, user]}}
    assert [name for name, _ in subgraphs.sent] == ["users", "names", "streets"]


async def test_objects_that_differ_beside_their_key_stay_apart() -> None:
    subgraphs = Subgraphs(
        users={"data": {"users": [{"id": "1", "code": "a"}, {"id": "1", "code": "b"}]}},
        names={"data": {"_entities": [{"name": "one"}]}},
    )

    assert (await run(compiled("{ users { code name } }", USERS, NAMES), subgraphs))["data"]["users"] == [
        {"code": "a", "name": "one"}, {"code": "b", "name": "one"},
    ]  # fmt: skip


async def test_an_entity_without_its_key_is_not_asked_for() -> None:
    subgraphs = Subgraphs(
        users={"data": {"users": [{"id": None}, {}, {"id": "3"}]}}, names={"data": {"_entities": [{"name": "three"}]}}
    )
    answer = await run(compiled("{ users { name } }", USERS, NAMES), subgraphs)

    assert subgraphs.representations("names") == [[{"__typename": "User", "id": "3"}]]
    assert answer["data"] == {"users": [{"name": None}, {"name": None}, {"name": "three"}]}
    assert [error["path"] for error in answer["errors"]] == [["users"]], "of the one that was left out"


async def test_no_request_is_made_for_no_entities() -> None:
    subgraphs = Subgraphs(users={"data": {"users": []}})

    assert await run(compiled("{ users { name } }", USERS, NAMES), subgraphs) == {"data": {"users": []}}
    assert [name for name, _ in subgraphs.sent] == ["users"]


async def test_a_required_field_may_be_null_in_a_representation_but_not_missing() -> None:
    subgraphs = Subgraphs(
        users={"data": {"users": [{"id": "1", "code": None}, {"id": "2"}]}},
        names={"data": {"_entities": [{"name": "one"}]}},
    )
    fetch = entities("names", ("users", "@"), key("User", "id code"), on("User", fields("name")))
    await run(compiled("{ users { name } }", USERS, fetch), subgraphs)

    assert subgraphs.representations("names") == [[{"__typename": "User", "id": "1", "code": None}]]


async def test_requirements_with_fragments_are_read_by_the_objects_type() -> None:
    required = SelectionSet((
        Field("id", "id"),
        Field("media", "__r0_media", (), SelectionSet((
            InlineFragment("Media", fields("title")), InlineFragment("Book", fields("pages")),
        ))),
    ))  # fmt: skip
    me = {
        "id": "1",
        "__r0_media": [{"__typename": "Book", "title": "t", "pages": 3}, {"__typename": "Film", "title": "f"}],
    }
    subgraphs = Subgraphs(users={"data": {"me": me}}, names={"data": {"_entities": [{"name": "n"}]}})
    rule = RepresentationRule(frozenset(), "User", required)
    plan = compiled(
        "{ me { name } }",
        Fetch("users", "query", nested("me", fields("id"))),
        entities("names", ("me",), rule, on("User", fields("name"))),
    )
    await run(plan, subgraphs)

    assert subgraphs.representations("names") == [[
        {"__typename": "User", "id": "1", "media": [
            {"title": "t", "pages": 3, "__typename": "Book"}, {"title": "f", "__typename": "Film"},
        ]},
    ]]  # fmt: skip


async def test_a_path_goes_on_only_where_the_type_fits() -> None:
    media = [
        {"__typename": "Book", "author": {"id": "1"}},
        {"__typename": "Film", "author": {"id": "1"}},
    ]
    subgraphs = Subgraphs(media={"data": {"media": media}}, names={"data": {"_entities": [{"name": "one"}]}})
    plan = compiled(
        "{ media { ... on Book { author { name } } ... on Film { author { id } } } }",
        Fetch("media", "query", nested("media", fields("__typename"))),
        entities("names", ("media", "@", "|Book|", "author"), key("User"), on("User", fields("name"))),
    )

    assert (await run(plan, subgraphs))["data"]["media"] == [{"author": {"name": "one"}}, {"author": {"id": "1"}}]


async def test_occurrences_that_meet_different_later_steps_are_not_made_one_object() -> None:
    """Both authors are equal when first collected, but only the book's is asked for another `code`."""
    media = [{"__typename": "Book", "author": {"id": "1"}}, {"__typename": "Film", "author": {"id": "1"}}]
    subgraphs = Subgraphs(
        media={"data": {"media": media}},
        names={"data": {"_entities": [{"name": "one"}]}},
        codes={"data": {"_entities": [{"code": "of a book's author"}]}},
    )
    plan = compiled(
        "{ media { ... on Book { author { code name } } ... on Film { author { code name } } } }",
        Fetch("media", "query", nested("media", fields("__typename"))),
        entities("names", ("media", "@", "author"), key("User"), on("User", fields("name"))),
        entities("codes", ("media", "@", "|Book|", "author"), key("User"), on("User", fields("code"))),
    )

    assert (await run(plan, subgraphs))["data"]["media"] == [
        {"author": {"code": "of a book's author", "name": "one"}}, {"author": {"code": None, "name": "one"}},
    ]  # fmt: skip


async def test_what_an_entity_brings_is_copied_for_places_with_another_fate() -> None:
    subgraphs = Subgraphs(
        users={"data": {"me": {"id": "1"}, "users": [{"id": "1"}]}},
        books={"data": {"_entities": [{"books": [{"id": "b"}]}]}},
        titles={"data": {"_entities": [{"title": "t"}]}},
    )
    both = EntityLookup((("me",), ("users", "@")), (key("User"),), on("User", nested("books", fields("id"))))
    plan = compiled(
        "{ me { books { title } } users { books { title } } }",
        Fetch(
            "users", "query", SelectionSet((*nested("me", fields("id")).items, *nested("users", fields("id")).items))
        ),
        EntityFetch("books", (both,)),
        entities("titles", ("me", "books", "@"), key("Book"), on("Book", fields("title"))),
    )
    answer = await run(plan, subgraphs)

    assert answer["data"] == {"me": {"books": [{"title": "t"}]}, "users": [{"books": [{"title": None}]}]}
    assert subgraphs.representations("books") == [[{"__typename": "User", "id": "1"}]]


async def test_several_lookups_travel_in_one_request_under_aliases() -> None:
    subgraphs = Subgraphs(
        users={"data": {"me": {"id": "1"}, "users": [{"id": "2"}]}},
        names={"data": {"_e0": [{"name": "one"}], "_e1": [{"code": "two"}]}},
    )
    plan = compiled(
        "{ me { name } users { code } }",
        Fetch("users", "query", SelectionSet((*nested("me", fields("id")).items, *nested("users", fields("id")).items))),
        EntityFetch("names", (
            EntityLookup((("me",),), (key("User"),), on("User", fields("name"))),
            EntityLookup((("users", "@"),), (key("User"),), on("User", fields("code"))),
        )),
    )  # fmt: skip

    assert await run(plan, subgraphs) == {"data": {"me": {"name": "one"}, "users": [{"code": "two"}]}}
    assert subgraphs.sent[1][1] == {
        "query": "query($r0:[_Any!]!,$r1:[_Any!]!){_e0:_entities(representations:$r0){...on User{name}} "
        "_e1:_entities(representations:$r1){...on User{code}}}",
        "variables": {"r0": [{"__typename": "User", "id": "1"}], "r1": [{"__typename": "User", "id": "2"}]},
    }


async def test_renamed_keys_are_given_back_before_merging() -> None:
    media = [{"__typename": "Book", "__a0_title": "b"}, {"__typename": "Film", "title": "f"}]
    rename = KeyRename(("media", "@"), frozenset({"Book"}), "__a0_title", "title")
    fetch = Fetch("media", "query", nested("media", fields("__typename")), (), (rename,))

    assert await run(compiled("{ media { title } }", fetch), Subgraphs(media={"data": {"media": media}})) == {
        "data": {"media": [{"title": "b"}, {"title": "f"}]}
    }


async def test_shared_objects_of_two_subgraphs_are_merged_level_by_level() -> None:
    plan = compiled(
        "{ me { home { street zip } } }",
        Parallel((
            Fetch("a", "query", nested("me", nested("home", fields("street")))),
            Fetch("b", "query", nested("me", nested("home", fields("zip")))),
        )),
    )  # fmt: skip
    subgraphs = Subgraphs(a={"data": {"me": {"home": {"street": "s"}}}}, b={"data": {"me": {"home": {"zip": "z"}}}})

    assert await run(plan, subgraphs) == {"data": {"me": {"home": {"street": "s", "zip": "z"}}}}


async def test_an_interface_objects_type_name_gives_way_to_the_real_one() -> None:
    plan = compiled(
        "{ media { __typename ... on Book { pages } } }",
        Fetch("a", "query", nested("media", fields("__typename id"))),
        entities("b", ("media", "@"), key("Media"), on("Media", fields("__typename"))),
        entities("c", ("media", "@", "|Book|"), key("Book"), on("Book", fields("pages"))),
    )
    subgraphs = Subgraphs(
        a={"data": {"media": [{"__typename": "Media", "id": "1"}]}},
        b={"data": {"_entities": [{"__typename": "Book"}]}},
        c={"data": {"_entities": [{"pages": 9}]}},
    )

    assert await run(plan, subgraphs) == {"data": {"media": [{"__typename": "Book", "pages": 9}]}}


async def test_a_condition_that_fails_costs_no_fetch() -> None:
    plan = compiled(
        "query ($v: Boolean!) { users { id name @include(if: $v) } }",
        USERS,
        ConditionNode((Condition("v"),), NAMES),
    )
    subgraphs = Subgraphs(users={"data": {"users": [{"id": "1"}]}}, names={"data": {"_entities": [{"name": "n"}]}})

    assert await run(plan, subgraphs, {"v": False}) == {"data": {"users": [{"id": "1"}]}}
    assert [name for name, _ in subgraphs.sent] == ["users"]
    assert await run(plan, subgraphs, {"v": True}) == {"data": {"users": [{"id": "1", "name": "n"}]}}


async def test_a_subgraph_that_leaves_out_a_key_is_told_of() -> None:
    plan = compiled("{ users { name } }", USERS, NAMES)
    subgraphs = Subgraphs(
        users={"data": {"users": [{}, {"id": "1"}, {}]}}, names={"data": {"_entities": [{"name": "n"}]}}
    )

    assert await run(plan, subgraphs) == {
        "data": {"users": [{"name": None}, {"name": "n"}, {"name": None}]},
        "errors": [
            {
                "message": "The subgraph left out a key that it was asked for.",
                "path": ["users"],
                "extensions": {"code": "SUBGRAPH_MALFORMED_RESPONSE", "service": "users"},
            }
        ],
    }


async def test_a_key_that_is_null_or_comes_from_nowhere_is_nobodys_fault() -> None:
    plan = compiled("{ users { name } }", Fetch("users", "query", nested("users", fields("id"))), NAMES)
    subgraphs = Subgraphs(users={"data": {"users": [{"id": None}]}}, names={"data": {"_entities": []}})
    assert await run(plan, subgraphs) == {"data": {"users": [{"name": None}]}}

    plan = compiled("{ users { name } }", Fetch("users", "query", nested("users", fields("other"))), NAMES)
    subgraphs = Subgraphs(users={"data": {"users": [{"other": 1}]}}, names={"data": {"_entities": []}})
    assert await run(plan, subgraphs) == {"data": {"users": [{"name": None}]}}


async def test_only_given_variables_are_sent_and_defaults_stay_in_the_text() -> None:
    plan = compiled("query ($a: Int, $b: Int = 5, $c: Int) { me { id } }", Fetch(
        "users", "query", nested("me", fields("id")), (("a", "Int"), ("b", "Int"))
    ))  # fmt: skip
    subgraphs = Subgraphs(users={"data": {"me": {"id": "1"}}})
    await run(plan, subgraphs, {"a": None, "c": 3})

    assert subgraphs.sent[0][1] == {"query": "query($a:Int,$b:Int=5){me{id}}", "variables": {"a": None}}


async def test_an_error_of_an_entity_stands_at_every_place_of_it() -> None:
    error = {"message": "no", "path": ["_entities", 0, "name"], "locations": [{"line": 1, "column": 9}],
             "extensions": {"code": "NOPE", "exception": {"stacktrace": ["secret"]}}}  # fmt: skip
    subgraphs = Subgraphs(
        users={"data": {"users": [{"id": "1"}, {"id": "2"}, {"id": "1"}]}},
        names={"data": {"_entities": [{"name": None}, {"name": "two"}]}, "errors": [error]},
    )
    answer = await run(compiled("{ users { name } }", USERS, NAMES), subgraphs)

    assert answer["errors"] == [
        {"message": "no", "path": ["users", index, "name"], "extensions": {"code": "NOPE", "service": "names"}}
        for index in (0, 2)
    ]
    assert answer["data"] == {"users": [{"name": None}, {"name": "two"}, {"name": None}]}


async def test_a_failed_entity_fetch_is_one_error_at_the_list_and_keeps_the_rest() -> None:
    subgraphs = Subgraphs(users={"data": {"users": [{"id": "1"}, {"id": "2"}]}}, names=b"<html>oops</html>")
    answer = await run(compiled("{ users { id name } }", USERS, NAMES), subgraphs)

    assert answer["data"] == {"users": [{"id": "1", "name": None}, {"id": "2", "name": None}]}
    assert answer["errors"] == [
        {
            "message": "The subgraph's answer is not a GraphQL response.",
            "path": ["users"],
            "extensions": {"code": "SUBGRAPH_MALFORMED_RESPONSE", "service": "names"},
        }
    ]


async def test_a_list_of_another_length_is_not_believed() -> None:
    subgraphs = Subgraphs(
        users={"data": {"users": [{"id": "1"}, {"id": "2"}]}}, names={"data": {"_entities": [{"name": "whose?"}]}}
    )
    answer = await run(compiled("{ users { name } }", USERS, NAMES), subgraphs)

    assert answer["data"] == {"users": [{"name": None}, {"name": None}]}
    assert answer["errors"][0]["extensions"]["code"] == "SUBGRAPH_MALFORMED_RESPONSE"


async def test_a_null_for_a_non_null_field_that_a_failed_fetch_explains_is_told_once() -> None:
    fetch = entities("names", ("me",), key("User"), on("User", fields("must")))
    plan = compiled("{ me { id must } }", Fetch("users", "query", nested("me", fields("id"))), fetch)
    answer = await run(plan, Subgraphs(users={"data": {"me": {"id": "1"}}}, names=b""))

    assert answer["data"] == {"me": None}
    assert [error["path"] for error in answer["errors"]] == [["me"]]


async def test_an_error_path_never_shows_the_plans_own_keys() -> None:
    error = {"message": "no", "path": ["me", "__r0_media", 0, "title"]}
    subgraphs = Subgraphs(users={"data": {"me": {"id": "1"}}, "errors": [error]})
    answer = await run(compiled("{ me { id } }", Fetch("users", "query", nested("me", fields("id")))), subgraphs)

    assert answer["errors"][0]["path"] == ["me"]


@pytest.mark.parametrize(
    ("path", "told"),
    [
        (["media", 0, "__c0_title"], ["media", 0, "title"]),  # asked for under an alias of the plan's
        (["media", 0, "id"], ["media", 0]),  # the client has not asked for it
        (["media", 0, "title", 3, "x"], ["media", 0, "title"]),
        (["media", -1, "title"], ["media"]),
        (["media", 0, 1], ["media", 0]),
        (["__proto__"], None),
        ([True], None),
        ("media", None),
        ([{"a": 1}], None),
    ],
)
async def test_an_error_path_is_told_as_far_as_the_client_can_follow_it(path: Any, told: Any) -> None:
    rename = KeyRename(("media", "@"), frozenset({"Book"}), "__c0_title", "title")
    fetch = Fetch("media", "query", nested("media", fields("__typename")), (), (rename,))
    media = [{"__typename": "Book", "__c0_title": None}]
    subgraphs = Subgraphs(media={"data": {"media": media}, "errors": [{"message": "no", "path": path}]})
    answer = await run(compiled("{ media { title } }", fetch), subgraphs)

    assert [error.get("path") for error in answer["errors"]] == [told]


async def test_errors_of_lookups_that_travel_together_stand_where_their_entities_do() -> None:
    lookups = (
        EntityLookup((("users", "@"), ("me",)), (key("User"),), on("User", fields("name"))),
        EntityLookup((("shelf", "@", "books", "@", "@"),), (key("Book"),), on("Book", fields("pages"))),
    )
    plan = compiled(
        "{ users { n: name } me { n: name } shelf { books { pages } } }",
        Fetch("all", "query", fields("users me shelf")),
        EntityFetch("more", lookups),
    )
    books = [[{"id": "1"}], [{"id": "2"}, None, {"id": "1"}]]
    subgraphs = Subgraphs(
        all={"data": {"users": [{"id": "2"}, {"id": "1"}], "me": {"id": "1"}, "shelf": [{"books": books}]}},
        more={
            "data": {"_e0": [{"n": "two"}, {"n": None}], "_e1": [{"pages": None}, {"pages": 2}]},
            "errors": [
                {"message": "one", "path": ["_e0", 1, "n"]},
                {"message": "other", "path": ["_e1", 0, "pages"]},
                {"message": "vague", "path": ["_e1"]},
                {"message": "astray", "path": ["_e1", 7, "pages"]},
                {"message": "all"},
            ],
        },
    )
    answer = await run(plan, subgraphs)

    assert [(error["message"], error["path"]) for error in answer["errors"]] == [
        ("one", ["users", 1, "n"]),
        ("one", ["me", "n"]),
        ("other", ["shelf", 0, "books", 0, 0, "pages"]),
        ("other", ["shelf", 0, "books", 1, 2, "pages"]),
        ("vague", ["shelf"]),
        ("astray", ["shelf"]),
        ("all", ["users"]),
        ("all", ["me"]),
        ("all", ["shelf"]),
    ]


async def test_a_lookup_without_answer_is_told_though_another_one_reported_an_error() -> None:
    lookups = tuple(EntityLookup(((name,),), (key("User"),), on("User", fields("name"))) for name in ("me", "you"))
    plan = compiled(
        "{ me { name } you { name } }", Fetch("all", "query", fields("me you")), EntityFetch("more", lookups)
    )
    subgraphs = Subgraphs(
        all={"data": {"me": {"id": "1"}, "you": {"id": "2"}}},
        more={"data": {"_e0": [None]}, "errors": [{"message": "no", "path": ["_e0", 0]}]},
    )
    answer = await run(plan, subgraphs)

    assert [(error["message"], error["path"]) for error in answer["errors"]] == [
        ("no", ["me"]),
        ("The subgraph returned no entities.", ["you"]),
    ]


async def test_an_error_of_an_entity_that_stands_everywhere_is_told_at_a_bounded_number_of_places() -> None:
    failing = [{"message": f"no {number}", "path": ["_entities", number % 2, "name"]} for number in range(1_000)]
    subgraphs = Subgraphs(
        users={"data": {"users": [{"id": str(number % 2)} for number in range(5_000)]}},
        names={"data": {"_entities": [{"name": None}, {"name": None}]}, "errors": failing},
    )
    answer = await run(compiled("{ users { name } }", USERS, NAMES), subgraphs)

    assert len(answer["errors"]) == 201
    assert answer["errors"][-1]["message"] == "The subgraph reported more errors."
    assert "path" not in answer["errors"][-1]


@pytest.mark.parametrize(
    ("extensions", "told"),
    [
        ({"code": "NOPE", "since": [1]}, {"code": "NOPE", "since": [1], "service": "users"}),
        ({"service": "other", "url": "http://users.internal", "response": {"body": "x"}}, {"service": "users"}),
        ({"code": ["NOPE"]}, {"service": "users"}),
        ({"code": "NOPE", "dump": "x" * 20_000}, {"code": "NOPE", "service": "users"}),
        ("odd", {"service": "users"}),
    ],
)
async def test_extensions_are_told_without_addresses_and_within_a_bound(extensions: Any, told: Any) -> None:
    error = {"message": "m" * 10_000, "path": ["me"], "extensions": extensions}
    subgraphs = Subgraphs(users={"data": {"me": None}, "errors": [error]})
    answer = await run(compiled("{ me { id } }", Fetch("users", "query", nested("me", fields("id")))), subgraphs)

    assert len(answer["errors"][0]["message"]) == 4_001
    assert answer["errors"][0]["extensions"] == {"code": "DOWNSTREAM_SERVICE_ERROR", **told}


async def test_mutations_run_one_after_the_other() -> None:
    order: list[str] = []

    def note(name: str) -> Answerer:
        def answer(_body: dict[str, Any]) -> Answer:
            order.append(name)
            return {"data": {name: len(order)}}

        return answer

    plan = compiled(
        "mutation { b a }", Fetch("b", "mutation", fields("b")), Fetch("a", "mutation", fields("a")),
        operation_type="mutation",
    )  # fmt: skip
    body = await plan.respond(Execution(Subgraphs(a=note("a"), b=note("b")), {}))

    assert orjson.loads(body) == {"data": {"b": 1, "a": 2}}


async def test_independent_fetches_are_under_way_together() -> None:
    waiting: dict[str, asyncio.Future[SubgraphAnswer]] = {}

    class Slow:
        def send(self, request: SubgraphRequest) -> asyncio.Future[SubgraphAnswer]:
            waiting[request.subgraph] = asyncio.get_running_loop().create_future()
            return waiting[request.subgraph]

    plan = compiled(
        "{ me { id } users { id name } }",
        Parallel((
            Sequence((USERS, NAMES)),
            Fetch("me", "query", nested("me", fields("id"))),
        )),
    )  # fmt: skip
    task = asyncio.create_task(plan.respond(Execution(Slow(), {})))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert set(waiting) == {"me", "users"}
    waiting["users"].set_result(SubgraphAnswer(200, b'{"data":{"users":[{"id":"1"}]}}'))
    for _ in range(5):
        await asyncio.sleep(0)
    assert set(waiting) == {"me", "users", "names"}  # the second hop does not wait for the slow neighbour
    waiting["names"].set_result(SubgraphAnswer(200, b'{"data":{"_entities":[{"name":"n"}]}}'))
    waiting["me"].set_result(SubgraphAnswer(200, b'{"data":{"me":{"id":"9"}}}'))

    assert orjson.loads(await task) == {"data": {"me": {"id": "9"}, "users": [{"id": "1", "name": "n"}]}}
