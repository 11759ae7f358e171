"""Is a subgraph valid GraphQL, with what federation gives it to use?

It may extend types that it does not define and need not have a query root; all else is GraphQL's own rules.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Any

from graphql import (
    DirectiveNode,
    DocumentNode,
    GraphQLArgument,
    GraphQLError,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    TypeExtensionNode,
    Undefined,
    build_ast_schema,
    coerce_input_literal,
    is_input_type,
    parse,
    print_ast,
    validate_schema,
)
from graphql.validation import PossibleTypeExtensionsRule
from graphql.validation.specified_rules import specified_sdl_rules
from graphql.validation.validate import validate_sdl

from schema.codes import Finding, locations_of
from schema.federation import (
    BUILT_IN_SCALARS,
    DIRECTIVES_SINCE,
    FEDERATION_IDENTITY,
)
from schema.graphql_wording import is_tolerated, unknown_directive
from schema.subgraph import Subgraph
from schema.validation.definitions import given_definitions, with_bases
from schema.validation.plain_graphql import is_plainly_valid

_RULES = [rule for rule in specified_sdl_rules if rule is not PossibleTypeExtensionsRule]
_EXAMPLE_LINK = f'`extend schema @link(url: "{FEDERATION_IDENTITY}/v2.9", import: ["@{{}}"])`'


def check_graphql(subgraph: Subgraph) -> Iterator[Finding]:
    """INVALID_GRAPHQL for whatever GraphQL itself forbids."""
    if is_plainly_valid((*subgraph.document.definitions, *given_definitions(subgraph))):
        return
    errors = graphql_errors(subgraph.document, subgraph)
    if errors and subgraph.document.loc is not None:
        # Parsed the short way, only definitions and directives have their places.
        errors = graphql_errors(parse(subgraph.document.loc.source.body), subgraph)
    for message, nodes in {error.message: error.nodes for error in errors}.items():
        yield Finding(
            "INVALID_GRAPHQL",
            f"[{subgraph.name}] {message}{_advice(message, subgraph)}",
            (subgraph.name,),
            locations=locations_of(subgraph.name, *nodes or ()),
        )


def graphql_errors(own: DocumentNode, subgraph: Subgraph) -> list[GraphQLError]:
    """What graphql-core says of a subgraph's own definitions, beside those that federation gives it."""
    document = with_bases((*own.definitions, *given_definitions(subgraph)))
    errors = validate_sdl(document, None, _RULES) or _errors_of_schema(document, own)
    errors += [
        GraphQLError(f"Cannot extend built-in type '{node.name.value}'.", node)
        for node in own.definitions
        if isinstance(node, TypeExtensionNode) and node.name.value in BUILT_IN_SCALARS
    ]
    return errors


def _errors_of_schema(document: DocumentNode, own: DocumentNode) -> list[GraphQLError]:
    try:
        schema = build_ast_schema(document, assume_valid_sdl=True)
        wrong = list(_wrong_inputs(schema)) or validate_schema(schema)
    except (
        GraphQLError
    ) as error:  # as for a reason of `@deprecated` that is no string; of an enum's value it is read late
        return [error.__cause__ if isinstance(error.__cause__, GraphQLError) else error]
    roots = [root.name for root in (schema.query_type, schema.mutation_type, schema.subscription_type) if root]
    errors = [error for error in wrong if not is_tolerated(error, roots)]
    return errors or list(_wrong_directive_arguments(own, schema))


def _advice(message: str, subgraph: Subgraph) -> str:
    name = unknown_directive(message)
    if name not in DIRECTIVES_SINCE:
        return ""
    if subgraph.federation is None:
        return f" Federation 1 has none; for federation 2, add {_EXAMPLE_LINK.format(name)}."
    return f' If federation\'s @{name} is meant, add "@{name}" to the imports of its @link.'


def _wrong_inputs(schema: GraphQLSchema) -> Iterator[GraphQLError]:
    """Arguments and input fields of types for output. GraphQL finds them too, but not where they have a default value."""
    values: dict[str, GraphQLArgument | GraphQLInputField] = {}
    for directive in schema.directives:
        values |= {f"@{directive.name}({name}:)": argument for name, argument in directive.args.items()}
    for each in schema.type_map.values():
        if isinstance(each, GraphQLInputObjectType):
            values |= {f"{each.name}.{name}": field for name, field in each.fields.items()}
        elif isinstance(each, GraphQLObjectType | GraphQLInterfaceType):
            for field_name, field in each.fields.items():
                place = f"{each.name}.{field_name}"
                values |= {f"{place}({name}:)": argument for name, argument in field.args.items()}
    for place, value in values.items():
        if not is_input_type(value.type):
            yield GraphQLError(
                f"The type of {place} must be for input, but {value.type} is for output.", value.ast_node
            )


def check_composed_directives(document: DocumentNode, names: Collection[str]) -> Iterator[GraphQLError]:
    """What a composed directive says in the supergraph, defaults included, has to be there after merging too.

    With `directive @acl(role: Role = ADMIN)` in one subgraph and an `enum Role` without ADMIN in another one, the graph
    has no ADMIN. Clients do not see these directives, so that the API's own validation does not.
    """
    if not names:
        return
    schema = build_ast_schema(document, assume_valid_sdl=True)
    for directive in schema.directives:
        for name, argument in directive.args.items() if directive.name in names else ():
            default = argument.ast_node.default_value if argument.ast_node is not None else None
            if default is not None and coerce_input_literal(default, argument.type) is Undefined:
                yield GraphQLError(
                    f"Invalid default value {print_ast(default)} for @{directive.name}({name}:), which has type "
                    f"{argument.type} in the graph.",
                    argument.ast_node,
                )
    for node in _directives_in(document.definitions):
        if node.name.value in names:
            yield from _wrong_arguments(node, schema)


def _wrong_directive_arguments(document: DocumentNode, schema: GraphQLSchema) -> Iterator[GraphQLError]:
    """Literals that do not fit the type of a directive's argument; GraphQL checks them in operations only."""
    for node in _directives_in(document.definitions):
        yield from _wrong_arguments(node, schema)


def _wrong_arguments(node: DirectiveNode, schema: GraphQLSchema) -> Iterator[GraphQLError]:
    definition = schema.get_directive(node.name.value)
    for argument in node.arguments or () if definition is not None else ():
        declared = definition.args.get(argument.name.value) if definition is not None else None
        if declared is not None and coerce_input_literal(argument.value, declared.type) is Undefined:
            yield GraphQLError(
                f"Invalid value {print_ast(argument.value)} for @{node.name.value}({argument.name.value}:), "
                f"which has type {declared.type}.",
                argument,
            )


def _directives_in(nodes: Iterable[Any]) -> Iterator[DirectiveNode]:
    for node in nodes:
        yield from getattr(node, "directives", None) or ()
        for members in ("fields", "values", "arguments"):
            if children := getattr(node, members, None):
                yield from _directives_in(children)
