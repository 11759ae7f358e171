"""`@context` and `@fromContext`: names, and selections that fit the types which set the context."""

from __future__ import annotations

import re
from collections.abc import Iterator

from schema.codes import Finding
from schema.field_sets import FieldSetError, context_selection, context_setters, selected_fields
from schema.subgraph import Kind, Subgraph, TypeDefinition

_NAME = re.compile(r"^[A-Za-z][A-Za-z0-9]*$")


def check_contexts(subgraph: Subgraph) -> Iterator[Finding]:
    """CONTEXT_*, NO_CONTEXT_IN_SELECTION, NO_SELECTION_FOR_CONTEXT"""
    setters = context_setters(subgraph)
    for name, definitions in setters.items():
        for definition in definitions:
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
                text = argument.argument("fromContext", "field")
                if argument.has("fromContext") and definition.kind is Kind.OBJECT:
                    place = f"{definition.name}.{each.name}({argument.name}:)"
                    yield from _check_use(subgraph, setters, str(text or ""), place)


def _uses_context(definition: TypeDefinition) -> bool:
    return definition.kind is Kind.OBJECT and any(
        argument.has("fromContext") for each in definition.fields.values() for argument in each.arguments.values()
    )


def _check_use(
    subgraph: Subgraph, setters: dict[str, list[TypeDefinition]], text: str, place: str
) -> Iterator[Finding]:
    context, selection = context_selection(text)
    if context is None:
        yield _finding(
            subgraph, "NO_CONTEXT_IN_SELECTION", place, f'"{text}" names no context, such as "$name {{ id }}"'
        )
    elif context not in setters:
        yield _finding(subgraph, "CONTEXT_NOT_SET", place, f'no type of this subgraph has @context(name: "{context}")')
    elif not selection:
        yield _finding(subgraph, "NO_SELECTION_FOR_CONTEXT", place, f'"{text}" selects nothing of the context')
    else:
        problems = [problem for setter in setters[context] if (problem := _misfit(subgraph, setter, selection))]
        # A selection of type conditions has to fit one setter; a plain one all of them.
        is_conditional = selection.startswith("...")
        if problems and not (is_conditional and len(problems) < len(setters[context])):
            yield _finding(subgraph, "CONTEXT_INVALID_SELECTION", place, problems[0])


def _misfit(subgraph: Subgraph, setter: TypeDefinition, selection: str) -> str | None:
    try:
        list(selected_fields(subgraph.types, setter.name, selection))
    except FieldSetError as error:
        return str(error).rstrip(".")
    return None


def _finding(subgraph: Subgraph, code: str, place: str, message: str) -> Finding:
    return Finding(code, f'[{subgraph.name}] On "{place}": {message}.', (subgraph.name,), (place,))
