"""What may be absent has no default in the schema, and is None in the code."""

from importlib import import_module

import pytest
import strawberry

from deploy.embedded import DOMAINS
from subgraphs.shell.graphql_schema import SubgraphSchema


@strawberry.input
class Wish:
    colour: str | None = None
    size: int = 3


@strawberry.type
class Query:
    @strawberry.field
    async def told(self, wish: Wish, note: str | None = None, size: int = 2) -> str:
        return f"{wish.colour} {wish.size} {note} {size}"


@pytest.mark.parametrize("name", DOMAINS)
def test_no_subgraph_prints_a_default_of_null(name: str) -> None:
    assert "= null" not in import_module(f"subgraphs.{name}.schema").schema.as_str()


@pytest.mark.parametrize(
    ("query", "variables", "answer"),
    [
        ("{ told(wish: {}) }", None, "None 3 None 2"),
        ("query($wish: Wish!, $note: String) { told(wish: $wish, note: $note) }", {"wish": {}}, "None 3 None 2"),
        ('{ told(wish: {colour: null, size: 5}, note: "x", size: 1) }', None, "None 5 x 1"),
        ('query($note: String = "y") { told(wish: {colour: "red"}, note: $note) }', {"note": None}, "red 3 None 2"),
    ],
)
async def test_absent_and_null_are_none_and_other_defaults_hold(
    query: str, variables: dict[str, object] | None, answer: str
) -> None:
    schema = SubgraphSchema(query=Query)
    assert "told(wish: Wish!, note: String, size: Int! = 2): String!" in schema.as_str()
    result = await schema.execute(query, variable_values=variables)
    assert (result.errors, result.data) == (None, {"told": answer})
