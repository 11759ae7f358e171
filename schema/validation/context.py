"""`@context` and `@fromContext`: names, places, and selections that fit the types which set the context."""

from __future__ import annotations

import re
from collections.abc import Iterator

from graphql import (
    DirectiveDefinitionNode,
    FieldNode,
    GraphQLError,
    InlineFragmentNode,
    ListTypeNode,
    NonNullTypeNode,
    OperationDefinitionNode,
    SelectionSetNode,
    TypeNode,
    parse,
)

from schema.codes import Finding
from schema.field_sets import FieldSetError, without_braces
from schema.subgraph import InputValue, Kind, Subgraph, TypeDefinition
from schema.type_nodes import named_type, type_text

_NAME = re.compile(r"^[A-Za-z][A-Za-z0-9]*$")
_TEXT = re.compile(r"^\s*(\$(?P<context>\w+))?\s*(?P<selection>.*)$", re.DOTALL)


def check_contexts(subgraph: Subgraph) -> Iterator[Finding]:
    """CONTEXT_*, NO_CONTEXT_IN_SELECTION, NO_SELECTION_FOR_CONTEXT"""
    setters: dict[str, list[TypeDefinition]] = {}
    for definition in subgraph.types.values():
        for applied in definition.all("context"):
            name = str(applied.arguments.get("name", ""))
            setters.setdefault(name, []).append(definition)
            if "_" in name:
                yield _finding(
                    subgraph, "CONTEXT_NAME_CONTAINS_UNDERSCORE", definition.name, f'"{name}" has an underscore'
                )
            elif not _NAME.match(name):
                yield _finding(subgraph, "CONTEXT_NAME_INVALID", definition.name, f'"{name}" is not a name')
    for definition in subgraph.types.values():
        if _uses_context(definition) and not any(resolvable for _, resolvable in definition.entity_keys()):
            yield _finding(
                subgraph,
                "CONTEXT_NO_RESOLVABLE_KEY",
                definition.name,
                "a type that uses a context needs a resolvable @key",
            )
        for each in definition.fields.values():
            for argument in each.arguments.values():
                if not argument.has("fromContext"):
                    continue
                place = f"{definition.name}.{each.name}({argument.name}:)"
                if problem := _misplacement(subgraph, definition, each.name, argument):
                    yield _finding(subgraph, "CONTEXT_NOT_SET", place, problem)
                else:
                    yield from _check_use(subgraph, setters, argument, place)
    yield from _check_directives(subgraph)


def _uses_context(definition: TypeDefinition) -> bool:
    return definition.kind is Kind.OBJECT and any(
        argument.has("fromContext") for each in definition.fields.values() for argument in each.arguments.values()
    )


def _misplacement(subgraph: Subgraph, definition: TypeDefinition, field: str, argument: InputValue) -> str | None:
    """Whoever asks for an interface's field gives its arguments, so no context can; nor is a context ever missing."""
    if definition.kind is not Kind.OBJECT:
        return f'@fromContext cannot stand on a field of the {definition.kind.value} "{definition.name}"'
    for interface in definition.interfaces:
        if interface in subgraph.types and field in subgraph.types[interface].fields:
            return f'@fromContext cannot stand on a field that implements "{interface}.{field}"'
    if argument.default is not None:
        return "an argument from a context cannot have a default value"
    return None


def _check_directives(subgraph: Subgraph) -> Iterator[Finding]:
    for node in subgraph.document.definitions:
        for argument in node.arguments or () if isinstance(node, DirectiveDefinitionNode) else ():
            if any(subgraph.spec_name(each.name.value) == "fromContext" for each in argument.directives or ()):
                place = f"@{node.name.value}({argument.name.value}:)"  # type: ignore[attr-defined]
                message = "@fromContext cannot stand on an argument of a directive"
                yield _finding(subgraph, "CONTEXT_NOT_SET", place, message)


