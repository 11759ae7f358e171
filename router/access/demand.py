"""What an operation may cost: estimated from `@cost` and `@listSize` before anything is fetched.

`server.app` makes one `DemandControl` for each graph and gives its `check` to the pipeline.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from threading import Lock
from typing import Any, ClassVar

from graphql import (
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    get_named_type,
    is_abstract_type,
    is_composite_type,
    parse_value,
    value_from_ast_untyped,
)

from router.access.directives import uses_of
from router.bounded_cache import BoundedCache
from router.errors import RequestError
from router.exact_json import value_at
from router.object_types import object_types_of
from router.operation import OPERATION_BYTES_PER_FIELD, Operation
from router.selection_set import Argument, Field, InlineFragment, SelectionSet
from router.settings import DemandControl as DemandSettings
from router.supergraph import parse_sdl
from router.telemetry import OPERATION_COST

MUTATION_COST = 10.0
COMPOSITE_COST = 1.0
INPUT_OBJECT_COST = 1.0

#: Operations with the sizes that they were asked with whose cost is remembered, and about what those operations take.
MAX_KNOWN = 2_000
MAX_KNOWN_BYTES = 16 * 1024 * 1024

#: (type, field or input field, argument); None where it is about the thing before.
Place = tuple[str, str | None, str | None]


class TooExpensiveError(RequestError):
    code: ClassVar[str] = "COST_ESTIMATED_TOO_EXPENSIVE"

    def __init__(self, cost: float, maximum: float) -> None:
        super().__init__(
            f"The operation's estimated cost of {cost:g} is more than the maximum of {maximum:g}. "
            "Ask for fewer fields, or for fewer entries of lists (`first`).",
            extensions={"cost.estimated": cost, "cost.max": maximum},
        )


class SlicingArgumentError(RequestError):
    code: ClassVar[str] = "COST_QUERY_PARSE_FAILURE"


@dataclass(frozen=True, slots=True)
class ListSize:
    """One `@listSize`. An argument's name may be a path into an input object: `page.first`."""

    assumed: int | None = None
    slicing_arguments: tuple[str, ...] = ()
    sized_fields: tuple[str, ...] = ()
    needs_one_slicing_argument: bool = True


#: By the name of each variable what of its value an estimate can depend on.
_Telling = tuple[tuple[str, object], ...]


def _telling(variables: Mapping[str, Any]) -> _Telling | None:
    """None where that is much: a list or an object counts with what is in it.

    Integers may size lists, booleans switch fields off, and what is null costs nothing; of texts and other numbers it is the
    same which they are.
    """
    telling: list[tuple[str, object]] = []
    for name, value in variables.items():
        if value is None or isinstance(value, int):
            telling.append((name, value))
        elif isinstance(value, str | float):
            telling.append((name, value.__class__))
        else:
            return None
    return tuple(telling)


class DemandControl:
    """Judges operations of one graph."""

    def __init__(self, sdl: str, api_schema: GraphQLSchema, settings: DemandSettings) -> None:
        self._settings = settings
        self._model = CostModel.from_sdl(sdl, api_schema, settings.list_size)
        # Each holds its operation, so that no other can come to have its identity meanwhile. Long operations are judged in
        # a thread of their own (`background`), hence the lock.
        self._lock = Lock()
        self._known: BoundedCache[tuple[int, _Telling], tuple[Operation, float]] = BoundedCache(
            MAX_KNOWN,
            max_bytes=MAX_KNOWN_BYTES,
            weigh=lambda _, entry: entry[0].selections.count() * OPERATION_BYTES_PER_FIELD,
        )

    def check(self, operation: Operation, variables: Mapping[str, Any]) -> None:
        """Raises TooExpensiveError or SlicingArgumentError where the mode is `enforce`."""
        is_enforced = self._settings.mode == "enforce"
        cost = self.cost_of(operation, variables)
        is_too_much = cost > self._settings.max
        OPERATION_COST.labels("COST_ESTIMATED_TOO_EXPENSIVE" if is_too_much else "COST_OK").observe(cost)
        if is_too_much and is_enforced:
            raise TooExpensiveError(cost, self._settings.max)

    def cost_of(self, operation: Operation, variables: Mapping[str, Any]) -> float:
        """Raises SlicingArgumentError where the mode is `enforce`.

        The walk over the operation is made once for all requests that have it with the same sizes.
        """
        telling = _telling(variables)
        if telling is None:
            return self._estimate(operation, variables)
        key = (id(operation), telling)
        with self._lock:
            known = self._known.get(key)
        if known is not None:
            return known[1]
        cost = self._estimate(operation, variables)
        with self._lock:
            self._known.put(key, (operation, cost))
        return cost

    def _estimate(self, operation: Operation, variables: Mapping[str, Any]) -> float:
        return self._model.cost_of(operation, variables, is_strict=self._settings.mode == "enforce")


