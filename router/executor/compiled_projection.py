"""The fast projection: Python source made for one plan, which shapes well-formed data and gives up on the rest.

`execute` compiles it for a plan and a set of `@skip`/`@include` decisions, not before the plan's second run. Where data is not as the schema says,
the made code raises (IrregularDataError, AttributeError, TypeError) and `execute` starts over with `projection`, which words
the errors. So the two must agree on every tree that this one accepts; a property test says they do.
"""

from __future__ import annotations

import linecache
import sys
import weakref
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import count
from typing import Any

import orjson
from graphql import (
    GraphQLEnumType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLUnionType,
)

from router.exact_json import is_nested_deeper, written
from router.executor.custom_scalars import may_hold_custom_scalars
from router.executor.projection import MAX_SCALAR_DEPTH, can_stay_abstract, group_by_key
from router.object_types import object_types_of
from router.selection_set import Field, SelectionSet

Tree = dict[str, Any]
Keys = tuple[str, ...]

#: (tree, memo) -> the client's data; `memo` starts anew for every response, with what the client calls `renamed` keys under NAMES
ProjectFunction = Callable[[Tree, dict[Any, Any]], Tree]
NAMES = "names"


class IrregularDataError(Exception):
    """The data is not what the schema promises, or is so in a rare way."""


IRREGULAR_ERRORS = (IrregularDataError, AttributeError, TypeError, KeyError)


class ProjectionTooLongError(Exception):
    """The source would have more lines than the caller has time for."""


#: Python needs some 20 us to compile a line and lets nobody else run meanwhile: longer sources are compiled in parts.
_LINES_AT_ONCE = 400
#: Of the lines that are written many are the same for all members of an interface; only what differs is compiled.
_LINES_WRITTEN_PER_LINE_COMPILED = 4

_module_numbers = count(1)


def compile_projection(
    schema: GraphQLSchema,
    type_name: str,
    selections: SelectionSet,
    variables: Mapping[str, Any],
    shared_keys: frozenset[Keys] = frozenset(),
    max_lines: int | None = None,
    renamed: frozenset[str] = frozenset(),
) -> ProjectFunction:
    """`shared_keys` are places of entities: what stands there is encoded once per distinct object. `renamed` are response keys
    in whose place the client has others, which each response's memo tells. Raises ProjectionTooLongError past `max_lines`,
    and for an object of very many fields.

    For `{ users { id name } }` the made source is, in short:

        def object_1(value, memo):
            get = value.get
            v0 = get("id")
            if v0.__class__ is not str: raise IrregularDataError
            ...
            return {"id": v0, "name": v1}
    """
    dumps = encoder(selections, schema)
    writer = _SourceWriter(schema, variables, shared_keys, max_lines, dumps, renamed)
    root = schema.type_map[type_name]
    if isinstance(root, GraphQLObjectType):
        return writer.link(writer.object_function([selections], root, ()))
    assert isinstance(root, (GraphQLInterfaceType, GraphQLUnionType))
    return writer.link(writer.abstract_function(root, [selections], ()))


def encoder(selections: SelectionSet, schema: GraphQLSchema) -> Callable[[Any], bytes]:
    """What writes such data as JSON. It raises orjson.JSONEncodeError, a TypeError, for what only the plain projection knows
    how to write.
    """
    may_be_exact = may_hold_custom_scalars([selections], schema)
    return partial(orjson.dumps, default=written) if may_be_exact else orjson.dumps


