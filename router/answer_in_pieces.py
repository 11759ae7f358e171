"""The story of a request whose answer comes in pieces: `@defer` and `@stream`, from operation text to payloads.

`server` calls it where the client can take pieces; what is not deferred goes the way of `pipeline`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from typing import Any

from router.background import aside
from router.errors import ErrorEntry, RequestError
from router.executor.deferral import DeferredBlock, SplitOperation, StreamedList, split_incremental, way_to
from router.executor.execute import CompiledPlan, Step
from router.executor.fetch import Execution
from router.executor.incremental import (
    Announcer,
    DeliveredData,
    LaterPayload,
    are_there,
    cut,
    initial_payload,
    is_read_by,
    take_errors_of_rest,
)
from router.executor.introspection import without_introspection
from router.executor.transport import AnswersOfRequest
from router.loaded_graph import LoadedGraph, PartToPlan, PreparedOperation
from router.operation import Operation
from router.pipeline import (
    OperationRequest,
    Response,
    Runtime,
    active_labels,
    answer_or_raise,
    authorized,
    introspect,
    refuse_wrong_kind,
)
from router.planner import asks_again, keys_of_other_fields
from router.selection_set import SelectionSet

_Run = asyncio.Future[tuple[CompiledPlan, Execution]]


async def answer_incrementally(
    request: OperationRequest, graph: LoadedGraph, runtime: Runtime
) -> Response | AsyncIterator[bytes]:
    """Payloads in the current wire format, where the operation defers or streams; else its one response. Raises
    RequestError before the first payload.
    """
    prepared = await graph.prepare(request.query, request.operation_name, keep_incremental=True)
    refuse_wrong_kind(prepared.operation, request)
    variables = prepared.coercion.coerce(request.variables)
    split = split_incremental(prepared.operation, graph.api_schema, variables)
    if split is not None:
        pieces = _Pieces(split, prepared, variables, request, graph, runtime)
        if await pieces.can_come_apart():
            await aside(prepared.is_long, pieces.check_cost)
            return await pieces.begin()
    return await answer_or_raise(request, graph, runtime)


class _Pieces:
    """The parts of one answer: the first, and every deferred one. All run at the same time, each in a tree of its own; what
    they ask subgraphs in common is asked once.
    """

    def __init__(
        self,
        split: SplitOperation,
        prepared: PreparedOperation,
        variables: dict[str, Any],
        request: OperationRequest,
        graph: LoadedGraph,
        runtime: Runtime,
    ) -> None:
        self._split = split
        self._prepared = prepared
        self._request = request
        self._graph = graph
        self._runtime = runtime
        self._variables = variables
        self._answers = AnswersOfRequest(runtime.transport)
        self._announcer = Announcer()
        self._blocks = list(split.all_blocks())
        self._plans: tuple[CompiledPlan, ...] = ()
        self._executions: list[Execution] = []
        self._waiting: dict[_Run, DeferredBlock | StreamedList] = {}

    async def can_come_apart(self) -> bool:
        """Plans all parts. Not where one would have to send a mutation once more. Raises RequestError."""
        outer = {inner: index for index, block in enumerate(self._blocks, 1) for inner in block.nested}
        parts = [self._part(self._split.planned, self._split.primary, None)]
        parts += [self._part(block.operation, block.operation, outer.get(block, 0)) for block in self._blocks]
        labels = active_labels(self._request, self._graph, self._runtime)
        self._plans = await self._graph.plan_parts(tuple(parts), labels)
        if self._prepared.introspection is not None:
            for execution in self._executions:
                await introspect(self._prepared.introspection, execution, self._graph)
        return bool(self._plans)

    def _part(self, planned: Operation, shape: Operation, outer: int | None) -> PartToPlan:
        plannable = without_introspection(planned) if self._prepared.introspection is not None else planned
        authorization = authorized(plannable, self._request, self._graph, self._runtime)
        execution = Execution(
            self._answers, self._variables, headers=self._request.headers, withhold=authorization.withholding
        )
        self._executions.append(execution)
        return PartToPlan(authorization.allowed, shape, outer, in_levels=outer is None and bool(self._split.streams))

    def check_cost(self) -> None:
        """The plain operation's, and again that of the way to each part which the subgraphs have to go twice. Raises
        RequestError.
        """
        if self._runtime.check_cost is None:
            return
        plannable = self._prepared.plannable
        items = plannable.selections.items
        for number, block in enumerate(self._blocks, 1):
            around = [plan.plan for plan in self._plans[:number]]
            if asks_again(self._plans[number].plan, around):
                items += way_to(block, plannable.selections).items
        self._runtime.check_cost(replace(plannable, selections=SelectionSet(items)), self._variables)

    async def begin(self) -> AsyncIterator[bytes]:
        """The payloads. A mutation has run when this returns: nobody may cut it off by reading no further."""
        is_mutation = self._split.primary.operation_type == "mutation"
        if is_mutation:
            await self._run_first()
        return self._payloads(has_begun=is_mutation)

    async def _payloads(self, *, has_begun: bool) -> AsyncIterator[bytes]:
        runs = {
            block: asyncio.ensure_future(_run_to_end(plan, plan.steps, execution))
            for block, plan, execution in zip(self._blocks, self._plans[1:], self._executions[1:], strict=True)
        }
        try:
            if not has_begun:
                await self._run_first()
            plan, execution = self._plans[0], self._executions[0]
            execution.finish()
            data, errors = plan.project_plainly(execution)
            announced = self._announcer.blocks_at(self._split.blocks, execution.tree, data)
            for run, part in list(self._waiting.items()):  # so far they are rests of lists
                piece = self._announcer.rest_of(part, data)  # type: ignore[arg-type]
                if piece is None:
                    del self._waiting[run]
                    run.cancel()
                else:
                    announced.append(piece)
            self._waiting.update({runs[piece.part]: piece.part for piece in announced if piece.part in runs})
            yield initial_payload(data, errors, announced, self._extensions(plan))
            is_repeated = self._request.repeats_fields
            names = self._graph.key_names.difference(keys_of_other_fields(self._prepared.operation.selections))
            delivered = DeliveredData(data, execution.tree, names, is_repeated=is_repeated)
            while self._waiting:
                done, _ = await asyncio.wait(self._waiting, return_when=asyncio.FIRST_COMPLETED)
                for run in done:
                    payload = self._later(self._waiting.pop(run), run, LaterPayload(errors, delivered))
                    self._waiting.update({runs[piece.part]: piece.part for piece in payload.pending})  # type: ignore[index]
                    ran = None if run.exception() is not None else self._extensions(run.result()[0])
                    yield payload.encode(has_next=bool(self._waiting), extensions=ran)
        finally:
            for run in (*runs.values(), *self._waiting):
                run.cancel()
            self._answers.cancel()

    async def _run_first(self) -> None:
        """Runs what the first result needs. Lists are cut as soon as they have come, and their rests go on alone: they
        are among those waited for at once, so that a client who leaves now stops them too.
        """
        plan, execution = self._plans[0], self._executions[0]
        streams = [each for each in self._split.streams if not is_read_by(plan.plan.node, each)]
        steps = list(plan.steps)
        while steps and not (streams and are_there(streams, execution.tree)):
            await steps.pop(0).run(execution)
        for stream in streams:
            tree = cut(stream, execution.tree)
            if tree is not None:
                errors = take_errors_of_rest(stream, execution.errors)
                alone = replace(execution, tree=tree, errors=errors, known_objects={}, cache_controls=[])
                self._waiting[asyncio.ensure_future(_run_to_end(plan, steps, alone))] = stream
        await _run_steps(steps, execution)

    def _extensions(self, plan: CompiledPlan) -> dict[str, Any] | None:
        return self._runtime.extensions(plan, self._request) if self._runtime.extensions is not None else None

    def _later(self, part: DeferredBlock | StreamedList, run: _Run, payload: LaterPayload) -> LaterPayload:
        error = run.exception()
        for piece in self._announcer.of(part):
            if isinstance(error, RequestError):
                payload.fail(piece, _at(piece.path, error))
                continue
            plan, execution = run.result()
            data = payload.add(piece, plan, execution)
            if isinstance(part, DeferredBlock) and data is not None:
                payload.pending += self._announcer.blocks_at(part.nested, execution.tree, data, piece.path)
        return payload


def _at(path: tuple[str | int, ...], error: RequestError) -> list[ErrorEntry]:
    return [{**entry, "path": list(path)} for entry in error.entries()]


async def _run_steps(steps: Iterable[Step], execution: Execution) -> None:
    for step in steps:
        await step.run(execution)


async def _run_to_end(
    plan: CompiledPlan, steps: Iterable[Step], execution: Execution
) -> tuple[CompiledPlan, Execution]:
    await _run_steps(steps, execution)
    execution.finish()
    return plan, execution
