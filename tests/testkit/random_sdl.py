"""Prints each subgraph of a RandomSupergraph as federation SDL. Used by the property test."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tests.testkit.random_model import RandomField, RandomSupergraph, RandomType, key_field_names

DIRECTIVES = (
    "key",
    "requires",
    "provides",
    "external",
    "shareable",
    "override",
    "inaccessible",
    "interfaceObject",
    "context",
    "fromContext",
)
URL = "https://specs.apollo.dev/federation/v2.8"
IMPORTS = ", ".join(f'"@{name}"' for name in DIRECTIVES)
LINK = f'extend schema @link(url: "{URL}", import: [{IMPORTS}])'
LINK_WITHOUT_IMPORTS = f'extend schema @link(url: "{URL}", as: "fed", import: ["@inaccessible"])'
DIRECTIVE = " directive @fmt(as: String, of: Json) repeatable on FIELD"
#: Subgraphs that write federation directives with a prefix.
PREFIXED = frozenset({"delta_x"})


def print_subgraphs(supergraph: RandomSupergraph) -> dict[str, str]:
    return {name: print_subgraph(supergraph, name) for name in supergraph.subgraphs}


def print_subgraph(supergraph: RandomSupergraph, subgraph: str) -> str:
    is_old = subgraph in supergraph.federation_1 and is_fit_for_version_1(supergraph, subgraph)
    own = f"ONLY_{clean_name(subgraph)}"
    tags = "" if subgraph == supergraph.subgraphs[-1] else " tags: [String!]"
    lines = [
        "" if is_old else LINK,
        "scalar Json enum Color { RED GREEN BLUE }" + (DIRECTIVE if supergraph.has_directive else ""),
        f"enum Shade {{ DARK LIGHT {own} }} enum Tint {{ PALE {own} }}",
        f"input Filter {{ color: Color limit: Int = 5 nested: Filter{tags} {own}: Int }}",
    ]
    for kind in supergraph.types.values():
        if kind.kind == "root":
            lines += _root(supergraph, kind, subgraph)
        elif subgraph in kind.placements:
            lines += _type(supergraph, kind, subgraph)
    text = "\n".join(lines) + "\n"
    if is_old:
        return text.replace(" @shareable", "")
    return _with_prefixes(text) if subgraph in PREFIXED else text


def clean_name(subgraph: str) -> str:
    return subgraph.replace("-", "_")


def is_fit_for_version_1(supergraph: RandomSupergraph, subgraph: str) -> bool:
    """Whether nothing in the subgraph needs a directive that version 1 does not have."""
    for kind in supergraph.types.values():
        if kind.kind == "entity_interface" and subgraph in kind.placements:
            return False
        if kind.is_hidden and any(subgraph in item.owners for item in kind.fields.values()):
            return False
        if subgraph in kind.context_in or any(key.startswith("!") for key in kind.placements.get(subgraph, ())):
            return False
        for item in kind.fields.values():
            if subgraph in item.owners and (item.overridden_in or item.context):
                return False
            if item.inaccessible and subgraph in (*item.owners, item.overridden_in):
                return False
    return True


def _with_prefixes(text: str) -> str:
    """The same schema with `@fed__key` for `@key`, and its root types as extensions."""
    text = text.replace(LINK, LINK_WITHOUT_IMPORTS).replace("type Mutation", "extend type Mutation")
    prefixed = "|".join(name for name in DIRECTIVES if name != "inaccessible")  # must have one name everywhere
    head, separator, body = text.partition("scalar Json")
    return head + separator + re.sub(rf"@({prefixed})\b", r"@fed__\1", body)


def _root(supergraph: RandomSupergraph, kind: RandomType, subgraph: str) -> Iterator[str]:
    fields = [f for f in kind.fields.values() if subgraph in f.owners]
    if fields:
        hidden = " @inaccessible" if kind.is_hidden else ""
        yield _block(f"type {kind.name}{hidden}", [_field(supergraph, kind, item, subgraph) for item in fields])
    elif kind.name == "Query":
        yield f"type Query {{ ping_{clean_name(subgraph)}: String }}"


def _type(supergraph: RandomSupergraph, kind: RandomType, subgraph: str) -> Iterator[str]:
    if kind.kind == "union":
        yield f"union {kind.name} = {' | '.join(kind.members_in[subgraph])}"
    elif kind.kind == "interface":
        fields = {name: kind.fields[name] for name in interface_field_names(supergraph, kind, subgraph)}
        wider = list(_wider_interfaces(supergraph, kind, subgraph))
        for each in wider:
            fields |= {name: each.fields[name] for name in interface_field_names(supergraph, each, subgraph)}
        implements = f" implements {' & '.join(each.name for each in wider)}" if wider else ""
        yield _block(f"interface {kind.name}{implements}", [_plain(item) for item in fields.values()])
    elif kind.kind == "entity_interface" and subgraph not in kind.object_in:
        fields = [f for f in kind.fields.values() if f.name == "id" or subgraph in f.owners]
        yield _block(f'interface {kind.name} @key(fields: "id")', [_plain(item) for item in fields])
    elif kind.kind != "enum":
        lines = [_field(supergraph, kind, item, subgraph) for item in kind.fields_in(subgraph)]
        extend = "extend " if _is_extension(supergraph, kind, subgraph) else ""
        yield _block(
            f"{extend}type {kind.name}{_implements(supergraph, kind, subgraph)}{_directives(kind, subgraph)}", lines
        )


def _wider_interfaces(supergraph: RandomSupergraph, kind: RandomType, subgraph: str) -> Iterator[RandomType]:
    """Those before it that all objects which are said anywhere to implement it implement too, here and somewhere."""
    for each in supergraph.types.values():
        if each is kind or not supergraph.nests_interfaces:
            return
        is_wider = each.kind == "interface" and _declared_members(kind) <= _declared_members(each)
        if is_wider and {*kind.members_in[subgraph]} <= {*each.members_in.get(subgraph, ())}:
            yield each


def _declared_members(interface: RandomType) -> set[str]:
    """Objects that some subgraph says to implement it: the supergraph has these `implements` and no others."""
    return set().union(*interface.members_in.values())


def interface_field_names(supergraph: RandomSupergraph, kind: RandomType, subgraph: str) -> list[str]:
    """The interface's fields that all its members in a subgraph resolve there."""
    members = [supergraph.types[name] for name in kind.members_in[subgraph]]
    return [
        n for n in kind.fields if n == "id" or all(m.kind == "value" or subgraph in m.fields[n].owners for m in members)
    ]


