"""What may stand where in the answer to an operation, told by graphql-core and the operation alone.

`lies` judges by it answers that cannot be compared with a monolith's.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from graphql import (
    DocumentNode,
    ExecutionResult,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLNonNull,
    GraphQLResolveInfo,
    GraphQLSchema,
    InlineFragmentNode,
    NameNode,
    OperationDefinitionNode,
    SelectionSetNode,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    execute,
    get_named_type,
    get_nullable_type,
    is_abstract_type,
    is_leaf_type,
    is_list_type,
    parse,
    print_ast,
    visit,
)

Path = tuple[str | int, ...]


def with_type_names(operation: str, schema: GraphQLSchema) -> str:
    """The operation, asking for `__typename` wherever an object may be of several types."""
    info = TypeInfo(schema)

    class Adder(Visitor):
        def leave_selection_set(self, node: SelectionSetNode, *_: Any) -> SelectionSetNode | None:
            if not is_abstract_type(info.get_parent_type()):
                return None
            return SelectionSetNode(selections=(*node.selections, FieldNode(name=NameNode(value="__typename"))))

    return print_ast(visit(parse(operation), TypeInfoVisitor(info, Adder())))


def is_own_answer(data: Any, schema: GraphQLSchema, document: DocumentNode, variables: dict[str, Any]) -> list[str]:
    """What is wrong with `data` as the answer to an operation `with_type_names`: graphql-core, asked to execute the
    operation over the answer itself, must say the same, and have no complaint.
    """
    complaints: list[str] = []

    def resolve(source: Any, info: GraphQLResolveInfo[Any], **_: Any) -> Any:
        value = source[info.path.key]
        named = get_named_type(info.return_type)
        if is_leaf_type(named) and not _is_of(value, get_nullable_type(info.return_type), named.name):
            complaints.append(f"{info.path.as_list()} is no {info.return_type}: {value!r:.80}")
        return value

    result = execute(
        schema,
        document,
        root_value=data,
        variable_values=variables,
        field_resolver=resolve,
        type_resolver=lambda value, *_: value["__typename"],
    )
    assert isinstance(result, ExecutionResult)
    complaints += [f"{error.path}: {error.message}" for error in result.errors or ()]
    if not complaints and result.data != data:
        complaints.append(f"has more than was asked for: {result.data}")
    return complaints


def _is_of(value: Any, type_: Any, name: str) -> bool:
    if value is None:
        return True
    if is_list_type(type_):
        return isinstance(value, list) and all(_is_of(item, get_nullable_type(type_.of_type), name) for item in value)
    kinds = {"Int": int, "ID": str, "String": str, "Boolean": bool, "Float": (int, float)}
    return isinstance(value, kinds.get(name, object)) and (
        name == "Boolean" or value.__class__ is not bool or name not in kinds
    )


@dataclass(slots=True)
class Shape:
    """One place of the answer: its type, and what may stand below it by response key."""

    type_: Any
    below: dict[str, Shape] = field(default_factory=dict)

    def at(self, path: Path) -> list[Any] | None:
        """The types on the way from the root to the path, the root's left out; None where nothing can stand there."""
        shape, type_, types = self, self.type_, []
        for step in path:
            plain = get_nullable_type(type_)
            if isinstance(step, int):
                if not is_list_type(plain) or step < 0:
                    return None
                type_ = plain.of_type
            else:
                if is_list_type(plain) or step not in shape.below:
                    return None
                shape = shape.below[step]
                type_ = shape.type_
            types.append(type_)
        return types


def shape_of(document: DocumentNode, schema: GraphQLSchema) -> Shape:
    """All fields of all types that the operation names, conditions or not."""
    fragments = {each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)}

    def fill(shape: Shape, parent: Any, selections: SelectionSetNode) -> None:
        for item in selections.selections:
            if isinstance(item, FieldNode):
                key = (item.alias or item.name).value
                definition = schema.get_field(parent, item.name.value)
                assert definition is not None
                inner = shape.below.setdefault(key, Shape(definition.type))
                if item.selection_set is not None:
                    fill(inner, get_named_type(definition.type), item.selection_set)
            elif isinstance(item, InlineFragmentNode):
                condition = item.type_condition
                fill(shape, schema.type_map[condition.name.value] if condition else parent, item.selection_set)
            else:
                fragment = fragments[item.name.value]  # type: ignore[union-attr]
                fill(shape, schema.type_map[fragment.type_condition.name.value], fragment.selection_set)

    operation = next(each for each in document.definitions if isinstance(each, OperationDefinitionNode))
    root = schema.get_root_type(operation.operation)
    shape = Shape(root)
    fill(shape, root, operation.selection_set)
    return shape


def is_non_null(type_: Any) -> bool:
    return isinstance(type_, GraphQLNonNull)
