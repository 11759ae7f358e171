"""Where federation's directives may stand, and how a subgraph may define them itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from graphql import (
    DirectiveDefinitionNode,
    InputValueDefinitionNode,
    NonNullTypeNode,
    ObjectTypeDefinitionNode,
    ObjectTypeExtensionNode,
    ScalarTypeDefinitionNode,
    TypeDefinitionNode,
    parse,
    print_ast,
)

from schema.codes import Finding, locations_of
from schema.federation import SCALARS, SIGNATURES
from schema.subgraph import Kind, Subgraph, TypeDefinition
from schema.type_nodes import named_type, type_text
from schema.validation.definitions import local_directive_names

_UPGRADED = ("shareable", "override", "composeDirective", "interfaceObject", "inaccessible")
_ACCESS = ("authenticated", "requiresScopes", "policy")


def check_directive_definitions(subgraph: Subgraph) -> Iterator[Finding]:
    """DIRECTIVE_DEFINITION_INVALID, TYPE_DEFINITION_INVALID: a subgraph may repeat federation's definitions, not bend them."""
    names = local_directive_names(subgraph)
    if subgraph.federation is None:
        # What a subgraph of federation 1 defines under these names is taken for federation 2's when it is upgraded.
        names |= {name: name for name in _UPGRADED}
    imported = {name: spec for link in subgraph.links for name, spec in link.imports.items()}
    for node in subgraph.document.definitions:
        name = node.name.value if isinstance(node, DirectiveDefinitionNode | TypeDefinitionNode) else ""
        if isinstance(node, DirectiveDefinitionNode) and name in names:
            for problem in _differences(node, names[name], imported):
                yield Finding(
                    "DIRECTIVE_DEFINITION_INVALID",
                    f"[{subgraph.name}] The definition of @{name} contradicts federation's: {problem}. Remove it, "
                    f"composition knows the directive.",
                    (subgraph.name,),
                    (f"@{name}",),
                )
        elif isinstance(node, TypeDefinitionNode) and not isinstance(node, ScalarTypeDefinitionNode):
            spec = name.removeprefix("federation__")
            if spec in SCALARS and (spec != name or name in imported):
                yield Finding(
                    "TYPE_DEFINITION_INVALID",
                    f'[{subgraph.name}] "{name}" is a scalar of federation and cannot be defined as something else.',
                    (subgraph.name,),
                    (name,),
                )


def _differences(node: DirectiveDefinitionNode, spec: str, imported: Mapping[str, str]) -> Iterator[str]:
    arguments, repeatable, locations = SIGNATURES[spec]
    (known,) = parse(f"directive @d{arguments} on {locations}", no_location=True).definitions
    assert isinstance(known, DirectiveDefinitionNode)
    extra = sorted({location.value for location in node.locations} - {location.value for location in known.locations})
    if extra:
        yield f"it cannot stand on {', '.join(extra)}"
    if node.repeatable and not repeatable:
        yield "it cannot be repeatable"
    yield from _different_arguments(node, known, imported)


def _different_arguments(
    node: DirectiveDefinitionNode, known: DirectiveDefinitionNode, imported: Mapping[str, str]
) -> Iterator[str]:
    declared = {argument.name.value: argument for argument in known.arguments or ()}
    for argument in node.arguments or ():
        wanted = declared.pop(argument.name.value, None)
        if wanted is None:
            yield f'it has no argument "{argument.name.value}"'
        elif not (_fits(argument, wanted, imported) and _has_the_default(argument, wanted)):
            yield (f'argument "{argument.name.value}" must be "{print_ast(wanted)}", not "{print_ast(argument)}"')
    for argument in declared.values():
        if isinstance(argument.type, NonNullTypeNode):
            yield f'argument "{argument.name.value}" is missing'


def _fits(own: InputValueDefinitionNode, wanted: InputValueDefinitionNode, imported: Mapping[str, str]) -> bool:
    """Whether everything that the own definition lets pass is something that federation takes."""
    wanted_name = named_type(wanted.type)
    name = imported.get(named_type(own.type), named_type(own.type))
    if wanted_name.startswith("federation__"):
        # Libraries call the scalar by many names, String among them, and some let lists of it be given, as federation 1
        # takes them. What is given is looked at where it is.
        if isinstance(own.type, NonNullTypeNode) and name == "String":
            return True
        has_depth = type_text(own.type).count("[") == type_text(wanted.type).count("[")
        return has_depth and (name == "String" or name.endswith(wanted_name.partition("__")[2]))
    if isinstance(wanted.type, NonNullTypeNode) and not isinstance(own.type, NonNullTypeNode):
        return False
    return type_text(own.type).rstrip("!") == type_text(wanted.type).rstrip("!")


