"""Validated document to one `Operation`: no fragments by name, no duplicates, no impossible types, no literals.

Called by `planning_process.PrepareJob`, after `document`; the planner and the executor's projection both read the result.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import cast

from graphql import (
    BooleanValueNode,
    DirectiveLocation,
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLCompositeType,
    GraphQLField,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    OperationType,
    SchemaMetaFieldDef,
    SelectionSetNode,
    StringValueNode,
    TypeMetaFieldDef,
    TypeNameMetaFieldDef,
    ValueNode,
    VariableNode,
    get_named_type,
    is_composite_type,
    print_ast,
)

from router.errors import DocumentInvalidError, LimitExceededError, OperationNotFoundError
from router.object_types import object_types_of
from router.operation.custom_directives import Applied, CustomDirectives, printed
from router.operation.document import DEFAULT_LIMITS
from router.operation.literals import LiteralLifter, argument_of
from router.operation.operation import Operation, OperationDirective, VariableDefinition
from router.selection_set import Condition, Deferral, Field, InlineFragment, SelectionSet, Streaming

META_FIELDS = {"__typename": TypeNameMetaFieldDef, "__schema": SchemaMetaFieldDef, "__type": TypeMetaFieldDef}

Conditions = tuple[Condition, ...]
#: A selection set, the conditions it is under, and the custom directives of the fragments around it.
_Selected = tuple[SelectionSetNode, Conditions, Applied]


def normalize(
    document: DocumentNode,
    operation_name: str | None,
    api_schema: GraphQLSchema,
    *,
    lift_literals: bool = False,
    keep_incremental: bool = False,
    max_fields: int = DEFAULT_LIMITS.fields,
) -> Operation:
    """Raises OperationNotFoundError, LimitExceededError, or DocumentInvalidError for a reserved alias.

    Example: `{ me { ...F name } } fragment F on User { id name }` becomes `{ me { id name } }`.
    """
    definition = select_operation(document, operation_name)
    custom = CustomDirectives(api_schema)
    client_variables = [
        VariableDefinition(
            node.variable.name.value,
            print_ast(node.type),
            print_ast(node.default_value) if node.default_value is not None else None,
            printed(custom.of_definition(node.directives or ())),
        )
        for node in definition.variable_definitions or ()
    ]
    lifter = LiteralLifter({variable.name for variable in client_variables}) if lift_literals else None
    root = api_schema.get_root_type(definition.operation)
    if root is None:  # validation refuses it earlier; only a caller that skipped validation gets here
        raise OperationNotFoundError(f"The schema has no {definition.operation.value} type.")
    inliner = _Inliner(document, api_schema, lifter, keep_incremental, max_fields)
    selections = inliner.build([(definition.selection_set, (), ())], root, frozenset({root.name}))
    lifted = [VariableDefinition(name, type_text) for name, type_text in lifter.types.items()] if lifter else []
    return Operation(
        definition.operation.value,
        definition.name.value if definition.name else None,
        selections,
        tuple(client_variables + lifted),
        dict(lifter.values) if lifter else {},
        tuple(_operation_directives(definition, custom)),
    )


def _operation_directives(
    definition: OperationDefinitionNode, custom: CustomDirectives
) -> Iterator[OperationDirective]:
    for applied in custom.of_definition(definition.directives or ()):
        types = [each for each in OperationType if custom.allows(applied.name, DirectiveLocation[each.name])]
        yield OperationDirective(applied, frozenset(each.value for each in types))


def select_operation(document: DocumentNode, operation_name: str | None) -> OperationDefinitionNode:
    """The operation of that name, or the only one. Raises OperationNotFoundError."""
    operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    if operation_name:
        for node in operations:
            if node.name and node.name.value == operation_name:
                return node
        raise OperationNotFoundError(f'Unknown operation named "{operation_name}".')
    if not operations:
        raise OperationNotFoundError("The document contains no operation.")
    if len(operations) > 1:
        raise OperationNotFoundError("Must provide operation name if query contains multiple operations.")
    return operations[0]


@dataclass(slots=True)
class _FieldGroup:
    """All occurrences of one response key under the same conditions in one scope."""

    node: FieldNode
    conditions: Conditions
    directives: Applied = ()
    selection_sets: list[_Selected] = field(default_factory=list)
    #: the same field once more, after what may select it too: the order of its subfields depends on it
    continuation: _FieldGroup | None = None

    @property
    def response_key(self) -> str:
        return (self.node.alias or self.node.name).value


@dataclass(slots=True)
class _FragmentGroup:
    """Neighbouring fragments with the same type condition, conditions and (no) deferral."""

    type_condition: GraphQLCompositeType
    possible: frozenset[str]
    conditions: Conditions
    deferral: Deferral | None
    selection_sets: list[_Selected]


_Group = _FieldGroup | _FragmentGroup


def _continued(group: _FieldGroup, groups: dict[object, _Group]) -> _FieldGroup:
    """The group that another occurrence of the field belongs to. It is a new one if a fragment, or the same response
    key under other conditions, stands between the two occurrences; so the order of the client is kept.
    """
    while group.continuation is not None:
        group = group.continuation
    for later in reversed(groups.values()):
        if later is group:
            break
        if isinstance(later, _FragmentGroup) or later.response_key == group.response_key:
            group.continuation = _FieldGroup(group.node, group.conditions, group.directives)
            groups[id(group)] = group.continuation
            return group.continuation
    return group


class _Inliner:
    """Walks selection sets of one operation; holds what does not change on the way."""

    def __init__(
        self,
        document: DocumentNode,
        schema: GraphQLSchema,
        lifter: LiteralLifter | None,
        keep_incremental: bool,
        max_fields: int,
    ) -> None:
        self._schema = schema
        self._lifter = lifter
        self._keep_incremental = keep_incremental
        self._max_fields = max_fields
        self._field_count = 0
        self._custom = CustomDirectives(schema)
        self._fragments = {
            node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)
        }
        self._possible: dict[str, frozenset[str]] = {}

    def build(
        self,
        nodes: list[_Selected],
        parent: GraphQLCompositeType,
        possible: frozenset[str],
        already_selected: frozenset[str] = frozenset(),
    ) -> SelectionSet:
        """One scope: `possible` are the object types that can occur here, narrowed by the fragments around.

        `already_selected` are leaves which the enclosing scope has selected before, without condition.
        """
        groups: dict[object, _Group] = {}
        visited: set[tuple[str, Conditions, Applied]] = set()
        for selected_set in nodes:
            self._collect(selected_set, parent, possible, groups, visited)
        selected = set(already_selected)
        items: list[Field | InlineFragment] = []
        for group in groups.values():
            if isinstance(group, _FragmentGroup):
                items.extend(self._fragment(group, frozenset(selected)))
            else:
                response_key = group.response_key
                if response_key in selected and not group.directives:
                    continue
                if not group.selection_sets and not group.conditions:
                    selected.add(response_key)
                items.append(self._field(group, parent))
        return SelectionSet(tuple(items))

    def _collect(
        self,
        selected: _Selected,
        parent: GraphQLCompositeType,
        possible: frozenset[str],
        groups: dict[object, _Group],
        visited: set[tuple[str, Conditions, Applied]],
    ) -> None:
        selection_set, outer, outer_directives = selected
        for node in selection_set.selections:
            conditions = _conditions_of(node.directives, outer) if node.directives else outer
            if conditions is None:
                continue
            if isinstance(node, FieldNode):
                self._add_field(node, conditions, outer_directives, groups)
                continue
            around = self._custom.joined_around(outer_directives, node.directives)
            deferral = _deferral_of(node.directives or ()) if self._keep_incremental else None
            if isinstance(node, FragmentSpreadNode):
                if deferral is None:
                    if (node.name.value, conditions, around) in visited:
                        continue
                    visited.add((node.name.value, conditions, around))
                fragment = self._fragments[node.name.value]
                type_name: str | None = fragment.type_condition.name.value
                inner = fragment.selection_set
            else:
                assert isinstance(node, InlineFragmentNode)
                type_name = node.type_condition.name.value if node.type_condition else None
                inner = node.selection_set
            condition_type = parent if type_name is None else self._composite(type_name)
            if deferral is None and self._has_all_fields_of(parent, condition_type):
                self._collect((inner, conditions, around), parent, possible, groups, visited)
            else:
                self._add_fragment(condition_type, possible, conditions, deferral, (inner, (), around), groups)

    def _add_field(
        self, node: FieldNode, conditions: Conditions, around: Applied, groups: dict[object, _Group]
    ) -> None:
        response_key = (node.alias or node.name).value
        if response_key.startswith("__"):
            _check_reserved(response_key, node)
        directives = (*around, *self._custom.of_field(node.directives)) if node.directives else around
        always = groups.get((response_key, ()))
        is_apart = bool(conditions and directives) and node.selection_set is None
        if isinstance(always, _FieldGroup) and not is_apart:
            # what is selected anyway carries the conditional rest inside
            if directives:
                always.directives = self._custom.joined(always.directives, directives)
            if node.selection_set is not None:
                last = _continued(always, groups)
                last.selection_sets.append((node.selection_set, conditions, ()))
            return
        group = groups.get((response_key, conditions)) if conditions else always
        if group is None:
            group = groups[response_key, conditions] = _FieldGroup(node, conditions)
        assert isinstance(group, _FieldGroup)
        if directives:
            group.directives = self._custom.joined(group.directives, directives)
        if node.selection_set is not None:
            _continued(group, groups).selection_sets.append((node.selection_set, (), ()))

    def _add_fragment(
        self,
        condition_type: GraphQLCompositeType,
        possible: frozenset[str],
        conditions: Conditions,
        deferral: Deferral | None,
        inner: _Selected,
        groups: dict[object, _Group],
    ) -> None:
        narrowed = possible & self._possible_types(condition_type)
        if not narrowed:
            return
        if len(narrowed) == 1:
            condition_type = self._composite(next(iter(narrowed)))
        last = next(reversed(groups.values()), None)
        if (
            deferral is None
            and isinstance(last, _FragmentGroup)
            and last.deferral is None
            and last.type_condition is condition_type
            and last.conditions == conditions
        ):
            last.selection_sets.append(inner)
            return
        groups[len(groups)] = _FragmentGroup(condition_type, narrowed, conditions, deferral, [inner])

    def _fragment(self, group: _FragmentGroup, already_selected: frozenset[str]) -> Iterator[InlineFragment]:
        selections = self.build(group.selection_sets, group.type_condition, group.possible, already_selected)
        if selections.items:
            yield InlineFragment(group.type_condition.name, selections, group.conditions, group.deferral)

    def _field(self, group: _FieldGroup, parent: GraphQLCompositeType) -> Field:
        self._field_count += 1
        if self._field_count > self._max_fields:
            raise LimitExceededError("FIELD", self._max_fields)
        node, arguments, selections = group.node, group.directives, None
        if node.arguments or group.selection_sets:  # else nobody has to know what the field is
            definition = self._definition_of(node, parent)
            if node.arguments:
                given = sorted(node.arguments, key=lambda argument: argument.name.value)
                arguments = (
                    *[argument_of(each, definition.args[each.name.value], self._lifter) for each in given],
                    *arguments,
                )
            named = get_named_type(definition.type)
            if group.selection_sets and is_composite_type(named):
                selections = self.build(group.selection_sets, named, self._possible_types(named))
        response_key = (node.alias or node.name).value
        streaming = _streaming_of(node.directives) if self._keep_incremental and node.directives else None
        return Field(node.name.value, response_key, arguments, selections, group.conditions, streaming)

    def _definition_of(self, node: FieldNode, parent: GraphQLCompositeType) -> GraphQLField:
        if node.name.value in META_FIELDS:
            return META_FIELDS[node.name.value]
        assert not isinstance(parent, GraphQLUnionType)
        definition: GraphQLField = parent.fields[node.name.value]
        return definition

    def _composite(self, name: str) -> GraphQLCompositeType:
        return cast(GraphQLCompositeType, self._schema.type_map[name])

    def _possible_types(self, type_: GraphQLCompositeType) -> frozenset[str]:
        if type_.name not in self._possible:
            self._possible[type_.name] = frozenset(each.name for each in object_types_of(self._schema, type_))
        return self._possible[type_.name]

    def _has_all_fields_of(self, parent: GraphQLCompositeType, condition_type: GraphQLCompositeType) -> bool:
        """Whether a fragment on `condition_type` narrows nothing and its fields can be read from `parent` itself."""
        if parent is condition_type:
            return True
        if isinstance(parent, GraphQLUnionType) or isinstance(condition_type, GraphQLObjectType):
            return False
        if isinstance(condition_type, GraphQLUnionType):
            return isinstance(parent, GraphQLObjectType) and parent in condition_type.types
        return condition_type in parent.interfaces


def _check_reserved(response_key: str, node: FieldNode) -> None:
    """`__typename: id` would lie to everything that decides by type. Raises DocumentInvalidError."""
    if node.name.value not in META_FIELDS:
        message = f'The alias "{response_key}" is reserved: names that begin with "__" belong to introspection.'
        raise DocumentInvalidError([(message, [])])


def _conditions_of(directives: Iterable[DirectiveNode], outer: Conditions) -> Conditions | None:
    """`outer` and the node's own `@skip`/`@include`; None where the node can never be included."""
    conditions = outer
    for directive in directives:
        if directive.name.value not in ("skip", "include"):
            continue
        inverted = directive.name.value == "skip"
        value = (directive.arguments or ())[0].value
        if isinstance(value, BooleanValueNode):
            if value.value == inverted:
                return None
        elif isinstance(value, VariableNode):
            condition = Condition(value.name.value, inverted)
            if Condition(condition.variable, not inverted) in conditions:
                return None
            if condition not in conditions:
                conditions = (*conditions, condition)
    return conditions


