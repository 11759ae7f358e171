"""Executes a compiled query: graphql-core's algorithm over selections that are known, with no object per field that nobody needs.

Used by `graphql_schema` for queries; mutations and subscriptions are `lean_executor`'s. What graphql-core does for each field,
a path, a resolve info, a coroutine and a task, is done here where somebody asks for it: a path when there is an error, the
info when a resolver reads more of it than the context. Answers, errors and refusals are those of graphql-core; tests hold both
against each other.
"""

from collections.abc import AsyncIterable, Callable, Mapping
from types import CoroutineType
from typing import Any, TypeAlias

from graphql import (
    ExecutionResult,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLObjectType,
    Undefined,
    default_field_resolver,
    default_type_resolver,
    located_error,
)
from graphql.execution.executor import invalid_return_type_error
from graphql.execution.values import VariableValues
from graphql.pyutils import Path, is_iterable
from strawberry import Info
from strawberry.execution import optimized_is_awaitable
from strawberry.types.cast import TYPE_CAST_ATTRIBUTE

from loaders.dataloader import Coming
from subgraphs.shell.allowance import MOST_OBJECTS, too_many_objects
from subgraphs.shell.compiled_operation import ABSTRACT, LEAF, OBJECT, UNCHANGEABLE, Field, Selection, Step, Tree, Way
from subgraphs.shell.eager_task import WAITING, EagerTask, EagerTasks
from subgraphs.shell.lean_executor import LEAST_INT, MOST_INT, LeanExecutor, OfInfo

#: Where a value stands in the answer: the place of what holds it, None at the top; the dict or list that holds it; its key
#: there; whether null may stand there; and the type whose field the key is, None in a list.
Place: TypeAlias = tuple[Any, Any, str | int, bool, GraphQLObjectType | None]
#: How what a place waits for is completed, the place, and what completes it in another way, if anything does.
Waiting: TypeAlias = tuple[Way, Place, Callable[[Any], Any] | None]


class FieldInfo:
    """What resolvers are given of the request. Context and selection are at hand; the rest is asked of graphql-core's own info."""

    __slots__ = ("_execution", "_field", "_full", "_place", "context")

    def __init__(self, execution: "QueryExecution", field: Field, place: Place | None) -> None:
        """`place` is that of the object whose field it is."""
        self.context = execution.context
        self._execution = execution
        self._field = field
        self._place = place
        self._full: Any = None

    @property
    def field_nodes(self) -> list[FieldNode]:
        return self._field.nodes

    @property
    def fragments(self) -> Mapping[str, FragmentDefinitionNode]:
        return self._field.fragments

    def __getattr__(self, name: str) -> Any:
        if self._full is None:
            field = self._field
            path = Path(_path(self._place), field.key, field.parent.name)
            executor = self._execution.executor()
            self._full = executor.build_resolve_info(field.definition, field.nodes, field.parent, path)
        return getattr(self._full, name)


class ShownInfo(Info[Any, None]):
    """Strawberry's info of a field, with the context at hand, and graphql-core's made when anything else is asked of it."""

    __slots__ = ("_execution", "_field", "_place", "_query_field", "_told", "context")

    def __init__(self, execution: "QueryExecution", field: Field, method: OfInfo, place: Place | None) -> None:
        """`place` is that of the object whose field it is."""
        self.context = execution.context  # type: ignore[misc]  # a slot in place of the property
        self._field = method.field
        self._execution = execution
        self._query_field = field
        self._place = place
        self._told: FieldInfo | None = None

    @property
    def _raw_info(self) -> Any:  # type: ignore[override]
        if self._told is None:
            self._told = FieldInfo(self._execution, self._query_field, self._place)
        return self._told


