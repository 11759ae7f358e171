"""What is selected beneath a field is found through fragments and aliases, and not where a directive may leave it out."""

from __future__ import annotations

import pytest
import strawberry

from subgraphs.shell.look_ahead import MOST_REMEMBERED, LookAhead

SEEN: list[frozenset[str]] = []
AHEAD = LookAhead(leaf=["inner.leaf"], deep=["inner.inner.leaf", "many.leaf"])
BESIDE = LookAhead.in_connection(leaf=["leaf"], deep=["inner.leaf"])


@strawberry.type
class Tree:
    leaf: int = 1

    @strawberry.field
    def inner(self) -> Tree:
        return Tree()

    @strawberry.field
    def many(self) -> list[Tree]:
        return [Tree()]


@strawberry.type
class Edge:
    @strawberry.field
    def node(self) -> Tree:
        return Tree()


@strawberry.type
class Trees:
    @strawberry.field
    def edges(self) -> list[Edge]:
        return [Edge()]

    @strawberry.field
    def nodes(self) -> list[Tree]:
        return [Tree()]


@strawberry.type
class Query:
    @strawberry.field
    def trees(self, info: strawberry.Info) -> Trees:
        SEEN.append(BESIDE.of(info))
        return Trees()

    @strawberry.field
    def tree(self, info: strawberry.Info) -> Tree:
        SEEN.append(AHEAD.of(info))
        return Tree()


SCHEMA = strawberry.Schema(Query)


async def seen(document: str) -> list[frozenset[str]]:
    SEEN.clear()
    result = await SCHEMA.execute(document)
    assert result.errors is None
    return list(SEEN)


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ("{ tree { leaf } }", set()),
        ("{ tree { inner { __typename } } }", set()),
        ("{ tree { inner { leaf } } }", {"leaf"}),
        ("{ tree { a: inner { leaf } b: inner { x: inner { leaf } } } }", {"leaf", "deep"}),
        ("{ tree { many { leaf } } }", {"deep"}),
        ("{ tree { ... { inner { ...L } } } } fragment L on Tree { ... on Tree { leaf } }", {"leaf"}),
        ("{ tree { inner { leaf @include(if: true) } } }", set()),
        ("{ tree { ... @skip(if: false) { inner { leaf } } } }", set()),
        ("{ tree { inner { ...L @include(if: true) } } } fragment L on Tree { leaf }", set()),
        ("{ tree { __typename } tree { inner { leaf } } }", {"leaf"}),
        ("{ trees { edges { node { __typename } } } }", set()),
        ("{ trees { edges { node { leaf } } } }", {"leaf"}),
        ("{ trees { nodes { leaf } edges { node { inner { leaf } } } } }", {"leaf", "deep"}),
    ],
)
async def test_what_is_selected_beneath_a_field(document: str, expected: set[str]) -> None:
    assert await seen(document) == [expected]
    assert await seen(document) == [expected]


async def test_each_field_has_its_own() -> None:
    assert await seen("{ a: tree { inner { leaf } } b: tree { many { leaf } } }") == [{"leaf"}, {"deep"}]


async def test_fragments_that_double_at_each_level_are_walked_once_each() -> None:
    levels = 18
    doubling = " ".join(f"fragment F{n} on Tree {{ ...F{n + 1} ... {{ ...F{n + 1} }} }}" for n in range(levels))
    document = f"{{ tree {{ inner {{ ...F0 }} }} }} {doubling} fragment F{levels} on Tree {{ leaf }}"
    assert await seen(document) == [{"leaf"}]


async def test_a_bounded_number_of_fields_is_remembered() -> None:
    aliases = " ".join(f"t{n}: tree {{ inner {{ leaf }} }}" for n in range(MOST_REMEMBERED + 10))
    assert set(await seen(f"{{ {aliases} }}")) == {frozenset({"leaf"})}
    assert len(AHEAD._known) == MOST_REMEMBERED