def _has_the_default(own: InputValueDefinitionNode, wanted: InputValueDefinitionNode) -> bool:
    if isinstance(wanted.type, NonNullTypeNode):
        return True  # it is always given
    return (own.default_value and print_ast(own.default_value)) == (
        wanted.default_value and print_ast(wanted.default_value)
    )


def check_interfaces(subgraph: Subgraph) -> Iterator[Finding]:
    """INVALID_SHAREABLE_USAGE: fields of interfaces are resolved by nobody."""
    yield from _check_shareable_once_a_declaration(subgraph)
    for definition in subgraph.types.values():
        yield from _check_shareable_once(subgraph, definition)
        if definition.kind is not Kind.INTERFACE:
            continue
        for each in definition.fields.values():
            if each.has("shareable"):
                yield Finding(
                    "INVALID_SHAREABLE_USAGE",
                    f'[{subgraph.name}] @shareable cannot stand on "{definition.name}.{each.name}", a field of an '
                    f"interface: put it on the fields of the types that implement it.",
                    (subgraph.name,),
                    (f"{definition.name}.{each.name}",),
                )


def _check_shareable_once_a_declaration(subgraph: Subgraph) -> Iterator[Finding]:
    for node in subgraph.document.definitions:
        if isinstance(node, ObjectTypeDefinitionNode | ObjectTypeExtensionNode):
            shared = [each for each in node.directives or () if subgraph.spec_name(each.name.value) == "shareable"]
            if len(shared) > 1:
                name = node.name.value
                yield Finding(
                    "INVALID_SHAREABLE_USAGE",
                    f'[{subgraph.name}] @shareable stands more than once on the same declaration of "{name}": once says '
                    f"it for all its fields.",
                    (subgraph.name,),
                    (name,),
                    locations_of(subgraph.name, *shared[1:]),
                )


def _check_shareable_once(subgraph: Subgraph, definition: TypeDefinition) -> Iterator[Finding]:
    """It is repeatable so that a type and its extensions can have it, not for more of it."""
    whole = {id(applied) for applied in definition.all("shareable")}
    for each in definition.fields.values():
        if sum(id(applied) not in whole for applied in each.all("shareable")) > 1:
            yield Finding(
                "INVALID_SHAREABLE_USAGE",
                f'[{subgraph.name}] @shareable stands on "{definition.name}.{each.name}" more than once.',
                (subgraph.name,),
                (f"{definition.name}.{each.name}",),
            )


def check_interface_objects(subgraph: Subgraph) -> Iterator[Finding]:
    """INTERFACE_OBJECT_USAGE_ERROR: an interface object stands for entities, so it needs a key; and for all of them."""
    for definition in subgraph.types.values():
        if definition.is_interface_object and not definition.has("key"):
            yield Finding(
                "INTERFACE_OBJECT_USAGE_ERROR",
                f'[{subgraph.name}] "{definition.name}" is an @interfaceObject without @key: give it a key of the '
                f"interface.",
                (subgraph.name,),
                (definition.name,),
            )


def check_authorization(subgraph: Subgraph) -> Iterator[Finding]:
    """AUTH_REQUIREMENTS_APPLIED_ON_INTERFACE: what an interface asks follows from its implementations."""
    for definition in subgraph.types.values():
        if definition.kind is not Kind.INTERFACE and not definition.is_interface_object:
            continue
        elements = [(definition.name, definition.directives)]
        if definition.kind is Kind.INTERFACE:
            elements += [(f"{definition.name}.{each.name}", each.directives) for each in definition.fields.values()]
        for coordinate, directives in elements:
            for applied in directives:
                if applied.means(*_ACCESS):
                    yield Finding(
                        "AUTH_REQUIREMENTS_APPLIED_ON_INTERFACE",
                        f'[{subgraph.name}] @{applied.name} cannot stand on "{coordinate}": put it on the object types '
                        f"that implement the interface, whose demands it inherits.",
                        (subgraph.name,),
                        (coordinate,),
                    )
