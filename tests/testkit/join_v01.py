"""Writes a composed supergraph as join v0.1 would tell it, so that random graphs prove how such ones are read.

Where a graph uses what federation 1 had no words for, there is no such text. A field that several subgraphs resolve gets
one of them: v0.1 names one, and the answers are the same.
"""

from __future__ import annotations

from typing import Any

from graphql import (
    DirectiveDefinitionNode,
    DocumentNode,
    EnumTypeDefinitionNode,
    FieldDefinitionNode,
    InterfaceTypeDefinitionNode,
    ObjectTypeDefinitionNode,
    SchemaDefinitionNode,
    TypeDefinitionNode,
    UnionTypeDefinitionNode,
    parse,
    print_ast,
    value_from_ast_untyped,
)

HEADER = """
schema
  @core(feature: "https://specs.apollo.dev/core/v0.1")
  @core(feature: "https://specs.apollo.dev/join/v0.1")
{ %s }
directive @core(feature: String!) repeatable on SCHEMA
directive @join__field(graph: join__Graph, requires: join__FieldSet, provides: join__FieldSet) on FIELD_DEFINITION
directive @join__type(graph: join__Graph!, key: join__FieldSet) repeatable on OBJECT | INTERFACE
directive @join__owner(graph: join__Graph!) on OBJECT | INTERFACE
directive @join__graph(name: String!, url: String!) on ENUM_VALUE
directive @inaccessible on FIELD_DEFINITION | OBJECT | INTERFACE | UNION
scalar join__FieldSet
"""
ROOTS = ("Query", "Mutation")
Arguments = dict[str, Any]


class UntellableError(Exception):
    """Federation 1 had no words for it."""


def as_join_v01(supergraph_sdl: str) -> str | None:
    document = parse(supergraph_sdl, no_location=True)
    try:
        return _printed(document)
    except UntellableError:
        return None


def _printed(document: DocumentNode) -> str:
    parts = []
    for node in document.definitions:
        if isinstance(node, SchemaDefinitionNode):
            roots = " ".join(f"{each.operation.value}: {each.type.name.value}" for each in node.operation_types)
            parts.append(HEADER % roots)
        elif isinstance(node, EnumTypeDefinitionNode) and node.name.value == "join__Graph":
            parts.append(print_ast(node))
        elif isinstance(node, TypeDefinitionNode) and "__" not in node.name.value:
            parts.append(print_ast(_type(node)))
        elif isinstance(node, DirectiveDefinitionNode) and not node.name.value.startswith(("join__", "link", "inacc")):
            raise UntellableError
    return "\n\n".join(parts)


def _type(node: TypeDefinitionNode) -> TypeDefinitionNode:
    joins = _uses(node, "join__type")
    if any(join.get("isInterfaceObject") or join.get("resolvable") is False for join in joins):
        raise UntellableError
    graphs = list(dict.fromkeys(join["graph"] for join in joins))
    if isinstance(node, UnionTypeDefinitionNode):
        _same_everywhere(node, "join__unionMember", "member", graphs)
    if isinstance(node, ObjectTypeDefinitionNode | InterfaceTypeDefinitionNode):
        _same_everywhere(node, "join__implements", "interface", graphs)
        return _composite(node, joins, graphs)
    if not isinstance(node, EnumTypeDefinitionNode) and any(
        _uses(f, "join__field") for f in getattr(node, "fields", None) or ()
    ):
        raise UntellableError
    return _copy(node, directives=_kept(node))


def _same_everywhere(node: Any, directive: str, argument: str, graphs: list[str]) -> None:
    told = {(use["graph"], use[argument]) for use in _uses(node, directive)}
    if told != {(graph, name) for graph in graphs for _, name in told}:
        raise UntellableError


def _composite(
    node: ObjectTypeDefinitionNode | InterfaceTypeDefinitionNode, joins: list[Arguments], graphs: list[str]
) -> TypeDefinitionNode:
    keyed = [join for join in joins if join.get("key")]
    if keyed and (len(keyed) < len(joins) or isinstance(node, InterfaceTypeDefinitionNode)):
        raise UntellableError
    is_spread = bool(keyed) or node.name.value in ROOTS
    fields = tuple(_field(field, graphs, is_spread=is_spread) for field in node.fields or ())
    texts = [f"@join__owner(graph: {graphs[0]})"] if keyed else []
    texts += [f'@join__type(graph: {join["graph"]}, key: "{join["key"]}")' for join in keyed]
    return _copy(node, fields=fields, directives=(*_kept(node), *_directives(texts)))


def _field(node: FieldDefinitionNode, graphs: list[str], *, is_spread: bool) -> FieldDefinitionNode:
    joins = _uses(node, "join__field")
    if any("overrideLabel" in join or "contextArguments" in join or "graph" not in join for join in joins):
        raise UntellableError
    # What was overridden is gone, and a type that a subgraph narrows is not told.
    resolving = [join for join in joins if not (join.get("external") or join.get("usedOverridden"))]
    if is_spread:
        chosen = resolving[0] if joins else {"graph": graphs[0]}
        said = "".join(f', {name}: "{chosen[name]}"' for name in ("requires", "provides") if chosen.get(name))
        return _copy(node, directives=(*_kept(node), *_directives([f"@join__field(graph: {chosen['graph']}{said})"])))
    # A value type is everybody's, as a whole.
    if joins and {join["graph"] for join in resolving} != set(graphs):
        raise UntellableError
    if any(join.get("requires") or join.get("provides") for join in joins):
        raise UntellableError
    return _copy(node, directives=_kept(node))


def _uses(node: Any, directive: str) -> list[Arguments]:
    return [
        {each.name.value: value_from_ast_untyped(each.value) for each in use.arguments or ()}
        for use in node.directives or ()
        if use.name.value == directive
    ]


def _kept(node: Any) -> tuple[Any, ...]:
    return tuple(use for use in node.directives or () if not use.name.value.startswith("join__"))


def _directives(texts: list[str]) -> tuple[Any, ...]:
    scalar: Any = parse(f"scalar S {' '.join(texts)}", no_location=True).definitions[0]
    return tuple(scalar.directives or ())


def _copy(node: Any, **changes: Any) -> Any:
    return type(node)(**{key: changes.get(key, getattr(node, key)) for key in node.keys})
