"""`@requires` and `@fromContext` must not lend rights: a field has to ask for all that the data it is computed from asks for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    InterfaceTypeDefinitionNode,
    ObjectTypeDefinitionNode,
    TypeDefinitionNode,
    UnionTypeDefinitionNode,
    value_from_ast_untyped,
)

from router.errors import SupergraphError
from router.selection_set import Field, InlineFragment, SelectionSet
from router.supergraph.field_set import parse_field_set
from schema.codes import Finding
from schema.type_nodes import named_type

_Groups = frozenset[frozenset[str]]


@dataclass(frozen=True, slots=True)
class _Rights:
    """What an element asks for: being known, and one group of scopes, and one group of policies."""

    authenticated: bool = False
    scopes: _Groups = frozenset()
    policies: _Groups = frozenset()

    def __or__(self, other: _Rights) -> _Rights:
        return _Rights(
            self.authenticated or other.authenticated,
            _both(self.scopes, other.scopes),
            _both(self.policies, other.policies),
        )

    def covers(self, other: _Rights) -> bool:
        return (
            (self.authenticated or not other.authenticated)
            and _all_covered(self.scopes, other.scopes)
            and _all_covered(self.policies, other.policies)
        )


def _both(left: _Groups, right: _Groups) -> _Groups:
    if not left or not right:
        return left or right
    return frozenset(one | other for one in left for other in right)


def _all_covered(held: _Groups, asked: _Groups) -> bool:
    """Whoever fulfils one of the held groups fulfils one of those asked."""
    return not asked or (bool(held) and all(any(group <= own for group in asked) for own in held))


def check_transitive_rights(types: Mapping[str, TypeDefinitionNode]) -> Iterator[Finding]:
    """MISSING_TRANSITIVE_AUTH_REQUIREMENTS"""
    for node in types.values():
        if not isinstance(node, ObjectTypeDefinitionNode | InterfaceTypeDefinitionNode):
            continue
        for field in node.fields or ():
            reached = list(_reached(types, node.name.value, field))
            held = _rights_of_type(types, node.name.value) | _rights_of(field) if reached else _Rights()
            coordinate = f"{node.name.value}.{field.name.value}"
            for directive, type_name, selections in reached:
                lacking = next(_lacking(types, type_name, selections, held), None)
                if lacking is not None:
                    yield Finding(
                        "MISSING_TRANSITIVE_AUTH_REQUIREMENTS",
                        f'"{coordinate}" {directive} "{lacking}" without asking for the rights that "{lacking}" asks for: '
                        f"repeat its @authenticated, @requiresScopes or @policy on the field.",
                        (),
                        (coordinate,),
                    )


def _reached(
    types: Mapping[str, TypeDefinitionNode], parent: str, field: Any
) -> Iterator[tuple[str, str, SelectionSet]]:
    """What the field is computed from: by which directive, on which type, which selections."""
    for directive in field.directives or ():
        if directive.name.value != "join__field":
            continue
        arguments = {
            each.name.value: value_from_ast_untyped(each.value)
            for each in directive.arguments or ()
            if each.name.value in ("requires", "contextArguments")
        }
        if text := arguments.get("requires"):
            yield from _parsed("@requires", parent, text)
        for context in arguments.get("contextArguments") or ():
            for type_name in _types_with_context(types, context["context"]):
                text = context["selection"]
                # Whose data is read counts too; type conditions name it themselves.
                whole = text if text.lstrip("{ ").startswith("...") else f"... on {type_name} {text}"
                yield from _parsed("uses @fromContext of", type_name, whole)


def _parsed(directive: str, type_name: str, text: str) -> Iterator[tuple[str, str, SelectionSet]]:
    try:
        yield directive, type_name, parse_field_set(text)
    except SupergraphError:
        return  # reported by the rules on field sets


def _types_with_context(types: Mapping[str, TypeDefinitionNode], context: str) -> Iterator[str]:
    for name, node in types.items():
        for directive in node.directives or ():
            arguments = {each.name.value: value_from_ast_untyped(each.value) for each in directive.arguments or ()}
            if directive.name.value == "context" and arguments.get("name") == context:
                yield name


def _lacking(
    types: Mapping[str, TypeDefinitionNode], type_name: str, selections: SelectionSet, held: _Rights
) -> Iterator[str]:
    node = types.get(type_name)
    for item in selections.items:
        if isinstance(item, InlineFragment):
            condition = item.type_condition or type_name
            yield from _lacking_of_types(types, [condition], held)
            yield from _lacking(types, condition, item.selections, held)
        elif isinstance(node, UnionTypeDefinitionNode) and item.name == "__typename":
            yield from _lacking_of_types(types, [member.name.value for member in node.types or ()], held)
        elif (field := _field_named(node, item.name)) is not None:
            if not held.covers(_rights_to(types, type_name, field, item)):
                yield f"{type_name}.{item.name}"
            if item.selections is not None:
                yield from _lacking(types, named_type(field.type), item.selections, held)


def _lacking_of_types(types: Mapping[str, TypeDefinitionNode], names: Iterable[str], held: _Rights) -> Iterator[str]:
    for name in names:
        if name in types and not held.covers(_rights_of(types[name])):
            yield name


def _rights_to(types: Mapping[str, TypeDefinitionNode], type_name: str, field: Any, item: Field) -> _Rights:
    """What is asked for a field of the type, by whichever object resolves it, and for the type that it returns."""
    asked = _rights_of(field)
    if not _names_its_types(item):
        asked |= _rights_of_type(types, named_type(field.type))
    for implementation in _implementations(types, type_name):
        asked |= _rights_of(_field_named(implementation, item.name))
    return asked


def _names_its_types(item: Field) -> bool:
    """Whether only fields of named types are selected, whose rights are looked at with them."""
    return bool(item.selections) and all(isinstance(each, InlineFragment) for each in item.selections.items)  # type: ignore[union-attr]


def _rights_of_type(types: Mapping[str, TypeDefinitionNode], name: str) -> _Rights:
    """An interface asks for all that its implementations ask for."""
    rights = _rights_of(types.get(name))
    for implementation in _implementations(types, name):
        rights |= _rights_of(implementation)
    return rights


def _implementations(types: Mapping[str, TypeDefinitionNode], name: str) -> Iterator[ObjectTypeDefinitionNode]:
    if isinstance(types.get(name), InterfaceTypeDefinitionNode):
        for node in types.values():
            if isinstance(node, ObjectTypeDefinitionNode) and any(
                each.name.value == name for each in node.interfaces or ()
            ):
                yield node


def _field_named(node: TypeDefinitionNode | None, name: str) -> Any:
    if isinstance(node, ObjectTypeDefinitionNode | InterfaceTypeDefinitionNode):
        return next((field for field in node.fields or () if field.name.value == name), None)
    return None


def _rights_of(node: Any) -> _Rights:
    authenticated = False
    groups: dict[str, _Groups] = {}
    for directive in node.directives or () if node is not None else ():
        name = directive.name.value
        if name == "authenticated":
            authenticated = True
        elif name in ("requiresScopes", "policy"):
            values = value_from_ast_untyped(directive.arguments[0].value) or []
            groups[name] = frozenset(frozenset(map(str, group)) for group in values)
    return _Rights(authenticated, groups.get("requiresScopes", frozenset()), groups.get("policy", frozenset()))