def _deferral_of(directives: Iterable[DirectiveNode]) -> Deferral | None:
    arguments = _incremental_arguments(directives, "defer")
    if arguments is None:
        return None
    label, condition, _ = arguments
    return Deferral(label, condition)


def _streaming_of(directives: Iterable[DirectiveNode]) -> Streaming | None:
    """Raises DocumentInvalidError for a negative number of items."""
    arguments = _incremental_arguments(directives, "stream")
    if arguments is None:
        return None
    label, condition, count = arguments
    if isinstance(count, VariableNode):
        return Streaming(count.name.value, label, condition)
    initial_count = int(count.value) if isinstance(count, IntValueNode) else 0
    if initial_count < 0:
        raise DocumentInvalidError([("The initialCount of @stream cannot be negative.", [])])
    return Streaming(initial_count, label, condition)


def _incremental_arguments(
    directives: Iterable[DirectiveNode], name: str
) -> tuple[str | None, Condition | None, ValueNode | None] | None:
    """Label, `if` and `initialCount`; None where the directive is missing or switched off."""
    for directive in directives:
        if directive.name.value != name:
            continue
        arguments = {argument.name.value: argument.value for argument in directive.arguments or ()}
        label, decision = arguments.get("label"), arguments.get("if")
        if isinstance(decision, BooleanValueNode) and not decision.value:
            return None
        return (
            label.value if isinstance(label, StringValueNode) else None,
            Condition(decision.name.value) if isinstance(decision, VariableNode) else None,
            arguments.get("initialCount"),
        )
    return None
