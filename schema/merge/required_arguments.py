"""What a `@requires` gives as arguments has to suit the field as it is in the graph.

Whether it suits the subgraph's own definition is a rule on one subgraph: `schema.validation.field_sets`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from router.errors import SupergraphError
from router.selection_set import InlineFragment, SelectionSet
from router.supergraph.field_set import parse_field_set
from schema.codes import Finding
from schema.merge.facts import GraphInQuestion
from schema.merge.model import MergedType


def check_required_arguments(graph: GraphInQuestion) -> Iterator[Finding]:
    """REQUIRES_INVALID_FIELDS"""
    for parent in graph.types.values():
        for field in parent.fields.values():
            for join in field.joins:
                if not join.requires or join.subgraph is None:
                    continue
                coordinate = f"{parent.name}.{field.name}"
                for problem in dict.fromkeys(_problems(graph.types, parent.name, _selections(join.requires))):
                    yield Finding(
                        "REQUIRES_INVALID_FIELDS",
                        f'[{join.subgraph}] On "{coordinate}", in @requires(fields: "{join.requires}"): {problem}.',
                        (join.subgraph,),
                        (coordinate,),
                    )


def _selections(text: str) -> SelectionSet:
    try:
        return parse_field_set(text)
    except SupergraphError:
        return SelectionSet()  # reported where the subgraph is validated


def _problems(types: Mapping[str, MergedType], type_name: str, selections: SelectionSet) -> Iterator[str]:
    parent = types.get(type_name)
    for item in selections.items:
        if isinstance(item, InlineFragment):
            yield from _problems(types, item.type_condition or type_name, item.selections)
            continue
        field = parent.fields.get(item.name) if parent is not None else None
        if field is None:
            continue
        given = {argument.name for argument in item.arguments}
        known = {argument.name: argument for argument in field.arguments}
        for name in sorted(given - known.keys()):
            yield (
                f'"{type_name}.{item.name}" has no argument "{name}" in the graph, for not every subgraph that resolves '
                f"it has one: add it there, or do not give it"
            )
        for name, argument in known.items():
            if name not in given and argument.type.endswith("!") and argument.default is None:
                yield f'"{type_name}.{item.name}" needs the argument "{name}", which is mandatory in the graph: give it'
        if item.selections is not None:
            yield from _problems(types, field.type.strip("[]!"), item.selections)
