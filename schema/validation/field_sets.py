"""The selections of `@key`, `@provides` and `@requires`: their text, their fields, and who resolves those."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from graphql import (
    ArgumentNode,
    BooleanValueNode,
    DefinitionNode,
    EnumValueNode,
    FieldNode,
    FloatValueNode,
    GraphQLError,
    InlineFragmentNode,
    IntValueNode,
    ListTypeNode,
    ListValueNode,
    NonNullTypeNode,
    NullValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    StringValueNode,
    TypeNode,
    ValueNode,
    parse,
    print_ast,
)
from graphql.pyutils import suggestion_list

from schema.codes import Finding, locations_of
from schema.federation import BUILT_IN_DIRECTIVES, DIRECTIVES_SINCE
from schema.field_sets import without_braces
from schema.subgraph import Applied, FieldDefinition, Kind, Subgraph, TypeDefinition
from schema.type_nodes import is_required, named_type

_COMPOSITE = (Kind.OBJECT, Kind.INTERFACE, Kind.UNION)


def check_keys(subgraph: Subgraph) -> Iterator[Finding]:
    """KEY_*; where there are none, INTERFACE_KEY_NOT_ON_IMPLEMENTATION"""
    problems = list(_key_problems(subgraph))
    yield from problems
    for definition in subgraph.types.values() if subgraph.is_federation_2 and not problems else ():
        for applied in definition.all("key") if definition.kind is Kind.INTERFACE else ():
            yield from _check_implementations_have_key(subgraph, definition, applied)


def _key_problems(subgraph: Subgraph) -> Iterator[Finding]:
    for definition in subgraph.types.values():
        for applied in definition.all("key"):
            is_interface = definition.kind is Kind.INTERFACE or definition.is_interface_object
            if is_interface and (2, 0) <= subgraph.version < (2, 3):
                yield Finding(
                    "KEY_UNSUPPORTED_ON_INTERFACE",
                    f'[{subgraph.name}] @key on the interface "{definition.name}" needs federation v2.3 or newer; the '
                    f"subgraph links v2.{subgraph.version[1]}.",
                    (subgraph.name,),
                    (definition.name,),
                )
                continue
            if definition.kind is Kind.INTERFACE and not subgraph.is_federation_2:
                continue  # federation 1 never read them
            yield from _Selection(subgraph, "KEY", applied, definition.name, definition.name).findings()


def check_provides(subgraph: Subgraph) -> Iterator[Finding]:
    """PROVIDES_*"""
    for definition, each, applied in _applications(subgraph, "provides"):
        coordinate = f"{definition.name}.{each.name}"
        target = subgraph.types.get(named_type(each.type))
        where = (subgraph.name,), (coordinate,)
        is_composite = target is not None and target.kind in _COMPOSITE
        if each.is_external or (not subgraph.is_federation_2 and not (is_composite and definition.kind is Kind.OBJECT)):
            continue  # a collision that `check_externals` reports; or what federation 1 never read
        if definition.kind is Kind.INTERFACE and is_composite:
            yield Finding(
                "PROVIDES_UNSUPPORTED_ON_INTERFACE",
                f'[{subgraph.name}] @provides cannot stand on "{coordinate}", a field of an interface: put it on the '
                f"fields of the types that implement it.",
                *where,
            )
        elif target is None or not is_composite:
            yield Finding(
                "PROVIDES_ON_NON_OBJECT_FIELD",
                f'[{subgraph.name}] @provides stands on "{coordinate}" of type "{print_ast(each.type)}", which has no '
                f"fields to provide: remove it.",
                *where,
            )
        else:
            yield from _Selection(subgraph, "PROVIDES", applied, target.name, coordinate).findings()


def check_requires(subgraph: Subgraph) -> Iterator[Finding]:
    """REQUIRES_*"""
    for definition, each, applied in _applications(subgraph, "requires"):
        coordinate = f"{definition.name}.{each.name}"
        if definition.kind is Kind.INTERFACE and not subgraph.is_federation_2:
            continue  # federation 1 never read it
        if definition.kind is Kind.INTERFACE:
            yield Finding(
                "REQUIRES_UNSUPPORTED_ON_INTERFACE",
                f'[{subgraph.name}] @requires cannot stand on "{coordinate}", a field of an interface: put it on the '
                f"fields of the types that implement it.",
                (subgraph.name,),
                (coordinate,),
            )
        else:
            yield from _Selection(subgraph, "REQUIRES", applied, definition.name, coordinate).findings()


def _applications(subgraph: Subgraph, directive: str) -> Iterator[tuple[TypeDefinition, FieldDefinition, Applied]]:
    for definition in subgraph.types.values():
        for each in definition.fields.values():
            for applied in each.all(directive):
                yield definition, each, applied


def _check_implementations_have_key(
    subgraph: Subgraph, interface: TypeDefinition, applied: Applied
) -> Iterator[Finding]:
    wanted = _normal(applied.arguments.get("fields"))
    for other in subgraph.types.values():
        implements = other.kind is Kind.OBJECT and interface.name in other.interfaces
        if implements and not any(_normal(text) == wanted for text, _ in other.entity_keys()):
            yield Finding(
                "INTERFACE_KEY_NOT_ON_IMPLEMENTATION",
                f'[{subgraph.name}] The key "{wanted}" of the interface "{interface.name}" is missing on '
                f'"{other.name}", which implements it: add @key(fields: "{wanted}") there.',
                (subgraph.name,),
                (interface.name, other.name),
            )


def _normal(text: object) -> str:
    """Blanks and the order of fields on the top level do not matter."""
    words = " ".join(str(text).replace("{", " { ").replace("}", " } ").split())
    return words if "{" in words else " ".join(sorted(words.split()))


@lru_cache(maxsize=4096)
def _parsed(text: str) -> DefinitionNode | str:
    """The selection, or what keeps it from being one. Most types of a graph have the same few keys."""
    try:
        (operation,) = parse(f"{{{text}}}", no_location=True).definitions
    except (GraphQLError, ValueError) as error:
        return str(getattr(error, "message", error))
    return operation


@dataclass(frozen=True, slots=True)
class _Selection:
    """One field set where it is applied. `place` is what messages call the element that carries it."""

    subgraph: Subgraph
    prefix: str
    applied: Applied
    type_name: str
    place: str

    @property
    def types(self) -> Mapping[str, TypeDefinition]:
        return self.subgraph.types

    def findings(self) -> list[Finding]:
        """What is no selection at all hides what else could be said of it."""
        findings = list(self._findings())
        return next(([each] for each in findings if each.code == f"{self.prefix}_INVALID_FIELDS"), findings)

    def _findings(self) -> Iterator[Finding]:
        argument = next((node for node in self.applied.node.arguments or () if node.name.value == "fields"), None)
        if argument is None:
            return  # GraphQL's own rules report it
        text = self._text(argument)
        if text is None:
            yield self._finding("INVALID_FIELDS_TYPE", '"fields" must be a string')
            return
        if not text.strip():
            yield self._finding("INVALID_FIELDS", '"fields" selects nothing')
            return
        parsed = _parsed(without_braces(text))
        if isinstance(parsed, str):
            yield self._finding("INVALID_FIELDS", parsed)
        elif isinstance(parsed, OperationDefinitionNode):
            yield from self._check(parsed.selection_set, self.type_name, below_external=False)

    def _text(self, argument: ArgumentNode) -> str | None:
        value = argument.value
        if isinstance(value, StringValueNode):
            return value.value
        if self.subgraph.is_federation_2 and not (isinstance(value, EnumValueNode) and self.prefix == "REQUIRES"):
            return None
        # Federation 1 also took bare names and lists.
        if isinstance(value, EnumValueNode):
            return value.value
        if isinstance(value, ListValueNode) and all(isinstance(item, StringValueNode) for item in value.values):
            return " ".join(item.value for item in value.values if isinstance(item, StringValueNode))
        return None

    def _check(self, selections: SelectionSetNode, type_name: str, *, below_external: bool) -> Iterator[Finding]:
        if not selections.selections:
            yield self._finding("INVALID_FIELDS", "a selection between braces is empty")
        for node in selections.selections:
            for directive in node.directives or ():
                name = directive.name.value
                is_known = name in DIRECTIVES_SINCE or name in BUILT_IN_DIRECTIVES
                is_known = is_known or name in self.subgraph.directive_definitions
                code = "DIRECTIVE_IN_FIELDS_ARG" if is_known else "INVALID_FIELDS"
                yield self._finding(code, f"a field set cannot carry directives, but this has @{name}")
            if isinstance(node, InlineFragmentNode):
                condition = node.type_condition.name.value if node.type_condition else type_name
                if condition not in self.types:
                    yield self._finding("INVALID_FIELDS", f'unknown type "{condition}"')
                else:
                    yield from self._check(node.selection_set, condition, below_external=below_external)
            elif isinstance(node, FieldNode):
                yield from self._check_field(node, type_name, below_external)
            else:
                yield self._finding("INVALID_FIELDS", "named fragments cannot be used")

    def _check_field(self, node: FieldNode, type_name: str, below_external: bool) -> Iterator[Finding]:
        name = node.name.value
        if node.alias is not None:
            yield self._finding("INVALID_FIELDS", f'cannot use the alias "{node.alias.value}"')
        if name == "__typename":
            if not below_external and self._has_to_be_external:
                yield self._finding(
                    "FIELDS_MISSING_EXTERNAL", f'"{type_name}.__typename" is known to this subgraph: leave it out'
                )
            return
        parent = self.types.get(type_name)
        definition = parent.fields.get(name) if parent is not None else None
        if parent is None or definition is None:
            alike = suggestion_list(name, list(parent.fields) if parent is not None else [])
            meant = f'did you mean "{alike[0]}"? If' if alike else "if"
            yield self._finding(
                "INVALID_FIELDS",
                f'cannot query field "{name}" on type "{type_name}"; {meant} another subgraph resolves it, add it to this '
                f"one with @external",
            )
            return
        coordinate = f"{type_name}.{name}"
        yield from self._check_arguments(node, coordinate, definition)
        misfits = list(self._check_target(node, coordinate, definition))
        yield from misfits
        if not misfits:
            yield from self._check_below(node, coordinate, parent, definition, below_external)

    @property
    def _has_to_be_external(self) -> bool:
        """Only a key is of the subgraph's own fields; federation 1 takes what it has for what it is given."""
        return self.prefix != "KEY" and self.subgraph.is_federation_2

    def _check_arguments(self, node: FieldNode, coordinate: str, definition: FieldDefinition) -> Iterator[Finding]:
        problems = list(_argument_problems(self.types, definition, node))
        for problem in problems:
            yield self._finding("INVALID_FIELDS", f'field "{coordinate}" {problem}')
        # What federation 1 need not provide, it never read.
        is_read = self.prefix == "KEY" or self.subgraph.is_federation_2 or definition.is_external
        if self.prefix != "REQUIRES" and definition.arguments and not problems and is_read:
            yield self._finding(
                "FIELDS_HAS_ARGS",
                f'field "{coordinate}" has arguments, which this directive cannot give: select another field',
            )

    def _check_target(self, node: FieldNode, coordinate: str, definition: FieldDefinition) -> Iterator[Finding]:
        """Whether what the field returns can be selected, and is selected from where it has to be."""
        target = self.types.get(named_type(definition.type))
        is_composite = target is not None and target.kind in _COMPOSITE
        if self.prefix == "KEY" and target is not None and target.kind in (Kind.INTERFACE, Kind.UNION):
            yield self._finding(
                "FIELDS_SELECT_INVALID_TYPE",
                f'field "{coordinate}" is of the {target.kind.value} type "{target.name}"; a key needs objects',
            )
        elif is_composite != (node.selection_set is not None):
            need = "needs a selection of subfields" if is_composite else "has no subfields to select"
            yield self._finding("INVALID_FIELDS", f'field "{coordinate}" {need}')

    def _check_below(
        self,
        node: FieldNode,
        coordinate: str,
        parent: TypeDefinition,
        definition: FieldDefinition,
        below_external: bool,
    ) -> Iterator[Finding]:
        is_leaf = node.selection_set is None
        is_external = below_external or self._is_external(parent, definition, is_leaf=is_leaf)
        if node.selection_set is not None:
            yield from self._check(node.selection_set, named_type(definition.type), below_external=is_external)
        elif self._has_to_be_external and not is_external:
            yield self._finding(
                "FIELDS_MISSING_EXTERNAL",
                f'field "{coordinate}" is resolved by this subgraph: mark it @external, or leave it out',
            )

    def _is_external(self, parent: TypeDefinition, definition: FieldDefinition, *, is_leaf: bool) -> bool:
        if definition.is_external:
            # Who extends an entity holds its key, whatever the mark says.
            return parent.is_defined or not any(definition.name in text.split() for text, _ in parent.entity_keys())
        if is_leaf and self.prefix == "PROVIDES":
            # Of an interface's field, only what is below it can be provided for those that implement it.
            return False
        return parent.kind is Kind.INTERFACE and any(
            other.fields[definition.name].is_external
            for other in self.types.values()
            if parent.name in other.interfaces and definition.name in other.fields
        )

    def _finding(self, suffix: str, message: str) -> Finding:
        return Finding(
            f"{self.prefix}_{suffix}",
            f'[{self.subgraph.name}] On "{self.place}", in {print_ast(self.applied.node)}: {message}.',
            (self.subgraph.name,),
            (self.place,),
            locations_of(self.subgraph.name, self.applied.node),
        )


