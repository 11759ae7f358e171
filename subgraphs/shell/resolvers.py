"""Strawberry's resolvers without the layers that a field does not use. Applied by `graphql_schema` to a built schema.

An attribute, and a method without arguments, are most of the fields of every answer; Strawberry runs each through
conversion of arguments, extensions and an exception handler that are not there: a sixth of a large answer's time.
"""

import inspect
from collections import defaultdict
from collections.abc import Callable
from operator import attrgetter
from typing import Any

from graphql import (
    GraphQLField,
    GraphQLInputType,
    GraphQLObjectType,
    GraphQLResolveInfo,
    get_nullable_type,
    is_leaf_type,
)
from strawberry import Info, Schema
from strawberry.relay import GlobalID
from strawberry.types.arguments import StrawberryArgument, convert_argument
from strawberry.types.base import StrawberryMaybe, StrawberryObjectDefinition, StrawberryOptional
from strawberry.types.field import StrawberryField

from subgraphs.shell.lean_executor import Leaf, OfInfo, OfSource, leaf_of
from subgraphs.shell.scopes import required_scopes

Resolver = Callable[..., Any]


def shorten_resolvers(schema: Schema) -> dict[str, dict[str, Leaf]]:
    """Replace what can be replaced without a change of any answer; returns the fields that are leaves and look at the object alone."""
    leaves: defaultdict[str, dict[str, Leaf]] = defaultdict(dict)
    for graphql_type in schema._schema.type_map.values():  # noqa: SLF001 - Strawberry offers no other way to it
        concrete = schema.schema_converter.type_map.get(graphql_type.name)
        definition = concrete.definition if concrete is not None else None
        if not isinstance(graphql_type, GraphQLObjectType) or not isinstance(definition, StrawberryObjectDefinition):
            continue
        for field in definition.fields:
            name = schema.config.name_converter.get_graphql_name(field)
            graphql_field = graphql_type.fields.get(name)
            resolver = (
                None
                if graphql_field is None or field.is_subscription
                else _short_resolver(schema, field, graphql_field)
            )
            if resolver is None:
                continue
            graphql_field.resolve = resolver
            if (
                isinstance(resolver, OfSource)
                and not field.is_async
                and required_scopes(field) is None
                and (leaf := leaf_of(graphql_field.type, resolver.read))
            ):
                leaves[graphql_type.name][name] = leaf
    return leaves


def _short_resolver(schema: Schema, field: StrawberryField, graphql_field: GraphQLField) -> Resolver | None:
    if field.extensions:
        return None
    if field.base_resolver is None:
        return OfSource(attrgetter(field.python_name)) if required_scopes(field) is None else None
    function = field.base_resolver.wrapped_func
    if not inspect.isfunction(function):
        return None
    parameters = list(inspect.signature(function).parameters)
    if parameters == ["self"]:
        return OfSource(function)
    if parameters == ["self", "info"]:
        return OfInfo(function, field)
    named = [argument.python_name for argument in field.arguments]
    if parameters in (["self", *named], ["self", "info", *named]):
        return _method_with_arguments(schema, function, field, graphql_field)
    return None


def _method_with_arguments(
    schema: Schema, function: Resolver, field: StrawberryField, graphql_field: GraphQLField
) -> Resolver:
    """As Strawberry calls it, but that arguments which are scalars or enums are known to need no conversion."""
    name_of = schema.config.name_converter.from_argument
    registry = schema.schema_converter.scalar_registry
    takes_info = field.base_resolver is not None and field.base_resolver.info_parameter is not None
    arguments = [
        (name_of(each), each.python_name, None if _is_plain(each, graphql_field.args[name_of(each)].type) else each)
        for each in field.arguments
    ]

    def resolve(source: Any, info: GraphQLResolveInfo[Any], /, **given: Any) -> Any:
        shown = Info(_raw_info=info, _field=field)
        named: dict[str, Any] = {"info": shown} if takes_info else {}
        for name, python_name, converted in arguments:
            if name in given:
                value = given[name]
                if converted is not None:
                    value = convert_argument(value, converted.type, registry, schema.config, shown, path=(name,))
                named[python_name] = value
        return function(source, **named)

    return resolve


def _is_plain(argument: StrawberryArgument, graphql_type: GraphQLInputType) -> bool:
    """Whether what GraphQL coerced is what the resolver is given: not so of lists, inputs, and types that Strawberry wraps."""
    kind = argument.type.of_type if isinstance(argument.type, StrawberryOptional) else argument.type
    is_wrapped = isinstance(argument.type, StrawberryMaybe) or kind is GlobalID
    return is_leaf_type(get_nullable_type(graphql_type)) and not is_wrapped
