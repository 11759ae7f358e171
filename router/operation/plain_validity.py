"""A cheap proof that an ordinary document is valid. What it cannot prove goes to graphql-core's rules, which word the errors.

`document.validate_document` asks it first. It may leave open what is valid, but never accepts what the rules refuse:
`tests/unit/router/operation/test_plain_validity.py` holds it to that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from graphql import (
    BooleanValueNode,
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLBoolean,
    GraphQLCompositeType,
    GraphQLField,
    GraphQLIncludeDirective,
    GraphQLInputType,
    GraphQLNonNull,
    GraphQLSchema,
    GraphQLSkipDirective,
    GraphQLUnionType,
    InlineFragmentNode,
    ListValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    OperationType,
    SelectionNode,
    SelectionSetNode,
    TypeNameMetaFieldDef,
    ValueNode,
    VariableNode,
    do_types_overlap,
    get_named_type,
    is_composite_type,
    is_equal_type,
    is_input_type,
    is_leaf_type,
    is_required_argument,
    is_type_sub_type_of,
    print_ast,
    type_from_ast,
    validate_input_literal,
)

#: A selection inside fragments is visited once for each spread that leads to it; more visits cost more than the rules.
MAX_VISITS = 2_000
#: Half of what graphql-core's rules allow.
MAX_DEPTH = 100

_CONDITIONS = {"skip": GraphQLSkipDirective, "include": GraphQLIncludeDirective}
_DECISION = GraphQLNonNull(GraphQLBoolean)


def is_plainly_valid(document: DocumentNode, schema: GraphQLSchema) -> bool:
    """True: the specification's rules find nothing. False: ask them.

    Left to them are subscriptions, introspection, all directives but `@skip` and `@include`, variables inside lists and
    objects, and equal response keys where more than a glance is needed to see that they merge.
    """
    try:
        _Proof(document, schema).of_document()
    except (_UnprovenError, RecursionError):
        return False
    return True


class _UnprovenError(Exception):
    """The document may be valid or not."""


def _require(proven: object) -> None:
    if not proven:
        raise _UnprovenError


@dataclass(slots=True)
class _Selected:
    """One selection set in its place: the type it selects from, the fragments around it, and how deep it is nested."""

    node: SelectionSetNode
    parent: GraphQLCompositeType
    around: tuple[str, ...] = ()
    depth: int = 1


@dataclass(slots=True)
class _Merged:
    """All occurrences of one response key in one scope: the first one, and what all of them select below."""

    node: FieldNode
    definition: GraphQLField
    below: list[_Selected]


class _Proof:
    """Walks each operation once, as it is executed: scope by scope, with fragments in the place of their spreads.

    So one walk sees what the rules need many for: whether the fields exist, which variables and fragments are used, and
    which fields come together in one response key. Every method raises _UnprovenError where something is not as usual.
    """

    def __init__(self, document: DocumentNode, schema: GraphQLSchema) -> None:
        self._document = document
        self._schema = schema
        self._fragments: dict[str, FragmentDefinitionNode] = {}
        self._spread: set[str] = set()  # names of fragments
        self._variables: dict[str, GraphQLInputType] = {}
        self._used: set[str] = set()  # names of variables
        self._visits = 0

    def of_document(self) -> None:
        operations = []
        for node in self._document.definitions:
            if isinstance(node, OperationDefinitionNode):
                operations.append(node)
            else:
                _require(isinstance(node, FragmentDefinitionNode))
                self._add_fragment(cast(FragmentDefinitionNode, node))
        if len(operations) > 1:
            names = {node.name.value for node in operations if node.name is not None}
            _require(len(names) == len(operations))
        for node in operations:
            self._of_operation(node)
        _require(self._spread == self._fragments.keys())

    def _add_fragment(self, node: FragmentDefinitionNode) -> None:
        name = node.name.value
        _require(name not in self._fragments and not node.directives and not node.variable_definitions)
        self._fragments[name] = node

    def _of_operation(self, node: OperationDefinitionNode) -> None:
        root = self._schema.get_root_type(node.operation)
        _require(root is not None and node.operation is not OperationType.SUBSCRIPTION and not node.directives)
        self._variables, self._used = {}, set()
        for each in node.variable_definitions or ():
            name, type_ = each.variable.name.value, type_from_ast(self._schema, each.type)
            _require(is_input_type(type_) and name not in self._variables and not each.directives)
            self._variables[name] = cast(GraphQLInputType, type_)
            if each.default_value is not None:
                self._of_constant(each.default_value, self._variables[name])
        self._of_scope([_Selected(node.selection_set, cast(GraphQLCompositeType, root))])
        _require(self._used == self._variables.keys())

    def _of_scope(self, selected: list[_Selected]) -> None:
        """Selection sets whose fields stand in one object of the answer, and all below."""
        found: dict[str, _Merged] = {}
        for each in selected:
            self._collect(each, found)
        for merged in found.values():
            if merged.below:
                self._of_scope(merged.below)

    def _collect(self, selected: _Selected, found: dict[str, _Merged]) -> None:
        selections = selected.node.selections
        self._visits += len(selections)
        _require(selected.depth <= MAX_DEPTH and self._visits <= MAX_VISITS)
        for node in selections:
            if node.directives:
                self._of_conditions(node.directives)
            if isinstance(node, FieldNode):
                self._of_field(node, selected, found)
            else:
                self._collect(self._of_fragment(node, selected), found)

    def _of_fragment(self, node: SelectionNode, selected: _Selected) -> _Selected:
        """What a fragment, inline or by name, selects in this place."""
        around = selected.around
        if isinstance(node, InlineFragmentNode):
            inner, condition = node.selection_set, node.type_condition
        else:
            name = cast(FragmentSpreadNode, node).name.value
            _require(name in self._fragments and name not in around)
            self._spread.add(name)
            around = (*around, name)
            inner, condition = self._fragments[name].selection_set, self._fragments[name].type_condition
        parent = selected.parent if condition is None else self._narrowed(selected.parent, condition.name.value)
        return _Selected(inner, parent, around, selected.depth + 1)

    def _narrowed(self, parent: GraphQLCompositeType, type_name: str) -> GraphQLCompositeType:
        type_ = self._schema.type_map.get(type_name)
        if type_ is parent:
            return parent
        _require(is_composite_type(type_))
        narrowed = cast(GraphQLCompositeType, type_)
        _require(do_types_overlap(self._schema, narrowed, parent))
        return narrowed

    def _of_field(self, node: FieldNode, selected: _Selected, found: dict[str, _Merged]) -> None:
        name = node.name.value
        if name == "__typename":
            definition = TypeNameMetaFieldDef
        elif isinstance(selected.parent, GraphQLUnionType) or name not in selected.parent.fields:
            raise _UnprovenError
        else:
            definition = selected.parent.fields[name]
        if node.arguments or definition.args:
            self._of_arguments(node, definition)
        type_ = get_named_type(definition.type)
        if (node.selection_set is None) != is_leaf_type(type_):
            raise _UnprovenError
        key = name if node.alias is None else node.alias.value
        merged = found.get(key)
        if merged is None:
            merged = found[key] = _Merged(node, definition, [])
        elif merged.node is not node:
            _require(_is_same_field(merged.node, node) and is_equal_type(merged.definition.type, definition.type))
        if node.selection_set is not None:
            below = _Selected(
                node.selection_set, cast(GraphQLCompositeType, type_), selected.around, selected.depth + 1
            )
            merged.below.append(below)

    def _of_arguments(self, node: FieldNode, definition: GraphQLField) -> None:
        given = {argument.name.value: argument.value for argument in node.arguments or ()}
        _require(len(given) == len(node.arguments or ()) and given.keys() <= definition.args.keys())
        for name, argument in definition.args.items():
            if name in given:
                self._of_value(given[name], argument.type)
            else:
                _require(not is_required_argument(argument))

    def _of_conditions(self, directives: tuple[DirectiveNode, ...]) -> None:
        names = {directive.name.value for directive in directives}
        _require(len(names) == len(directives))
        for directive in directives:
            known = _CONDITIONS.get(directive.name.value)
            _require(known is not None and self._schema.get_directive(directive.name.value) is known)
            arguments = directive.arguments or ()
            _require(len(arguments) == 1 and arguments[0].name.value == "if")
            if not isinstance(arguments[0].value, BooleanValueNode):
                self._of_value(arguments[0].value, _DECISION)

    def _of_value(self, node: ValueNode, type_: GraphQLInputType) -> None:
        if isinstance(node, VariableNode):
            variable = self._variables.get(node.name.value)
            _require(variable is not None and is_type_sub_type_of(self._schema, variable, type_))
            self._used.add(node.name.value)
        else:
            self._of_constant(node, type_)

    def _of_constant(self, node: ValueNode, type_: GraphQLInputType) -> None:
        _require(_is_constant(node))
        wrong: list[object] = []
        validate_input_literal(node, type_, lambda error, _: wrong.append(error))
        _require(not wrong)


def _is_constant(node: ValueNode) -> bool:
    """Whether there is no variable in it, nor a name twice in one object."""
    if isinstance(node, ListValueNode):
        return all(map(_is_constant, node.values))
    if isinstance(node, ObjectValueNode):
        names = {each.name.value for each in node.fields}
        return len(names) == len(node.fields) and all(_is_constant(each.value) for each in node.fields)
    return not isinstance(node, VariableNode)


def _is_same_field(one: FieldNode, other: FieldNode) -> bool:
    if one.name.value != other.name.value:
        return False
    if not one.arguments and not other.arguments:
        return True
    return sorted(map(print_ast, one.arguments or ())) == sorted(map(print_ast, other.arguments or ()))
