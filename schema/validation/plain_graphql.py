"""Proves ordinary subgraphs to be valid GraphQL; what cannot be proved so goes to graphql-core, which words the errors.

`graphql` asks it first. It never takes what graphql-core refuses: `tests/unit/schema/test_plain_graphql.py` holds it to that.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    BooleanValueNode,
    DefinitionNode,
    DirectiveDefinitionNode,
    DirectiveNode,
    EnumValueNode,
    FieldDefinitionNode,
    FloatValueNode,
    InputValueDefinitionNode,
    IntValueNode,
    ListTypeNode,
    ListValueNode,
    NonNullTypeNode,
    NullValueNode,
    ObjectValueNode,
    SchemaDefinitionNode,
    SchemaExtensionNode,
    StringValueNode,
    TypeDefinitionNode,
    TypeNode,
    ValueNode,
    is_required_argument,
    parse_type,
    specified_directives,
)

from schema.federation import BUILT_IN_SCALARS
from schema.subgraph import KIND_OF, Kind
from schema.type_nodes import is_required, named_type, type_text

_INPUTS = frozenset((Kind.SCALAR, Kind.ENUM, Kind.INPUT))
_LOCATIONS = {kind: "INPUT_OBJECT" if kind is Kind.INPUT else kind.name for kind in Kind}
_ROOTS = ("Query", "Mutation", "Subscription")
_MAX_INT = 2**31
#: Of a number in digits, far from where Python's own limits begin.
_MAX_DIGITS = 100


def is_plainly_valid(definitions: Iterable[DefinitionNode]) -> bool:
    """`definitions` are the subgraph's own and those that federation gives it. False where graphql-core is to look."""
    try:
        _Proof(definitions).complete()
    except _DoubtError:
        return False
    return True


class _DoubtError(Exception):
    """It is wrong, or right in a way that is not looked into here."""


def _doubt_if(doubtful: object) -> None:
    if doubtful:
        raise _DoubtError


@dataclass(slots=True)
class _Type:
    """`members` are fields, values of enums, or the types of a union."""

    kind: Kind
    nodes: list[Any] = field(default_factory=list)
    members: dict[str, Any] = field(default_factory=dict)
    interfaces: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Directive:
    arguments: Mapping[str, TypeNode]
    required: Collection[str]
    locations: Collection[str]
    is_repeatable: bool


_SPECIFIED = {
    each.name: _Directive(
        {name: parse_type(str(argument.type)) for name, argument in each.args.items()},
        [name for name, argument in each.args.items() if is_required_argument(argument)],
        frozenset(location.name for location in each.locations),
        each.is_repeatable,
    )
    for each in specified_directives
}


