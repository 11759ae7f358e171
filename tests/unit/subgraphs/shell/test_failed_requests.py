"""What a refused or failed request leaves behind goes with its answer, without the garbage collector."""

from __future__ import annotations

import gc
import weakref

import pytest
import strawberry

from subgraphs.shell.errors import NotFoundError, RateLimitedError
from subgraphs.shell.graphql_schema import SubgraphSchema


class Held:
    """Stands for whatever a request has in its frames: connections, inputs, the executor."""


_alive: weakref.WeakSet[Held] = weakref.WeakSet()


@strawberry.type
class Query:
    @strawberry.field
    async def refused(self) -> int | None:
        held = Held()
        _alive.add(held)
        raise RateLimitedError("Too many attempts.", retry_after_seconds=1)

    @strawberry.field
    async def refused_because(self) -> int | None:
        held = Held()
        _alive.add(held)
        try:
            raise KeyError("the first")
        except KeyError as error:
            raise NotFoundError("the second") from error

    @strawberry.field
    def fails(self) -> int | None:
        held = Held()
        _alive.add(held)
        raise ValueError("nobody expected it")


@pytest.mark.parametrize("field", ["refused", "refusedBecause", "fails"])
async def test_no_circle_of_error_and_frames_stays(field: str) -> None:
    schema = SubgraphSchema(query=Query)
    await schema.execute(f"{{ {field} }}")  # what is made once
    gc.collect()
    gc.disable()
    try:
        result = await schema.execute(f"{{ {field} other: {field} }}")
        assert result.errors
        del result
        assert len(_alive) == 0
    finally:
        gc.enable()
