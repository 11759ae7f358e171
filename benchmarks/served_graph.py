"""A graph that the benchmarks' own subgraph server serves: its schemas, its facts, and how each field is found in them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Fact = dict[str, Any]


class FieldFailure:
    """The class itself stands for the value of a leaf that its subgraph answers with null and an error."""


@dataclass(frozen=True, slots=True)
class Resolved:
    """How one field is found; `type_name` is None for a leaf, which is a FieldFailure at times if it `may_fail`."""

    read: Callable[[Fact, Mapping[str, Any]], Any]
    type_name: str | None = None
    may_fail: bool = False


@dataclass(frozen=True, slots=True)
class ServedGraph:
    """`sdl` by subgraph; `fields` by type, for the graph as a whole: a subgraph uses those that its own schema has.

    `entity` finds what a representation names, as a subgraph knows it. What is in `fixed` (by `id`) is the same in each
    request, so that what is selected of it need be encoded only once.
    """

    name: str
    sdl: Mapping[str, str]
    fields: Mapping[str, Mapping[str, Resolved]]
    entity: Callable[[str, Fact], Fact | None]
    fixed: frozenset[int]


def leaf(name: str) -> Resolved:
    """A field whose value the fact has under the field's own name."""
    return Resolved(lambda fact, _arguments: fact[name])
