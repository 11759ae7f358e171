"""Validating, planning and introspection of what is long in a process of its own: the event loop never waits for it.

`planning_pool` has some, and gives each to one caller at a time.
"""

from __future__ import annotations

import asyncio
import contextlib
import pickle
import struct
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, BinaryIO

from graphql import DocumentNode, GraphQLSchema

from router import log_lines
from router.background import aside, in_background
from router.errors import IntrospectionDisabledError, PlanningFailedError, RequestError
from router.introspection import (
    IntrospectionAnswer,
    IntrospectionQuestion,
    answer_introspection,
    asks_for_introspection,
    check_introspection,
    introspection_locations,
)
from router.operation import DocumentLimits, Operation, normalize, parse_document, validate_document
from router.operation.document import check_limits
from router.planner import QueryPlanner
from router.query_plan import QueryPlan
from router.supergraph import read_supergraph

_LENGTH = struct.Struct(">Q")
#: Python needs some 0.1 ms for a kilobyte of a plan.
_MAX_INLINE_BYTES = 50_000
#: A frame takes half a kilobyte of the C stack, where one is taken at all; the stack has eight megabytes.
MAX_PLANNING_FRAMES = 5_000
#: The child's command: it must find the same packages as this process, wherever it was started. This module has another
#: name in the distribution of the router alone.
_CHILD = f"import sys; sys.path[:] = sys.argv[1:]; from {__name__} import main; main()"


@dataclass(frozen=True, slots=True)
class PrepareJob:
    """Text to normalised operation."""

    text: str
    operation_name: str | None
    keep_incremental: bool
    limits: DocumentLimits
    hide_suggestions: bool = False
    may_introspect: bool = True

    def run(self, schema: GraphQLSchema, document: DocumentNode | None = None) -> Operation:
        """`document` is the text where it has been parsed already and found within limits. Raises RequestError."""
        if document is None:
            document = parse_document(self.text, self.limits)
            check_limits(document, self.limits)
        validate_document(document, schema, hide_suggestions=self.hide_suggestions)
        operation = normalize(
            document,
            self.operation_name,
            schema,
            lift_literals=True,
            keep_incremental=self.keep_incremental,
            max_fields=self.limits.fields,
        )
        if asks_for_introspection(operation):
            if not self.may_introspect:
                raise IntrospectionDisabledError(introspection_locations(document))
            check_introspection(operation, schema)
        return operation


@dataclass(frozen=True, slots=True)
class PlanJob:
    """Normalised operation to query plan."""

    operation: Operation
    override_labels: frozenset[str]


Job = PrepareJob | PlanJob | IntrospectionQuestion


class PlanningProcess:
    """One child, which does one job at a time; it starts with the first and ends after a quiet while."""

    def __init__(self, supergraph_sdl: str, idle_seconds: float = 60.0) -> None:
        self._supergraph_sdl = supergraph_sdl
        self._idle_seconds = idle_seconds
        self._child: asyncio.subprocess.Process | None = None
        self._idle_timer: asyncio.TimerHandle | None = None

    async def prepare(self, job: PrepareJob) -> Operation:
        """Raises RequestError."""
        operation: Operation = await self._run(job)
        return operation

    async def plan(self, job: PlanJob) -> QueryPlan:
        """Raises RequestError."""
        plan: QueryPlan = await self._run(job)
        return plan

    async def introspect(self, question: IntrospectionQuestion) -> IntrospectionAnswer:
        """Raises RequestError."""
        answer: IntrospectionAnswer = await self._run(question)
        return answer

    def close(self) -> None:
        """Ends the child, whatever it does; the next job would start another."""
        if self._idle_timer is not None:
            self._idle_timer.cancel()
        child, self._child = self._child, None
        if child is not None and child.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                child.kill()

    async def _run(self, job: Job) -> Any:
        answer = await self._ask(job)
        if isinstance(answer, RequestError):
            raise answer
        return answer

    async def _ask(self, job: Job) -> Any:
        if self._idle_timer is not None:
            self._idle_timer.cancel()
        is_answered = False
        try:
            child = self._child if self._child is not None and self._child.returncode is None else await self._start()
            assert child.stdin is not None
            assert child.stdout is not None
            _write(child.stdin, await in_background(_frame, job))
            await child.stdin.drain()
            (length,) = _LENGTH.unpack(await child.stdout.readexactly(_LENGTH.size))
            pickled = await child.stdout.readexactly(length)
            answer = await aside(length > _MAX_INLINE_BYTES, pickle.loads, pickled)  # our own child wrote it
            is_answered = True
        except (asyncio.IncompleteReadError, ConnectionError, OSError) as error:
            raise PlanningFailedError("The router could not plan this operation.", detail=repr(error)) from error
        else:
            return answer
        finally:
            if is_answered:
                self._idle_timer = asyncio.get_running_loop().call_later(self._idle_seconds, self.close)
            else:
                self.close()  # timed out, cancelled or dead: what it would still say belongs to nobody

    async def _start(self) -> asyncio.subprocess.Process:
        self._child = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            _CHILD,
            *(path or "." for path in sys.path),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        assert self._child.stdin is not None
        self._child.stdin.write(_frame((log_lines.form_of_process(), self._supergraph_sdl)))
        return self._child


def _write(pipe: asyncio.StreamWriter, data: bytes) -> None:
    """Raises ConnectionResetError where the child has ended; uvloop says that by a RuntimeError."""
    try:
        pipe.write(data)
    except RuntimeError as error:
        raise ConnectionResetError(str(error)) from error


def main() -> None:
    """The child: the form of its log and a supergraph, then jobs, from stdin; answers to stdout; ends with its parent."""
    jobs, answers = sys.stdin.buffer, sys.stdout.buffer
    sys.stdout = sys.stderr  # a stray print must not look like an answer
    beginning = _read_frame(jobs)
    if beginning is None:
        return
    form, supergraph_sdl = beginning
    if form is not None:
        log_lines.configure(form)
    supergraph = read_supergraph(supergraph_sdl)
    planner = QueryPlanner(supergraph)

    def run(job: Job) -> Any:
        match job:
            case PrepareJob():
                return job.run(supergraph.api_schema)
            case PlanJob():
                with _deep_stack():
                    return planner.plan(job.operation, job.override_labels)
            case IntrospectionQuestion():
                return answer_introspection(job, supergraph.api_schema)

    while (job := _read_frame(jobs)) is not None:
        answers.write(_frame(_outcome(partial(run, job))))
        answers.flush()


@contextlib.contextmanager
def _deep_stack() -> Iterator[None]:
    """Planning calls itself for each key on the way to a field, and what it needs of Python's stack grows with the graph, not
    with what a client sends: a chain of forty subgraphs takes all of Python's thousand frames. Reading and validating an
    operation keep that bound, by which a text that is nested too deep is refused.
    """
    usual = sys.getrecursionlimit()
    sys.setrecursionlimit(MAX_PLANNING_FRAMES)
    try:
        yield
    finally:
        sys.setrecursionlimit(usual)


def _outcome(work: Callable[[], Any]) -> Any:
    try:
        return work()
    except RequestError as error:
        return error
    except Exception as error:
        return PlanningFailedError("The router could not plan this operation.", detail=repr(error))


def _frame(value: Any) -> bytes:
    pickled = pickle.dumps(value, protocol=pickle.HIGHEST_PROTOCOL)
    return _LENGTH.pack(len(pickled)) + pickled


def _read_frame(stream: BinaryIO) -> Any:
    head = stream.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    return pickle.loads(stream.read(_LENGTH.unpack(head)[0]))  # noqa: S301 - our own parent wrote it  # nosec B301
