"""How much of a response an answer can come to: never less than it does, and no product of what never meets."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from graphql import build_schema

from router.executor.execute import compile_plan
from router.executor.fetch import Execution
from router.executor.response_size import Destination, Occurrences, place_name, response_bytes, way_of
from router.operation import normalize, parse_document
from router.query_plan import EntityFetch, EntityLookup, Fetch, QueryPlan, Sequence
from tests.unit.router.executor.test_execute import Subgraphs, entities, fields, key, nested, on

SCHEMA = build_schema("type Query { users: [User] } type User { id: ID! code: String name: String friend: User }")
POSTS, AUTHOR, CITY = ("posts",), ("posts", "author"), ("posts", "author", "city")
LIKES = ("likes", "person")


def of(occurrences: Occurrences, *paths: tuple[str, ...], targets: int = 1, nested: bool = True, **shared: int) -> int:
    """Of a lookup whose paths are of one group, at which `targets` objects wait for each entity."""
    known = {place_name(path): shared[path[-1]] for path in paths if path[-1] in shared}
    destinations = [Destination(way_of(path), 0, nested) for path in paths]
    return occurrences.of_lookup(destinations, known, [[0] * targets])


def test_what_is_put_below_a_shared_object_stands_wherever_that_does() -> None:
    occurrences = Occurrences()
    assert of(occurrences, AUTHOR, author=10) == 10
    assert of(occurrences, CITY) == 10
    assert of(occurrences, AUTHOR) == 10  # known, and shared as before
    assert of(occurrences, CITY, city=2) == 20


def test_branches_that_never_meet_do_not_multiply() -> None:
    occurrences = Occurrences()
    assert of(occurrences, AUTHOR, author=10) == 10
    assert of(occurrences, LIKES, person=100) == 100
    assert of(occurrences, CITY) == 10
    assert of(occurrences, CITY, (*LIKES, "city")) == 100


def test_one_entity_for_several_objects_is_counted_once_for_each_lookup() -> None:
    occurrences = Occurrences()
    assert of(occurrences, AUTHOR, targets=5) == 5
    assert of(occurrences, AUTHOR, targets=5) == 5  # other fields of the same objects
    assert of(occurrences, CITY) == 5
    assert of(occurrences, CITY, targets=5) == 25


def test_where_nothing_is_nested_or_objects_get_copies_nothing_stands_in_more_places() -> None:
    occurrences = Occurrences()
    assert of(occurrences, AUTHOR, targets=5, nested=False) == 5
    assert of(occurrences, CITY) == 1


def test_the_objects_of_each_group_have_their_own_places() -> None:
    occurrences = Occurrences()
    to = [Destination(way_of(AUTHOR), 1, True), Destination(way_of(LIKES), 2, True)]
    assert occurrences.of_lookup(to, {place_name(AUTHOR): 10, place_name(LIKES): 100}, [[1, 2], [1]]) == 110
    assert of(occurrences, CITY) == 10
    assert of(occurrences, (*LIKES, "city")) == 100


def test_what_comes_to_be_shared_later_multiplies_what_stands_below() -> None:
    occurrences = Occurrences()
    assert of(occurrences, AUTHOR, targets=3) == 3
    assert of(occurrences, POSTS, posts=4) == 4
    assert of(occurrences, CITY) == 12


def test_data_of_a_root_below_the_root_stands_in_all_its_places() -> None:
    occurrences = Occurrences()
    assert occurrences.of_nested_root(way_of(POSTS), 7) == 7
    assert of(occurrences, AUTHOR) == 7


@pytest.mark.parametrize("users", [1, 2, 40])
@pytest.mark.parametrize("friends", [1, 3])
async def test_no_answer_comes_to_more_than_was_reckoned(users: int, friends: int) -> None:
    """Users of whom many are one and the same, each with a friend of few, whose names are long."""

    def of_users(body: dict[str, Any]) -> dict[str, Any]:
        return {"data": {"users": [{"id": str(number % 2), "code": "c"} for number in range(users)]}}

    def of_friends(body: dict[str, Any]) -> dict[str, Any]:
        asked = body["variables"]["representations"]
        return {"data": {"_entities": [{"friend": {"id": f"f{int(each['id']) % friends}"}} for each in asked]}}

    def of_names(body: dict[str, Any]) -> dict[str, Any]:
        return {"data": {"_entities": [{"name": "x" * 1_000} for _ in body["variables"]["representations"]]}}

    operation = normalize(parse_document("{ users { id code friend { id name } } }"), None, SCHEMA)
    nodes = (
        Fetch("users", "query", nested("users", fields("id code"))),
        entities("friends", ("users", "@"), key("User"), on("User", nested("friend", fields("id")))),
        EntityFetch("names", (EntityLookup((("users", "@", "friend"),), (key("User"),), on("User", fields("name"))),)),
    )
    plan = compile_plan(QueryPlan("query", Sequence(nodes)), operation, SCHEMA, {})
    for _ in range(2):
        execution = Execution(Subgraphs(users=of_users, friends=of_friends, names=of_names), {})
        response = await plan.respond(execution)
        assert len(orjson.loads(response)["data"]["users"]) == users
        weighed = response_bytes(operation.selections, execution.tree, {})
        assert len(response) * 0.9 < weighed <= execution.spread_bytes
        assert execution.spread_bytes < 3 * len(response)
