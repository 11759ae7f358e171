"""Field sets of `@key`, `@requires` and `@provides` against the types of a subgraph.

Which fields a text mentions, and what it selects; whether it may is a rule of `validation/`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from router.errors import SupergraphError
from router.selection_set import Field, InlineFragment, SelectionSet
from router.supergraph.field_set import parse_field_set
from schema.subgraph import FieldDefinition, Kind, Subgraph, TypeDefinition

_FROM_CONTEXT = re.compile(r"^\s*(\$(?P<context>\w+))?\s*(?P<selection>.*)$", re.DOTALL)


class FieldSetError(ValueError):
    """The text is no valid selection of the type's fields; the message says why."""


@dataclass(frozen=True, slots=True)
class SelectedField:
    """One field of a field set with the type that has it."""

    parent: TypeDefinition
    definition: FieldDefinition
    item: Field


def selected_fields(types: Mapping[str, TypeDefinition], type_name: str, text: str) -> Iterator[SelectedField]:
    """Every field of the selection, outer before inner. Raises FieldSetError."""
    try:
        selections = parse_field_set(text)
    except SupergraphError as error:
        raise FieldSetError(error.message) from error
    yield from _selected(types, type_name, selections)


def mentioned_fields(types: Mapping[str, TypeDefinition], type_name: str, text: str) -> set[tuple[str, str]]:
    """(type, field) of every valid part of the selection; for an interface's field, of its implementations too."""
    found: set[tuple[str, str]] = set()
    try:
        for selected in selected_fields(types, type_name, text):
            found.add((selected.parent.name, selected.definition.name))
            for other in types.values() if selected.parent.kind is Kind.INTERFACE else ():
                if selected.parent.name in other.interfaces:
                    found.add((other.name, selected.definition.name))
    except FieldSetError:
        pass  # validation reports it
    return found


def key_fields(subgraph: Subgraph) -> set[tuple[str, str]]:
    """(type, field) of all keys, nested fields included: every subgraph with the entity has them."""
    return {
        mentioned
        for definition in subgraph.types.values()
        for text, _ in definition.entity_keys()
        for mentioned in mentioned_fields(subgraph.types, definition.name, text)
    }


def required_and_provided_fields(subgraph: Subgraph) -> set[tuple[str, str]]:
    """(type, field) that a `@requires`, `@provides` or `@fromContext` of the subgraph mentions."""
    used: set[tuple[str, str]] = set()
    setters = context_setters(subgraph)
    for definition in subgraph.types.values():
        for each in definition.fields.values():
            if text := each.argument("requires", "fields"):
                used |= mentioned_fields(subgraph.types, definition.name, str(text))
            if text := each.argument("provides", "fields"):
                used |= mentioned_fields(subgraph.types, _named(each), str(text))
            for argument in each.arguments.values():
                context, selection = context_selection(str(argument.argument("fromContext", "field") or ""))
                for setter in setters.get(context or "", ()):
                    used |= mentioned_fields(subgraph.types, setter.name, selection)
    return used


def provided_fields(subgraph: Subgraph) -> set[tuple[str, str]]:
    """(type, field) that a `@provides` of the subgraph mentions."""
    return {
        mentioned
        for definition in subgraph.types.values()
        for each in definition.fields.values()
        if (text := each.argument("provides", "fields"))
        for mentioned in mentioned_fields(subgraph.types, _named(each), str(text))
    }


def context_setters(subgraph: Subgraph) -> dict[str, list[TypeDefinition]]:
    """The types with `@context` by its name."""
    setters: dict[str, list[TypeDefinition]] = {}
    for definition in subgraph.types.values():
        for applied in definition.all("context"):
            setters.setdefault(str(applied.arguments.get("name", "")), []).append(definition)
    return setters


def context_and_text(text: str) -> tuple[str | None, str]:
    """The context's name and the rest as it is written in a `@fromContext`: `$user { id }` gives `("user", "{ id }")`."""
    match = _FROM_CONTEXT.match(text)
    return (match["context"], match["selection"].strip()) if match else (None, "")


def context_selection(text: str) -> tuple[str | None, str]:
    """The context's name and the field set without braces: `$user { id }` gives `("user", "id")`."""
    context, selection = context_and_text(text)
    if selection.startswith("{") and selection.endswith("}"):
        selection = selection[1:-1].strip()
    return context, selection


def fields_in_use(subgraph: Subgraph) -> set[tuple[str, str]]:
    """(type, field) that a field set mentions or an interface asks for."""
    used = key_fields(subgraph) | required_and_provided_fields(subgraph)
    for definition in subgraph.types.values():
        for interface in definition.interfaces:
            if interface in subgraph.types:
                used |= {(definition.name, name) for name in subgraph.types[interface].fields}
    return used


def _selected(types: Mapping[str, TypeDefinition], type_name: str, selections: SelectionSet) -> Iterator[SelectedField]:
    parent = types.get(type_name)
    for item in selections.items:
        if isinstance(item, InlineFragment):
            condition = item.type_condition or type_name
            if condition not in types:
                raise FieldSetError(f'Unknown type "{condition}".')
            yield from _selected(types, condition, item.selections)
            continue
        if item.name == "__typename":
            continue
        definition = parent.fields.get(item.name) if parent is not None else None
        if parent is None or definition is None:
            raise FieldSetError(f'Cannot query field "{item.name}" on type "{type_name}".')
        yield SelectedField(parent, definition, item)
        target = types.get(_named(definition))
        is_composite = target is not None and bool(target.fields or target.members)
        if item.selections is not None:
            if not is_composite:
                raise FieldSetError(f'Field "{item.name}" must not have a selection since it has no subfields.')
            yield from _selected(types, _named(definition), item.selections)
        elif is_composite:
            raise FieldSetError(f'Field "{item.name}" must have a selection of subfields.')


def _named(definition: FieldDefinition) -> str:
    node = definition.type
    while hasattr(node, "type"):
        node = node.type
    return str(node.name.value)  # type: ignore[attr-defined]


def without_braces(text: str) -> str:
    """A field set may be written with the braces of a selection set."""
    stripped = text.strip()
    return stripped[1:-1] if stripped.startswith("{") and stripped.endswith("}") else text