class CostModel:
    """The costs of one schema.

    An object, interface or union costs 1, a scalar or enum 0, an input object that is sent 1, a mutation 10 more;
    `@cost` on a field, or else on its type, replaces that. What a list holds counts as often as `@listSize` says. Of an
    abstract type the most expensive member counts.
    """

    def __init__(
        self, schema: GraphQLSchema, costs: Mapping[Place, float], sizes: Mapping[Place, ListSize], list_size: int
    ) -> None:
        self.schema = schema
        self.costs = costs
        self.sizes = sizes
        self.list_size = list_size
        self._rules: dict[tuple[str, str], ListSize | None] = {}

    def rule(self, name: str, parent: GraphQLObjectType | GraphQLInterfaceType) -> ListSize | None:
        """The `@listSize` of a field, or else of the same field of an interface of its type."""
        place = (parent.name, name)
        if place not in self._rules:
            own = self.sizes.get((parent.name, name, None))
            inherited = (rule for each in parent.interfaces if (rule := self.rule(name, each)) is not None)
            self._rules[place] = own if own is not None else next(inherited, None)
        return self._rules[place]

    @classmethod
    def from_sdl(cls, sdl: str, api_schema: GraphQLSchema, list_size: int) -> CostModel:
        document = parse_sdl(sdl)
        costs: dict[Place, float] = {}
        for use in uses_of(document, "cost"):
            weight = _number(use.arguments.get("weight"))
            if weight is not None:
                place = (use.type_name, use.field_name, use.argument_name)
                costs[place] = max(costs.get(place, weight), weight)
        sizes = {
            (use.type_name, use.field_name, use.argument_name): ListSize(
                use.arguments.get("assumedSize"),
                tuple(use.arguments.get("slicingArguments") or ()),
                tuple(use.arguments.get("sizedFields") or ()),
                use.arguments.get("requireOneSlicingArgument", True) is not False,
            )
            for use in uses_of(document, "listSize")
        }
        return cls(api_schema, costs, sizes, list_size)

    def cost_of(self, operation: Operation, variables: Mapping[str, Any], *, is_strict: bool = False) -> float:
        """Raises SlicingArgumentError where `is_strict`."""
        root = {
            "query": self.schema.query_type,
            "mutation": self.schema.mutation_type,
            "subscription": self.schema.subscription_type,
        }[operation.operation_type]
        assert root is not None
        own = MUTATION_COST if operation.operation_type == "mutation" else 0.0
        return own + _Estimate(self, variables, is_strict).selections(operation.selections, root, {})


