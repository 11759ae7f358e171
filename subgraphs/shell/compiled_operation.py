"""What an operation of a document collects from each type of object, worked out once and kept with the document.

Made and kept by `graphql_schema`, run by `query_execution`. graphql-core collects the fields of every selection anew for each
request, asks the schema for each field of each object, and coerces arguments that are the same every time. What is collected
depends on nothing but the document, the type of the object and the variables of @skip and @include.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import date, time
from decimal import Decimal
from enum import Enum
from itertools import groupby
from sys import getsizeof
from typing import Any, TypeAlias

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLArgument,
    GraphQLError,
    GraphQLField,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    Node,
    OperationDefinitionNode,
    OperationType,
    Undefined,
    VariableNode,
    default_field_resolver,
    get_operation_ast,
    is_abstract_type,
    is_leaf_type,
    is_list_type,
)
from graphql.execution.collect_fields import FieldDetails, FragmentDetails, collect_fields, collect_subfields
from graphql.execution.get_variable_signature import get_variable_signature
from graphql.execution.values import (
    VariableValues,
    VariableValueSource,
    get_argument_values,
    get_variable_values,
)
from graphql.utilities import coerce_input_value
from strawberry.schema.exceptions import CannotGetOperationTypeError
from strawberry.types.base import StrawberryObjectDefinition
from strawberry.types.graphql import OperationType as StrawberryOperationType
from strawberry.utils.operation import get_first_operation, get_operation_type

from subgraphs.shell.input_bounds import DeclaredVariable, check_variables, declared_variables
from subgraphs.shell.lean_executor import Leaf, Leaves, OfInfo, OfSource, serializer_of
from subgraphs.shell.made_leaves import ReadLeaves, made_reader

#: Of one operation: by how many values of its conditions fields were collected. A client that sends more combinations has some
#: collected anew.
MOST_CONDITIONS = 32
#: Of one document, over all its operations and their conditions: how many fields are kept, each as often as it is written down. One
#: fragment that is spread at many places has its fields at each of them, so they can be thousands of times as many as the document has.
#: This many weigh about as much as the longest document itself.
MOST_FIELDS = 20_000
#: About what is kept of each of them, and of each token of a document: as measured, a bit more than most take. See `kept_documents`.
FIELD_BYTES = 1_000
TOKEN_BYTES = 500
#: Code for the leaves of a selection takes as long to make as it saves of some such number of objects.
OBJECTS_BEFORE_CODE = 300
#: Values that nobody can change, so that all requests may be given the same.
UNCHANGEABLE = (str, int, float, bool, type(None), Enum, date, time, Decimal)

#: The values of the variables of @skip and @include; all are true or false, or there is no tree.
Conditions: TypeAlias = tuple[Any, ...]
#: A key of an answer, with the leaf that it is or None.
Step: TypeAlias = "tuple[str, Leaf | None, Field]"


#: What kind of type a way leads to.
LEAF, OBJECT, LIST, ABSTRACT = range(4)


class Way:
    """How the values of one type are completed at one field."""

    __slots__ = (
        "_selections",
        "_tree",
        "field",
        "item",
        "kind",
        "nullable",
        "of_object",
        "selections_of_classes",
        "serialize",
        "type",
    )

    def __init__(self, tree: "Tree", field: "Field", output_type: GraphQLOutputType) -> None:
        self.nullable = not isinstance(output_type, GraphQLNonNull)
        named: Any = output_type if self.nullable else output_type.of_type  # type: ignore[union-attr]
        self.type = named
        self.field = field
        #: Of an abstract type: what is asked of instances of a class, where their type hangs on nothing but the class.
        self.selections_of_classes: dict[type, Selection] = {}
        self.serialize: Callable[[Any], Any] | None = None
        self.item: Way | None = None
        #: Of an object type, as soon as there was one.
        self.of_object: Selection | None = None
        self._tree = tree
        self._selections: dict[str, Selection] = {}
        if is_list_type(named):
            self.kind = LIST
            self.item = Way(tree, field, named.of_type)
        elif is_leaf_type(named):
            self.kind = LEAF
            self.serialize = serializer_of(named)
        else:
            self.kind = ABSTRACT if is_abstract_type(named) else OBJECT

    def selection(self, runtime_type: GraphQLObjectType) -> "Selection":
        """What is asked of an object of this type."""
        found = self._selections.get(runtime_type.name)
        if found is None:
            found = self._selections[runtime_type.name] = self._tree.selection(runtime_type, self.field.details)
            if runtime_type is self.type:
                self.of_object = found
        return found


class Field:
    """One response name of a selection."""

    __slots__ = (
        "_tree",
        "_variables",
        "arguments",
        "constant",
        "definition",
        "details",
        "key",
        "leaf",
        "method",
        "name",
        "nodes",
        "parent",
        "read",
        "resolve",
        "way",
    )

    def __init__(
        self, tree: "Tree", parent: GraphQLObjectType, key: str, details: list[FieldDetails], leaf: Leaf | None
    ) -> None:
        definition = tree.schema.get_field(parent, details[0].node.name.value)
        assert definition is not None, "a validated document asks for fields that there are"
        self._tree = tree
        self.key = key
        self.parent = parent
        self.details = details
        self.nodes: list[FieldNode] = [each.node for each in details]
        self.name = self.nodes[0].name.value
        self.definition: GraphQLField = definition
        self.resolve: Callable[..., Any] = definition.resolve or default_field_resolver
        #: The resolver, where it looks at the object alone.
        self.read = self.resolve.read if isinstance(self.resolve, OfSource) else None
        #: The resolver, where it looks at the object and the info.
        self.method = self.resolve if isinstance(self.resolve, OfInfo) else None
        self.leaf = leaf
        #: The answer, where every object of the type has the same: its `__typename`.
        self.constant = parent.name if self.name == "__typename" else None
        #: None where they are to be coerced for each request.
        self.arguments = self._unchangeable_arguments()
        #: By argument's name: the variable that it is, where each is one.
        self._variables = None if self.arguments is not None else self._variables_of_arguments()
        self.way = Way(tree, self, definition.type)

    @property
    def fragments(self) -> Mapping[str, FragmentDefinitionNode]:
        """Those of the document."""
        return self._tree.operation.fragment_definitions

    def coerced(self, variables: VariableValues) -> Mapping[str, Any]:
        """The arguments for a request's variables. Raises GraphQLError."""
        if self._variables is not None:
            coerced = variables.coerced
            found = {name: coerced.get(variable) for name, variable in self._variables}
            if None not in found.values():  # or one is null or was not sent, for which there are rules
                return found
        return get_argument_values(self.definition, self.nodes[0], variables)

    def _variables_of_arguments(self) -> tuple[tuple[str, str], ...] | None:
        """None where an argument is something else, or is absent and has a default: graphql-core knows what is to be done."""
        given = {each.name.value: each.value for each in self.nodes[0].arguments or ()}
        found = []
        for name, argument in self.definition.args.items():
            value = given.get(name)
            if value is None and _has_no_default(argument):
                continue  # the document is valid, so it may be left out
            if not isinstance(value, VariableNode):
                return None
            found.append((argument.out_name or name, value.name.value))
        return tuple(found)

    def _unchangeable_arguments(self) -> Mapping[str, Any] | None:
        if not self.definition.args:
            return {}
        if any(_has_variable(each.value) for each in self.nodes[0].arguments or ()):
            return None
        try:
            arguments = get_argument_values(self.definition, self.nodes[0])
        except GraphQLError:  # told by each request that comes here
            return None
        return arguments if all(isinstance(each, UNCHANGEABLE) for each in arguments.values()) else None


