"""Pieces that are encoded as soon as they are shaped, by compiled code, each object once however many pieces have it.

`pieces` makes an `EncodedPieces` for each part that has come, and `payloads` asks it for the part's pieces before it takes
the plain projection. Nobody can look into a piece that is encoded, so only those are that nobody has to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import orjson
from graphql import GraphQLNonNull, is_composite_type
from orjson import Fragment

from router.executor.compiled_projection import IRREGULAR_ERRORS, ProjectFunction
from router.executor.execute import CompiledPlan
from router.executor.fetch import Execution
from router.executor.sharing import response_keys_of
from router.incremental.split import DeferredPart, SplitOperation, StreamedList, selects
from router.selection_set import Field, SelectionSet


def sent_whole(split: SplitOperation, *, repeats_fields: bool) -> frozenset[DeferredPart | StreamedList]:
    """The parts whose pieces can be sent without a look at what is in them.

    A deferred part is one if none is nested in it, no other has a field of it, and neither has the first result, for
    a field is not told twice; with `repeats_fields` those of the first result are. A streamed list always is one: `split` streams
    none that a deferred part has to do with.
    """
    deferred = list(split.all_deferred())
    first = DeferredPart(None, (), split.primary.selections, "", split.primary)
    others = deferred if repeats_fields else [first, *deferred]
    whole = [
        part
        for part in deferred
        if not part.nested and not any(_meet(part, other) for other in others if other is not part)
    ]
    return frozenset([*whole, *split.streams])


def _meet(part: DeferredPart, other: DeferredPart) -> bool:
    """Whether a field of the first part, or what is in one, may be of the other too."""
    keys, its_keys = response_keys_of(part.path), response_keys_of(other.path)
    below, above = its_keys[len(keys) :], keys[len(its_keys) :]
    if below:
        return its_keys[: len(keys)] == keys and selects(part.selections, below)
    if keys[: len(its_keys)] != its_keys:
        return False
    return any(selects(other.selections, (*above, key)) for key in _response_keys(part.selections))


def _response_keys(selections: SelectionSet) -> Iterator[str]:
    for item in selections.items:
        if isinstance(item, Field):
            yield item.response_key
        else:
            yield from _response_keys(item.selections)


class EncodedPieces:
    """The pieces of one part, from the tree of its own run."""

    def __init__(self, part: DeferredPart | StreamedList, plan: CompiledPlan, execution: Execution) -> None:
        type_name, self._is_nullable = part.type_name if isinstance(part, DeferredPart) else None, False
        if isinstance(part, StreamedList):
            item_type: Any = part.item_type
            self._is_nullable = not isinstance(item_type, GraphQLNonNull)
            item_type = item_type if self._is_nullable else item_type.of_type
            type_name = item_type.name if is_composite_type(item_type) else None
        self._project: ProjectFunction | None = None
        self._dumps: Callable[[Any], bytes] = orjson.dumps
        if type_name is not None:
            kept = plan.part_projections(type_name, part.selections, response_keys_of(part.path))
            self._project, self._dumps = kept.of(execution.variables), kept.dumps
        self._memo: dict[Any, Any] = {}
        self._encoded: dict[int, Fragment] = {}  # by object, which the tree keeps alive

    def of_object(self, found: Any) -> Fragment | None:
        """The part's fields of an object. None where the plain projection has to look: what is there is not as the schema
        says, nothing is selected, or nothing is compiled yet.
        """
        if self._project is None:
            return None
        known = self._encoded.get(id(found))
        try:
            return known or self._encode(found)
        except IRREGULAR_ERRORS:
            return None

    def of_items(self, items: Sequence[Any]) -> Fragment | None:
        """The same for the rest of a list, of which there is at least one item."""
        if self._project is None:
            return None
        try:
            return Fragment(self._dumps([self._item(item) for item in items]))
        except IRREGULAR_ERRORS:
            return None

    def _item(self, item: Any) -> Fragment | None:
        if item is None and self._is_nullable:
            return None
        return self._encoded.get(id(item)) or self._encode(item)

    def _encode(self, found: Any) -> Fragment:
        assert self._project is not None
        shaped = self._project(found, self._memo)
        if not shaped:
            raise TypeError("Nothing is selected of the object.")
        made = self._encoded[id(found)] = Fragment(self._dumps(shaped))
        return made
