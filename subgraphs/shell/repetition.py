"""Operations that failed because a server was away are tried again where that is safe.

Used by `graphql_http`, and by the streams of `live`. A query is safe, and so is a mutation all of whose fields carry an
idempotency key. A restart of Postgres takes some seconds: who asks meanwhile waits for up to five and gets an answer. After
ten it is an outage, and nobody waits. A stream, which would end otherwise, waits for up to a minute.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    ObjectValueNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    ValueNode,
    VariableNode,
    parse,
)
from graphql.language import DocumentNode, NullValueNode
from strawberry.types import ExecutionResult

from events.failures import Fault, fault_of
from subgraphs.shell.errors import UnavailableError

PAUSES_SECONDS = (0.05, 0.15, 0.4, 0.8, 1.2, 1.2, 1.2)
OUTAGE_AFTER_SECONDS = 10.0
_KEY = "idempotencyKey"
_Result = TypeVar("_Result")


class Repetition:
    """One process's patience with its servers."""

    def __init__(self) -> None:
        self._away_since: float | None = None

    async def until_available(
        self,
        execute: Callable[[], Awaitable[ExecutionResult]],
        request: Mapping[str, Any],
        is_over: Callable[[], bool] = lambda: False,
    ) -> ExecutionResult:
        """The first result without an UNAVAILABLE error, or the last one; `is_over` says that nobody waits for another."""
        result = await execute()
        if not _is_unavailable(result):
            self._away_since = None
            return result
        now = time.monotonic()
        if self._away_since is None:
            self._away_since = now
        if now - self._away_since > OUTAGE_AFTER_SECONDS or not may_be_repeated(request):
            return result
        for pause in PAUSES_SECONDS:
            await asyncio.sleep(pause)
            if is_over():
                break
            result = await execute()
            if not _is_unavailable(result):
                self._away_since = None
                break
        return result


async def patiently(read: Callable[[], Awaitable[_Result]], *, seconds: float = 60.0) -> _Result:
    """What `read` gives once the servers are there again: for streams, which would end otherwise. Raises its last failure."""
    deadline = time.monotonic() + seconds
    pauses = iter(PAUSES_SECONDS)
    while True:
        try:
            return await read()
        except Exception as failure:
            if fault_of(failure) is not Fault.INFRASTRUCTURE or time.monotonic() > deadline:
                raise
            await asyncio.sleep(next(pauses, PAUSES_SECONDS[-1]))


def may_be_repeated(request: Mapping[str, Any]) -> bool:
    """Whether executing the operation twice is as good as once. The request was executed, so it is valid."""
    document = parse(request["query"])
    operation = _operation(document, request.get("operationName"))
    if operation is None or operation.operation is OperationType.SUBSCRIPTION:
        return False
    if operation.operation is OperationType.QUERY:
        return True
    fragments = {each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)}
    variables = request.get("variables") or {}
    fields = _root_fields(operation.selection_set, fragments)
    return all(any(_has_key(argument.value, variables) for argument in field.arguments or ()) for field in fields)


def _is_unavailable(result: ExecutionResult) -> bool:
    if not result.errors:
        return False
    return any((error.extensions or {}).get("code") == UnavailableError.code for error in result.errors)


def _operation(document: DocumentNode, name: str | None) -> OperationDefinitionNode | None:
    operations = [each for each in document.definitions if isinstance(each, OperationDefinitionNode)]
    return next((each for each in operations if name is None or (each.name and each.name.value == name)), None)


def _root_fields(selections: SelectionSetNode, fragments: Mapping[str, FragmentDefinitionNode]) -> list[FieldNode]:
    fields: list[FieldNode] = []
    for selection in selections.selections:
        if isinstance(selection, FieldNode):
            fields.append(selection)
        elif isinstance(selection, InlineFragmentNode):
            fields += _root_fields(selection.selection_set, fragments)
        elif isinstance(selection, FragmentSpreadNode):
            fields += _root_fields(fragments[selection.name.value].selection_set, fragments)
    return fields


def _has_key(value: ValueNode, variables: Mapping[str, Any]) -> bool:
    """Whether an input object, written out or given as a variable, has a key that is not null."""
    if isinstance(value, VariableNode):
        given = variables.get(value.name.value)
        return isinstance(given, Mapping) and given.get(_KEY) is not None
    if not isinstance(value, ObjectValueNode):
        return False
    for field in value.fields:
        if field.name.value == _KEY:
            if isinstance(field.value, VariableNode):
                return variables.get(field.value.name.value) is not None
            return not isinstance(field.value, NullValueNode)
    return False
