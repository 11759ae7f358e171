"""Is a subgraph valid GraphQL, federation's directives and scalars taken as given?

A subgraph may extend types that it does not define and need not have a query root; all else is GraphQL's own rules.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any

from graphql import (
    DefinitionNode,
    DirectiveDefinitionNode,
    DirectiveNode,
    DocumentNode,
    EnumTypeDefinitionNode,
    EnumTypeExtensionNode,
    GraphQLArgument,
    GraphQLError,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    InputObjectTypeDefinitionNode,
    InputObjectTypeExtensionNode,
    InterfaceTypeDefinitionNode,
    InterfaceTypeExtensionNode,
    ObjectTypeDefinitionNode,
    ObjectTypeExtensionNode,
    ScalarTypeDefinitionNode,
    ScalarTypeExtensionNode,
    TypeDefinitionNode,
    TypeExtensionNode,
    Undefined,
    UnionTypeDefinitionNode,
    UnionTypeExtensionNode,
    build_ast_schema,
    is_input_type,
    parse,
    print_ast,
    validate_schema,
    value_from_ast,
)
from graphql.validation import PossibleTypeExtensionsRule
from graphql.validation.specified_rules import specified_sdl_rules
from graphql.validation.validate import validate_sdl

from schema.codes import Finding, locations_of
from schema.federation import (
    BUILT_IN_SCALARS,
    CONNECT_IDENTITY,
    CONNECT_SIGNATURES,
    DIRECTIVES_SINCE,
    FEDERATION_IDENTITY,
    LINK_IDENTITY,
    SCALARS,
    SIGNATURES,
)
from schema.subgraph import Subgraph

_RULES = [rule for rule in specified_sdl_rules if rule is not PossibleTypeExtensionsRule]
# `_entities` and `_service` may be there without the types that belong to them.
_EXAMPLE_LINK = f'`extend schema @link(url: "{FEDERATION_IDENTITY}/v2.9", import: ["@{{}}"])`'
_SERVICE_TYPES = frozenset({"_Any", "_Entity", "_Service"})
# What GraphQL asks of a whole schema and federation does not ask of a part, or has never asked.
_TOLERATED = re.compile(
    "Query root type must be provided|cannot be deprecated"
    r"""|invalid default value.*non-enum value: "(?P<value>\w+)"\. Did you mean .*'(?P=value)'"""
)


def check_graphql(subgraph: Subgraph) -> Iterator[Finding]:
    """INVALID_GRAPHQL for whatever GraphQL itself forbids."""
    document = _with_bases((*subgraph.document.definitions, *_given_definitions(subgraph)))
    errors = validate_sdl(document, None, _RULES)
    if not errors:
        schema = build_ast_schema(document, assume_valid_sdl=True)
        errors = [
            error
            for error in list(_wrong_inputs(schema)) or validate_schema(schema)
            if not _TOLERATED.search(error.message) and not _is_empty_root(error.message, schema)
        ]
        errors += [] if errors else _wrong_directive_arguments(subgraph.document, schema)
    errors += [
        GraphQLError(f"Cannot extend built-in type '{node.name.value}'.", node)
        for node in subgraph.document.definitions
        if isinstance(node, TypeExtensionNode) and node.name.value in BUILT_IN_SCALARS
    ]
    for message, nodes in {error.message: error.nodes for error in errors}.items():
        yield Finding(
            "INVALID_GRAPHQL",
            f"[{subgraph.name}] {message}{_advice(message, subgraph)}",
            (subgraph.name,),
            locations=locations_of(subgraph.name, *nodes or ()),
        )


def _advice(message: str, subgraph: Subgraph) -> str:
    name = message.partition("Unknown directive '@")[2].partition("'")[0]
    if name not in DIRECTIVES_SINCE:
        return ""
    if subgraph.federation is None:
        return f" Federation 1 has none; for federation 2, add {_EXAMPLE_LINK.format(name)}."
    return f' If federation\'s @{name} is meant, add "@{name}" to the imports of its @link.'


def _given_definitions(subgraph: Subgraph) -> Iterator[DefinitionNode]:
    """What federation and link define for a subgraph, unless it repeats the definitions itself."""
    own_directives = {
        node.name.value for node in subgraph.document.definitions if isinstance(node, DirectiveDefinitionNode)
    }
    own_types = {node.name.value for node in subgraph.document.definitions if isinstance(node, TypeDefinitionNode)}
    texts = []
    for name, spec in local_directive_names(subgraph).items():
        if name not in own_directives:
            arguments, repeatable, locations = SIGNATURES[spec]
            if name == "override" and subgraph.version < (2, 7):
                arguments = "(from: String!)"
            texts.append(f"directive @{name}{arguments}{' repeatable' if repeatable else ''} on {locations}")
    for each in subgraph.links:
        if each.identity == CONNECT_IDENTITY:
            texts += [
                f"directive @{local}{arguments} repeatable on {locations}"
                for spec, (arguments, _, locations) in CONNECT_SIGNATURES.items()
                for local in {*(name for name, of in each.imports.items() if of == spec), each.qualified(spec)}
                if local not in own_directives
            ]
    link = next((link.namespace for link in subgraph.links if link.identity == LINK_IDENTITY), "link")
    texts += [
        f"directive @{name}(url: String, as: String, for: link__Purpose, import: [link__Import]) repeatable on SCHEMA"
        for name in {link, "link"} - own_directives
    ]
    if "core" not in own_directives:
        texts.append("directive @core(feature: String, as: String, for: link__Purpose) repeatable on SCHEMA")
    imported = {local for each in subgraph.links if _is_apollo(each.identity) for local in each.imports}
    used = {f"federation__{name}" for name in SCALARS} | {"link__Import", "link__Purpose", "connect__Value"}
    if subgraph.federation is None:
        used |= SCALARS | {"_FieldSet"}
    used |= {name for name in imported if name[:1].isupper()}
    texts += [f"scalar {name}" for name in sorted((used | _SERVICE_TYPES) - own_types)]
    yield from _parsed("\n".join(sorted(texts)))


@lru_cache(maxsize=64)
def _parsed(text: str) -> tuple[DefinitionNode, ...]:
    """Subgraphs that link alike are given the same definitions."""
    return tuple(parse(text, no_location=True).definitions)


def _is_apollo(identity: str) -> bool:
    return identity.startswith("https://specs.apollo.dev/")


def local_directive_names(subgraph: Subgraph) -> dict[str, str]:
    """Federation's directives by the names they have in the subgraph."""
    federation = subgraph.federation
    if federation is None:
        return {name: name for name, since in DIRECTIVES_SINCE.items() if since <= (2, 0) and name in _FEDERATION_1}
    available = {name for name, since in DIRECTIVES_SINCE.items() if since <= federation.version and name in SIGNATURES}
    # What is imported has its full name no longer.
    names = {f"{federation.namespace}__{name}": name for name in available - set(federation.imports.values())}
    return names | {
        local: spec for link in subgraph.links for local, spec in link.imports.items() if spec in SIGNATURES
        and _is_apollo(link.identity)
    } | {
        link.namespace: link.name for link in subgraph.links if _is_apollo(link.identity) and link.name in SIGNATURES
    }  # fmt: skip


