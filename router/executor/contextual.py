"""Entity fetches with `@fromContext` arguments: the same entity is asked once for each context it stands in.

Made by `execute` of an `EntityFetch` with context variables; the objects are told apart by what stands above them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import orjson

from router.errors import SubgraphError
from router.exact_json import dumps
from router.executor.fetch import CompiledLookup, EntityFetchStep, Execution
from router.executor.object_path import positions_at
from router.executor.projection import holds
from router.executor.representations import Collected
from router.query_plan import EntityFetch, EntityLookup
from router.selection_set import Argument, Condition, Field, InlineFragment, SelectionSet

Tree = dict[str, Any]

#: More sets of context values than this are asked for in several requests, so that the text of one stays bounded.
MAX_LOOKUPS_OF_REQUEST = 50
MAX_TEXTS_KEPT = 64


@dataclass(frozen=True, slots=True)
class _Asked:
    """One `_entities` field of a request: which lookup, for which entities, with which values of context variables."""

    lookup: int
    collected: Collected
    values: Tree


class ContextualFetchStep:
    """One request with an `_entities` field for each lookup and distinct set of context values."""

    def __init__(self, fetch: EntityFetch, compile_fetch: Callable[[EntityFetch, list[int]], EntityFetchStep]) -> None:
        self._fetch = fetch
        self._plain = compile_fetch(fetch, list(range(len(fetch.lookups))))
        self._step_for = lru_cache(MAX_TEXTS_KEPT)(
            lambda lookups, off: compile_fetch(numbered_lookups(fetch, lookups, off), list(lookups))
        )
        names = set(_context_names(fetch.lookups))
        self._conditions = frozenset(
            condition for lookup in fetch.lookups for condition in _conditions_of(lookup.selections, names)
        )

    async def run(self, execution: Execution) -> None:
        asked: list[_Asked] = []
        all_collected = self._plain.collect(execution)
        for index, (compiled, collected) in enumerate(zip(self._plain.lookups, all_collected, strict=True)):
            if collected.count:
                groups = self._by_context(execution, self._fetch.lookups[index], compiled, collected)
                asked += (_Asked(index, own, values) for values, own in groups)
        requests = (asked[i : i + MAX_LOOKUPS_OF_REQUEST] for i in range(0, len(asked), MAX_LOOKUPS_OF_REQUEST))
        await asyncio.gather(*(self._ask(execution, request) for request in requests))

    async def _ask(self, execution: Execution, asked: list[_Asked]) -> None:
        off = frozenset(each for each in self._conditions if not holds((each,), execution.variables))
        step = self._step_for(tuple(each.lookup for each in asked), off)
        values = {_numbered(name, i): value for i, each in enumerate(asked) for name, value in each.values.items()}
        try:
            pending = step.send(execution, [each.collected for each in asked], {**execution.variables, **values})
        except SubgraphError as error:
            step.fail(execution, error)
            return
        await step.complete(execution, pending)

    def _by_context(
        self, execution: Execution, lookup: EntityLookup, compiled: CompiledLookup, collected: Collected
    ) -> list[tuple[Tree, Collected]]:
        values_of = _values_by_object(execution.tree, lookup)
        groups: dict[Hashable, tuple[Tree, Collected]] = {}
        for representation, targets in zip(collected.representations, collected.targets, strict=True):
            for target, group in targets:
                values = values_of.get(id(target), {})
                try:
                    key = dumps(values, orjson.OPT_SORT_KEYS)
                except orjson.JSONEncodeError:  # another subgraph's custom scalar is nested too deeply
                    self._plain.fail_unsendable(execution, compiled)
                    continue
                _, own = groups.setdefault(key, (values, Collected(places=collected.places)))
                if own.listed and own.listed[-1] is representation:
                    own.waiting[-1].append((target, group))
                else:
                    own.listed.append(representation)
                    own.waiting.append([(target, group)])
        return list(groups.values())


def _values_by_object(tree: Tree, lookup: EntityLookup) -> dict[int, Tree]:
    """The values of the context variables for every object of the lookup, by the object's identity."""
    values: dict[int, Tree] = {}
    for context in lookup.contexts:
        ancestors = dict(positions_at(tree, context.ancestor))
        length = sum(not segment.startswith("|") for segment in context.ancestor)
        for path in lookup.paths:
            for position, item in positions_at(tree, path):
                ancestor = ancestors.get(position[:length])
                values.setdefault(id(item), {})[context.name] = _value(ancestor, context.selections)
    return values


def numbered_lookups(
    fetch: EntityFetch, lookups: tuple[int, ...], off: frozenset[Condition] = frozenset()
) -> EntityFetch:
    """The fetch with those of its lookups, some more than once, each with context variables of its own. Fields with such
    variables go where one of their conditions is `off`: a value that was not asked for could not be sent.
    """
    chosen: list[EntityLookup] = []
    types = dict(fetch.variables)
    for number, index in enumerate(lookups):
        lookup = fetch.lookups[index]
        names = set(_context_names([lookup]))
        chosen.append(replace(lookup, selections=_with_numbers(lookup.selections, names, number, off)))
        types |= {_numbered(name, number): types[name] for name in names}
    used = {name for lookup in chosen for name in lookup.selections.variables()}
    variables = tuple((name, types[name]) for name in types if name in used)
    return replace(fetch, lookups=tuple(chosen), variables=variables)


def _conditions_of(selections: SelectionSet, names: set[str]) -> Iterator[Condition]:
    """The conditions of the fields with context variables."""
    for item in selections.items:
        if isinstance(item, Field) and any(argument.variables & names for argument in item.arguments):
            yield from item.conditions
        if item.selections is not None:
            yield from _conditions_of(item.selections, names)


def _context_names(lookups: Iterable[EntityLookup]) -> Iterator[str]:
    return (context.name for lookup in lookups for context in lookup.contexts)


def _numbered(name: str, number: int) -> str:
    """The context variable of the request's `_entities` field with that number: `__c0_in`, `__c0_in_1`, ..."""
    return f"{name}_{number}" if number else name


def _with_numbers(selections: SelectionSet, names: set[str], index: int, off: frozenset[Condition]) -> SelectionSet:
    items: list[Field | InlineFragment] = []
    for item in selections.items:
        inner = _with_numbers(item.selections, names, index, off) if item.selections is not None else None
        if isinstance(item, InlineFragment):
            items.append(replace(item, selections=inner or item.selections))
            continue
        is_contextual = any(each.variables & names for each in item.arguments)
        if is_contextual and not off.isdisjoint(item.conditions):
            continue
        arguments = tuple(_with_number(each, index) if each.variables & names else each for each in item.arguments)
        items.append(replace(item, arguments=arguments, selections=inner))
    return SelectionSet(tuple(items) or (Field("__typename", "__typename"),))


def _with_number(argument: Argument, index: int) -> Argument:
    """The argument, which is a context variable and nothing else, with the variable's numbered name."""
    (name,) = argument.variables
    return Argument(argument.name, f"${_numbered(name, index)}", frozenset({_numbered(name, index)}))


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
