"""Memory of graphs that come and go while requests are served: the garbage collector must never stop them for long.

`graph_file` reads a graph within `short_collections` and hands in every schema that it has replaced.
"""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
from contextlib import contextmanager

from graphql import GraphQLNamedType, GraphQLSchema, is_introspection_type, is_specified_scalar_type

#: Containers made between two collections: looking through them takes some 2 ms, through twice as many the second time.
#: A full collection comes never.
_SHORT = (10_000, 1, 1_000_000)


@contextmanager
def short_collections() -> Iterator[None]:
    """Where very many objects are made and stay: the ordinary thresholds would have a million looked through at once."""
    ordinary = gc.get_threshold()
    if ordinary == _SHORT:  # another graph is being read too: who came first puts them back
        yield
        return
    gc.set_threshold(*_SHORT)
    try:
        yield
    finally:
        gc.set_threshold(*ordinary)


class ReplacedSchemas:
    """Schemas no longer served. Their types refer to one another, so only a full collection could free them."""

    def __init__(self) -> None:
        self._waiting: list[tuple[weakref.ref[GraphQLSchema], list[GraphQLNamedType]]] = []

    def add(self, schema: GraphQLSchema) -> None:
        own = [
            type_
            for type_ in schema.type_map.values()
            if not is_specified_scalar_type(type_) and not is_introspection_type(type_)
        ]
        self._waiting.append((weakref.ref(schema), own))

    def free(self) -> int:
        """Takes the types apart of every schema that no request uses any more; gives the number of those still in use."""
        unused = [types for schema, types in self._waiting if schema() is None]
        self._waiting = [(schema, types) for schema, types in self._waiting if schema() is not None]
        for types in unused:
            for type_ in types:
                type_.__dict__.clear()
        return len(self._waiting)
