"""An answer in which objects occur many times over reads as `orjson.loads` reads it, whatever a subgraph puts into it."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.executor.fetch import Execution
from router.executor.repeated_objects import ANSWERS_PASSED_BY, RepeatedObjects
from router.executor.response_size import Occurrences, way_of
from router.query_plan import EntityFetch, EntityLookup, Fetch, PlanNode
from router.selection_set import Condition, Field, SelectionSet
from router.transport.protocol import SubgraphAnswer, SubgraphRequest
from tests.unit.router.executor.test_execute import Subgraphs, compiled, entities, fields, key, nested, on

LONG = "x" * 400
ADDRESS = Field("home", "home", selections=fields("street zip"))
USER = SelectionSet((*fields("id __typename class").items, ADDRESS))
BOOK = SelectionSet((*fields("id").items, Field("author", "author", selections=USER)))
SHELF = SelectionSet((Field("books", "books", selections=BOOK), Field("rest", "rest", selections=fields("id"))))
AUTHORS = ("books", "@", "author")
KEYS = ("books", "author")


def reader(selections: SelectionSet = SHELF) -> RepeatedObjects:
    """One that has passed by the answers that it does not read."""
    made = RepeatedObjects(selections, {AUTHORS: (way_of(KEYS),)})
    assert made.read(SubgraphAnswer(200, orjson.dumps({"data": LONG * 3})), None) is None
    return made


def user(number: int = 1) -> dict[str, Any]:
    return {"id": str(number), "__typename": "User", "class": LONG, "home": {"street": "s", "zip": None}}


def answer(*authors: Any, **more: Any) -> bytes:
    books = [{"id": str(index), "author": author} for index, author in enumerate(authors)]
    return orjson.dumps({"data": {"books": books, "rest": [{"id": 7}]}, **more})


def test_objects_of_one_text_are_one_object_and_are_known() -> None:
    body = answer(user(1), user(2), None, user(1), user(1), errors=[{"message": "m"}])
    read = reader().read(SubgraphAnswer(200, body), None)
    assert read is not None
    assert read.payload == orjson.loads(body)
    one, other, _, again, once_more = [book["author"] for book in read.payload["data"]["books"]]
    assert one is again
    assert one is once_more
    assert read.found == {AUTHORS: [one, other]}
    assert one is read.found[AUTHORS][0]
    assert read.occurrences is not None


def test_an_answer_for_several_operations_is_read_once_and_each_has_objects_of_its_own() -> None:
    body = answer(user(1), user(2), None, user(1))
    shared, made = SubgraphAnswer(200, body), reader()
    shared.readings = {}
    first = made.read(shared, None)
    assert first is not None
    (kept,) = shared.readings.values()
    assert len(kept) < len(body)
    first.found[AUTHORS][0]["class"] = "what another answer said"
    first.payload["data"]["books"].clear()
    second = made.read(shared, None)
    assert second is not None
    assert second.payload == orjson.loads(body)
    one, other, _, again = [book["author"] for book in second.payload["data"]["books"]]
    assert one is again
    assert [id(each) for each in second.found[AUTHORS]] == [id(one), id(other)]
    assert second.occurrences is not None
    assert second.occurrences.of_nested_root(way_of((*KEYS, "home")), 1) == 2
    assert (*shared.readings.values(),) == (kept,)
    assert reader().read(shared, None) is not None  # of another plan, whose places are its own
    assert len(shared.readings) == 2


def test_what_is_not_repeated_is_in_one_place_and_is_read_in_the_ordinary_way_for_a_while() -> None:
    made = reader()
    body = answer(*map(user, range(20)))
    read = made.read(SubgraphAnswer(200, body), None)
    assert read is not None
    assert read.payload == orjson.loads(body)
    assert read.occurrences is None
    for _ in range(ANSWERS_PASSED_BY):
        assert made.read(SubgraphAnswer(200, body), None) is None
    assert made.read(SubgraphAnswer(200, body), None) is not None


def test_what_differs_behind_a_like_beginning_is_not_taken_for_the_same() -> None:
    body = answer(
        *(
            {"home": {"street": LONG, "zip": zip_}, **{k: v for k, v in user().items() if k != "home"}}
            for zip_ in "aabba"
        )
    )
    read = reader().read(SubgraphAnswer(200, body), None)
    assert read is not None
    assert read.payload == orjson.loads(body)
    assert len(read.found[AUTHORS]) == 3  # of what was met second each is one of its own


@pytest.mark.parametrize(
    "body",
    [
        answer(*[{**user(), "more": 1}] * 5).replace(b'"id":"0"', b'"id":"0","more":1'),
        answer(*[user()] * 5).replace(b'"id":"0",', b""),
        answer(*[user()] * 5).replace(b'"id":"0"', b'"id":18446744073709551616'),
        answer(*[user()] * 5).replace(b'"id":"0"', b'"id":1E400'),
        answer(*[user()] * 5).replace(b'"id":"0"', b'"id":{"deep":1}'),
        answer(*[user()] * 5).replace(b'"rest"', b'"others"'),
        answer(*[user()] * 5, hint=1),
        answer(*[user()] * 5, extensions={"hint": "yyy"}).replace(b"yyy", b"y\xffy"),
        answer(*[user()] * 5).replace(b"xxx", b"x\xffx"),
        answer(*[user()] * 5)[:-1],
        b'{"data":[%b' % (b" " * 2000),
    ],
)
def test_what_is_not_as_it_was_asked_for_is_read_in_the_ordinary_way(body: bytes) -> None:
    assert reader().read(SubgraphAnswer(200, body), None) is None


def test_an_author_without_a_field_is_refused_and_one_of_a_list_is_kept_as_it_is() -> None:
    without_field = {key_: value for key_, value in user().items() if key_ != "class"}
    body = answer(without_field, [user()], "text", 5, *[user()] * 5)
    read = reader().read(SubgraphAnswer(200, body), None)
    assert read is not None
    assert read.payload == orjson.loads(body)
    assert read.found[AUTHORS] == [without_field, user()]  # what is no object is nobody's to look up


def test_where_conditions_decide_what_is_asked_nothing_is_compared() -> None:
    conditional = Field("id", "id", conditions=(Condition("on"),))
    selections = SelectionSet((Field("books", "books", selections=BOOK), conditional))
    assert reader(selections).read(SubgraphAnswer(200, answer(*[user()] * 9)), None) is None


_VALUES = st.none() | st.booleans() | st.integers(-(2**64), 2**65) | st.floats(allow_nan=False) | st.text(max_size=5)
_AUTHORS = st.sampled_from([None, user(1), user(2), {}, [], {"id": 1.5, "home": None}]) | st.dictionaries(
    st.sampled_from(["id", "home", "more"]), _VALUES, max_size=3
)


@given(
    authors=st.lists(_AUTHORS, max_size=8),
    ids=_VALUES | st.lists(_VALUES, max_size=2),
    books=st.sampled_from(["list", "null", "object"]),
)
def test_whatever_is_read_is_what_orjson_reads(authors: list[Any], ids: Any, books: str) -> None:
    listed: Any = [{"id": ids, "author": author} for author in [user(3), user(3), *authors]]
    value = {"list": listed, "null": None, "object": {"id": 1}}[books]
    raw = orjson.dumps({"data": {"books": value, "rest": LONG * 3}}) if _fits(value) else b'{"data":null}' + b" " * 2000
    shared, made = SubgraphAnswer(200, raw), reader()
    shared.readings = {}
    for _ in range(3):
        read = made.read(shared, None)
        if read is not None:
            assert orjson.dumps(read.payload) == orjson.dumps(orjson.loads(raw))
            for each in read.found.get(AUTHORS, []):  # whoever has read it merges other answers into it
                each.clear()
            read.payload["data"] = None


def _fits(value: Any) -> bool:
    try:
        orjson.dumps(value)
    except orjson.JSONEncodeError:
        return False
    return True


def test_nested_objects_that_are_repeated_multiply() -> None:
    selections = nested("users", SelectionSet((*fields("id").items, Field("books", "books", selections=BOOK))))
    above, below = ("users", "@"), ("users", "@", "books", "@", "author")
    made = RepeatedObjects(selections, {above: (way_of(("users",)),), below: (way_of(("users", "books", "author")),)})
    assert made.read(SubgraphAnswer(200, b" " * 2000), None) is None
    one = {"id": "1", "books": [{"id": "1", "author": user()}] * 3}
    body = orjson.dumps({"data": {"users": [one] * 4}})
    occurrences = Occurrences()
    read = made.read(SubgraphAnswer(200, body), occurrences)
    assert read is not None
    assert read.payload == orjson.loads(body)
    assert [len(each) for each in read.found.values()] == [1, 1]
    assert occurrences.of_nested_root(way_of(("users", "books", "author", "home")), 1) == 12


# -- in plans --------------------------------------------------------------------------------------------------

BOOKS = SelectionSet(
    (*fields("id title").items, Field("author", "author", selections=SelectionSet((*fields("id").items, ADDRESS))))
)
USERS_BOOKS = SelectionSet((*fields("id").items, Field("books", "books", selections=BOOKS)))
ROOT = Fetch("a", "query", nested("users", USERS_BOOKS))
NAMES = entities("names", ("users", "@", "books", "@", "author"), key("User"), on("User", fields("name")))
OPERATION = "{ users { id books { id title author { id name home { street } } } } }"


def shelf(*numbers: int) -> dict[str, Any]:
    """Users, each with books of all these authors."""
    authors = [{"id": str(number), "home": {"street": LONG, "zip": str(number)}} for number in numbers]
    books = [{"id": str(index), "title": "t", "author": author} for index, author in enumerate(authors)]
    return {"data": {"users": [{"id": "1", "books": books}, {"id": "2", "books": books}]}}


def names(body: dict[str, Any]) -> dict[str, Any]:
    return {"data": {"_entities": [{"name": f"n{each['id']}"} for each in body["variables"]["representations"]]}}


async def answers(
    *nodes: PlanNode, operation: str = OPERATION, is_cut: bool = False, **subgraphs: Any
) -> tuple[bytes, Subgraphs]:
    """Of the fourth run, when everything is compiled; all runs give and ask the same."""
    plan = compiled(operation, *nodes)
    asked = None
    for _ in range(4):
        transport = Subgraphs(**subgraphs)
        execution = Execution(transport, {}, is_cut=is_cut)
        body = await plan.respond(execution)
        assert asked in (None, (orjson.loads(body), transport.sent))
        asked = (orjson.loads(body), transport.sent)
    return body, transport


async def test_a_repeated_entity_is_asked_for_once_and_stands_everywhere() -> None:
    body, transport = await answers(ROOT, NAMES, a=shelf(1, 2, 1, 1), names=names)
    [asked] = transport.representations("names")
    assert [each["id"] for each in asked] == ["1", "2"]
    users = orjson.loads(body)["data"]["users"]
    assert [[book["author"]["name"] for book in each["books"]] for each in users] == [["n1", "n2", "n1", "n1"]] * 2
    plainly, _ = await answers(ROOT, NAMES, a=shelf(1, 2, 1, 1), names=names, is_cut=True)
    assert plainly == body


class SharedBooks(Subgraphs):
    """Hands all operations the same answer of "a", as where they ask at the same moment."""

    def __init__(self, books: SubgraphAnswer, **subgraphs: Any) -> None:
        super().__init__(**subgraphs)
        self._books = books

    def send(self, request: SubgraphRequest) -> asyncio.Future[SubgraphAnswer]:
        pending = super().send(request)
        if request.subgraph != "a":
            return pending
        shared: asyncio.Future[SubgraphAnswer] = asyncio.get_running_loop().create_future()
        shared.set_result(self._books)
        return shared


async def test_operations_that_share_an_answer_do_not_see_what_others_merge_into_it() -> None:
    plan = compiled(OPERATION, ROOT, NAMES)
    books = SubgraphAnswer(200, orjson.dumps(shelf(1, 2, 1, 1)))
    books.readings = {}
    for run in range(6):

        def told(body: dict[str, Any], run: int = run) -> dict[str, Any]:
            asked = body["variables"]["representations"]
            assert [set(each) for each in asked] == [{"__typename", "id"}] * 2
            return {"data": {"_entities": [{"name": f"{run} {each['id']}"} for each in asked]}}

        response = orjson.loads(await plan.respond(Execution(SharedBooks(books, a=shelf(1), names=told), {})))
        assert "errors" not in response
        names = [[book["author"]["name"] for book in each["books"]] for each in response["data"]["users"]]
        assert names == [[f"{run} {number}" for number in (1, 2, 1, 1)]] * 2
    assert books.readings  # the last ones had it from there


async def test_below_entities_the_same() -> None:
    users = Fetch("u", "query", nested("users", fields("id")))
    reviews = entities(
        "a", ("users", "@"), key("User"), on("User", SelectionSet((Field("books", "books", selections=BOOKS),)))
    )

    def of_users(body: dict[str, Any]) -> dict[str, Any]:
        found = shelf(1, 2, 1, 1)["data"]["users"][0]["books"]
        return {"data": {"_entities": [{"books": found} for _ in body["variables"]["representations"]]}}

    ids = {"data": {"users": [{"id": "8"}, {"id": "9"}]}}
    body, transport = await answers(users, reviews, NAMES, u=ids, a=of_users, names=names)
    [asked] = transport.representations("names")
    assert [each["id"] for each in asked] == ["1", "2"]
    users_told = orjson.loads(body)["data"]["users"]
    assert [[book["author"]["name"] for book in each["books"]] for each in users_told] == [["n1", "n2", "n1", "n1"]] * 2


async def test_where_another_answer_tells_of_the_same_positions_each_keeps_its_own() -> None:
    """Two subgraphs answer the lists; what the second says of the equal authors differs."""
    other = SelectionSet((Field("author", "author", selections=fields("code")),))
    second = Fetch("b", "query", nested("users", SelectionSet((Field("books", "books", selections=other),))))
    codes = [[{"author": {"code": f"{row}{column}"}} for column in range(3)] for row in range(2)]
    body, _ = await answers(
        ROOT,
        second,
        NAMES,
        operation="{ users { books { author { id code name } } } }",
        a=shelf(1, 1, 1),
        b={"data": {"users": [{"books": each} for each in codes]}},
        names=names,
    )
    told = [[book["author"]["code"] for book in each["books"]] for each in orjson.loads(body)["data"]["users"]]
    assert told == [["00", "01", "02"], ["10", "11", "12"]]


async def test_what_came_unasked_is_merged_with_what_is_read_and_all_of_it_is_asked_about() -> None:
    """A first subgraph has sent books of other authors already: lists of another length are not merged."""
    users = Fetch("u", "query", nested("users", fields("id")))
    reviews = entities(
        "a", ("users", "@"), key("User"), on("User", SelectionSet((Field("books", "books", selections=BOOKS),)))
    )
    unasked = [{"id": "5", "title": "t", "author": {"id": "5", "home": {"street": "s"}}}]
    found = shelf(1, 2, 1, 1)["data"]["users"][0]["books"]
    body, transport = await answers(
        users,
        reviews,
        NAMES,
        u={"data": {"users": [{"id": "8", "books": unasked}]}},
        a={"data": {"_entities": [{"books": found}]}},
        names=names,
    )
    [asked] = transport.representations("names")
    assert [each["id"] for each in asked] == ["5"]
    assert [book["author"]["name"] for book in orjson.loads(body)["data"]["users"][0]["books"]] == ["n5"]


async def test_an_entity_at_several_paths_brings_objects_of_its_own_to_those_that_are_told_of_otherwise() -> None:
    """The homes below `me` alone are looked up again; those of the same text below `you` must not get what comes of that."""
    home = SelectionSet((Field("home", "home", selections=SelectionSet((*fields("street zip").items,))),))
    root = Fetch("a", "query", SelectionSet((*nested("me", fields("id")).items, *nested("you", fields("id")).items)))
    lookup = EntityLookup((("me",), ("you",)), (key("User"),), on("User", home))
    zips = entities("z", ("me", "home"), key("Address", "street"), on("Address", fields("code")))

    def homes(body: dict[str, Any]) -> dict[str, Any]:
        there = {"home": {"street": LONG * 2, "zip": LONG}}
        return {"data": {"_entities": [there for _ in body["variables"]["representations"]]}}

    body, transport = await answers(
        root,
        EntityFetch("h", (lookup,)),
        zips,
        operation="{ me { home { street } } you { home { street } } }",
        a={"data": {"me": {"id": "1"}, "you": {"id": "2"}}},
        h=homes,
        z={"data": {"_entities": [{"code": "c"}]}},
    )
    assert len(transport.representations("z")[0]) == 1
    assert orjson.loads(body)["data"]["you"] == {"home": {"street": LONG * 2}}