# -- arguments of required fields --------------------------------------------------------------------------------------


def _argument_problems(
    types: Mapping[str, TypeDefinition], definition: FieldDefinition, node: FieldNode
) -> Iterator[str]:
    given = {argument.name.value: argument.value for argument in node.arguments or ()}
    for name, value in given.items():
        declared = definition.arguments.get(name)
        if declared is None:
            yield f'has no argument "{name}"'
        elif not _fits(types, declared.type, value):
            yield f'takes a "{print_ast(declared.type)}" as "{name}", not {" ".join(print_ast(value).split())}'
    for name, declared in definition.arguments.items():
        is_given = name in given or declared.has("fromContext")
        if not is_given and is_required(declared.type, declared.default):
            yield f'needs the argument "{name}"'


def _fits(types: Mapping[str, TypeDefinition], type_node: TypeNode, value: ValueNode) -> bool:
    """Whether a literal is of a type of the subgraph; scalars that it defines itself take everything."""
    if isinstance(type_node, NonNullTypeNode):
        return not isinstance(value, NullValueNode) and _fits(types, type_node.type, value)
    if isinstance(value, NullValueNode):
        return True
    if isinstance(type_node, ListTypeNode):
        items = value.values if isinstance(value, ListValueNode) else (value,)
        return all(_fits(types, type_node.type, item) for item in items)
    name = named_type(type_node)
    if name in _LITERALS:
        return isinstance(value, _LITERALS[name])
    definition = types.get(name)
    if definition is None or definition.kind is Kind.SCALAR:
        return True
    if definition.kind is Kind.ENUM:
        return isinstance(value, EnumValueNode) and value.value in definition.values
    return isinstance(value, ObjectValueNode) and _fits_input(types, definition, value)


def _fits_input(types: Mapping[str, TypeDefinition], definition: TypeDefinition, value: ObjectValueNode) -> bool:
    given = {item.name.value: item.value for item in value.fields}
    return given.keys() <= definition.input_fields.keys() and all(
        _fits(types, field.type, given[field.name])
        if field.name in given
        else not is_required(field.type, field.default)
        for field in definition.input_fields.values()
    )


_LITERALS: dict[str, tuple[type[ValueNode], ...]] = {
    "Int": (IntValueNode,),
    "Float": (IntValueNode, FloatValueNode),
    "String": (StringValueNode,),
    "Boolean": (BooleanValueNode,),
    "ID": (IntValueNode, StringValueNode),
}
