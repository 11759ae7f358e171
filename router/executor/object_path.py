"""Walks the merged tree along a plan's path and says which objects are there, and under which client path.

`representations` walks with `containers_at` for every entity fetch. `positions_at` is slower, since it also builds the
client path of every object; error paths, context values, nested root fetches and deferred parts need it.
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import dataclass
from typing import Any

from router.query_plan import Path

ClientPath = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class PathStep:
    """One step down: a response key, or "@" for every element; `types` filters what is found there."""

    key: str
    types: frozenset[str] | None = None
    is_shared: bool = False  # equal entities were made one object here, so each object is walked once


def steps_of(path: Path, shared_prefixes: frozenset[Path] = frozenset()) -> tuple[PathStep, ...]:
    """`("users", "@", "|Admin|")` becomes two steps, the second with a filter."""
    steps: list[PathStep] = []
    for index, segment in enumerate(path):
        if segment.startswith("|"):
            types = frozenset(filter(None, segment.split("|")))
            if steps:
                last = steps[-1]
                known = types if last.types is None else last.types & types
                steps[-1] = PathStep(last.key, known, path[: index + 1] in shared_prefixes)
            continue
        steps.append(PathStep(segment, None, path[: index + 1] in shared_prefixes))
    return tuple(steps)


def containers_at(level: list[Any], steps: tuple[PathStep, ...]) -> list[Any]:
    """What holds the objects at the path: lists where the last step is "@", else objects. `steps` is not empty.

    `level` are the objects to begin at: the root, or all objects at a shared path above.

    Data that does not fit the path (null, or a subgraph that lies about a type) is passed over here;
    the projection reports it.
    """
    for step in steps[:-1]:
        level = _one_step_down(level, step)
        if step.is_shared and len(level) > 1:
            level = list({id(item): item for item in level}.values())
    kind = list if steps[-1].key == "@" else dict
    return [item for item in level if item.__class__ is kind]


def _one_step_down(level: list[Any], step: PathStep) -> list[Any]:
    """What stands under the step in the objects or lists of `level`, without nulls."""
    key, types = step.key, step.types
    if key == "@":
        below = [item for items in level if items.__class__ is list for item in items if item is not None]
    else:
        below = [found for item in level if item.__class__ is dict and (found := item.get(key)) is not None]
    if types is None:
        return below
    return [item for item in below if item.__class__ is dict and item.get("__typename") in types]


def positions_at(
    tree: Any, path: Path, at: ClientPath = (), wanted: Container[int] | None = None
) -> Iterator[tuple[ClientPath, dict[str, Any]]]:
    """Every object at the path with the way to it, shared objects as often as they occur; of those the ones whose way
    begins with `at`, and of `wanted`, by their identities, where only some are.
    """
    node, left = tree, path
    for part in at:
        while left and left[0].startswith("|"):
            if node.__class__ is not dict or node.get("__typename") not in left[0].split("|"):
                return
            left = left[1:]
        if not left or not _leads_on(node, left[0], part):
            return
        node, left = node[part], left[1:]
    yield from _positions(node, left, at, wanted)


def _leads_on(node: Any, segment: str, part: str | int) -> bool:
    """Whether the segment of a path leads to what stands in `node` under the key or index `part`."""
    if segment == "@":
        return node.__class__ is list and part.__class__ is int and part < len(node)
    return node.__class__ is dict and part == segment and segment in node


def _positions(
    node: Any, path: Path, so_far: ClientPath, wanted: Container[int] | None
) -> Iterator[tuple[ClientPath, dict[str, Any]]]:
    for number, segment in enumerate(path):
        if segment == "@":
            if node.__class__ is list:
                yield from _positions_in(node, path[number + 1 :], so_far, wanted)
            return
        if node.__class__ is not dict:
            return
        if not segment.startswith("|"):
            if segment not in node:
                return
            node, so_far = node[segment], (*so_far, segment)
        elif node.get("__typename") not in segment.split("|"):
            return
    if node.__class__ is dict and (wanted is None or id(node) in wanted):
        yield so_far, node


def _positions_in(
    items: list[Any], path: Path, so_far: ClientPath, wanted: Container[int] | None
) -> Iterator[tuple[ClientPath, dict[str, Any]]]:
    if path:
        for index, item in enumerate(items):
            yield from _positions(item, path, (*so_far, index), wanted)
        return
    for index, item in enumerate(items):
        if item.__class__ is dict and (wanted is None or id(item) in wanted):
            yield (*so_far, index), item


def drop_odd_type_names(tree: Any) -> None:
    """Takes every `__typename` that is no text out of the tree: only a subgraph that lies has sent it."""
    waiting, seen = [tree], {id(tree)}
    while waiting:
        node = waiting.pop()
        if node.__class__ is dict and node.get("__typename", "").__class__ is not str:
            del node["__typename"]
        for inner in node.values() if node.__class__ is dict else node:
            if inner.__class__ in (dict, list) and id(inner) not in seen:
                seen.add(id(inner))
                waiting.append(inner)
