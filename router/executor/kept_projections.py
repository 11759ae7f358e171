"""The compiled projections of one selection set: one for each set of `@skip`/`@include` decisions, one more where objects are
shared, and one more for clients with other response keys; each is made when it is used again.

`CompiledPlan` has one for its whole operation and one for each deferred part or streamed list that its plan is run for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from graphql import GraphQLSchema

from router.background import begin_in_background
from router.executor.compiled_projection import (
    Keys,
    ProjectFunction,
    ProjectionTooLongError,
    compile_projection,
    encoder,
)
from router.executor.typed_projection import TypedProjection, compile_typed
from router.selection_set import SelectionSet

#: Distinct sets of @skip/@include decisions that get a projection of their own; rarer ones use the plain form.
MAX_PROJECTIONS = 32
#: Python needs some 20 us to compile a line of a projection: more are compiled in the background, far more never.
MAX_INLINE_LINES = 400
MAX_LINES = 20_000

#: Whether objects at shared places are encoded one by one, the keys that are renamed, and what the variables in conditions say.
_Decisions = tuple[bool, frozenset[str], tuple[bool, ...]]
_NONE: frozenset[str] = frozenset()


class KeptProjections:
    """What makes objects of the type `type_name` into the client's; `shared_keys` as `compile_projection` has them."""

    def __init__(
        self, schema: GraphQLSchema, type_name: str, selections: SelectionSet, shared_keys: frozenset[Keys]
    ) -> None:
        self._schema = schema
        self._type_name = type_name
        self._selections = selections
        self._shared_keys = shared_keys
        self._condition_variables = tuple(sorted(_condition_variables(selections)))
        #: None where one is being made, or none can be
        self._made: dict[_Decisions, ProjectFunction | None] = {}
        self._typed: dict[tuple[bool, ...], TypedProjection | None] = {}  # None where there can be none
        self.is_warm = False  # has been asked for once
        self._dumps: Callable[[Any], bytes] | None = None

    @property
    def dumps(self) -> Callable[[Any], bytes]:
        """What writes what the projections make, as `encoder` has it."""
        if self._dumps is None:
            self._dumps = encoder(self._selections, self._schema)
        return self._dumps

    def of(
        self, variables: Mapping[str, Any], *, is_repeated: bool = True, renamed: frozenset[str] = _NONE
    ) -> ProjectFunction | None:
        """None on the first use: compiling pays off for operations that come again. Unless something `is_repeated`, which is
        one object in several places of the tree, encoding objects at shared places one by one would only take longer; and
        nothing is encoded then in what is made. `renamed` as `compile_projection` has it.
        """
        decided = self._decided(variables)
        decisions: _Decisions = (is_repeated and bool(self._shared_keys), renamed, decided)
        known = self._made.get(decisions)
        if known is not None:
            return known
        if not self.is_warm:
            self.is_warm = True
            return None
        if len(self._made) < MAX_PROJECTIONS and decisions not in self._made:
            self._made[decisions] = None
            try:
                self._compile(decisions, variables, MAX_INLINE_LINES)
            except ProjectionTooLongError:
                begin_in_background(self._compile_later, decisions, dict(variables))
        return self._made.get(decisions)

    def typed(self, variables: Mapping[str, Any]) -> TypedProjection | None:
        """For trees in which no object stands in several places, and clients who have no other response keys. None on the first
        use, too.
        """
        decided = self._decided(variables)
        known = self._typed.get(decided)
        if known is not None or not self.is_warm or decided in self._typed or len(self._typed) >= MAX_PROJECTIONS:
            return known
        made = self._typed[decided] = compile_typed(self._schema, self._type_name, self._selections, variables)
        return made

    def _decided(self, variables: Mapping[str, Any]) -> tuple[bool, ...]:
        if not self._condition_variables:
            return ()
        return tuple([bool(variables.get(name)) for name in self._condition_variables])

    def _compile(self, decisions: _Decisions, variables: Mapping[str, Any], max_lines: int) -> None:
        shared_keys: frozenset[Keys] = self._shared_keys if decisions[0] else frozenset()
        self._made[decisions] = compile_projection(
            self._schema, self._type_name, self._selections, variables, shared_keys, max_lines, decisions[1]
        )

    def _compile_later(self, decisions: _Decisions, variables: Mapping[str, Any]) -> None:
        with suppress(ProjectionTooLongError):
            self._compile(decisions, variables, MAX_LINES)


def _condition_variables(selections: SelectionSet) -> set[str]:
    found: set[str] = set()
    for item in selections.items:
        for condition in item.conditions:
            found.add(condition.variable)
        if item.selections is not None:
            found |= _condition_variables(item.selections)
    return found
