"""Strawberry's resolvers without the layers that a field does not use. Applied by `graphql_schema` to a built schema.

An attribute, and a method without arguments, are most of the fields of every answer; Strawberry runs each through
conversion of arguments, extensions and an exception handler that are not there: a sixth of a large answer's time.
"""

import inspect
from collections import defaultdict
from collections.abc import Callable
from operator import attrgetter
from typing import Any

from graphql import GraphQLObjectType, GraphQLResolveInfo
from strawberry import Info, Schema
from strawberry.types.base import StrawberryObjectDefinition
from strawberry.types.field import StrawberryField

from subgraphs.shell.lean_executor import Leaf, OfSource, leaf_of
from subgraphs.shell.scopes import required_scopes

Resolver = Callable[..., Any]


def shorten_resolvers(schema: Schema) -> dict[str, dict[str, Leaf]]:
    """Replace what can be replaced without a change of any answer; returns the fields that are attributes and leaves."""
    leaves: defaultdict[str, dict[str, Leaf]] = defaultdict(dict)
    for graphql_type in schema._schema.type_map.values():  # noqa: SLF001 - Strawberry offers no other way to it
        concrete = schema.schema_converter.type_map.get(graphql_type.name)
        definition = concrete.definition if concrete is not None else None
        if not isinstance(graphql_type, GraphQLObjectType) or not isinstance(definition, StrawberryObjectDefinition):
            continue
        for field in definition.fields:
            name = schema.config.name_converter.get_graphql_name(field)
            graphql_field = graphql_type.fields.get(name)
            resolver = None if field.is_subscription else _short_resolver(field)
            if graphql_field is None or resolver is None:
                continue
            graphql_field.resolve = resolver
            if field.base_resolver is None and (leaf := leaf_of(graphql_field.type, attrgetter(field.python_name))):
                leaves[graphql_type.name][name] = leaf
    return leaves


def _short_resolver(field: StrawberryField) -> Resolver | None:
    if field.extensions or required_scopes(field) is not None:
        return None
    if field.base_resolver is None:
        return OfSource(attrgetter(field.python_name))
    function = field.base_resolver.wrapped_func
    if not inspect.isfunction(function) or field.arguments:
        return None
    parameters = list(inspect.signature(function).parameters)
    if parameters == ["self"]:
        return OfSource(function)
    if parameters == ["self", "info"]:
        return _method_with_info(function, field)
    return None


def _method_with_info(function: Resolver, field: StrawberryField) -> Resolver:
    def resolve(source: Any, info: GraphQLResolveInfo[Any]) -> Any:
        return function(source, Info(_raw_info=info, _field=field))

    return resolve
