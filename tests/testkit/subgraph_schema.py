"""What a stub subgraph knows of its own SDL: an executable schema and the federation facts of each field.

Used by `subgraph_stub`. Federation v1 and v2, `extend type`, renamed and `federation__` prefixed directives.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    ConstDirectiveNode,
    DefinitionNode,
    DirectiveDefinitionNode,
    DocumentNode,
    FieldNode,
    GraphQLSchema,
    InterfaceTypeDefinitionNode,
    ObjectTypeDefinitionNode,
    OperationDefinitionNode,
    OperationType,
    SchemaDefinitionNode,
    SchemaExtensionNode,
    SelectionSetNode,
    UnionTypeDefinitionNode,
    build_ast_schema,
    parse,
    value_from_ast_untyped,
)

from schema.validation.definitions import DEFINITION_OF_EXTENSION

_SDL_ONLY = frozenset(
    {
        *("SCHEMA", "SCALAR", "OBJECT", "FIELD_DEFINITION", "ARGUMENT_DEFINITION", "INTERFACE", "UNION", "ENUM"),
        *("ENUM_VALUE", "INPUT_OBJECT", "INPUT_FIELD_DEFINITION"),
    }
)
MERGED_PARTS = ("directives", "interfaces", "fields", "types", "values")
COMPOSITE = (ObjectTypeDefinitionNode, InterfaceTypeDefinitionNode)


@dataclass(frozen=True, slots=True)
class FieldFacts:
    """What the subgraph's SDL says of one field."""

    external: bool = False
    requires: SelectionSetNode | None = None
    provides: SelectionSetNode | None = None
    context_arguments: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class TypeFacts:
    """What the subgraph's SDL says of one object or interface type; `keys` are the resolvable ones."""

    keys: tuple[SelectionSetNode, ...]
    key_fields: frozenset[str]
    interface_object: bool
    fields: Mapping[str, FieldFacts]


@dataclass(frozen=True, slots=True)
class SubgraphSchema:
    """An executable schema with `_entities` and `_service`, and the facts by type name."""

    schema: GraphQLSchema
    types: Mapping[str, TypeFacts]
    root_names: Mapping[str, str]  # the subgraph's root type name -> "Query" | "Mutation" | "Subscription"


def field_set(text: str) -> SelectionSetNode:
    operation = parse("{" + text + "}").definitions[0]
    assert isinstance(operation, OperationDefinitionNode)
    return operation.selection_set


def read_subgraph_schema(sdl: str) -> SubgraphSchema:
    document = parse(sdl)
    definitions = merge_extensions(document)
    names = DirectiveNames(document)
    root_names = _root_names(document)
    types = {node.name.value: _type_facts(node, names) for node in definitions.values() if isinstance(node, COMPOSITE)}
    entities = [name for name, facts in types.items() if facts.keys and _is_object(definitions[name])]
    for name in [name for name, facts in types.items() if facts.keys and not _is_object(definitions[name])]:
        entities += [n for n in _implementers(definitions, name) if n not in entities]
    executable = DocumentNode(definitions=(*definitions.values(), *_federation_definitions(entities, root_names)))
    types_of_all = tuple(merge_extensions(executable).values())
    merged = DocumentNode(
        definitions=(*types_of_all, *_executable_directives(document), *_schema_definition(root_names))
    )
    schema = build_ast_schema(merged, assume_valid=True, assume_valid_sdl=True)
    return SubgraphSchema(schema=schema, types=types, root_names=root_names)


def _executable_directives(document: DocumentNode) -> Iterator[DefinitionNode]:
    """Of the subgraph's own: all of federation's stand in schemas only."""
    for node in document.definitions:
        if isinstance(node, DirectiveDefinitionNode) and not _SDL_ONLY.issuperset(
            each.value for each in node.locations
        ):
            yield node


def merge_extensions(document: DocumentNode) -> dict[str, Any]:
    """Type definitions by name, with `extend` folded in (a lone extension becomes a definition)."""
    merged: dict[str, Any] = {}
    for node in document.definitions:
        if isinstance(node, (SchemaDefinitionNode, SchemaExtensionNode)) or not hasattr(node, "name"):
            continue
        kind = DEFINITION_OF_EXTENSION.get(type(node), type(node))
        if not kind.__name__.endswith("TypeDefinitionNode"):
            continue
        name, earlier = node.name.value, merged.get(node.name.value)
        parts: dict[str, Any] = {"name": node.name}
        for part in MERGED_PARTS:
            if hasattr(node, part):
                before = tuple(getattr(earlier, part) or ()) if earlier is not None else ()
                parts[part] = _unique(before + tuple(getattr(node, part) or ()), part)
        merged[name] = kind(**parts)
    return merged


def _unique(nodes: tuple[Any, ...], part: str) -> tuple[Any, ...]:
    if part == "directives":
        return nodes
    return tuple({node.name.value: node for node in nodes}.values())