class QueryExecution:
    """One query on its way to an answer."""

    def __init__(
        self,
        tree: Tree,
        executor_class: type[LeanExecutor],
        variables: VariableValues,
        context: Any,
        root_value: Any,
    ) -> None:
        """`executor_class` makes graphql-core's executor of the request, which is asked for infos and for unusual errors."""
        self.context = context
        self._tree = tree
        self._executor_class = executor_class
        self._executor: LeanExecutor | None = None
        self._variables = variables
        self._root_value = root_value
        self._objects_left = MOST_OBJECTS
        self._arguments: dict[Field, Mapping[str, Any]] = {}
        self._errors: list[GraphQLError] = []
        self._nulled: dict[int, Place] = {}  # by identity
        self._is_nothing = False
        self._tasks = EagerTasks()

    async def run(self) -> ExecutionResult:
        """What graphql-core's execution of the operation gives."""
        data: dict[str, Any] | None = None
        try:
            data = self._object(self._tree.root, self._root_value, None)
        except GraphQLError as error:
            self._record(error, None)
        except BaseException:
            await self._tasks.cancel()
            raise
        await self._tasks.finish()
        return ExecutionResult(None if self._is_nothing else data, self._errors or None)

    def executor(self) -> LeanExecutor:
        """graphql-core's own, of this request."""
        if self._executor is None:
            operation = self._tree.operation
            self._executor = self._executor_class(
                operation.schema,
                operation.fragment_definitions,
                operation.fragments,
                self._root_value,
                self.context,
                operation.definition,
                self._variables,
                default_field_resolver,
                default_type_resolver,
                default_field_resolver,
                is_awaitable=optimized_is_awaitable,
            )
        return self._executor

    def returned_late(self, waiting: Waiting, value: Any) -> None:
        """What a place waited for is there."""
        way, place, then = waiting
        if self._is_dead(place):
            return
        try:
            place[1][place[2]] = self._completed(way, place, value) if then is None else then(value)
        except Exception as error:
            self.failed_late(waiting, error)

    def failed_late(self, waiting: Waiting, error: Exception) -> None:
        """The value of a place failed after what holds it was made: null goes to the nearest place that may have it."""
        way, place, _ = waiting
        located = located_error(error, way.field.nodes, _keys(place))
        nearest: Place | None = place
        while nearest is not None and not nearest[3]:
            nearest = nearest[0]
        if nearest is not None:
            nearest[1][nearest[2]] = None
        self._record(located, nearest)

    def _failed(self, way: Way, place: Place, error: Exception) -> None:
        """The value of a place failed while what holds it is made. Raises the located error where null may not stand."""
        located = located_error(error, way.field.nodes, _keys(place))
        if not way.nullable:
            raise located
        self._record(located, place)

    def _record(self, error: GraphQLError, place: Place | None) -> None:
        """Only the first error of what became null is told."""
        if self._is_dead(place):
            return
        self._errors.append(error)
        if place is None:
            self._is_nothing = True
        else:
            self._nulled[id(place)] = place

    def _is_dead(self, place: Place | None) -> bool:
        """Whether null stands where the place was, or above it."""
        if self._nulled:
            while place is not None:
                if id(place) in self._nulled:
                    return True
                place = place[0]
        return self._is_nothing

    def _object(self, selection: Selection, source: Any, place: Place | None) -> dict[str, Any]:
        self._objects_left -= 1
        if self._objects_left < 0:
            raise too_many_objects(self.context)
        results: dict[str, Any] = {}
        parts = selection.parts
        if parts is None:
            selection.count()
            self._steps(selection.steps, source, place, results)
            return results
        for read, steps in parts:
            if read is None:
                self._field(steps[0][2], source, place, results)
                continue
            try:
                if read(source, results):
                    continue
            except Exception:  # noqa: S110 - raised again below, where it gets its place in the answer
                pass
            self._steps(steps, source, place, results)
        return results

    def _steps(self, steps: tuple[Step, ...], source: Any, place: Place | None, results: dict[str, Any]) -> None:
        """Some fields of an object, one after another."""
        for key, leaf, field in steps:
            if leaf is not None:
                try:
                    value: Any = leaf.read(source)
                    kind: Any = type(value)
                    if (
                        kind is leaf.exact
                        and (kind is not float or value - value == 0.0)  # or it is not finite
                        and (kind is not int or LEAST_INT <= value <= MOST_INT)
                    ):
                        results[key] = value
                        continue
                    if value is not None:
                        value = leaf.serialize(value)
                        if value is not None and value is not Undefined:
                            results[key] = value
                            continue
                    elif leaf.nullable:
                        results[key] = None
                        continue
                except Exception:  # noqa: S110 - raised again below, where it gets its place in the answer
                    pass
            elif field.constant is not None:
                results[key] = field.constant
                continue
            self._field(field, source, place, results)

    def _field(self, field: Field, source: Any, place: Place | None, results: dict[str, Any]) -> None:
        way = field.way
        results[field.key] = None  # the order is the client's, also of what comes later
        here = (place, results, field.key, way.nullable, field.parent)
        try:
            if field.read is not None:
                value = field.read(source)
            elif field.method is not None:
                value = field.method.function(source, ShownInfo(self, field, field.method, place))
            elif (arguments := field.arguments) == {}:
                value = field.resolve(source, FieldInfo(self, field, place))
            else:
                if arguments is None:
                    arguments = self._coerced(field)
                value = field.resolve(source, FieldInfo(self, field, place), **arguments)
            if type(value) not in _PLAIN and _is_awaitable(value):
                results[field.key] = self._later(value, way, here)
            else:
                results[field.key] = self._completed(way, here, value)
        except Exception as error:
            self._failed(way, here, error)

    def _coerced(self, field: Field) -> Mapping[str, Any]:
        """The arguments of a field that names variables, once a request unless somebody could change them."""
        found = self._arguments.get(field)
        if found is None:
            found = field.coerced(self._variables)
            if all(isinstance(each, UNCHANGEABLE) for each in found.values()):
                self._arguments[field] = found
        return found

    def _later(self, awaited: Any, way: Way, place: Place, then: Callable[[Any], Any] | None = None) -> Any:
        """What the awaitable's value is completed to, by `then` if it says how; None where it is still waited for."""
        if type(awaited) is Coming:
            make = awaited.make
            waiting = way, place, lambda value: self._completed(way, place, make(value))
            self._tasks.await_value(awaited.read, awaited.future, self, waiting)
            return None
        if type(awaited) is not CoroutineType and not hasattr(awaited, "_asyncio_future_blocking"):
            awaited = _awaited(awaited)
        value = self._tasks.start(EagerTask(self._tasks, awaited, self, (way, place, then)))
        if value is WAITING:
            return None
        return self._completed(way, place, value) if then is None else then(value)

    def _completed(self, way: Way, place: Place, value: Any) -> Any:
        """graphql-core's `complete_value`; None where something of it is still waited for, which is put there later."""
        if isinstance(value, Exception):
            raise value
        if value is None or value is Undefined:
            if way.nullable:
                return None
            field = way.field
            raise TypeError(f"Cannot return null for non-nullable field {field.parent}.{field.name}.")
        selection = way.of_object
        if selection is not None and (
            (type(value) is selection.origin and getattr(value, TYPE_CAST_ATTRIBUTE, None) is None) or selection.is_open
        ):
            return self._object(selection, value, place)
        kind = way.kind
        if kind == OBJECT:
            return self._typed_object(way, way.type, place, value)
        if kind == LEAF:
            return self._leaf(way, value)
        if kind == ABSTRACT:
            return self._abstract(way, place, value)
        return self._list(way, place, value)

    @staticmethod
    def _leaf(way: Way, value: Any) -> Any:
        assert way.serialize is not None
        serialized = way.serialize(value)
        if serialized is None or serialized is Undefined:  # graphql-core tells why this cannot be
            return LeanExecutor.complete_leaf_value(way.type, value)
        return serialized

    def _typed_object(self, way: Way, runtime_type: GraphQLObjectType, place: Place, value: Any) -> Any:
        selection = way.selection(runtime_type)
        is_type_of = runtime_type.is_type_of
        if is_type_of is None or _is_instance(selection, value):
            return self._object(selection, value, place)

        def checked(is_right: Any) -> Any:
            if not is_right:
                raise invalid_return_type_error(runtime_type, value, way.field.details)
            return self._object(selection, value, place)

        answer = is_type_of(value, self._info(way, place))
        return self._later(answer, way, place, checked) if optimized_is_awaitable(answer) else checked(answer)

    def _abstract(self, way: Way, place: Place, value: Any) -> Any:
        known = way.selections_of_classes.get(type(value))
        if known is not None and getattr(value, TYPE_CAST_ATTRIBUTE, None) is None:
            return self._object(known, value, place)
        info = self._info(way, place)

        def resolved(name: Any) -> Any:
            found = self.executor().ensure_valid_runtime_type(name, way.type, way.field.details, info, value)
            if _is_instance(way.selection(found), value):
                way.selections_of_classes[type(value)] = way.selection(found)
            return self._typed_object(way, found, place, value)

        answer = (way.type.resolve_type or default_type_resolver)(value, info, way.type)
        return self._later(answer, way, place, resolved) if optimized_is_awaitable(answer) else resolved(answer)

    def _list(self, way: Way, place: Place, items: Any) -> Any:
        if not isinstance(items, list):
            if hasattr(items, "__aiter__"):
                return self._later(_collected(items), way, place, lambda found: self._list(way, place, found))
            if not is_iterable(items):
                field = way.field
                raise GraphQLError(f"Expected Iterable, but did not find one for field '{field.parent}.{field.name}'.")
        elif len(items) > self._objects_left:  # a list that would be too long is not begun
            self._objects_left = 0
            _close(items, 0)
            raise too_many_objects(self.context)
        item_way = way.item
        assert item_way is not None
        results: list[Any] = []
        for index, item in enumerate(items):
            results.append(None)
            here = (place, results, index, item_way.nullable, None)
            try:
                if type(item) not in _PLAIN and _is_awaitable(item):
                    results[index] = self._later(item, item_way, here)
                else:
                    results[index] = self._completed(item_way, here, item)
            except Exception as error:
                if not item_way.nullable:
                    _close(items, index + 1)
                self._failed(item_way, here, error)
        return results

    def _info(self, way: Way, place: Place) -> Any:
        """The info of the field, of whose value something at this place is a part."""
        while place[4] is None:
            place = place[0]
        return FieldInfo(self, way.field, place[0])


