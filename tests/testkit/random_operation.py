"""Random valid operations over any schema: aliases, fragments, variables, conditions, arguments of every kind.

Used by the property test; needs only the API schema and a seeded `Random`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from graphql import (
    BooleanValueNode,
    DirectiveNode,
    DocumentNode,
    GraphQLArgument,
    GraphQLCompositeType,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLSchema,
    OperationDefinitionNode,
    OverlappingFieldsCanBeMergedRule,
    Undefined,
    VariableNode,
    Visitor,
    get_named_type,
    is_abstract_type,
    is_composite_type,
    is_enum_type,
    is_input_object_type,
    is_list_type,
    is_non_null_type,
    is_required_argument,
    is_union_type,
    parse,
    print_ast,
    validate,
    visit,
)

ALIASES = ("a", "b", "id", "f0", "x1")


@dataclass(frozen=True, slots=True)
class RandomOperation:
    text: str
    variables: dict[str, Any]


def random_operation(schema: GraphQLSchema, rng: Random) -> RandomOperation:
    """A valid operation; tries bold ones (conflicting aliases) first and tamer ones when they do not validate."""
    for attempt in range(20):
        alias_chance = (0.2, 0.1, 0.03, 0.0)[min(attempt // 2, 3)]
        depth = rng.randint(3, 6) if attempt < 12 else 2
        condition_chance = rng.choice((0.05, 0.05, 0.25, 0.4))
        operation = _Writer(schema, rng, alias_chance, condition_chance).write(depth)
        if not validate(
            schema, parse(operation.text), [OverlappingFieldsCanBeMergedRule]
        ):  # the rest holds by construction
            return operation
    return RandomOperation("{ __typename }", {})


def with_decided_conditions(operation: RandomOperation) -> RandomOperation:
    """The operation with the values of variables written into `@skip` and `@include`."""
    decider = _Decider(operation.variables)
    document = visit(parse(operation.text, no_location=True), decider)
    used = _VariablesInUse()
    visit(document, used)
    (definition,) = (node for node in document.definitions if isinstance(node, OperationDefinitionNode))
    kept = tuple(each for each in definition.variable_definitions or () if each.variable.name.value in used.names)
    decided = replace(definition, variable_definitions=kept)
    others = tuple(node for node in document.definitions if node is not definition)
    text = print_ast(DocumentNode(definitions=(decided, *others)))
    return RandomOperation(text, {name: value for name, value in operation.variables.items() if name in used.names})


class _Decider(Visitor):
    def __init__(self, variables: dict[str, Any]) -> None:
        super().__init__()
        self.variables = variables

    def enter_directive(self, node: DirectiveNode, *_: Any) -> DirectiveNode | None:
        value = node.arguments[0].value if node.arguments and node.name.value in ("skip", "include") else None
        if not isinstance(value, VariableNode):
            return None
        literal = BooleanValueNode(value=bool(self.variables[value.name.value]))
        return replace(node, arguments=(replace(node.arguments[0], value=literal),))


class _VariablesInUse(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def enter_variable_definition(self, *_: Any) -> Any:
        return self.SKIP

    def enter_variable(self, node: VariableNode, *_: Any) -> None:
        self.names.add(node.name.value)


@dataclass(slots=True)
class _Writer:
    schema: GraphQLSchema
    rng: Random
    alias_chance: float
    condition_chance: float = 0.05
    variables: dict[str, tuple[str, Any]] = field(default_factory=dict)  # name -> (type and default, value)
    fragments: dict[str, tuple[str, str]] = field(default_factory=dict)  # name -> (type, selection set)
    size: int = 0

    def write(self, depth: int) -> RandomOperation:
        is_mutation = self.schema.mutation_type is not None and self.rng.random() < 0.15
        root = self.schema.mutation_type if is_mutation else self.schema.query_type
        assert root is not None
        selections = self._selection_set(root, depth)
        declared = ", ".join(f"${name}: {kind}" for name, (kind, _) in self.variables.items())
        head = f"{'mutation' if is_mutation else 'query'} Op{f'({declared})' if declared else ''}"
        fragments = "".join(f"\nfragment {name} on {kind} {body}" for name, (kind, body) in self.fragments.items())
        values = {name: value for name, (_, value) in self.variables.items() if value is not Undefined}
        return RandomOperation(f"{head} {selections}{fragments}", values)

    def _selection_set(self, parent: GraphQLCompositeType, depth: int) -> str:
        count = self.rng.choice((1, 2, 3, 3, 4, 5))
        items = [self._item(parent, depth) for _ in range(count)]
        return "{ " + " ".join(item for item in items if item) + " }" if any(items) else "{ __typename }"

    def _item(self, parent: GraphQLCompositeType, depth: int) -> str:
        roll = self.rng.random()
        self.size += 1
        if roll < (0.16 if is_abstract_type(parent) else 0.08):
            return f"{self._alias()}__typename{self._conditions()}"
        if is_union_type(parent) or roll < (0.55 if is_abstract_type(parent) else 0.2):
            return self._fragment(parent, depth)
        return self._field(parent, depth)

    def _fragment(self, parent: GraphQLCompositeType, depth: int) -> str:
        target = self._fragment_type(parent)
        reusable = [name for name, (kind, _) in self.fragments.items() if kind == target.name]
        if reusable and self.rng.random() < 0.5:
            return f"...{self.rng.choice(reusable)}{self._conditions()}"
        body = self._selection_set(target, depth)
        if self.rng.random() < 0.3:
            name = f"F{len(self.fragments)}"
            self.fragments[name] = (target.name, body)
            return f"...{name}{self._conditions()}"
        condition = "" if target is parent and self.rng.random() < 0.3 else f" on {target.name}"
        return f"...{condition}{self._conditions()} {body}"

    def _fragment_type(self, parent: GraphQLCompositeType) -> GraphQLCompositeType:
        """The parent, one of its possible types, or an abstract type that overlaps with it."""
        possible = list(self.schema.get_possible_types(parent)) if is_abstract_type(parent) else [parent]
        abstract = [
            t
            for t in self.schema.type_map.values()
            if is_abstract_type(t) and set(self.schema.get_possible_types(t)) & set(possible)
        ]
        choices: list[Any] = [*possible, *possible, *abstract, *(abstract if possible != [parent] else ()), parent]
        return self.rng.choice(choices)  # type: ignore[no-any-return]

    def _field(self, parent: Any, depth: int) -> str:
        fields: dict[str, GraphQLField] = parent.fields
        composite = {n: f for n, f in fields.items() if is_composite_type(get_named_type(f.type))}
        leaves = {n: f for n, f in fields.items() if n not in composite}
        pool = composite if composite and depth > 0 and (not leaves or self.rng.random() < 0.6) else leaves
        if depth < 0 or self.size > 70:
            pool = leaves
        if not pool:
            return f"{self._alias()}__typename"
        name = self.rng.choice(list(pool))
        directives = "" if is_composite_type(get_named_type(pool[name].type)) else self._executable()
        text = f"{self._alias()}{name}{self._arguments(pool[name].args)}{directives}{self._conditions()}"
        named = get_named_type(pool[name].type)
        return f"{text} {self._selection_set(named, depth - 1)}" if is_composite_type(named) else text

    def _executable(self) -> str:
        """A custom directive, where the graph has one."""
        directive = self.schema.get_directive("fmt")
        if directive is None or self.rng.random() > 0.15:
            return ""
        times = self.rng.choice((1, 1, 2))
        return "".join(f" @fmt{self._arguments(directive.args)}" for _ in range(times))

    def _alias(self) -> str:
        roll = self.rng.random()
        if roll < self.alias_chance:
            return f"{self.rng.choice(ALIASES)}: "
        return f"u{self.size}: " if roll < self.alias_chance + 0.15 else ""

    def _conditions(self) -> str:
        text = ""
        for directive in ("skip", "include"):
            if self.rng.random() < self.condition_chance:
                value = self.rng.choice((True, False))
                written = self._variable("Boolean!", value) if self.rng.random() < 0.7 else str(value).lower()
                text += f" @{directive}(if: {written})"
        return text

    # --- arguments

    def _arguments(self, arguments: dict[str, GraphQLArgument]) -> str:
        parts = []
        for name, argument in arguments.items():
            if is_required_argument(argument) or self.rng.random() < 0.6:
                parts.append(f"{name}: {self._input(argument.type, 2)}")
        return f"({', '.join(parts)})" if parts else ""

    def _input(self, kind: GraphQLInputType, depth: int) -> str:
        """A literal, or a variable that is declared on the way."""
        rng = self.rng
        if rng.random() < 0.35:
            return self._input_variable(kind, depth)
        if is_non_null_type(kind):
            return self._input_non_null(kind.of_type, depth)
        return "null" if rng.random() < 0.1 else self._input_non_null(kind, depth)

    def _input_non_null(self, kind: Any, depth: int) -> str:
        if is_list_type(kind):
            count = self.rng.choice((0, 1, 2))
            return "[" + ", ".join(self._input(kind.of_type, depth - 1) for _ in range(count)) + "]"
        if is_input_object_type(kind):
            return self._input_object(kind, depth)
        value = self._non_null_value(kind, depth)
        if is_enum_type(kind):
            return str(value)
        if kind.name in LARGE_LITERALS and self.rng.random() < 0.2:
            return self.rng.choice(LARGE_LITERALS[kind.name])
        return _literal(value)

    def _input_object(self, kind: GraphQLInputObjectType, depth: int) -> str:
        parts = []
        for name, item in kind.fields.items():
            nested = is_input_object_type(get_named_type(item.type))
            required = is_non_null_type(item.type) and item.default_value is Undefined
            if required or (self.rng.random() < 0.5 and (depth > 0 or not nested)):
                parts.append(f"{name}: {self._input(item.type, depth - 1)}")
        return "{" + ", ".join(parts) + "}"

    def _input_variable(self, kind: GraphQLInputType, depth: int) -> str:
        value = self._value(kind, depth)
        if is_non_null_type(kind):
            return self._variable(str(kind), value)
        roll = self.rng.random()
        if roll < 0.2:
            return self._variable(str(kind), Undefined)
        if roll < 0.4 and get_named_type(kind).name in ("Int", "String"):
            default = self._value(kind, depth)
            return self._variable(f"{kind} = {_literal(default)}", self.rng.choice((value, None, Undefined)))
        return self._variable(str(kind), value)

    def _variable(self, kind: str, value: Any) -> str:
        same = [name for name, declared in self.variables.items() if declared[0] == kind]
        if same and self.rng.random() < 0.4:
            return f"${self.rng.choice(same)}"
        name = f"v{len(self.variables)}"
        self.variables[name] = (kind, value)
        return f"${name}"

    def _value(self, kind: Any, depth: int) -> Any:
        rng = self.rng
        if is_non_null_type(kind):
            return self._non_null_value(kind.of_type, depth)
        return None if rng.random() < 0.1 else self._non_null_value(kind, depth)

    def _non_null_value(self, kind: Any, depth: int) -> Any:
        rng = self.rng
        if is_list_type(kind):
            return [self._value(kind.of_type, depth - 1) for _ in range(rng.choice((0, 1, 2)))]
        if isinstance(kind, GraphQLEnumType):
            return rng.choice(list(kind.values))
        if isinstance(kind, GraphQLInputObjectType):
            names = [n for n, f in kind.fields.items() if depth > 0 or not is_input_object_type(get_named_type(f.type))]
            return {n: self._value(kind.fields[n].type, depth - 1) for n in names if rng.random() < 0.5}
        choices: dict[str, tuple[Any, ...]] = {
            "Int": (0, 1, 2, -3, 2**31 - 1, -(2**31)),
            "Float": (0.5, 2, -1.25, 1, 1.0, -0.0, 0.0, 2**53, 1e23, 5e-324),
            "Boolean": (True, False),
            "ID": ("1", "x"),
            "String": ("", "é", 'q"uote', "two\nlines", "1", "true", "\x00"),
        }
        return rng.choice(choices.get(kind.name, ({"k": [1, None]}, "text", 3, True, 1, 1.0, -0.0, 2**64, -(10**29))))


#: What servers take as literals and not as variables: integers that are no doubles, and numbers for IDs.
LARGE_LITERALS = {
    "Float": ("9007199254740993", "18446744073709551616", "-9223372036854775809", "-0", "-0.0", "1"),
    "ID": ("123456789012345678901234567890", "-0", "7"),
}


def _literal(value: Any) -> str:
    """A JSON-like value as a GraphQL literal."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {_literal(item)}" for name, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_literal(item) for item in value) + "]"
    return json.dumps(value, ensure_ascii=False)
