"""A text made ready: everything about it that depends on no request, how much it weighs, and what its plans are kept by.

`loaded_graph` makes and keeps them.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from typing import Any

from graphql import (
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    OperationType,
    get_named_type,
)

from router.executor.execute import CompiledPlan
from router.executor.projection import NO_NAMES
from router.introspection import Introspection, asks_for_introspection, without_introspection
from router.object_types import object_types_of
from router.operation import (
    DEFAULT_LIMITS,
    OPERATION_BYTES_PER_FIELD,
    DocumentLimits,
    Operation,
    VariableCoercion,
)
from router.operation.literal_slots import LiteralSlots
from router.selection_set import InlineFragment, SelectionSet

#: Fields for every type that they are planned for: what the event loop may plan at once.
MAX_INLINE_WEIGHT = 600
#: As OPERATION_BYTES_PER_FIELD, of an operation's plan; a plan is counted with its operation too, as that holds it.
PLAN_BYTES_PER_FIELD = 1_200

_OPERATION_TYPES = {each.value: each for each in OperationType}

PreparedKey = tuple[str, str | None, bool]  # text, operation name, whether what it defers stands apart


class PreparedOperation:
    """Everything about one operation text that does not depend on a request's variables or caller."""

    def __init__(self, operation: Operation, schema: GraphQLSchema, limits: DocumentLimits = DEFAULT_LIMITS) -> None:
        self.operation = operation
        self.coercion = VariableCoercion.of(operation, schema, limits.variable_values)
        self.introspection = Introspection(operation) if asks_for_introspection(operation) else None
        self.plannable = without_introspection(operation) if self.introspection is not None else operation
        self.fields = operation.selections.count()
        #: whether walks over it, type by type, are too long for the event loop
        self.is_long = not Weighing(schema).fits(self.plannable)
        #: compiled plans of the unrestricted operation by override labels: a shortcut past hashing operations
        self.plans: dict[frozenset[str], CompiledPlan] = {}
        #: by the response keys of the operation those of the client, where they differ: it serves several texts
        self.names: Mapping[str, str] = NO_NAMES
        self._slots: LiteralSlots | None = None

    @property
    def can_be_shared(self) -> bool:
        """Whether texts with other aliases can be served by it. Introspection is answered in the client's own keys."""
        return self.operation.operation_type == "query" and self.introspection is None

    def slots(self, literals: Iterable[int | float | str]) -> LiteralSlots:
        """Where the literals stand of the form that this was made from."""
        if self._slots is None:
            self._slots = LiteralSlots(self.operation, literals)
        return self._slots

    def for_text(self, names: Mapping[str, str], literals: Mapping[str, Any]) -> PreparedOperation:
        """The same for a text with these names and these values of the variables that stand for its literals; its plans are
        the same ones.
        """
        if not names and not literals:
            return self
        made = copy.copy(self)
        made.names = names
        if literals:
            made.coercion = self.coercion.with_literals(literals)
        return made

    def bytes(self, plans: int) -> int:
        """About what it takes in memory, with so many plans of the whole operation."""
        return self.fields * (OPERATION_BYTES_PER_FIELD + plans * PLAN_BYTES_PER_FIELD)


class PlanKey:
    """What a plan depends on. The hash is taken once: it walks the whole operation."""

    __slots__ = ("_hash", "_parts")

    def __init__(self, allowed: Operation, shape: Operation, override_labels: frozenset[str]) -> None:
        self._parts = (allowed, None if shape is allowed else shape, override_labels)
        self._hash = hash(self._parts)

    @property
    def bytes(self) -> int:
        """About what the plan takes in memory."""
        return self._parts[0].selections.count() * PLAN_BYTES_PER_FIELD

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PlanKey) and self._parts == other._parts


class Weighing:
    """Whether an operation is short, by what planning time grows with: fields and fragments, each as often as there are types to plan it for."""

    def __init__(self, schema: GraphQLSchema, max_weight: int = MAX_INLINE_WEIGHT) -> None:
        self._schema = schema
        self._left = max_weight

    def fits(self, operation: Operation) -> bool:
        root = self._schema.get_root_type(_OPERATION_TYPES[operation.operation_type])
        return root is not None and self._fits(operation.selections, root, 1)

    def _fits(self, selections: SelectionSet, type_: GraphQLNamedType, times: int) -> bool:
        members = len(object_types_of(self._schema, type_))
        self._left -= times * members * len(selections.items)
        if self._left < 0:
            return False
        for item in selections.items:
            if item.selections is None:
                continue
            if isinstance(item, InlineFragment):
                inner = self._schema.type_map[item.type_condition] if item.type_condition else type_
                if not self._fits(item.selections, inner, times):
                    return False
            else:
                assert isinstance(type_, (GraphQLObjectType, GraphQLInterfaceType))
                inner = get_named_type(type_.fields[item.name].type)
                if not self._fits(item.selections, inner, times * members):
                    return False
        return True