#: Classes of values that are not to be awaited, as far as they were met.
_PLAIN: set[type] = {type(None), bool, int, float, str, list, dict}


def _is_awaitable(value: Any) -> bool:
    if type(value) is Coming or optimized_is_awaitable(value):
        return True
    if hasattr(type(value), "__strawberry_definition__"):  # a class of the schema's, of which there is a certain number
        _PLAIN.add(type(value))
    return False


def _is_instance(selection: Selection, value: Any) -> bool:
    """Whether Strawberry's `is_type_of` is sure to say yes. It may do so for others too."""
    return type(value) is selection.origin and getattr(value, TYPE_CAST_ATTRIBUTE, None) is None


def _keys(place: Place) -> list[str | int]:
    found = [place[2]]
    while (place := place[0]) is not None:
        found.append(place[2])
    return found[::-1]


def _path(place: Place | None) -> Path | None:
    return None if place is None else Path(_path(place[0]), place[2], None if place[4] is None else place[4].name)


def _close(items: Any, begin: int) -> None:
    """Coroutines of a list that is given up are not begun any more."""
    if isinstance(items, list):
        for each in items[begin:]:
            if type(each) is CoroutineType:
                each.close()


async def _awaited(awaitable: Any) -> Any:
    return await awaitable


async def _collected(items: AsyncIterable[Any]) -> list[Any]:
    return [each async for each in items]
