"""Contract variants: a supergraph for one audience, made of what carries certain `@tag`s.

The result hides by `@inaccessible`, so that routers can still use hidden fields for keys and `@requires`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from graphql import (
    DirectiveDefinitionNode,
    DocumentNode,
    EnumTypeDefinitionNode,
    InterfaceTypeDefinitionNode,
    ObjectTypeDefinitionNode,
    SchemaDefinitionNode,
    TypeDefinitionNode,
    UnionTypeDefinitionNode,
    parse,
    print_ast,
    print_schema,
    value_from_ast_untyped,
)

from router.supergraph import read_supergraph
from schema.codes import Finding
from schema.compose import Composition
from schema.hidden import is_hidden
from schema.result_rules import check_result
from schema.supergraph_printer import SPECIFICATIONS

_HIDE = "@inaccessible"
# What has to be asked for by name to be included: fields of outputs, and unions. Scalars, enums and inputs are there for
# what uses them: half an input would be another input.
_CHOSEN = (ObjectTypeDefinitionNode, InterfaceTypeDefinitionNode, UnionTypeDefinitionNode)


class ContractError(ValueError):
    """The tags leave no usable API; `findings` say where it has holes."""

    def __init__(self, findings: list[Finding]) -> None:
        super().__init__("; ".join(map(str, findings)))
        self.findings = findings


def contract_of(composition: Composition, *, include: Iterable[str] = (), exclude: Iterable[str] = ()) -> Composition:
    """The contract variant of a composition; what did not compose, and where the tags leave no usable API, has errors."""
    if composition.supergraph_sdl is None:
        return composition
    try:
        sdl = contract_variant(composition.supergraph_sdl, include=include, exclude=exclude)
    except ContractError as error:
        return Composition(None, None, tuple(error.findings), composition.hints)
    return replace(composition, supergraph_sdl=sdl, api_sdl=print_schema(read_supergraph(sdl).api_schema) + "\n")


def contract_variant(supergraph_sdl: str, *, include: Iterable[str] = (), exclude: Iterable[str] = ()) -> str:
    """The same supergraph with everything hidden that is excluded, or that is not included where `include` is given.

    A field is included by its own tag or by its type's, a union by its own; scalars, enums and inputs always are. A type with nothing left to see is hidden too, be it a union
    without a member or a root; only the query root has to be there. Raises ContractError.
    """
    document = parse(supergraph_sdl, no_location=True)
    wanted, unwanted = frozenset(include), frozenset(exclude)
    definitions = _without_empty_unions([_hide(node, wanted, unwanted) for node in document.definitions])
    result = DocumentNode(definitions=tuple(_with_link(definitions)))
    findings = list(check_result(result))
    if findings:
        raise ContractError(findings)
    return "\n\n".join(print_ast(node) for node in result.definitions) + "\n"


def _hide(node: Any, wanted: frozenset[str], unwanted: frozenset[str]) -> Any:
    if not isinstance(node, TypeDefinitionNode) or "__" in node.name.value:
        return node
    own_tags = _tags(node)
    is_chosen = not wanted or bool(own_tags & wanted) or not isinstance(node, _CHOSEN)
    if own_tags & unwanted or (isinstance(node, UnionTypeDefinitionNode) and not is_chosen):
        return _hidden(node)
    attribute = "values" if isinstance(node, EnumTypeDefinitionNode) else "fields"
    kept = [_hide_child(child, is_chosen, wanted, unwanted) for child in _children(node, attribute)]
    if kept and all(is_hidden(child) for child in kept) and node.name.value != "Query":
        return _hidden(node)
    return _copy(node, **{attribute: tuple(_without_arguments(child, unwanted) for child in kept)})


def _children(node: TypeDefinitionNode, attribute: str) -> tuple[Any, ...]:
    return tuple(getattr(node, attribute, None) or ())


def _hide_child(child: Any, is_chosen: bool, wanted: frozenset[str], unwanted: frozenset[str]) -> Any:
    tags = _tags(child)
    return child if (is_chosen or tags & wanted) and not tags & unwanted else _hidden(child)


def _without_empty_unions(definitions: list[Any]) -> list[Any]:
    """A union is asked about when all its members are known: it says nothing itself of what is left of them."""
    hidden = {node.name.value for node in definitions if isinstance(node, TypeDefinitionNode) and is_hidden(node)}
    return [
        _hidden(node)
        if isinstance(node, UnionTypeDefinitionNode) and all(each.name.value in hidden for each in node.types or ())
        else node
        for node in definitions
    ]


def _without_arguments(field: Any, unwanted: frozenset[str]) -> Any:
    if not getattr(field, "arguments", None):
        return field
    arguments = tuple(_hidden(each) if _tags(each) & unwanted else each for each in field.arguments)
    return _copy(field, arguments=arguments)


def _tags(node: Any) -> set[str]:
    return {
        str(value_from_ast_untyped(argument.value))
        for directive in node.directives or ()
        if directive.name.value == "tag"
        for argument in directive.arguments or ()
    }


def _hidden(node: Any) -> Any:
    if is_hidden(node):
        return node
    scalar: Any = parse(f"scalar S {_HIDE}", no_location=True).definitions[0]
    return _copy(node, directives=(*(node.directives or ()), *scalar.directives))


def _copy(node: Any, **changes: Any) -> Any:
    return type(node)(**{key: changes.get(key, getattr(node, key)) for key in node.keys})


def _with_link(definitions: list[Any]) -> list[Any]:
    """`@inaccessible` has to be linked and defined once."""
    if any(isinstance(node, DirectiveDefinitionNode) and node.name.value == "inaccessible" for node in definitions):
        return definitions
    link, definition = SPECIFICATIONS["inaccessible"]
    schema: Any = parse(f"schema {link} {{ query: Query }}", no_location=True).definitions[0]
    linked = [
        _copy(node, directives=(*(node.directives or ()), *schema.directives))
        if isinstance(node, SchemaDefinitionNode)
        else node
        for node in definitions
    ]
    return [*linked, *parse(definition, no_location=True).definitions]
