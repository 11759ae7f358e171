"""Texts that differ in aliases, literals and layout share what was made of one of them, and nobody can tell by the answers."""

from __future__ import annotations

import pytest

from router.errors import DocumentInvalidError
from router.loaded_graph import LoadedGraph
from router.operation import Operation
from router.operation.text_form import MARK
from router.prepared_operation import PreparedOperation
from router.query_plan import QueryPlan
from tests.testkit.running_router import StartRouter, token
from tests.testkit.strawberry_shop import SUPERGRAPH, Shop


def graph_counting(planned: list[Operation]) -> LoadedGraph:
    """Of the shop, with each operation noted that is planned."""
    graph = LoadedGraph.from_sdl(SUPERGRAPH)
    plan = graph._plan

    def counted(operation: Operation, labels: frozenset[str]) -> QueryPlan:
        planned.append(operation)
        return plan(operation, labels)

    graph._plan = counted
    return graph


async def asked(graph: LoadedGraph, text: str, name: str | None = None) -> PreparedOperation:
    """What a request of this text runs with; planned too."""
    prepared = await graph.prepare(text, name, may_share=True)
    await graph.plan(prepared, prepared.plannable)
    return prepared


async def test_the_third_text_of_a_form_is_neither_prepared_nor_planned() -> None:
    planned: list[Operation] = []
    graph = graph_counting(planned)
    texts = [f"{{ a{number}: products {{ id b{number}: inStock }} }}" for number in range(10)]
    made = [await asked(graph, text) for text in texts]
    assert [dict(each.names) for each in made] == [{}, *({"_0": f"a{n}", "_1": f"b{n}"} for n in range(1, 10))]
    assert len(planned) == 2  # of the first text, and of the form
    assert len(graph.known_operations()) == 2
    assert (await asked(graph, texts[5])).names == {}  # it comes again, so it gets a plan of its own
    assert len(planned) == 3


async def test_a_text_that_differs_in_layout_only_has_all_of_the_other() -> None:
    planned: list[Operation] = []
    graph = graph_counting(planned)
    made = [await asked(graph, f"query Q {{ products {{ id }} }} # {number}") for number in range(4)]
    assert made[1] is made[2] is made[3]
    assert made[1].operation.name == "Q"
    assert await asked(graph, "query Q { products { id } } # 3") is made[3]
    assert len(planned) == 1


async def test_texts_with_other_literals_are_prepared_once_and_have_their_own_values() -> None:
    planned: list[Operation] = []
    graph = graph_counting(planned)
    text = '{{ user(id: "u{0}") {{ name }} slow(seconds: {1}) }}'
    made = [await asked(graph, text.format(number, seconds)) for number, seconds in enumerate((0.5, 1.25, 3e2, 0.5))]
    assert len(planned) == 1
    assert len({id(each.operation) for each in made[1:]}) == 1
    values = [sorted(each.coercion.coerce(None).values(), key=str) for each in made]
    assert values == [[0.5, "u0"], [1.25, "u1"], [300.0, "u2"], [0.5, "u3"]]
    whole = await asked(graph, text.format(4, 2))  # an integer where floats stood is another form
    assert sorted(whole.coercion.coerce(None).values(), key=str) == [2, "u4"]
    endless = await asked(graph, text.format(4, "1e999"))  # which JSON does not have, so it stays in the text
    assert "1e999" in str(endless.operation.selections)
    with pytest.raises(DocumentInvalidError):
        await asked(graph, '{ user(id: "u1") { name } slow(seconds: "1") }')


async def test_a_literal_that_is_part_of_something_or_stays_in_the_text_is_shared_with_equal_ones_only() -> None:
    sdl = SUPERGRAPH.replace("user(id: ID!)", "user(id: ID!, more: [Int], any: Any)")
    graph = LoadedGraph.from_sdl(f"{sdl} scalar Any @join__type(graph: ACCOUNTS)")
    for argument in ("more: [{0}]", "any: {0}"):
        for number in (1, 2, 1, 2, 3):
            for layout in range(3):
                text = f'{{ user(id: "u1", {argument.format(number)}) {{ name }} }} # {layout}'
                prepared = await asked(graph, text)
                values = str((prepared.operation.selections, prepared.coercion.coerce(None)))
                assert str(number) in values.replace("u1", "")
                assert MARK not in values


async def test_an_integer_that_is_too_large_is_refused_where_others_were_not() -> None:
    graph = LoadedGraph.from_sdl(SUPERGRAPH.replace("user(id: ID!)", "user(id: ID!, number: Int)"))
    for number in (1, 2, 3, 2**31 - 1, -(2**31)):
        prepared = await asked(graph, f'{{ user(id: "u1", number: {number}) {{ id }} }}')
        assert prepared.coercion.coerce(None) == {"_0": "u1", "_1": number}
    for wrong in (2**31, -(2**31) - 1, 10**40, "9" * 5_000):
        with pytest.raises(DocumentInvalidError):
            await asked(graph, f'{{ user(id: "u1", number: {wrong}) {{ id }} }}')


