"""What older or shorter ways of writing a subgraph mean in federation 2's terms.

Called by `compose` between validation, which sees the subgraph as written, and merging.
"""

from __future__ import annotations

from collections.abc import Iterator

from graphql import EnumValueNode, StringValueNode

from schema.codes import Finding
from schema.field_sets import fields_in_use, mentioned_fields
from schema.subgraph import FieldDefinition, Kind, Subgraph, named_type, without


def upgrade(subgraph: Subgraph) -> Iterator[Finding]:
    """Bring a valid subgraph to the one form that merging knows, in place. TYPE_WITH_ONLY_UNUSED_EXTERNAL"""
    _trust_keys_of_extensions(subgraph)
    _unquote_enum_defaults(subgraph)
    if not subgraph.is_federation_2:
        _upgrade_from_federation_1(subgraph)
        yield from _drop_emptied_types(subgraph)


def _unquote_enum_defaults(subgraph: Subgraph) -> None:
    """`role: Role = "ADMIN"` is no GraphQL, but libraries have always printed it and federation takes it."""
    for definition in subgraph.types.values():
        values = list(definition.input_fields.values())
        values += [argument for each in definition.fields.values() for argument in each.arguments.values()]
        for value in values:
            target = subgraph.types.get(named_type(value.type))
            if target is not None and target.kind is Kind.ENUM and isinstance(value.default, StringValueNode):
                value.default = EnumValueNode(value=value.default.value)


def _trust_keys_of_extensions(subgraph: Subgraph) -> None:
    """Who extends an entity holds its key, so `@external` on a field of it, nested ones included, says nothing."""
    for definition in subgraph.types.values():
        if definition.is_defined or not definition.is_extended:
            continue
        for text, _ in definition.entity_keys():
            for type_name, name in mentioned_fields(subgraph.types, definition.name, text):
                _unmark_external(subgraph.types[type_name].fields[name])


def _upgrade_from_federation_1(subgraph: Subgraph) -> None:
    """A federation 1 subgraph says the same with fewer words.

    Keys of interfaces mean nothing there, and external marks that nothing uses only repeat the owner's fields.
    """
    used = fields_in_use(subgraph)
    for definition in subgraph.types.values():
        if definition.kind is Kind.INTERFACE:
            definition.directives = without(definition, "key")
        keys = {
            name
            for text, _ in definition.entity_keys()
            for _, name in mentioned_fields(subgraph.types, definition.name, text)
        }
        for name, field_definition in list(definition.fields.items()):
            if definition.kind is not Kind.OBJECT:
                _unmark_external(field_definition)
            elif field_definition.is_external and (definition.name, name) not in used and name not in keys:
                del definition.fields[name]


def _drop_emptied_types(subgraph: Subgraph) -> Iterator[Finding]:
    """Types of which nothing is left; a subgraph that returns one could say nothing of it."""
    emptied = {
        name
        for name, definition in subgraph.types.items()
        if definition.kind is Kind.OBJECT and not definition.fields and name not in ("Query", "Mutation")
    }
    for name in emptied:
        del subgraph.types[name]
    returned = {
        named_type(each.type): f"{definition.name}.{each.name}"
        for definition in subgraph.types.values()
        for each in definition.fields.values()
    }
    for name in sorted(emptied & returned.keys()):
        yield Finding(
            "TYPE_WITH_ONLY_UNUSED_EXTERNAL",
            f'[{subgraph.name}] "{returned[name]}" returns "{name}", all fields of which are @external and unused here: '
            f"give it a @key, or resolve its fields.",
            (subgraph.name,),
            (name,),
        )


def _unmark_external(field_definition: FieldDefinition) -> None:
    field_definition.directives = without(field_definition, "external")