class Selection:
    """The fields that are asked of objects of one type at one place, in the order of the answer."""

    __slots__ = ("_grew", "_objects", "is_open", "origin", "parts", "steps", "type")

    def __init__(self, runtime_type: GraphQLObjectType, fields: tuple[Field, ...], grew: Callable[[int], None]) -> None:
        """`grew` is told when more is kept, in what as many fields take."""
        self.type = runtime_type
        self._grew = grew
        #: Key and field, with the leaf that it is or None.
        self.steps: tuple[Step, ...] = tuple((field.key, field.leaf, field) for field in fields)
        #: The same in parts, once many objects were asked for: leaves that follow one another, with what reads them all, or another field alone.
        self.parts: tuple[tuple[ReadLeaves | None, tuple[Step, ...]], ...] | None = None
        self._objects = 0
        #: The class whose instances are of the type without asking its `is_type_of`; None where that has to be asked.
        self.origin = _origin(runtime_type)
        self.is_open = runtime_type.is_type_of is None

    def count(self) -> None:
        """One more object was asked for."""
        self._objects += 1
        if self._objects >= OBJECTS_BEFORE_CODE:
            self.parts = tuple(self._in_parts())
            self._grew(sum(1 + len(steps) // 4 for read, steps in self.parts if read is not None))

    def _in_parts(self) -> Iterator[tuple[ReadLeaves | None, tuple[Step, ...]]]:
        for are_leaves, grouped in groupby(self.steps, lambda step: _leaf_of(step) is not None):
            steps = tuple(grouped)
            if are_leaves:
                yield made_reader([(step[0], leaf) for step in steps if (leaf := _leaf_of(step)) is not None]), steps
            else:
                yield from ((None, (step,)) for step in steps)


def _leaf_of(step: Step) -> Leaf | str | None:
    """The leaf that a step is, or what it is for every object."""
    _, leaf, field = step
    return leaf if leaf is not None else field.constant


class Tree:
    """The selections of one operation under certain conditions. Made as far as objects are found, each once."""

    def __init__(self, operation: "CompiledOperation", conditions: Mapping[str, bool]) -> None:
        self.schema = operation.schema
        self.operation = operation
        self._variables = VariableValues({}, dict(conditions))
        self._selections: dict[tuple[Any, ...], Selection] = {}
        root = self.schema.get_root_type(operation.definition.operation)
        assert root is not None
        collected = collect_fields(self.schema, operation.fragments, self._variables, root, operation.definition)
        self.root = self._made(root, collected.grouped_field_set)

    def selection(self, runtime_type: GraphQLObjectType, details: list[FieldDetails]) -> Selection:
        """Equal ones are shared, as those of a fragment that is spread at many places."""
        key = (runtime_type.name, *(id(each.node) for each in details))  # the document keeps its nodes alive
        found = self._selections.get(key)
        if found is None:
            operation = self.operation
            collected = collect_subfields(
                self.schema, operation.fragments, self._variables, operation.definition, runtime_type, details
            )
            found = self._selections[key] = self._made(runtime_type, collected.grouped_field_set)
        return found

    def _made(self, runtime_type: GraphQLObjectType, grouped: Mapping[str, list[FieldDetails]]) -> Selection:
        self.operation.grew(sum(len(details) for details in grouped.values()))
        leaves = self.operation.leaves.get(runtime_type.name, {})
        return Selection(
            runtime_type,
            tuple(
                Field(self, runtime_type, key, details, leaves.get(details[0].node.name.value))
                for key, details in grouped.items()
            ),
            self.operation.grew,
        )


class CompiledOperation:
    """One query of a document, with the selections that requests came by."""

    def __init__(
        self,
        schema: GraphQLSchema,
        leaves: Leaves,
        definition: OperationDefinitionNode,
        fragments: Mapping[str, FragmentDefinitionNode],
        grew: Callable[[int], None],
    ) -> None:
        """`grew` is told how many fields were collected, each time; one that is written down twice at a place is two."""
        self.schema = schema
        self.leaves = leaves
        self.definition = definition
        self.grew = grew
        self.fragment_definitions = dict(fragments)
        self.fragments = {name: FragmentDetails(each) for name, each in fragments.items()}
        self._conditions = tuple(
            sorted({*_conditions(definition), *(n for each in fragments.values() for n in _conditions(each))})
        )
        #: Of a valid document, so that none is an error.
        self._signatures: list[Any] = [
            get_variable_signature(schema, each) for each in definition.variable_definitions or ()
        ]
        #: Variables whose values are what was sent, as long as it is a list without null.
        self._representations = {each.name for each in self._signatures if str(each.type) == "[_Any!]!"}
        self._trees: dict[Conditions, Tree] = {}

    def variables(self, given: Mapping[str, Any] | None) -> VariableValues | None:
        """A request's variables, coerced; None where one of them is wrong. They are within bounds."""
        sources: dict[str, VariableValueSource] = {}
        coerced: dict[str, Any] = {}
        for signature in self._signatures:
            name = signature.name
            value = Undefined if given is None else given.get(name, Undefined)
            if value is Undefined:
                if signature.default is not None or isinstance(signature.type, GraphQLNonNull):
                    return self._defaulted_variables(given)
                sources[name] = VariableValueSource(signature)
                continue
            sources[name] = VariableValueSource(signature, value)
            if name not in self._representations or type(value) is not list or None in value:
                value = coerce_input_value(value, signature.type)
            coerced[name] = value
            if value is Undefined:
                return None
        return VariableValues(sources, coerced)

    def _defaulted_variables(self, given: Mapping[str, Any] | None) -> VariableValues | None:
        found = get_variable_values(self.schema, self.definition.variable_definitions or (), dict(given or {}))
        return None if isinstance(found, list) else found

    def tree(self, variables: Mapping[str, Any]) -> Tree | None:
        """The selections for a request's coerced variables; None where a condition is neither true nor false, which is an error."""
        conditions: Conditions = tuple([variables.get(name) for name in self._conditions])
        found = self._trees.get(conditions)
        if found is None:
            if not all(isinstance(each, bool) for each in conditions):
                return None
            if len(self._trees) >= MOST_CONDITIONS:
                self._trees.clear()
            found = self._trees[conditions] = Tree(self, dict(zip(self._conditions, conditions, strict=True)))
        return found


class PreparedDocument:
    """A document with what is wrong with it, and its operations as far as they were asked for."""

    def __init__(
        self, schema: GraphQLSchema, leaves: Leaves, document: DocumentNode, errors: list[GraphQLError]
    ) -> None:
        self.document = document
        self.errors = errors
        #: Told of the document whenever it weighs more than before, or less again.
        self.when_grown: Callable[[PreparedDocument], None] = _tell_nobody
        self._schema = schema
        self._leaves = leaves
        self._operations: dict[str | None, CompiledOperation | None] = {}
        self._named: dict[str | None, tuple[StrawberryOperationType, str | None]] = {}
        self._declared: dict[str | None, list[DeclaredVariable]] = {}
        self._kept = 0
        self._own_bytes = _bytes_of(document, errors)

    @property
    def bytes(self) -> int:
        """About what it takes in memory now."""
        return self._own_bytes + self._kept * FIELD_BYTES

    def refusals(self, operation_name: str | None, variables: Mapping[str, Any] | None) -> list[GraphQLError]:
        """What is wrong with the document, or else what of the request's variables is out of bounds.

        The name is one that the document has, or None: other requests are refused before, and nothing is kept of them.
        """
        if self.errors or not variables:
            return self.errors
        declared = self._declared.get(operation_name)
        if declared is None:
            declared = declared_variables(self._schema, self.document, operation_name)
            self._declared[operation_name] = declared
        return check_variables(declared, variables)

    def named(self, told: str | None) -> tuple[StrawberryOperationType, str | None]:
        """The kind and name of the operation of this name; of the first where none is told. Raises CannotGetOperationTypeError."""
        found = self._named.get(told)
        if found is None:
            name = told
            if name is None:
                first = get_first_operation(self.document)
                name = None if first is None or first.name is None else first.name.value
            try:
                found = get_operation_type(self.document, name), name
            except RuntimeError as error:
                raise CannotGetOperationTypeError(name) from error
            self._named[told] = found
        return found

    def operation(self, name: str | None) -> CompiledOperation | None:
        """None for what is no query, and for what graphql-core has of experiments: its own executor is asked then.

        `name` is one that the document has, or None where it has one operation.
        """
        if name not in self._operations:
            self._operations[name] = self._compiled(name)
        return self._operations[name]

    def _compiled(self, name: str | None) -> CompiledOperation | None:
        definition = get_operation_ast(self.document, name)
        fragments = {
            each.name.value: each for each in self.document.definitions if isinstance(each, FragmentDefinitionNode)
        }
        if definition is None or definition.operation is not OperationType.QUERY or definition.directives:
            return None
        if any(each.variable_definitions for each in fragments.values()):
            return None
        self._grew(1 + len(fragments))  # each operation has them in a form of its own
        return CompiledOperation(self._schema, self._leaves, definition, fragments, self._grew)

    def _grew(self, fields: int) -> None:
        """Lets go of what is too much at once, for nobody may ask for the document again. A query that runs keeps its operation."""
        self._kept += fields
        if self._kept > MOST_FIELDS:
            self._kept = 0
            self._operations.clear()
        self.when_grown(self)


def _tell_nobody(_document: PreparedDocument) -> None:
    """Nobody keeps it."""


def _bytes_of(document: DocumentNode, errors: list[GraphQLError]) -> int:
    """About what a document takes before anybody asks for it: each token of its text with what was made of it, the text, of which the
    tree has parts once more, and what is told of errors.
    """
    text = getsizeof(document.loc.source.body) if document.loc is not None else 0
    return _part_tokens(document) * TOKEN_BYTES + 2 * text + sum(2 * getsizeof(each.message) for each in errors)


def _part_tokens(document: DocumentNode) -> int:
    """How many tokens the parser made. They hold each other in a ring, so that a document that nobody keeps would wait for a full
    collection; nobody asks them for their neighbours any more.
    """
    count, token = 0, document.loc.start_token if document.loc is not None else None
    while token is not None:
        following = token.next
        token.prev = token.next = None
        count, token = count + 1, following
    return count


def _conditions(node: Any) -> set[str]:
    """The variables of @skip and @include in an operation or fragment."""
    found: set[str] = set()
    waiting = [node.selection_set]
    while waiting:
        for selection in waiting.pop().selections:
            for directive in selection.directives or ():
                for argument in directive.arguments or ():
                    if isinstance(argument.value, VariableNode):
                        found.add(argument.value.name.value)
            inner = getattr(selection, "selection_set", None)
            if inner is not None:
                waiting.append(inner)
    return found


def _has_no_default(argument: GraphQLArgument) -> bool:
    return argument.default is None and argument.default_value is Undefined


def _has_variable(node: Node) -> bool:
    if isinstance(node, VariableNode):
        return True
    inner = [*(getattr(node, "values", None) or ()), *(each.value for each in getattr(node, "fields", None) or ())]
    return any(_has_variable(each) for each in inner)


def _origin(runtime_type: GraphQLObjectType) -> type | None:
    definition = runtime_type.extensions.get("strawberry-definition")
    if not isinstance(definition, StrawberryObjectDefinition) or definition.is_type_of is not None:
        return None
    return definition.origin