async def test_a_literal_is_sent_as_it_was_written(start_router: StartRouter, shop: Shop) -> None:
    shop.names["3000000000"] = "Cat"
    async with start_router() as router:
        for number in range(4):
            await router.ask(f"{{ user(id: {number}) {{ id }} }}")
        answer = await router.ask("{ user(id: 3000000000) { id name } }")
        assert answer == {"data": {"user": {"id": "3000000000", "name": "Cat"}}}
        for name in ("a b", "é", "", "u1"):
            shop.names[name] = name
            assert await router.ask(f'{{ user(id: "{name}") {{ name }} }}') == {"data": {"user": {"name": name}}}


async def test_forms_are_warmed_up_for_the_next_graph() -> None:
    texts = [f"{{ a{number}: user(id: {number}) {{ id }} }}" for number in range(4)]
    graph = LoadedGraph.from_sdl(SUPERGRAPH)
    for text in texts[:3]:
        await asked(graph, text)
    planned: list[Operation] = []
    following = graph_counting(planned)
    for known, name in graph.known_operations():
        prepared = await following.prepare(known, name)
        await following.plan(prepared, prepared.plannable)
    assert len(planned) == 2
    shared = await asked(following, texts[3])
    assert (shared.names, shared.coercion.coerce(None)) == ({"_0": "a3"}, {"_0": "3"})
    assert len(planned) == 2


async def test_a_clients_own_text_that_looks_like_a_form_serves_no_others_unless_it_can() -> None:
    graph = LoadedGraph.from_sdl(SUPERGRAPH)
    for text in (
        "mutation {{ {0} : rename ( name : $n ) {{ id }} }}",
        "{{ {0} : __schema {{ queryType {{ name }} }} }}",
    ):
        await graph.prepare(text.format("_0").replace("$n", '"n"'), None)
        for alias in ("a", "b", "c"):
            assert (await graph.prepare(text.format(alias).replace("$n", '"n"'), None, may_share=True)).names == {}


@pytest.mark.parametrize(
    "text",
    [
        'mutation {{ a{0}: rename(name: "x") {{ id }} }}',
        "{{ a{0}: __schema {{ queryType {{ name }} }} }}",
        "subscription {{ a{0}: ticks(count: 1) {{ n }} }}",
    ],
)
async def test_only_queries_of_data_share(text: str) -> None:
    graph = LoadedGraph.from_sdl(SUPERGRAPH)
    for number in range(3):
        assert (await graph.prepare(text.format(number), None, may_share=True)).names == {}


async def test_operations_of_several_in_a_text_are_told_apart() -> None:
    graph = LoadedGraph.from_sdl(SUPERGRAPH)
    text = "query A {{ a{0}: me {{ id }} }} query B {{ a{0}: products {{ id }} }}"
    await asked(graph, text.format(0), "A")
    b = await asked(graph, text.format(1), "B")
    assert (b.names, b.operation.name) == ({}, "B")  # the first of its form under this name
    a = await asked(graph, text.format(2), "A")
    assert (a.names, a.operation.name) == ({"_0": "a2"}, "A")


async def test_errors_and_nulls_are_told_in_the_texts_own_names(start_router: StartRouter, shop: Shop) -> None:
    """What a subgraph says, what authorization takes out, and what the projection finds."""
    query = 'query Q {{ {0}: broken {1}: user(id: "u2") {{ {2}: name {3}: email salary }} }}'
    async with start_router() as router:
        for names in ("abcd", "dcba", "wxyz", "wxyz", ("_3", "_2", "_1", "_0"), ("_1", "_0", "_3", "_2")):
            answer = await router.ask(query.format(*names))
            a, b, c, d = names
            assert answer["data"] == {a: None, b: None}
            told = {tuple(error["path"]): error["extensions"]["code"] for error in answer["errors"]}
            assert told == {
                (a,): "DOWNSTREAM_SERVICE_ERROR",
                (b, d): "UNAUTHENTICATED",
                (b, "salary"): "UNAUTHENTICATED",
            }
            allowed = await router.ask(query.format(*names), authorization=token(scope="admin"))
            assert allowed["data"] == {a: None, b: {c: "Ben", d: "u2@example.com", "salary": 1000}}
            assert list(allowed["data"][b]) == [c, d, "salary"]
            assert [error["path"] for error in allowed["errors"]] == [[a]]


async def test_a_text_that_cannot_be_run_is_refused_in_its_own_words(start_router: StartRouter) -> None:
    async with start_router() as router:
        for number in range(3):
            assert "errors" not in await router.ask(f"{{ a{number}: products {{ id }} }}")
        for wrong in ("{ a: products { nothing } }", "{ __a: products { id } }", "{ a: products { id }"):
            (error,) = (await router.ask(wrong))["errors"]
            assert error["extensions"]["code"] in ("GRAPHQL_VALIDATION_FAILED", "GRAPHQL_PARSE_FAILED")
            assert "_0" not in error["message"]


async def test_a_plan_that_is_shown_has_the_texts_own_names(start_router: StartRouter) -> None:
    async with start_router(dev=True) as router:
        for number in range(3):
            answer = await router.ask(f"{{ mine{number}: products {{ id }} }}", **{"x-query-plan": "1"})
            assert f"mine{number}" in str(answer["extensions"])
