"""Defaults as the schema tells them. Called by `graphql_schema` on a schema that was just built."""

from collections.abc import Iterator

from graphql import GraphQLArgument, GraphQLInputField, GraphQLInputObjectType, GraphQLSchema, Undefined


def leave_out_null_defaults(schema: GraphQLSchema) -> None:
    """An argument or input field that may be absent has no default rather than `= null`, which nobody means: what absence
    does is in its description. The resolver or input class gives None for what is absent, as before.
    """
    for element in _with_defaults(schema):
        if element.default_value is None:
            element.default_value = Undefined


def _with_defaults(schema: GraphQLSchema) -> Iterator[GraphQLArgument | GraphQLInputField]:
    for type_ in schema.type_map.values():
        if isinstance(type_, GraphQLInputObjectType):
            yield from type_.fields.values()
        else:
            for field in getattr(type_, "fields", {}).values():
                yield from field.args.values()
    for directive in schema.directives:
        yield from directive.args.values()
