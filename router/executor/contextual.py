"""Entity fetches with `@fromContext` arguments: the same entity is asked once for each context it stands in.

Made by `execute` around an ordinary `EntityFetchStep`; the objects are told apart by what stands above them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Hashable
from typing import Any

import orjson

from router.errors import SubgraphError
from router.executor.fetch import EntityFetchStep, Execution
from router.executor.object_path import ClientPath, positions_at
from router.executor.representations import Collected
from router.query_plan import ContextVariable
from router.selection_set import Field, SelectionSet

Tree = dict[str, Any]


class ContextualFetchStep:
    """Sends one request per distinct set of context values, all at once."""

    def __init__(self, step: EntityFetchStep, contexts: tuple[ContextVariable, ...]) -> None:
        self._step = step
        (self._lookup,) = step.lookups
        self._contexts = contexts

    async def run(self, execution: Execution) -> None:
        (collected,) = self._step.collect(execution)
        if not collected.representations:
            return
        await asyncio.gather(
            *(self._run_one(execution, each, values) for values, each in self._by_context(execution, collected))
        )

    async def _run_one(self, execution: Execution, collected: Collected, values: Tree) -> None:
        try:
            pending = self._step.send(execution, [collected], {**execution.variables, **values})
        except SubgraphError as error:
            self._step.fail(execution, error)
            return
        await self._step.complete(execution, pending)

    def _by_context(self, execution: Execution, collected: Collected) -> list[tuple[Tree, Collected]]:
        values_of = self._values_by_object(execution.tree)
        groups: dict[Hashable, tuple[Tree, Collected]] = {}
        for representation, targets in zip(collected.representations, collected.targets, strict=True):
            for target, group in targets:
                values = values_of.get(id(target), {})
                try:
                    key = orjson.dumps(values, option=orjson.OPT_SORT_KEYS)
                except orjson.JSONEncodeError:  # another subgraph's custom scalar is nested too deeply
                    self._step.fail_unsendable(execution, self._lookup)
                    continue
                _, own = groups.setdefault(key, (values, Collected()))
                if own.representations and own.representations[-1] is representation:
                    own.targets[-1].append((target, group))
                else:
                    own.representations.append(representation)
                    own.targets.append([(target, group)])
        return list(groups.values())

    def _values_by_object(self, tree: Tree) -> dict[int, Tree]:
        """For every object of the lookup, by identity, what its context variables are."""
        values: dict[int, Tree] = {}
        for context in self._contexts:
            ancestors = dict(positions_at(tree, context.ancestor))
            length = sum(not segment.startswith("|") for segment in context.ancestor)
            for path in self._lookup.paths:
                for position, item in positions_at(tree, path):
                    ancestor = ancestors.get(_beginning(position, length))
                    values.setdefault(id(item), {})[context.name] = _value(ancestor, context.selections)
        return values


def _beginning(position: ClientPath, length: int) -> ClientPath:
    return position[:length]


def _value(item: Any, selections: SelectionSet) -> Any:
    """The one value that a context's selection leads to; None where something on the way is missing."""
    if item.__class__ is list:
        return [_value(each, selections) for each in item]
    if item.__class__ is not dict:
        return None
    for selection in selections.items:
        if isinstance(selection, Field):
            found = item.get(selection.response_key)
            return found if selection.selections is None else _value(found, selection.selections)
        if selection.type_condition in (None, item.get("__typename")):
            return _value(item, selection.selections)
    return None
