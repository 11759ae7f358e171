"""How a request is answered in pieces: `@defer` and `@stream`, from prepared request to payloads.

`pipeline.respond_in_pieces` calls `take_apart`; what is not deferred goes its ordinary way.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import replace
from typing import Any

from router.errors import ErrorEntry, RequestError
from router.executor.execute import CompiledPlan, Step, writes
from router.executor.fetch import Execution
from router.executor.object_path import ClientPath
from router.executor.response_size import ResponseTooLargeError
from router.executor.sharing import response_keys_of
from router.incremental.answers import AnswersOfRequest
from router.incremental.encoded_pieces import EncodedPieces, sent_whole
from router.incremental.payloads import (
    Announcer,
    DeliveredData,
    LaterPayload,
    are_there,
    cut,
    initial_payload,
    is_read_by,
)
from router.incremental.plan_parts import PartPlans, PartToPlan
from router.incremental.share_fetches import asks_again, keys_of_other_fields
from router.incremental.split import DeferredPart, SplitOperation, StreamedList, split_incremental, way_to
from router.introspection import without_introspection
from router.operation import Operation
from router.prepared_request import PreparedRequest
from router.selection_set import SelectionSet
from router.telemetry import RESPONSES_TOO_LARGE

_Run = asyncio.Future[tuple[CompiledPlan, Execution]]


async def take_apart(prepared: PreparedRequest) -> Pieces | None:
    """The pieces in which the request can be answered; None where nothing is deferred or streamed with its variables, or
    where a piece would have to send a mutation once more. Raises RequestError.
    """
    graph = prepared.graph
    keyed_types = graph.derived(PartPlans).keyed_types
    split = split_incremental(prepared.operation.operation, graph.api_schema, prepared.variables, keyed_types)
    if split is None:
        return None
    pieces = Pieces(split, prepared)
    if not await pieces.plan():
        return None
    await pieces.check_cost()
    return pieces


class Pieces:
    """The parts of one response: the first, and every deferred one. All run at the same time, each in a tree of its own;
    what they ask subgraphs in common is asked once.
    """

    def __init__(self, split: SplitOperation, prepared: PreparedRequest) -> None:
        self._split = split
        self._prepared = prepared
        self._answers = AnswersOfRequest(prepared.transport)
        self._most = prepared.runtime.max_response_bytes
        self._announcer = Announcer()
        self._deferred = list(split.all_deferred())
        self._sent_whole = sent_whole(split, repeats_fields=prepared.request.repeats_fields)
        self._plans: tuple[CompiledPlan, ...] = ()
        self._executions: list[Execution] = []
        self._waiting: dict[_Run, DeferredPart | StreamedList] = {}
        self._cut_at: dict[_Run, tuple[ClientPath, ...]] = {}

    async def plan(self) -> bool:
        """Plans all parts; whether they can come apart. Raises RequestError."""
        outer = {inner: index for index, part in enumerate(self._deferred, 1) for inner in part.nested}
        parts = [self._part(self._split.planned, self._split.primary, None)]
        parts += [self._part(part.operation, part.operation, outer.get(part, 0)) for part in self._deferred]
        graph = self._prepared.graph
        self._plans = await graph.derived(PartPlans).of(
            graph, tuple(parts), self._prepared.active_labels(), self._prepared.request.asker
        )
        for execution in self._executions:
            await self._prepared.introspect(execution)
        return bool(self._plans)

    def _part(self, planned: Operation, shape: Operation, outer: int | None) -> PartToPlan:
        plannable = without_introspection(planned) if self._prepared.operation.introspection is not None else planned
        authorization = self._prepared.authorize(plannable)
        self._executions.append(self._prepared.new_execution(authorization, self._answers))
        return PartToPlan(authorization.allowed, shape, outer, in_levels=outer is None and bool(self._split.streams))

    async def check_cost(self) -> None:
        """Checks the cost of the plain operation, to which the fields that lead to a part are added once more if
        subgraphs have to resolve them again for that part. Raises RequestError.
        """
        if self._prepared.runtime.check_cost is None:
            return
        plannable = self._prepared.operation.plannable
        items = plannable.selections.items
        for number, part in enumerate(self._deferred, 1):
            around = [plan.plan for plan in self._plans[:number]]
            if asks_again(self._plans[number].plan, around):
                items += way_to(part, plannable.selections).items
        await self._prepared.check_cost(replace(plannable, selections=SelectionSet(items)))

    async def begin(self) -> AsyncIterator[bytes]:
        """The payloads. A mutation has run when this returns: nobody may cut it off by reading no further."""
        is_mutation = self._split.primary.operation_type == "mutation"
        if is_mutation:
            await self._run_first()
        return self._payloads(has_begun=is_mutation)

    async def _payloads(self, *, has_begun: bool) -> AsyncIterator[bytes]:
        runs = {
            part: asyncio.ensure_future(_run_to_end(plan, plan.steps, execution))
            for part, plan, execution in zip(self._deferred, self._plans[1:], self._executions[1:], strict=True)
        }
        try:
            if not has_begun:
                await self._run_first()
            plan, execution = self._plans[0], self._executions[0]
            execution.finish()
            data, errors = plan.project_plainly(execution)
            announced = self._announcer.deferred_at(self._split.deferred, execution.tree, data)
            for run, part in list(self._waiting.items()):  # so far they are rests of lists
                rests = self._announcer.rests_of(part, self._cut_at[run], data)  # type: ignore[arg-type]
                announced += rests
                if not rests:
                    del self._waiting[run]
                    run.cancel()
            self._waiting.update({runs[piece.part]: piece.part for piece in announced if piece.part in runs})
            body = initial_payload(data, errors, announced, await self._prepared.extensions(plan))
            if len(body) > self._most:
                yield initial_payload(None, [self._too_large()], [], None)
                return
            yield body
            delivered = self._delivered(data, execution)
            async for body in self._later_payloads(runs, errors, delivered):
                yield body
        finally:
            for run in (*runs.values(), *self._waiting):
                run.cancel()
            self._answers.cancel()

    async def _later_payloads(
        self, runs: Mapping[DeferredPart, _Run], told: list[ErrorEntry], delivered: DeliveredData
    ) -> AsyncIterator[bytes]:
        """Each part when it has come. One that is too large is the end: the others count on the fields that the client would
        have of it.
        """
        while self._waiting:
            done, _ = await asyncio.wait(self._waiting, return_when=asyncio.FIRST_COMPLETED)
            for run in done:
                untold = [piece for part in self._waiting.values() for piece in self._announcer.of(part)]
                payload = self._later(self._waiting.pop(run), run, LaterPayload(told, delivered))
                self._waiting.update({runs[piece.part]: piece.part for piece in payload.pending})  # type: ignore[index]
                ran = None if run.exception() else await self._prepared.extensions(run.result()[0])
                body = payload.encode(has_next=bool(self._waiting), extensions=ran)
                if len(body) > self._most:
                    payload.fail_all(untold, self._too_large())
                    yield payload.encode(has_next=False, extensions=None)
                    return
                yield body

    def _too_large(self) -> ErrorEntry:
        operation_type = self._prepared.operation_type
        RESPONSES_TOO_LARGE.labels(operation_type).inc()
        return ResponseTooLargeError(self._most, operation_type).entry()

    async def _run_first(self) -> None:
        """Runs what the first result needs. Lists are cut as soon as they have come, and their rests go on alone: they
        are among those waited for at once, so that a client who leaves now stops them too. Those of a mutation are cut
        when nothing is left that writes: their rests go through what is left once more.
        """
        plan, execution = self._plans[0], self._executions[0]
        streams = [each for each in self._split.streams if not is_read_by(plan.plan.node, each)]
        steps = list(plan.steps)
        while steps and not (streams and are_there(streams, execution.tree) and not any(map(writes, steps))):
            await steps.pop(0).run(execution)
        for stream in streams:
            rests = cut(stream, execution.tree)
            if rests is not None:
                errors = rests.take_errors(stream, execution.errors)
                alone = replace(
                    execution,
                    tree=rests.tree,
                    errors=errors,
                    known_objects={},
                    cache_controls=[],
                    rest_of=response_keys_of(stream.path),
                )
                run = asyncio.ensure_future(_run_to_end(plan, steps, alone))
                self._waiting[run] = stream
                self._cut_at[run] = rests.cut_at
        await _run_steps(steps, execution)

    def _delivered(self, data: Any, execution: Execution) -> DeliveredData:
        prepared = self._prepared
        other = keys_of_other_fields(prepared.operation.operation.selections)
        names = prepared.graph.derived(PartPlans).key_names.difference(other)
        return DeliveredData(data, execution.tree, names, is_repeated=prepared.request.repeats_fields)

    def _later(self, part: DeferredPart | StreamedList, run: _Run, payload: LaterPayload) -> LaterPayload:
        error = run.exception()
        if isinstance(error, RequestError):
            for piece in self._announcer.of(part):
                payload.fail(piece, _at(piece.path, error))
            return payload
        plan, execution = run.result()
        encoded = EncodedPieces(part, plan, execution) if part in self._sent_whole else None
        for piece in self._announcer.of(part):
            data = payload.add(piece, plan, execution, encoded)
            if isinstance(part, DeferredPart) and data is not None:
                payload.pending += self._announcer.deferred_at(part.nested, execution.tree, data, piece.path)
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