class _Proof:
    """Every method raises _DoubtError where something is not proved."""

    def __init__(self, definitions: Iterable[DefinitionNode]) -> None:
        self._types = {name: _Type(Kind.SCALAR) for name in BUILT_IN_SCALARS}
        self._directives = dict(_SPECIFIED)
        self._directive_nodes: list[DirectiveDefinitionNode] = []
        self._schemas: list[SchemaDefinitionNode | SchemaExtensionNode] = []
        #: applications that fit; one tuple of arguments may stand in many places
        self._fitting: set[tuple[str, int]] = set()
        defined: set[str] = set()
        for node in definitions:
            kind = KIND_OF.get(type(node))
            if kind is not None:
                self._gather(node, kind, defined)
            elif isinstance(node, DirectiveDefinitionNode):
                self._gather_directive(node)
            elif isinstance(node, SchemaDefinitionNode | SchemaExtensionNode):
                self._schemas.append(node)
            else:
                raise _DoubtError

    def complete(self) -> None:
        for directive in self._directive_nodes:
            _doubt_if(directive.directives)
            self._check_inputs(directive.arguments, "ARGUMENT_DEFINITION")
        for name, each in self._types.items():
            seen: set[str] = set()
            for node in each.nodes:
                if node.directives:
                    self._check_applied(node.directives, _LOCATIONS[each.kind], seen)
            self._check_members(name, each)
        self._check_schema_directives()
        self._check_roots()
        self._check_finite_inputs()

    # -- what there is -----------------------------------------------------------------------------------------

    def _gather(self, node: Any, kind: Kind, defined: set[str]) -> None:
        name = node.name.value
        _doubt_if(name in BUILT_IN_SCALARS or name[:2] == "__")
        if isinstance(node, TypeDefinitionNode):
            _doubt_if(name in defined)
            defined.add(name)
        known = self._types.get(name)
        if known is None:
            known = self._types[name] = _Type(kind)
        _doubt_if(known.kind is not kind)
        known.nodes.append(node)
        if kind is Kind.SCALAR:
            return
        if kind is Kind.OBJECT or kind is Kind.INTERFACE:
            known.interfaces += [each.name.value for each in node.interfaces or ()]
        members = (node.types if kind is Kind.UNION else node.values if kind is Kind.ENUM else node.fields) or ()
        gathered = known.members
        for member in members:
            member_name = member.name.value
            _doubt_if(member_name in gathered or member_name[:2] == "__")
            gathered[member_name] = member

    def _gather_directive(self, node: DirectiveDefinitionNode) -> None:
        name = node.name.value
        _doubt_if(name in self._directives or name[:2] == "__")
        arguments = node.arguments or ()
        self._directive_nodes.append(node)
        self._directives[name] = _Directive(
            {each.name.value: each.type for each in arguments},
            [each.name.value for each in arguments if is_required(each.type, each.default_value)],
            {location.value for location in node.locations},
            node.repeatable,
        )

    def _kind_of(self, node: TypeNode) -> Kind:
        known = self._types.get(named_type(node))
        if known is None:
            raise _DoubtError
        return known.kind

    # -- types -------------------------------------------------------------------------------------------------

    def _check_schema_directives(self) -> None:
        seen: set[str] = set()
        for node in self._schemas:
            if node.directives:
                self._check_applied(node.directives, "SCHEMA", seen)

    def _check_members(self, name: str, each: _Type) -> None:
        if each.kind is Kind.SCALAR:
            return
        _doubt_if(not each.members)
        if each.kind is Kind.UNION:
            for member in each.members:
                self._check_is_object(member)
        elif each.kind is Kind.ENUM:
            for value in each.members.values():
                if value.directives:
                    self._check_applied(value.directives, "ENUM_VALUE", set())
        elif each.kind is Kind.INPUT:
            self._check_inputs(each.members.values(), "INPUT_FIELD_DEFINITION")
            if _is_one_of(each):
                _doubt_if(any(map(self._is_more_than_one_of_leaves, each.members.values())))
        else:
            for member in each.members.values():
                self._check_field(member)
            _doubt_if(len(set(each.interfaces)) < len(each.interfaces))
            for interface in each.interfaces:
                self._check_implementation(name, each, interface)

    def _check_is_object(self, name: str) -> None:
        known = self._types.get(name)
        _doubt_if(known is None or known.kind is not Kind.OBJECT)

    def _check_field(self, node: FieldDefinitionNode) -> None:
        _doubt_if(self._kind_of(node.type) is Kind.INPUT)
        if node.directives:
            self._check_applied(node.directives, "FIELD_DEFINITION", set())
        if node.arguments:
            self._check_inputs(node.arguments, "ARGUMENT_DEFINITION")

    def _check_inputs(self, nodes: Collection[InputValueDefinitionNode] | None, location: str) -> None:
        names = set()
        for node in nodes or ():
            name = node.name.value
            _doubt_if(name in names or name[:2] == "__" or self._kind_of(node.type) not in _INPUTS)
            names.add(name)
            default = node.default_value
            if default is not None:
                _doubt_if(not self._fits(default, node.type))
                # Defaults of input objects could lead back to themselves.
                _doubt_if(location == "INPUT_FIELD_DEFINITION" and _has_objects(default))
            if node.directives:
                self._check_applied(node.directives, location, set())

    def _is_more_than_one_of_leaves(self, node: InputValueDefinitionNode) -> bool:
        """Whether it is no field for `@oneOf`, or leads to an input object, which may be one that no value ends."""
        is_optional = not isinstance(node.type, NonNullTypeNode) and node.default_value is None
        return not is_optional or self._kind_of(node.type) is Kind.INPUT

    def _check_implementation(self, name: str, each: _Type, interface: str) -> None:
        target = self._types.get(interface)
        if target is None or target.kind is not Kind.INTERFACE or interface == name:
            raise _DoubtError
        _doubt_if(not set(target.interfaces) <= set(each.interfaces))
        for field_name, asked in target.members.items():
            own = each.members.get(field_name)
            if own is None:
                raise _DoubtError
            _doubt_if(own.type is not asked.type and not self._is_subtype(own.type, asked.type))
            if own.arguments or asked.arguments:
                _check_arguments_of_implementation(own, asked)
            _doubt_if(_is_deprecated(own) and not _is_deprecated(asked))

    def _is_subtype(self, own: TypeNode, asked: TypeNode) -> bool:
        if isinstance(asked, NonNullTypeNode):
            return isinstance(own, NonNullTypeNode) and self._is_subtype(own.type, asked.type)
        if isinstance(own, NonNullTypeNode):
            return self._is_subtype(own.type, asked)
        if isinstance(asked, ListTypeNode):
            return isinstance(own, ListTypeNode) and self._is_subtype(own.type, asked.type)
        if isinstance(own, ListTypeNode):
            return False
        own_name, asked_name = named_type(own), named_type(asked)
        if own_name == asked_name:
            return True
        own_type, target = self._types.get(own_name), self._types.get(asked_name)
        if own_type is None or target is None:  # fields of the interface may not have been looked at
            return False
        if target.kind is Kind.UNION:
            return own_name in target.members
        return target.kind is Kind.INTERFACE and asked_name in own_type.interfaces

    # -- the schema as a whole ---------------------------------------------------------------------------------

    def _check_roots(self) -> None:
        given = [each for node in self._schemas for each in node.operation_types or ()]
        definitions = [node for node in self._schemas if isinstance(node, SchemaDefinitionNode)]
        _doubt_if(len(definitions) > 1 or (given and not definitions))
        _doubt_if(len({each.operation for each in given}) < len(given))
        roots = [each.type.name.value for each in given]
        _doubt_if(len(set(roots)) < len(roots))
        for name in roots if definitions else [name for name in _ROOTS if name in self._types]:
            self._check_is_object(name)

    def _check_finite_inputs(self) -> None:
        """No input object needs, at the end of whatever way, one of its own type."""
        needs = {
            name: {
                target
                for member in each.members.values()
                if isinstance(member.type, NonNullTypeNode) and not isinstance(member.type.type, ListTypeNode)
                if self._types[target := named_type(member.type)].kind is Kind.INPUT
            }
            for name, each in self._types.items()
            if each.kind is Kind.INPUT
        }
        while needs:
            finite = {name for name, targets in needs.items() if not targets & needs.keys()}
            _doubt_if(not finite)
            needs = {name: targets for name, targets in needs.items() if name not in finite}

    # -- directives and values ---------------------------------------------------------------------------------

    def _check_applied(self, nodes: Iterable[DirectiveNode], location: str, seen: set[str]) -> None:
        """`seen` are those that stand at the same place already."""
        for node in nodes:
            name = node.name.value
            known = self._directives.get(name)
            if known is None or location not in known.locations:
                raise _DoubtError
            if not known.is_repeatable:
                _doubt_if(name in seen)
                seen.add(name)
            # The document keeps the tuple, so that no other one gets its number.
            application = name, id(node.arguments)
            if application not in self._fitting:
                self._check_arguments(node, known)
                self._fitting.add(application)

    def _check_arguments(self, node: DirectiveNode, known: _Directive) -> None:
        given = {argument.name.value: argument.value for argument in node.arguments or ()}
        _doubt_if(len(given) < len(node.arguments or ()))
        _doubt_if(any(name not in given for name in known.required))
        for name, value in given.items():
            declared = known.arguments.get(name)
            if declared is None or not self._fits(value, declared):
                raise _DoubtError

    def _fits(self, value: ValueNode, node: TypeNode) -> bool:
        if isinstance(node, NonNullTypeNode):
            return not isinstance(value, NullValueNode) and self._fits(value, node.type)
        if isinstance(value, NullValueNode):
            return True
        if isinstance(node, ListTypeNode):
            values = value.values if isinstance(value, ListValueNode) else (value,)
            return all(self._fits(each, node.type) for each in values)
        name = named_type(node)
        check = _LITERALS.get(name)
        if check is not None:
            return check(value)
        known = self._types.get(name)
        if known is None:
            return False
        if known.kind is Kind.ENUM:
            return isinstance(value, EnumValueNode) and value.value in known.members
        if known.kind is Kind.INPUT:
            return isinstance(value, ObjectValueNode) and self._fits_input(value, known)
        return known.kind is Kind.SCALAR and _is_literal(value)

    def _fits_input(self, value: ObjectValueNode, known: _Type) -> bool:
        given = {each.name.value: each.value for each in value.fields}
        if len(given) < len(value.fields) or _is_one_of(known):
            return False
        for name, member in known.members.items():
            # for one with a default it depends on who asks in graphql-core
            if name not in given and isinstance(member.type, NonNullTypeNode):
                return False
        return all(name in known.members and self._fits(each, known.members[name].type) for name, each in given.items())