class _Estimate:
    """One walk over one operation with the variables of one request."""

    def __init__(self, model: CostModel, variables: Mapping[str, Any], is_strict: bool) -> None:
        self._model = model
        self._schema = model.schema
        self._variables = variables
        self._is_strict = is_strict
        self._known: dict[tuple[int, str, tuple[tuple[str, int], ...]], float] = {}

    def selections(self, selections: SelectionSet, type_: GraphQLObjectType, sizes: dict[str, int]) -> float:
        """For one object of that type; `sizes` are those of its list fields that the field above it told."""
        key = (id(selections), type_.name, tuple(sizes.items()))
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = sum(
                self._field(field, type_, sizes) for field in self._fields_for(selections, type_)
            )
        return known

    def _fields_for(self, selections: SelectionSet, type_: GraphQLObjectType) -> Iterator[Field]:
        for item in selections.items:
            if any(bool(self._variables.get(each.variable)) is each.inverted for each in item.conditions):
                continue
            if isinstance(item, InlineFragment):
                if item.type_condition is None or self._is_a(type_, item.type_condition):
                    yield from self._fields_for(item.selections, type_)
            elif not item.name.startswith("__"):
                yield item

    def _is_a(self, type_: GraphQLObjectType, condition: str) -> bool:
        named = self._schema.type_map[condition]
        return named is type_ or (is_abstract_type(named) and self._schema.is_sub_type(named, type_))

    def _field(self, field: Field, parent: GraphQLObjectType, sizes: dict[str, int]) -> float:
        definition = parent.fields[field.name]
        arguments = {each.name: self._value(each) for each in field.arguments if not each.directive_at}
        size, told = self._size(field.name, parent, definition, arguments)
        count = sizes.get(field.name, size)
        cost = count * self._one(field, parent, definition, told)
        for name, value in arguments.items():
            own = self._model.costs.get((parent.name, field.name, name))
            cost += self._input(value, definition.args[name].type, own)
        return cost

    def _one(self, field: Field, parent: GraphQLObjectType, definition: GraphQLField, told: dict[str, int]) -> float:
        """The field's value, or one item of it."""
        costs = self._model.costs
        named = get_named_type(definition.type)
        own = costs.get((parent.name, field.name, None))
        if not is_composite_type(named) or field.selections is None:
            return own if own is not None else costs.get((named.name, None, None), 0.0)
        members = object_types_of(self._schema, named)
        inner = field.selections
        of_type = costs.get((named.name, None, None), COMPOSITE_COST)
        return max(
            (
                (own if own is not None else costs.get((member.name, None, None), of_type))
                + self.selections(inner, member, told)
                for member in members
            ),
            default=of_type,
        )

    def _size(
        self, name: str, parent: GraphQLObjectType, definition: GraphQLField, arguments: Mapping[str, Any]
    ) -> tuple[int, dict[str, int]]:
        """How many values the field has, and how many those fields below it that its `sizedFields` name."""
        default = self._model.list_size if _is_list(definition.type) else 1
        rule = self._model.rule(name, parent)
        if rule is None:
            return default, {}
        expected = self._sliced(f"{parent.name}.{name}", rule, definition, arguments)
        if expected is None:
            expected = rule.assumed if rule.assumed is not None else self._model.list_size
        if rule.sized_fields:
            return default, dict.fromkeys(rule.sized_fields, expected)
        return expected, {}

    def _sliced(
        self, coordinate: str, rule: ListSize, definition: GraphQLField, arguments: Mapping[str, Any]
    ) -> int | None:
        if not rule.slicing_arguments:
            return None
        given = [value_at(arguments, path) for path in rule.slicing_arguments]
        if all(each is None for each in given):
            given = [_default_of(path, definition) for path in rule.slicing_arguments]
        sizes = [each for each in given if isinstance(each, int)]
        if self._is_strict and rule.needs_one_slicing_argument and len(sizes) != 1:
            names = ", ".join(rule.slicing_arguments)
            raise SlicingArgumentError(f"{coordinate} needs exactly one of the arguments {names}; it has {len(sizes)}.")
        return max(0, *sizes) if sizes else None

    def _value(self, argument: Argument) -> Any:
        if argument.value.startswith("$"):
            return self._variables.get(argument.value[1:])
        return value_from_ast_untyped(_parsed(argument.value), dict(self._variables))

    def _input(self, value: Any, type_: GraphQLInputType, own: float | None) -> float:
        if value is None:
            return 0.0
        while isinstance(type_, GraphQLNonNull):
            type_ = type_.of_type
        if isinstance(type_, GraphQLList):
            items = value if isinstance(value, list) else [value]
            return sum(self._input(item, type_.of_type, own) for item in items)
        costs = self._model.costs
        named = get_named_type(type_)
        if not isinstance(named, GraphQLInputObjectType) or not isinstance(value, dict):
            return own if own is not None else costs.get((named.name, None, None), 0.0)
        cost = own if own is not None else costs.get((named.name, None, None), INPUT_OBJECT_COST)
        for name, field in named.fields.items():
            cost += self._input(value.get(name), field.type, costs.get((named.name, name, None)))
        return cost


def _number(weight: object) -> float | None:
    """IBM's specification writes weights as strings; a directive that only shares the name has none."""
    try:
        return float(weight) if isinstance(weight, (int, float, str)) else None
    except ValueError:
        return None


def _is_list(type_: GraphQLOutputType) -> bool:
    return isinstance(type_.of_type if isinstance(type_, GraphQLNonNull) else type_, GraphQLList)


def _default_of(path: str, definition: GraphQLField) -> Any:
    argument = definition.args.get(path)
    if argument is None or argument.default is None or argument.default.literal is None:
        return None
    return value_from_ast_untyped(argument.default.literal)


@lru_cache(maxsize=1024)
def _parsed(value: str) -> Any:
    return parse_value(value, no_location=True)
