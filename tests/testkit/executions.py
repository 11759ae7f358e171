"""An answer of graphql-core's own executor, to hold those of ours against."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from subgraphs.shell.graphql_schema import SubgraphSchema


class OrdinarySchema(SubgraphSchema):
    """A subgraph's schema that graphql-core's own executor executes."""

    def __init__(self, **parts: Any) -> None:
        super().__init__(**parts)
        self.execution_context_class = StrawberryGraphQLCoreExecutionContext


def paths(data: Any, *path: Any) -> Iterator[Any]:
    """Every leaf of an answer with its place, in order, and how long objects and lists are."""
    if isinstance(data, dict):
        yield (path, len(data))
        for key, value in data.items():
            yield from paths(value, *path, key)
    elif isinstance(data, list):
        yield (path, len(data))
        for index, value in enumerate(data):
            yield from paths(value, *path, index)
    else:
        yield (path, data)
