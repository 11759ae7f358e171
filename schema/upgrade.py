"""What older or shorter ways of writing a subgraph mean in federation 2's terms.

Validation sees a subgraph as it is written, merging only what this makes of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from graphql import EnumValueNode, StringValueNode

from router.errors import SupergraphError
from router.selection_set import Field, InlineFragment, SelectionSet
from router.supergraph.field_set import parse_field_set, print_field_set
from schema.codes import Finding, quoted
from schema.field_sets import fields_in_use, mentioned_fields
from schema.subgraph import Applied, FieldDefinition, Kind, Subgraph, TypeDefinition, without
from schema.type_nodes import named_type


def upgrade_all(subgraphs: list[Subgraph]) -> Iterator[Finding]:
    """Bring valid subgraphs to the one form that merging knows, in place. TYPE_WITH_ONLY_UNUSED_EXTERNAL, INTERFACE_OBJECT_USAGE_ERROR"""
    keys = _keys_by_type(subgraphs)
    yield from _keyed_interfaces_with_interface_objects(subgraphs)
    for subgraph in subgraphs:
        _trust_keys_of_extensions(subgraph, {} if subgraph.is_federation_2 else keys)
        _unquote_enum_defaults(subgraph)
        if not subgraph.is_federation_2:
            _upgrade_from_federation_1(subgraph)
            yield from _drop_emptied_types(subgraph)


def check_bases(extending: list[Subgraph], subgraphs: list[Subgraph]) -> Iterator[Finding]:
    """EXTENSION_WITH_NO_BASE for each type of the first that is only ever extended in any."""
    for name in sorted({name for subgraph in extending for name in subgraph.types}):
        definitions = {each.name: each.types[name] for each in subgraphs if name in each.types}
        if name in ("Query", "Mutation", "Subscription") or any(each.is_defined for each in definitions.values()):
            continue
        # `type T @extends` is no more than a mark in federation 2. Federation 1 takes it for a value type where several
        # subgraphs have it.
        marked = [each for each in subgraphs if each.name in definitions and definitions[each.name].has("extends")]
        if len(marked) < 2 and not any(each.is_federation_2 for each in marked):
            yield Finding(
                "EXTENSION_WITH_NO_BASE",
                f'Type "{name}" is extended in {quoted(list(definitions))} but defined in no subgraph: write it without '
                f"`extend` in the one that owns it.",
                tuple(definitions),
                (name,),
            )


def _keys_by_type(subgraphs: list[Subgraph]) -> dict[str, list[str]]:
    keys: dict[str, list[str]] = {}
    for subgraph in subgraphs:
        for definition in subgraph.types.values():
            keys.setdefault(definition.name, []).extend(text for text, _ in definition.entity_keys())
    return keys


def _unquote_enum_defaults(subgraph: Subgraph) -> None:
    """`role: Role = "ADMIN"` is no GraphQL, but libraries have always printed it and federation takes it."""
    for definition in subgraph.types.values():
        values = list(definition.input_fields.values())
        values += [argument for each in definition.fields.values() for argument in each.arguments.values()]
        for value in values:
            target = subgraph.types.get(named_type(value.type))
            if target is not None and target.kind is Kind.ENUM and isinstance(value.default, StringValueNode):
                value.default = EnumValueNode(value=value.default.value)


def _keyed_interfaces_with_interface_objects(subgraphs: list[Subgraph]) -> Iterator[Finding]:
    interface_objects = {
        definition.name: subgraph.name
        for subgraph in subgraphs
        for definition in subgraph.types.values()
        if definition.is_interface_object
    }
    for subgraph in subgraphs:
        for definition in subgraph.types.values() if not subgraph.is_federation_2 else ():
            if definition.kind is Kind.INTERFACE and definition.has("key") and definition.name in interface_objects:
                yield Finding(
                    "INTERFACE_OBJECT_USAGE_ERROR",
                    f'[{subgraph.name}] "{definition.name}" is an @interfaceObject in subgraph '
                    f'"{interface_objects[definition.name]}", which relies on its @key here, but federation 1 resolves no '
                    f"interface by a key: link federation 2, or remove the @key.",
                    (subgraph.name,),
                    (definition.name,),
                )


def _trust_keys_of_extensions(subgraph: Subgraph, keys_elsewhere: Mapping[str, list[str]]) -> None:
    """Who extends an entity holds its key, so `@external` on a field of it, nested ones included, says nothing.

    In federation 1 an extension that repeats no key holds those of the others.
    """
    for definition in subgraph.types.values():
        if definition.is_defined or not definition.is_extended:
            continue
        own = [text for text, _ in definition.entity_keys()]
        for text in own or keys_elsewhere.get(definition.name, []):
            for type_name, name in mentioned_fields(subgraph.types, definition.name, text):
                _unmark_external(subgraph.types[type_name].fields[name])


def _upgrade_from_federation_1(subgraph: Subgraph) -> None:
    """A federation 1 subgraph says the same with fewer words.

    Field sets of interfaces mean nothing there, nor does requiring or providing what a subgraph resolves itself, and
    external marks that nothing uses only repeat the owner's fields.
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
    for definition in subgraph.types.values():
        for each in definition.fields.values():
            trimmed = (_trimmed(applied, subgraph, definition, each) for applied in each.directives)
            each.directives = [applied for applied in trimmed if applied is not None]


def _trimmed(applied: Applied, subgraph: Subgraph, definition: TypeDefinition, each: FieldDefinition) -> Applied | None:
    """A `@requires` or `@provides` of what is external only; None where that is nothing. All else stays."""
    if not applied.means("requires", "provides"):
        return applied
    if definition.kind is Kind.INTERFACE:
        return None
    type_name = definition.name if applied.name == "requires" else named_type(each.type)
    try:
        selections = parse_field_set(str(applied.arguments.get("fields") or ""))
    except SupergraphError:
        return None  # validation has let it pass where federation 1 never read it
    kept = _external_only(selections, subgraph, type_name)
    if not kept.items:
        return None
    if kept == selections:
        return applied
    return replace(applied, arguments={**applied.arguments, "fields": print_field_set(kept)})


def _external_only(selections: SelectionSet, subgraph: Subgraph, type_name: str) -> SelectionSet:
    items: list[Field | InlineFragment] = []
    for item in selections.items:
        if isinstance(item, InlineFragment):
            inner = _external_only(item.selections, subgraph, item.type_condition or type_name)
            if inner.items:
                items.append(replace(item, selections=inner))
            continue
        if item.name == "__typename" or _is_external(subgraph, type_name, item.name):
            items.append(item)
        elif item.selections is not None and (field := _field(subgraph, type_name, item.name)) is not None:
            inner = _external_only(item.selections, subgraph, named_type(field.type))
            if inner.items:
                items.append(replace(item, selections=inner))
    named = any(isinstance(item, InlineFragment) or item.name != "__typename" for item in items)
    return SelectionSet(tuple(items) if named else ())


def _field(subgraph: Subgraph, type_name: str, name: str) -> FieldDefinition | None:
    definition = subgraph.types.get(type_name)
    return definition.fields.get(name) if definition is not None else None


def _is_external(subgraph: Subgraph, type_name: str, field: str) -> bool:
    """Also a field of an interface that some object of it leaves to others."""
    return any(
        field in definition.fields and definition.fields[field].is_external
        for definition in subgraph.types.values()
        if definition.name == type_name or type_name in definition.interfaces
    )


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