class DirectiveNames:
    """Maps the directive names of one document to federation's own, by its `@link` imports."""

    def __init__(self, document: DocumentNode) -> None:
        self._renamed: dict[str, str] = {}
        self._prefix = "federation__"
        for node in document.definitions:
            if isinstance(node, (SchemaDefinitionNode, SchemaExtensionNode)):
                for link in node.directives or ():
                    if link.name.value == "link":
                        self._read_link(arguments_of(link))

    def _read_link(self, arguments: Mapping[str, Any]) -> None:
        if "specs.apollo.dev/federation" not in str(arguments.get("url", "")):
            return
        if "as" in arguments:
            self._prefix = f"{arguments['as']}__"
        for item in arguments.get("import", ()):
            if isinstance(item, dict) and "as" in item:
                self._renamed[item["as"].lstrip("@")] = item["name"].lstrip("@")

    def of(self, node: Any, name: str) -> Iterator[dict[str, Any]]:
        """The arguments of each use of federation's directive `name` on a definition."""
        for directive in node.directives or ():
            written = directive.name.value
            if self._renamed.get(written, written.removeprefix(self._prefix)) == name:
                yield arguments_of(directive)


def arguments_of(directive: ConstDirectiveNode) -> dict[str, Any]:
    return {argument.name.value: value_from_ast_untyped(argument.value) for argument in directive.arguments or ()}


def _type_facts(node: Any, names: DirectiveNames) -> TypeFacts:
    keys = list(names.of(node, "key"))
    type_external = any(True for _ in names.of(node, "external"))
    key_sets = [field_set(key["fields"]) for key in keys]
    key_fields = {item.name.value for key in key_sets for item in key.selections if isinstance(item, FieldNode)}
    resolvable = tuple(key for key, use in zip(key_sets, keys, strict=True) if use.get("resolvable", True))
    return TypeFacts(
        keys=resolvable,
        key_fields=frozenset(key_fields),
        interface_object=any(True for _ in names.of(node, "interfaceObject")),
        fields={f.name.value: _field_facts(f, names, type_external) for f in node.fields or ()},
    )


def _field_facts(node: Any, names: DirectiveNames, type_external: bool) -> FieldFacts:
    requires = [field_set(use["fields"]) for use in names.of(node, "requires")]
    provides = [field_set(use["fields"]) for use in names.of(node, "provides")]
    from_context = [a.name.value for a in node.arguments or () if any(True for _ in names.of(a, "fromContext"))]
    return FieldFacts(
        external=type_external or any(True for _ in names.of(node, "external")),
        requires=requires[0] if requires else None,
        provides=provides[0] if provides else None,
        context_arguments=frozenset(from_context),
    )


def _root_names(document: DocumentNode) -> dict[str, str]:
    declared = {"Query": "Query", "Mutation": "Mutation", "Subscription": "Subscription"}
    for node in document.definitions:
        if isinstance(node, (SchemaDefinitionNode, SchemaExtensionNode)):
            for operation in node.operation_types or ():
                declared[operation.operation.value.capitalize()] = operation.type.name.value
    present = merge_extensions(document).keys() | {declared["Query"]}
    return {name: root for root, name in declared.items() if name in present}


def _schema_definition(root_names: Mapping[str, str]) -> tuple[DefinitionNode, ...]:
    entries = " ".join(f"{OperationType[root.upper()].value}: {name}" for name, root in root_names.items())
    return tuple(parse("schema { " + entries + " }").definitions)


def _federation_definitions(entities: list[str], root_names: Mapping[str, str]) -> tuple[DefinitionNode, ...]:
    query = next(name for name, root in root_names.items() if root == "Query")
    text = f"scalar _Any type _Service {{ sdl: String! }} extend type {query} {{ _service: _Service! }}"
    if entities:
        text += f" union _Entity = {' | '.join(entities)}"
        text += f" extend type {query} {{ _entities(representations: [_Any!]!): [_Entity]! }}"
    return tuple(parse(text).definitions)


def _is_object(node: Any) -> bool:
    return isinstance(node, ObjectTypeDefinitionNode)


def _implementers(definitions: Mapping[str, Any], interface: str) -> Iterator[str]:
    for name, node in definitions.items():
        if _is_object(node) and interface in {i.name.value for i in node.interfaces or ()}:
            yield name


def implementations_of(sdls: Iterable[str]) -> dict[str, frozenset[str]]:
    """The object types of every interface and union, over all subgraphs."""
    found: dict[str, set[str]] = {}
    for sdl in sdls:
        for name, node in merge_extensions(parse(sdl)).items():
            if _is_object(node):
                for interface in node.interfaces or ():
                    found.setdefault(interface.name.value, set()).add(name)
            elif isinstance(node, UnionTypeDefinitionNode):
                found.setdefault(name, set()).update(member.name.value for member in node.types or ())
    return {name: frozenset(members) for name, members in found.items()}