def _implements(supergraph: RandomSupergraph, kind: RandomType, subgraph: str) -> str:
    names = [
        t.name
        for t in supergraph.types.values()
        if t.kind == "interface" and kind.name in t.members_in.get(subgraph, ())
    ]
    for interface in supergraph.types.values():
        is_home = subgraph in interface.placements and subgraph not in interface.object_in
        if interface.kind == "entity_interface" and kind.name in interface.members and is_home:
            names.append(interface.name)
    return f" implements {' & '.join(names)}" if names else ""


def _directives(kind: RandomType, subgraph: str) -> str:
    text = " @shareable" if kind.kind in ("value", "split") else ""
    if subgraph in kind.context_in:
        text += f' @context(name: "above{kind.name}")'
    for key in kind.placements[subgraph]:
        resolvable = ", resolvable: false" if key.startswith("!") else ""
        text += f' @key(fields: "{key.removeprefix("!")}"{resolvable})'
    return text + (" @interfaceObject" if subgraph in kind.object_in else "")


def _is_extension(supergraph: RandomSupergraph, kind: RandomType, subgraph: str) -> bool:
    """Version 1 extends a type where it does not begin."""
    is_old = subgraph in supergraph.federation_1 and is_fit_for_version_1(supergraph, subgraph)
    return is_old and kind.kind == "entity" and subgraph != next(iter(kind.placements))


def _plain(item: RandomField, subgraph: str = "") -> str:
    arguments = item.arguments + ("!" if subgraph in item.required_argument_in else "")
    if subgraph in item.extra_argument_in:
        arguments = ", ".join(filter(None, (arguments, "unshared: Int")))
    if item.context is not None:
        above, name = item.context
        told = f'c: String @fromContext(field: "$above{above} {{ {name} }}")'
        arguments = ", ".join(filter(None, (arguments, told)))
    wrapping = item.strict_wrapping if subgraph in item.strict_in else item.wrapping
    return f"{item.name}{f'({arguments})' if arguments else ''}: {wrapping.format(item.named_type)}"


def _field(supergraph: RandomSupergraph, kind: RandomType, item: RandomField, subgraph: str) -> str:
    text = _plain(item, subgraph)
    if kind.kind in ("value", "split"):
        return text
    keys = {name for key in kind.placements.get(subgraph, ()) for name in key_field_names(key)}
    if item.name in keys and _is_extension(supergraph, kind, subgraph):
        return text + " @external"
    if subgraph in item.external_in:
        return text + ("" if item.name in keys else " @external")
    if item.name == "id" and item.name not in keys:
        return text + " @shareable"
    if item.overridden_in and subgraph in item.owners:
        label = f', label: "{item.override_label}"' if item.override_label else ""
        text += f' @override(from: "{item.overridden_in}"{label})'
    if item.requires and subgraph in item.owners:
        text += f' @requires(fields: "{item.requires}")'
    if subgraph in item.provides:
        text += f' @provides(fields: "{item.provides[subgraph]}")'
    if len(item.owners) > 1 or item.external_in:
        text += " @shareable" if item.name not in keys else ""
    return text + (" @inaccessible" if item.inaccessible else "")


def _block(head: str, fields: list[str]) -> str:
    return head + " {\n" + "".join(f"  {line}\n" for line in fields) + "}"