_FEDERATION_1 = frozenset({"key", "requires", "provides", "external", "extends", "tag"})

_BASES: dict[type, type] = {
    ScalarTypeExtensionNode: ScalarTypeDefinitionNode,
    ObjectTypeExtensionNode: ObjectTypeDefinitionNode,
    InterfaceTypeExtensionNode: InterfaceTypeDefinitionNode,
    UnionTypeExtensionNode: UnionTypeDefinitionNode,
    EnumTypeExtensionNode: EnumTypeDefinitionNode,
    InputObjectTypeExtensionNode: InputObjectTypeDefinitionNode,
}


def _with_bases(nodes: Sequence[DefinitionNode]) -> DocumentNode:
    """The first extension of a type that is not defined here becomes its definition."""
    known = {node.name.value for node in nodes if isinstance(node, TypeDefinitionNode)}
    definitions: list[Any] = []
    for node in nodes:
        if isinstance(node, TypeExtensionNode) and node.name.value not in known:
            known.add(node.name.value)
            parts = {key: getattr(node, key, None) for key in node.keys}
            definitions.append(_BASES[type(node)](**parts))
        else:
            definitions.append(node)
    return DocumentNode(definitions=tuple(definitions))


def _is_empty_root(message: str, schema: GraphQLSchema) -> bool:
    roots = [root.name for root in (schema.query_type, schema.mutation_type, schema.subscription_type) if root]
    return any(message == f"Type {name} must define one or more fields." for name in roots)


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


def _wrong_directive_arguments(document: DocumentNode, schema: GraphQLSchema) -> Iterator[GraphQLError]:
    """Literals that do not fit the type of a directive's argument; GraphQL checks them in operations only."""
    for node in _directives_in(document.definitions):
        definition = schema.get_directive(node.name.value)
        for argument in node.arguments or () if definition is not None else ():
            declared = definition.args.get(argument.name.value) if definition is not None else None
            if declared is not None and value_from_ast(argument.value, declared.type) is Undefined:
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