def _check_use(
    subgraph: Subgraph, setters: dict[str, list[TypeDefinition]], argument: InputValue, place: str
) -> Iterator[Finding]:
    text = str(argument.argument("fromContext", "field") or "")
    match = _TEXT.match(text)
    context = match["context"] if match else None
    selection = match["selection"].strip() if match else ""
    if context is None:
        yield _finding(
            subgraph, "NO_CONTEXT_IN_SELECTION", place, f'"{text}" names no context, such as "$name {{ id }}"'
        )
    elif context not in setters:
        yield _finding(subgraph, "CONTEXT_NOT_SET", place, f'no type of this subgraph has @context(name: "{context}")')
    elif not selection:
        yield _finding(subgraph, "NO_SELECTION_FOR_CONTEXT", place, f'"{text}" selects nothing of the context')
    else:
        for setter in setters[context]:
            if problem := _misfit(subgraph, setter, selection, argument):
                yield _finding(subgraph, "CONTEXT_INVALID_SELECTION", place, problem)
                return


def _misfit(subgraph: Subgraph, setter: TypeDefinition, text: str, argument: InputValue) -> str | None:
    try:
        (operation,) = parse(f"{{{without_braces(text)}}}", no_location=True).definitions
        assert isinstance(operation, OperationDefinitionNode)
        selected = _selected_type(subgraph, setter, operation.selection_set)
    except GraphQLError as error:
        return error.message
    except FieldSetError as error:
        return str(error)
    if selected != type_text(argument.type):
        # What is fetched from elsewhere may always fail, so it is nullable whatever its type says.
        return (
            f'the selection has the type "{selected}" on "{setter.name}", the argument "{type_text(argument.type)}": give '
            f"the argument the type of the selection"
        )
    return None


def _selected_type(subgraph: Subgraph, definition: TypeDefinition, selections: SelectionSetNode) -> str:
    """The type of the one value that is selected, without its non-null marks. Raises FieldSetError."""
    fragments = [node for node in selections.selections if isinstance(node, InlineFragmentNode)]
    if fragments:
        return _type_of_fragments(subgraph, definition, fragments)
    if len(selections.selections) != 1:
        raise FieldSetError("it has to select exactly one value")
    (node,) = selections.selections
    if not isinstance(node, FieldNode) or node.alias is not None or node.directives:
        raise FieldSetError("it can hold neither aliases nor directives nor named fragments")
    field = definition.fields.get(node.name.value)
    if field is None:
        raise FieldSetError(f'"{definition.name}" has no field "{node.name.value}"')
    target = subgraph.types.get(named_type(field.type))
    if target is None or not (target.fields or target.members):
        if node.selection_set is not None:
            raise FieldSetError(f'field "{definition.name}.{field.name}" has no fields to select')
        return _nullable_text(field.type, named_type(field.type))
    if node.selection_set is None:
        raise FieldSetError(f'field "{definition.name}.{field.name}" needs a selection of one of its fields')
    return _nullable_text(field.type, _selected_type(subgraph, target, node.selection_set))


def _type_of_fragments(subgraph: Subgraph, definition: TypeDefinition, fragments: list[InlineFragmentNode]) -> str:
    """The one type that all fragments give which an object of the type can fulfil. Raises FieldSetError."""
    fitting = {
        _selected_type(subgraph, each, node.selection_set)
        for node in fragments
        if (each := _narrowed(subgraph, definition, node)) is not None
    }
    if not fitting:
        raise FieldSetError(f'no type condition matches "{definition.name}"')
    if len(fitting) > 1:
        raise FieldSetError(f"its type conditions give different types: {', '.join(sorted(fitting))}")
    return fitting.pop()


def _narrowed(subgraph: Subgraph, definition: TypeDefinition, node: InlineFragmentNode) -> TypeDefinition | None:
    """What a fragment selects of, where an object of the type can fulfil its condition."""
    condition = subgraph.types.get(node.type_condition.name.value) if node.type_condition else definition
    if condition is None:
        return None
    for one, other in ((condition, definition), (definition, condition)):
        if one is other or other.name in one.interfaces or one.name in other.members:
            return condition
    return None


def _nullable_text(node: TypeNode, inner: str) -> str:
    """`inner` in as many lists as the type has."""
    if isinstance(node, NonNullTypeNode):
        return _nullable_text(node.type, inner)
    return f"[{_nullable_text(node.type, inner)}]" if isinstance(node, ListTypeNode) else inner


def _finding(subgraph: Subgraph, code: str, place: str, message: str) -> Finding:
    return Finding(code, f'[{subgraph.name}] On "{place}": {message}.', (subgraph.name,), (place,))
