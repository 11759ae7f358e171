"""The short way for leaves gives the answers of graphql-core's own executor, errors and order of fields included."""

from __future__ import annotations

from enum import Enum
from typing import Any

import pytest
import strawberry
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from subgraphs.graphql_schema import SubgraphSchema


@strawberry.enum
class Mood(Enum):
    GOOD = "good"
    BAD = "bad"


@strawberry.type
class Person:
    id: strawberry.ID
    name: str | None
    height: float
    mood: Mood | None = None
    words: list[str] = strawberry.field(default_factory=list)

    @strawberry.field
    async def friend(self) -> Person | None:
        return Person(id=strawberry.ID("friend"), name=None, height=1.5, mood=Mood.BAD)

    @strawberry.field
    def double(self) -> float:
        return self.height * 2


def _person(height: Any = 1.8, name: Any = "Ada", mood: Any = Mood.GOOD) -> Person:
    return Person(id=strawberry.ID("1"), name=name, height=height, mood=mood, words=["a", "b"])


@strawberry.type
class Query:
    @strawberry.field
    def ada(self) -> Person:
        return _person()

    @strawberry.field
    def broken(self) -> Person | None:
        """Its height is no number, its name no text."""
        return _person(height="tall", name=["no", "text"])

    @strawberry.field
    def heightless(self) -> list[Person | None]:
        return [_person(), _person(height=None)]

    @strawberry.field
    def moody(self) -> Person:
        return _person(mood="neither")


schema = SubgraphSchema(query=Query)


class OrdinarySchema(SubgraphSchema):
    def __init__(self, **parts: Any) -> None:
        super().__init__(**parts)
        self.execution_context_class = StrawberryGraphQLCoreExecutionContext


ordinary = OrdinarySchema(query=Query)


@pytest.mark.parametrize(
    "operation",
    [
        "{ ada { id name height mood words } }",
        "{ ada { height n: name friend { mood id name } id m: mood double __typename t: __typename } }",
        "query($yes: Boolean = true) { ada { id @skip(if: $yes) name @include(if: $yes) height } }",
        "fragment P on Person { id name } { ada { name ...P height ... on Person { mood id } } }",
        "{ broken { id height } ada { id } }",
        "{ broken { id name friend { id } } }",
        "{ heightless { id height } }",
        "{ moody { id mood height } }",
    ],
)
async def test_answers_are_those_of_the_ordinary_executor(operation: str) -> None:
    short: Any = await schema.execute(operation)
    long: Any = await ordinary.execute(operation)
    assert list(_paths(short.data)) == list(_paths(long.data))
    assert _complaints(short) == _complaints(long)


def _complaints(result: Any) -> list[Any]:
    """Without the ids that masked errors get."""
    return [(error.path, error.locations, error.extensions["code"]) for error in result.errors or []]


def _paths(data: Any, *path: Any) -> Any:
    """Every leaf with its place, in order."""
    if isinstance(data, dict):
        for key, value in data.items():
            yield from _paths(value, *path, key)
    elif isinstance(data, list):
        for index, value in enumerate(data):
            yield from _paths(value, *path, index)
    else:
        yield (path, data)


async def test_attributes_that_are_leaves_need_no_path() -> None:
    made: list[str] = []

    class Counting(schema.execution_context_class):  # type: ignore[misc,name-defined]
        def execute_field(self, parent_type: Any, source: Any, details: Any, *rest: Any) -> Any:
            made.append(details[0].node.name.value)
            return super().execute_field(parent_type, source, details, *rest)

    class CountingSchema(SubgraphSchema):
        def __init__(self) -> None:
            super().__init__(query=Query)
            self.execution_context_class = Counting

    await CountingSchema().execute("{ ada { id name height mood double friend { id } } }")
    assert made == ["ada", "double", "friend"]
