"""Field sets: the text of `@key`, `@requires` and `@provides` as a `SelectionSet`.

The supergraph reader, the planner (for contexts) and the composer call it; `"id organization { id }"` becomes the same data
type as an operation.
"""

from __future__ import annotations

from functools import lru_cache

from graphql import FieldNode, GraphQLError, InlineFragmentNode, OperationDefinitionNode, SelectionSetNode, parse
from graphql import print_ast as print_node

from router.errors import SupergraphError
from router.selection_set import Argument, Field, InlineFragment, SelectionSet


@lru_cache(maxsize=4096)
def parse_field_set(text: str) -> SelectionSet:
    """Raises SupergraphError when the text is no selection of fields and inline fragments."""
    try:
        # Some composers keep the braces that a subgraph may write around a field set.
        document = parse(text if text.lstrip().startswith("{") else f"{{{text}}}", no_location=True)
    except GraphQLError as error:
        raise SupergraphError(f'The field set "{text}" cannot be parsed: {error.message}') from error
    (operation,) = document.definitions
    if not isinstance(operation, OperationDefinitionNode):
        raise SupergraphError(f'The field set "{text}" is not a selection set.')
    return _selections(operation.selection_set, text)


def _selections(node: SelectionSetNode, text: str) -> SelectionSet:
    items: list[Field | InlineFragment] = []
    for selection in node.selections:
        if isinstance(selection, FieldNode):
            name = selection.name.value
            items.append(
                Field(
                    name,
                    name,
                    tuple(
                        Argument(argument.name.value, print_node(argument.value))
                        for argument in selection.arguments or ()
                    ),
                    _selections(selection.selection_set, text) if selection.selection_set else None,
                )
            )
        elif isinstance(selection, InlineFragmentNode):
            condition = selection.type_condition.name.value if selection.type_condition else None
            items.append(InlineFragment(condition, _selections(selection.selection_set, text)))
        else:
            raise SupergraphError(f'The field set "{text}" uses a named fragment.')
    return SelectionSet(tuple(items))


def print_field_set(selections: SelectionSet) -> str:
    """The inverse of `parse_field_set`, on one line."""
    return " ".join(_print_item(item) for item in selections.items)


def _print_item(item: Field | InlineFragment) -> str:
    if isinstance(item, InlineFragment):
        condition = f" on {item.type_condition}" if item.type_condition else ""
        return f"...{condition} {{ {print_field_set(item.selections)} }}"
    arguments = ", ".join(f"{argument.name}: {argument.value}" for argument in item.arguments)
    alias = f"{item.response_key}: " if item.response_key != item.name else ""
    nested = f" {{ {print_field_set(item.selections)} }}" if item.selections is not None else ""
    return f"{alias}{item.name}{f'({arguments})' if arguments else ''}{nested}"
