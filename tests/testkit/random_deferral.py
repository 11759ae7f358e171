"""Puts `@defer` and `@stream` in random places of an operation, some of them with variables for `if` and `initialCount`, and takes
them all out again.

Used by the property test.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from random import Random
from typing import Any, TypeVar

from graphql import (
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    TypeInfo,
    TypeInfoVisitor,
    VariableDefinitionNode,
    Visitor,
    get_nullable_type,
    is_list_type,
    parse,
    print_ast,
    validate,
    visit,
)

from router.operation.document import with_incremental_directives
from tests.testkit.random_operation import RandomOperation

_Fragment = TypeVar("_Fragment", InlineFragmentNode, FragmentSpreadNode)

#: What the names of variables begin with that the directives bring along.
_OWN = "later"


def deferring(operation: RandomOperation, schema: GraphQLSchema, rng: Random) -> RandomOperation | None:
    """The operation with some of it to come later; None where that did not lead to a valid one."""
    for _ in range(5):
        type_info = TypeInfo(schema)
        placer = _Placer(type_info, rng)
        document = visit(parse(operation.text, no_location=True), TypeInfoVisitor(type_info, placer))
        document = _declaring(document, placer.types)
        if placer.count and not validate(with_incremental_directives(schema), document):
            return RandomOperation(print_ast(document), operation.variables | placer.values)
    return None


def is_deferring(operation: RandomOperation) -> bool:
    return "@defer" in operation.text or "@stream" in operation.text


def without_deferral(operation: RandomOperation) -> RandomOperation:
    """The plain operation, for who knows neither directive."""
    text = print_ast(visit(parse(operation.text, no_location=True), _Remover()))
    variables = {name: value for name, value in operation.variables.items() if not name.startswith(_OWN)}
    return RandomOperation(text, variables)


def with_other_values(operation: RandomOperation, rng: Random) -> RandomOperation:
    """The same text with other values of the variables that its directives brought along."""
    values = {
        name: (not value if value.__class__ is bool else rng.choice((0, 1, 2))) if name.startswith(_OWN) else value
        for name, value in operation.variables.items()
    }
    return RandomOperation(operation.text, values)


def _declaring(document: DocumentNode, types: dict[str, str]) -> DocumentNode:
    if not types:
        return document
    declared: Any = parse(
        f"query ({' '.join(f'${name}: {type_}' for name, type_ in types.items())}) {{ x }}"
    ).definitions[0]
    definitions = [
        replace(each, variable_definitions=(*(each.variable_definitions or ()), *declared.variable_definitions))
        if isinstance(each, OperationDefinitionNode)
        else each
        for each in document.definitions
    ]
    return replace(document, definitions=tuple(definitions))


@dataclass
class _Placer(Visitor):
    type_info: TypeInfo
    rng: Random
    count: int = 0
    types: dict[str, str] = field(default_factory=dict)  # of variables that the directives use
    values: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__init__()
        self._is_mutation = False
        self._depth = 0

    def enter_operation_definition(self, node: OperationDefinitionNode, *_: Any) -> None:
        self._is_mutation = node.operation is OperationType.MUTATION
        self._depth = 0

    def enter_fragment_definition(self, _: FragmentDefinitionNode, *__: Any) -> None:
        self._depth = 1

    def enter_field(self, *_: Any) -> None:
        self._depth += 1

    def leave_field(self, node: FieldNode, *_: Any) -> FieldNode | None:
        self._depth -= 1
        type_ = self.type_info.get_type()
        if type_ is None or not is_list_type(get_nullable_type(type_)) or self.rng.random() > 0.25:
            return None
        if self._is_mutation and self._depth == 0:
            return None
        count: int | str = self.rng.choice((0, 0, 1, 2))
        if self.rng.random() < 0.2:
            count = self._variable("Int!", count)
        directive = self._directive("stream", f"initialCount: {count}")
        return replace(node, directives=(*(node.directives or ()), directive))

    def leave_selection_set(self, node: SelectionSetNode, *_: Any) -> SelectionSetNode | None:
        if (self._is_mutation and self._depth == 0) or self.rng.random() > 0.35:
            return None
        items = list(node.selections)
        begin = self.rng.randrange(len(items))
        end = self.rng.randint(begin + 1, len(items))
        inner = SelectionSetNode(selections=tuple(items[begin:end]))
        later = InlineFragmentNode(directives=(self._directive("defer"),), selection_set=inner)
        if self.rng.random() < 0.15:  # some of it at once too
            items[begin:end] = [*items[begin:end], later]
        else:
            items[begin:end] = [later]
        return SelectionSetNode(selections=tuple(items))

    def leave_inline_fragment(self, node: InlineFragmentNode, *_: Any) -> InlineFragmentNode | None:
        return self._deferred(node)

    def leave_fragment_spread(self, node: FragmentSpreadNode, *_: Any) -> FragmentSpreadNode | None:
        return self._deferred(node)

    def _deferred(self, node: _Fragment) -> _Fragment | None:
        is_taken = any(each.name.value == "defer" for each in node.directives or ())
        if is_taken or (self._is_mutation and self._depth == 0) or self.rng.random() > 0.2:
            return None
        return replace(node, directives=(*(node.directives or ()), self._directive("defer")))

    def _directive(self, name: str, arguments: str = "") -> DirectiveNode:
        self.count += 1
        if self.rng.random() < 0.5:
            arguments += f' label: "{name}{self.count}"'
        if self.rng.random() < 0.3:
            holds = self.rng.random() < 0.7
            literal = "true" if holds else "false"
            arguments += f" if: {literal if self.rng.random() < 0.5 else self._variable('Boolean!', holds)}"
        text = f"{{ x @{name}{f'({arguments})' if arguments else ''} }}"
        parsed: Any = parse(text, no_location=True).definitions[0].selection_set.selections[0]  # type: ignore[attr-defined]
        directive: DirectiveNode = parsed.directives[0]
        return directive

    def _variable(self, type_: str, value: object) -> str:
        name = f"{_OWN}{len(self.types)}"
        self.types[name], self.values[name] = type_, value
        return f"${name}"


class _Remover(Visitor):
    def enter_variable_definition(self, node: VariableDefinitionNode, *_: Any) -> Any:
        return self.REMOVE if node.variable.name.value.startswith(_OWN) else None

    def enter_directive(self, node: DirectiveNode, *_: Any) -> Any:
        return self.REMOVE if node.name.value in ("defer", "stream") else None
