"""`@cost` and `@listSize`: weights that demand control can use."""

from __future__ import annotations

from collections.abc import Iterator

from graphql import ListTypeNode, NonNullTypeNode, TypeNode

from schema.codes import Finding
from schema.subgraph import Applied, FieldDefinition, Kind, Subgraph, TypeDefinition
from schema.type_nodes import named_type, type_text


def check_costs(subgraph: Subgraph) -> Iterator[Finding]:
    """COST_APPLIED_TO_INTERFACE_FIELD, LIST_SIZE_*"""
    for definition in subgraph.types.values():
        for each in definition.fields.values():
            coordinate = f"{definition.name}.{each.name}"
            if definition.kind is Kind.INTERFACE and each.has("cost"):
                yield Finding(
                    "COST_APPLIED_TO_INTERFACE_FIELD",
                    f'[{subgraph.name}] @cost cannot stand on "{coordinate}" of an interface: weigh the fields of the '
                    f"types that implement it.",
                    (subgraph.name,),
                    (coordinate,),
                )
            for applied in each.all("listSize"):
                for code, message in _list_size_problems(subgraph, each, applied):
                    yield Finding(
                        code,
                        f'[{subgraph.name}] @listSize on "{coordinate}": {message}.',
                        (subgraph.name,),
                        (coordinate,),
                    )


def _list_size_problems(subgraph: Subgraph, each: FieldDefinition, applied: Applied) -> Iterator[tuple[str, str]]:
    assumed = applied.arguments.get("assumedSize")
    if isinstance(assumed, int) and assumed < 0:
        yield "LIST_SIZE_INVALID_ASSUMED_SIZE", f"the assumed size {assumed} is negative"
    sized = applied.arguments.get("sizedFields")
    target = subgraph.types.get(named_type(each.type))
    if not sized and not _is_list(each.type):
        yield "LIST_SIZE_APPLIED_TO_NON_LIST", f'the type "{type_text(each.type)}" is no list; name its `sizedFields`'
    yield from _sized_field_problems(target, each, [str(name) for name in sized or ()])
    for name in applied.arguments.get("slicingArguments") or ():
        argument = each.arguments.get(str(name))
        if argument is None:
            yield "LIST_SIZE_INVALID_SLICING_ARGUMENT", f'the field has no argument "{name}"'
        elif type_text(argument.type).rstrip("!") != "Int":
            yield "LIST_SIZE_INVALID_SLICING_ARGUMENT", f'the slicing argument "{name}" must be an Int'


def _sized_field_problems(
    target: TypeDefinition | None, each: FieldDefinition, sized: list[str]
) -> Iterator[tuple[str, str]]:
    if sized and (target is None or not target.fields):
        yield "LIST_SIZE_INVALID_SIZED_FIELD", f'the type "{type_text(each.type)}" has no fields to size'
        return
    for name in sized:
        field = target.fields.get(name) if target is not None else None
        if field is None:
            yield "LIST_SIZE_INVALID_SIZED_FIELD", f'"{named_type(each.type)}" has no field "{name}"'
        elif not _is_list(field.type):
            yield "LIST_SIZE_APPLIED_TO_NON_LIST", f'the sized field "{name}" is no list'


def _is_list(node: TypeNode) -> bool:
    return isinstance(node.type if isinstance(node, NonNullTypeNode) else node, ListTypeNode)
