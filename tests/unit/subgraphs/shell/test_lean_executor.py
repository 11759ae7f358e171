"""Both executors of ours give the answers of graphql-core's own, errors and order of fields included."""

from __future__ import annotations

from enum import Enum
from typing import Annotated, Any

import pytest
import strawberry
from strawberry.types.graphql import OperationType

from subgraphs.shell.graphql_schema import SubgraphSchema
from tests.testkit.executions import OrdinarySchema, paths


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
class Dog:
    name: str


@strawberry.type
class Query:
    @strawberry.field
    async def household(self) -> list[list[Annotated[Person | Dog, strawberry.union("Inmate")] | None]]:
        return [[_person(), Dog(name="Rex")], [], [None]]

    @strawberry.field
    async def absent(self) -> Person:
        return None  # type: ignore[return-value]

    @strawberry.field
    def failing(self) -> list[Person]:
        return [_person(), ValueError("a value that is an error")]  # type: ignore[list-item]

    @strawberry.field
    async def later(self) -> list[str]:
        raise ValueError("no words")

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
ordinary = OrdinarySchema(query=Query)


class LeanSchema(SubgraphSchema):
    """Executes queries as mutations are executed."""

    def __init__(self, **parts: Any) -> None:
        super().__init__(**parts)
        self.execution_context_class = type("Lean", (self.execution_context_class,), {})


lean = LeanSchema(query=Query)


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
        "{ household { __typename ... on Person { id words friend { id } } ... on Dog { name } } }",
        "{ absent { id } }",
        "{ failing { id } }",
        "{ later }",
        "{ ada { nothing } }",
    ],
)
async def test_answers_are_those_of_the_ordinary_executor(operation: str) -> None:
    long: Any = await ordinary.execute(operation)
    for each in (schema, lean):
        short: Any = await each.execute(operation)
        assert list(paths(short.data)) == list(paths(long.data))
        assert _complaints(short) == _complaints(long)


def _complaints(result: Any) -> list[Any]:
    """Without the ids that masked errors get."""
    return [(error.path, error.locations, error.extensions["code"]) for error in result.errors or []]


async def test_leaves_that_look_at_the_object_alone_need_no_path() -> None:
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
    assert made == ["ada", "friend"]


@pytest.mark.parametrize(
    ("query", "variables", "operation"),
    [
        ("query A { ada { id } } query B { moody { id } }", None, "B"),
        ("query($deep: Boolean!) { ada { id @skip(if: $deep) name } }", {"deep": True}, None),
        ("query($deep: Boolean!) { ada { id @skip(if: $deep) } }", {"deep": "maybe"}, None),
        ("query($deep: Boolean!) { ada { id @skip(if: $deep) } }", None, None),
        ("{ ada { id ", None, None),
        ("{ ada { nobody } }", None, None),
        ("{ broken { id height } }", None, None),
        ("", None, None),
        ("query A { ada { id } } query B { moody { id } }", None, "C"),
        ("query A { ada { id } } query B { moody { id } }", None, None),
        ("fragment P on Person { id }", None, None),
        ("subscription { ticks }", None, None),
    ],
)
async def test_operations_end_as_in_strawberrys_own_frame(
    query: str, variables: dict[str, Any] | None, operation: str | None
) -> None:
    own = await _outcome(schema.execute(query, variables, None, None, operation, _QUERIES))
    theirs = strawberry.federation.Schema.execute(schema, query, variables, None, None, operation, _QUERIES)
    assert own == await _outcome(theirs)


_QUERIES = (OperationType.QUERY,)


async def _outcome(executing: Any) -> Any:
    try:
        result = await executing
    except Exception as error:
        return type(error), str(error)
    return type(result).__name__, result.data, _complaints(result)