class _SourceWriter:
    """Collects functions as source, and the constants they refer to by name."""

    def __init__(
        self,
        schema: GraphQLSchema,
        variables: Mapping[str, Any],
        shared_keys: frozenset[Keys],
        max_lines: int | None,
        dumps: Callable[[Any], bytes],
        renamed: frozenset[str],
    ) -> None:
        self._renamed = renamed
        self._schema = schema
        self._variables = variables
        self._shared_keys = shared_keys
        self._max_lines = max_lines if max_lines is not None else sys.maxsize
        self._lines = self._lines_written = 0
        self._functions: list[list[str]] = []  # their lines
        self._same: dict[str, str] = {}  # functions by their text: members of an interface are often shaped alike
        self._names: dict[tuple[str, tuple[int, ...], Keys, bool], str] = {}
        self._numbers = count()
        self._namespace: dict[str, Any] = {
            "IrregularDataError": IrregularDataError,
            "dumps": dumps,
            "Fragment": orjson.Fragment,
            "MAYBE_ODD": _MAYBE_ODD,
            "is_odd": _is_odd,
        }
        self._constants: dict[frozenset[str], str] = {}
        self._tables: dict[tuple[tuple[str | None, str], ...], str] = {}

    def link(self, function: str) -> ProjectFunction:
        sources = [(f"<projection {next(_module_numbers)}>", "\n".join(lines)) for lines in self._parts()]
        for filename, source in sources:
            exec(compile(source, filename, "exec"), self._namespace)  # noqa: S102 - the source is ours, names are repr'd  # nosec B102
        for variants, table in self._tables.items():
            self._namespace[table] = {typename: self._namespace[name] for typename, name in variants}
        made: ProjectFunction = self._namespace[function]
        for filename, source in sources:
            # tracebacks and debuggers can show the made source, for as long as the function lives
            linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
            weakref.finalize(made, linecache.cache.pop, filename, None)
        return made

    def _parts(self) -> Iterator[list[str]]:
        part: list[str] = []
        for lines in self._functions:
            if part and len(part) + len(lines) > _LINES_AT_ONCE:
                yield part
                part = []
            part += lines
        yield part

    def _define(self, name: str, *lines: str) -> str:
        """The name of a function with these lines below its head: this one, or one that is there already."""
        same = self._same.setdefault("\n".join(lines), name)
        self._lines_written += len(lines)
        if same is name:
            self._lines += len(lines)
            self._functions.append([f"def {name}(value, memo):", *lines, "", ""])
        is_too_long = (
            self._lines > self._max_lines
            or self._lines_written > self._max_lines * _LINES_WRITTEN_PER_LINE_COMPILED
            or len(lines) > 2 * _LINES_AT_ONCE
        )
        if is_too_long and self._max_lines < sys.maxsize:
            raise ProjectionTooLongError
        return same

    def object_function(
        self,
        selection_sets: list[SelectionSet],
        type_: GraphQLObjectType | GraphQLInterfaceType,
        keys: Keys,
        *,
        has_typename: bool = False,
    ) -> str:
        """The name of a function from an object of this type to its projection; an interface stands for any.

        `has_typename`: the object is known to be of this type by its own `__typename`.
        """
        known = (type_.name, tuple(id(each) for each in selection_sets), keys, has_typename)
        if known in self._names:
            return self._names[known]
        name = f"object_{next(self._numbers)}"
        grouped: dict[str, list[Field]] = {}
        for selections in selection_sets:
            group_by_key(selections, type_, self._schema, self._variables, grouped)
        body: list[str] = []
        entries: list[str] = []
        if not self._renamed.isdisjoint(grouped):
            body.append(f"names = memo[{NAMES!r}]")
        for number, (response_key, fields) in enumerate(grouped.items()):
            field = fields[0]
            key = f"names[{response_key!r}]" if response_key in self._renamed else repr(response_key)
            if field.name == "__typename":
                typename = "get('__typename')" if has_typename else repr(type_.name)
                entries.append(f"{key}: {typename}")
            elif field.name in ("__schema", "__type"):
                entries.append(f"{key}: get({response_key!r})")
            else:
                variable = f"v{number}"
                body.append(f"{variable} = get({response_key!r})")
                inner = [each.selections for each in fields if each.selections is not None]
                body += self._check(variable, type_.fields[field.name].type, inner, (*keys, response_key))
                entries.append(f"{key}: {variable}")
        made = self._define(
            name, "    get = value.get", *(f"    {line}" for line in body), f"    return {{{', '.join(entries)}}}"
        )
        self._names[known] = made
        return made

    def _check(self, variable: str, type_: GraphQLOutputType, inner: list[SelectionSet], keys: Keys) -> list[str]:
        """Lines that leave the projected value in `variable`, or raise."""
        if isinstance(type_, GraphQLNonNull):
            expression, guard = self._expression(variable, type_.of_type, inner, keys)
            lines = (
                [f"if {guard}: raise IrregularDataError"]
                if guard
                else [f"if {variable} is None: raise IrregularDataError"]
            )
            return lines + ([f"{variable} = {expression}"] if expression != variable else [])
        expression, guard = self._expression(variable, type_, inner, keys)
        lines = []
        if guard:
            lines.append(f"    if {guard}: raise IrregularDataError")
        if expression != variable:
            lines.append(f"    {variable} = {expression}")
        return [f"if {variable} is not None:", *lines] if lines else []

    def _expression(
        self, variable: str, type_: GraphQLOutputType, inner: list[SelectionSet], keys: Keys
    ) -> tuple[str, str]:
        """What a value that is not None becomes, and a test that is true where it is not acceptable."""
        if isinstance(type_, GraphQLScalarType):
            return variable, _SCALAR_GUARDS.get(type_.name, _CUSTOM_GUARD).format(v=variable)
        if isinstance(type_, GraphQLEnumType):
            return variable, f"{variable} not in {self._constant(frozenset(type_.values))}"
        if isinstance(type_, GraphQLList):
            return self._list_expression(variable, type_.of_type, inner, keys)
        if isinstance(type_, GraphQLObjectType):
            function = self.object_function(inner, type_, keys)
            return self._call(function, variable, keys), ""
        assert isinstance(type_, (GraphQLInterfaceType, GraphQLUnionType))
        return self._call(self.abstract_function(type_, inner, keys), variable, keys), ""

    def _list_expression(
        self, variable: str, item_type: GraphQLOutputType, inner: list[SelectionSet], keys: Keys
    ) -> tuple[str, str]:
        not_a_list = f"{variable}.__class__ is not list"
        is_nullable = not isinstance(item_type, GraphQLNonNull)
        named: GraphQLOutputType = item_type.of_type if isinstance(item_type, GraphQLNonNull) else item_type
        expression, guard = self._expression("item", named, inner, keys)
        if expression == "item" and not guard:
            return variable, not_a_list if is_nullable else f"{not_a_list} or None in {variable}"
        if isinstance(named, GraphQLList):
            function = self._item_function(expression, guard, is_nullable)
            return f"[{function}(item, memo) for item in {variable}]", not_a_list
        if expression == "item":
            wrong = f"item is not None and ({guard})" if is_nullable else guard
            return variable, f"{not_a_list} or any([{wrong} for item in {variable}])"
        made = f"None if item is None else {expression}" if is_nullable else expression
        return f"[{made} for item in {variable}]", not_a_list

    def _item_function(self, expression: str, guard: str, is_nullable: bool) -> str:
        """A list inside a list: comprehensions that nest any deeper are no longer readable in a traceback."""
        lines = ["    item = value"]
        if is_nullable:
            lines.append("    if item is None: return None")
        lines += [f"    if {guard}: raise IrregularDataError", f"    return {expression}"]
        return self._define(f"items_{next(self._numbers)}", *lines)

    def abstract_function(
        self, type_: GraphQLInterfaceType | GraphQLUnionType, inner: list[SelectionSet], keys: Keys
    ) -> str:
        variants: dict[str | None, str] = {
            possible.name: self.object_function(inner, possible, keys, has_typename=True)
            for possible in object_types_of(self._schema, type_)
        }
        if isinstance(type_, GraphQLInterfaceType) and all(
            can_stay_abstract(selections, type_, self._schema, self._variables) for selections in inner
        ):
            variants[None] = variants[type_.name] = self.object_function(inner, type_, keys)
        return self._define(
            f"abstract_{next(self._numbers)}",
            f"    return {self._table(variants)}[value.get('__typename')](value, memo)",
        )

    def _table(self, variants: dict[str | None, str]) -> str:
        """The name of a table of functions by type name; `link` fills it."""
        return self._tables.setdefault(tuple(variants.items()), f"variants_{len(self._tables)}")

    def _call(self, function: str, variable: str, keys: Keys) -> str:
        """A call, or where entities are shared a look into the memo first; a Fragment is never falsy."""
        if keys not in self._shared_keys:
            return f"{function}({variable}, memo)"
        encode = f"encode_{function}"
        if encode not in self._namespace:
            self._namespace[encode] = None
            self._define(
                encode,
                f"    made = memo[id(value), {function!r}] = Fragment(dumps({function}(value, memo)))",
                "    return made",
            )
        return f"(memo.get((id({variable}), {function!r})) or {encode}({variable}, memo))"

    def _constant(self, value: frozenset[str]) -> str:
        name = self._constants.setdefault(value, f"constant_{len(self._constants)}")
        self._namespace[name] = value
        return name


_SCALAR_GUARDS = {
    "String": "{v}.__class__ is not str",
    "ID": "{v}.__class__ is not str",
    "Int": "{v}.__class__ is not int or not -2147483648 <= {v} <= 2147483647",
    "Float": "{v}.__class__ is not float and {v}.__class__ is not int",
    "Boolean": "{v}.__class__ is not bool",
}
#: Of a custom scalar.
_CUSTOM_GUARD = "{v}.__class__ in MAYBE_ODD and is_odd({v})"
_MAYBE_ODD = frozenset((type(None), dict, list))


def _is_odd(value: Any) -> bool:
    """Of a custom scalar, whether the plain projection would not let it pass. The encoder writes somewhat deeper values, but how
    deep depends on what is around them.
    """
    return value is None or is_nested_deeper(value, MAX_SCALAR_DEPTH)