def _check_arguments_of_implementation(own: FieldDefinitionNode, asked: FieldDefinitionNode) -> None:
    declared = {each.name.value: each for each in own.arguments or ()}
    for argument in asked.arguments or ():
        given = declared.pop(argument.name.value, None)
        if given is None:
            raise _DoubtError
        _doubt_if(type_text(given.type) != type_text(argument.type))
    _doubt_if(any(is_required(each.type, each.default_value) for each in declared.values()))


def _is_deprecated(node: FieldDefinitionNode) -> bool:
    return any(each.name.value == "deprecated" for each in node.directives or ())


def _is_one_of(each: _Type) -> bool:
    return any(directive.name.value == "oneOf" for node in each.nodes for directive in node.directives or ())


def _has_objects(value: ValueNode) -> bool:
    if isinstance(value, ListValueNode):
        return any(map(_has_objects, value.values))
    return isinstance(value, ObjectValueNode)


def _is_literal(value: ValueNode) -> bool:
    """What a scalar takes of which nothing is known."""
    if isinstance(value, ListValueNode):
        return all(map(_is_literal, value.values))
    if isinstance(value, ObjectValueNode):
        are_unique = len({each.name.value for each in value.fields}) == len(value.fields)
        return are_unique and all(_is_literal(each.value) for each in value.fields)
    if isinstance(value, IntValueNode | FloatValueNode):
        return len(value.value) < _MAX_DIGITS
    return isinstance(value, StringValueNode | BooleanValueNode | EnumValueNode | NullValueNode)


def _is_int(value: ValueNode) -> bool:
    is_short = isinstance(value, IntValueNode) and len(value.value) < _MAX_DIGITS
    return is_short and -_MAX_INT <= int(value.value) < _MAX_INT  # type: ignore[attr-defined] # an IntValueNode


def _is_float(value: ValueNode) -> bool:
    is_number = isinstance(value, FloatValueNode | IntValueNode) and len(value.value) < _MAX_DIGITS
    return is_number and math.isfinite(float(value.value))  # type: ignore[attr-defined] # a number


_LITERALS: Mapping[str, Callable[[ValueNode], bool]] = {
    "Int": _is_int,
    "Float": _is_float,
    "String": lambda value: isinstance(value, StringValueNode),
    "Boolean": lambda value: isinstance(value, BooleanValueNode),
    "ID": lambda value: isinstance(value, StringValueNode) or _is_int(value),
}
