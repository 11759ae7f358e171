"""How many SQL statements the subgraphs need for one parent and for a hundred, over operations that are made from the API's schema.

Each operation asks one field of what one list holds: of a person's lists, and of those of everybody. A loader that asks once for
each parent repeats its statement; one that does as it should needs the same for a hundred as for one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from typing import Any, NamedTuple

import orjson
from graphql import (
    GraphQLField,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    is_leaf_type,
    is_required_argument,
)

from benchmarks.micro.subgraph_answers import RecordingTransport
from router.executor.fetch import Execution
from router.loaded_graph import LoadedGraph
from subgraphs.shell.app import SubgraphApp

#: What a list of everybody needs to be told besides how many.
GIVEN = {"search": '"a"'}
PARENTS = "PARENTS"


def operations_of(schema: GraphQLSchema) -> Iterator[tuple[str, str]]:
    """The name of a list's field, as `User.meals.items`, and the operation that asks it, with PARENTS for how many parents."""
    for root, within in (("User", "me {{ {} }}"), ("Query", "{}")):
        for name, field in _fields(schema.type_map[root]):
            arguments = _arguments(field, PARENTS)
            node = _node_type(field)
            if node is None or arguments is None or "first" not in field.args:
                continue
            for inner, of_node in _fields(node):
                if (selection := _selection(inner, of_node)) is not None:
                    asked = f"{name}{arguments} {{ nodes {{ {selection} }} }}"
                    yield f"{root}.{name}.{inner}", f"{{ {within.format(asked)} }}"


class Counted(NamedTuple):
    """How often each (subgraph, statement) was sent, for how many parents there were, and the codes of errors."""

    statements: Counter[tuple[str, str]]
    parents: int
    codes: set[str]


async def count_statements(
    text: str, parents: int, graph: LoadedGraph, apps: Mapping[str, SubgraphApp], authorization: str
) -> Counted:
    """Of an operation of `operations_of`, asked as the caller with this header for at most so many parents."""
    prepared = await graph.prepare(text.replace(PARENTS, str(parents)), None)
    compiled = await graph.plan(prepared, prepared.plannable)
    variables = {**prepared.coercion.coerce({})}  # the text's own literals
    with ExitStack() as watching:
        watched = {
            name: watching.enter_context(app.resources.database.watched_statements()) for name, app in apps.items()
        }
        body = await compiled.respond(Execution(RecordingTransport(dict(apps), authorization), variables))
    sent = Counter((name, statement) for name, statements in watched.items() for statement in statements)
    answer = orjson.loads(body)
    return Counted(sent, _nodes(answer["data"]), {error["extensions"]["code"] for error in answer.get("errors", ())})


def _nodes(data: Any) -> int:
    """How many there are in the one list of an answer."""
    while isinstance(data, dict) and "nodes" not in data:
        data = next(iter(data.values()), None)
    return len(data["nodes"]) if isinstance(data, dict) else 0


def _fields(type_: GraphQLNamedType) -> list[tuple[str, GraphQLField]]:
    return list(type_.fields.items()) if isinstance(type_, GraphQLObjectType) else []


def _node_type(field: GraphQLField) -> GraphQLNamedType | None:
    """What a connection's nodes are; None for what is no connection."""
    nodes = dict(_fields(get_named_type(field.type))).get("nodes")
    return None if nodes is None else get_named_type(nodes.type)


def _arguments(field: GraphQLField, first: str) -> str | None:
    """Only those that it takes; None where one is required for which nothing is given."""
    given = {"first": first, **GIVEN}
    wanted = [name for name, argument in field.args.items() if name == "first" or is_required_argument(argument)]
    if any(name not in given for name in wanted):
        return None
    return f"({', '.join(f'{name}: {given[name]}' for name in wanted)})" if wanted else ""


def _selection(name: str, field: GraphQLField) -> str | None:
    """The field with the leaves of what it holds; of a connection those of two nodes."""
    if (arguments := _arguments(field, "2")) is None:
        return None
    inner, node = get_named_type(field.type), _node_type(field)
    if is_leaf_type(inner):
        return name + arguments
    leaves = _leaves(inner if node is None else node)
    return f"{name}{arguments} {{ {leaves} }}" if node is None else f"{name}{arguments} {{ nodes {{ {leaves} }} }}"


def _leaves(type_: GraphQLNamedType) -> str:
    found = [
        name
        for name, field in _fields(type_)
        if is_leaf_type(get_named_type(field.type)) and _arguments(field, "2") == ""
    ]
    return " ".join(("__typename", *found))
