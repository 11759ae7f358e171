"""The projection in C: a tree that is as the schema says is made the client's JSON by two calls, whatever its size.

`kept_projections` makes one where objects have one type each and no object stands in several places, which is where the made
code of `compiled_projection` would have no call to spare. What a tree must be is a msgspec type: converting checks each value
as the made code would, and refuses what only the plain projection can word an error for.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any, Literal

import msgspec
from graphql import GraphQLNonNull, GraphQLObjectType, GraphQLSchema

from router.executor.passthrough import MAX_FIELDS, SCALARS, NotIdentityError, value_type
from router.executor.projection import group_by_key
from router.selection_set import Field, SelectionSet

Tree = dict[str, Any]

#: Integers stay integers. Larger ones the plain projection rounds.
_FLOAT = float | Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
_SCALARS = {**SCALARS, "Float": _FLOAT}

_encode = msgspec.json.Encoder().encode


class TypedProjection:
    """Of one operation, for given decisions of `@skip` and `@include`."""

    def __init__(self, data_type: Any) -> None:
        self._type = data_type

    def written(self, tree: Tree) -> bytes | None:
        """The client's data as JSON; None where the tree is not what the schema promises."""
        try:
            return _encode(msgspec.convert(tree, self._type))
        except (msgspec.ValidationError, UnicodeEncodeError, RecursionError):
            return None


def compile_typed(
    schema: GraphQLSchema, type_name: str, selections: SelectionSet, variables: Mapping[str, Any]
) -> TypedProjection | None:
    """None where a shape depends on more than the schema, or is large."""
    type_ = schema.type_map[type_name]
    if not isinstance(type_, GraphQLObjectType):
        return None
    try:
        return TypedProjection(_Types(schema, variables).of_object(type_, [selections]))
    except NotIdentityError:
        return None


class _Types:
    def __init__(self, schema: GraphQLSchema, variables: Mapping[str, Any]) -> None:
        self._schema = schema
        self._variables = variables
        self._fields = 0

    def of_object(self, type_: GraphQLObjectType, selection_sets: list[SelectionSet]) -> Any:
        grouped: dict[str, list[Field]] = {}
        for selections in selection_sets:
            group_by_key(selections, type_, self._schema, self._variables, grouped)
        self._fields += len(grouped)
        if self._fields > MAX_FIELDS or not grouped:
            raise NotIdentityError
        fields: list[Any] = []
        names: dict[str, str] = {}
        for number, (response_key, several) in enumerate(grouped.items()):
            # response keys may be words of Python, so attributes get names of our own
            names[f"f{number}"] = response_key
            name = several[0].name
            if name == "__typename":
                fields.append((f"f{number}", Literal[type_.name], type_.name))
                continue
            if name.startswith("__"):
                raise NotIdentityError  # made by `introspection`, already JSON
            inner = [each.selections for each in several if each.selections is not None]
            made = value_type(type_.fields[name].type, _SCALARS, partial(self.of_object, selection_sets=inner))
            # what a subgraph leaves out is null
            is_nullable = not isinstance(type_.fields[name].type, GraphQLNonNull)
            fields.append((f"f{number}", made, None) if is_nullable else (f"f{number}", made))
        return msgspec.defstruct(type_.name, fields, rename=names, kw_only=True, gc=False)
