"""How a request is answered in pieces: `@defer` and `@stream`, from prepared request to payloads.

`pipeline.respond_in_pieces` calls `take_apart`; what is not deferred goes its ordinary way.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import replace
from typing import Any

import msgspec

from router.errors import ErrorEntry, RequestError
from router.executor.execute import CompiledPlan, Step, writes
from router.executor.fetch import Execution
from router.executor.object_path import ClientPath
from router.executor.response_size import ResponseTooLargeError, response_bytes
from router.executor.sharing import response_keys_of
from router.incremental.announcer import Announcer, value_at
from router.incremental.answers import AnswersOfRequest
from router.incremental.divisions import DividedOperation, Divisions
from router.incremental.encoded_pieces import EncodedPieces
from router.incremental.formats import CurrentFormat, FormerFormat
from router.incremental.payloads import DeliveredData, LaterPayload, are_there, cut, is_read_by
from router.incremental.plan_parts import PartPlans, PartToPlan
from router.incremental.share_fetches import asks_again
from router.incremental.split import DeferredPart, StreamedList, way_to
from router.prepared_request import PreparedRequest
from router.selection_set import SelectionSet
from router.telemetry import RESPONSES_TOO_LARGE

_Run = asyncio.Future[tuple[CompiledPlan, Execution]]


async def take_apart(prepared: PreparedRequest) -> Pieces | None:
    """The pieces in which the request can be answered; None where nothing is deferred or streamed with its variables, or
    where a piece would have to send a mutation once more. Raises RequestError.
    """
    divided = prepared.graph.derived(Divisions).of(prepared)
    if divided is None:
        return None
    pieces = Pieces(divided, prepared)
    if not await pieces.plan():
        return None
    await pieces.check_cost()
    return pieces


class Pieces:
    """The parts of one response: the first, and every deferred one. All run at the same time, each in a tree of its own;
    what they ask subgraphs in common is asked once.
    """

    def __init__(self, divided: DividedOperation, prepared: PreparedRequest) -> None:
        self._divided = divided
        self._split = divided.split
        self._prepared = prepared
        self._answers = AnswersOfRequest(prepared.transport)
        self._most = prepared.runtime.max_response_bytes
        self._announcer = Announcer()
        self._format = FormerFormat() if prepared.request.repeats_fields else CurrentFormat()
        self._sent_whole = divided.sent_whole(repeats_fields=prepared.request.repeats_fields)
        self._plans: tuple[CompiledPlan, ...] = ()
        self._executions: list[Execution] = []
        self._waiting: dict[_Run, DeferredPart | StreamedList] = {}
        self._cut_at: dict[_Run, tuple[ClientPath, ...]] = {}

    async def plan(self) -> bool:
        """Plans all parts; whether they can come apart. Raises RequestError."""
        parts = tuple([self._allowed(part) for part in self._divided.parts])
        labels = self._prepared.active_labels()
        is_whole = all(part is whole for part, whole in zip(parts, self._divided.parts, strict=True))
        known = self._divided.plans.get(labels) if is_whole else None
        if known is None:
            graph = self._prepared.graph
            known = await graph.derived(PartPlans).of(graph, parts, labels, self._prepared.request.asker)
            if is_whole:
                self._divided.keep(labels, known)
        self._plans = known
        for execution in self._executions:
            await self._prepared.introspect(execution)
        return bool(self._plans)

    def _allowed(self, part: PartToPlan) -> PartToPlan:
        """What the caller may have of it, and begins its execution."""
        authorization = self._prepared.authorize(part.allowed)
        execution = self._prepared.new_execution(authorization, self._answers)
        execution.is_cut = bool(self._split.streams)
        self._executions.append(execution)
        if authorization.allowed is part.allowed:
            return part
        return replace(part, allowed=authorization.allowed, reading=None)

    async def check_cost(self) -> None:
        """Checks the cost of the plain operation, to which the fields that lead to a part are added once more if
        subgraphs have to resolve them again for that part. Raises RequestError.
        """
        if self._prepared.runtime.check_cost is None:
            return
        plannable = self._prepared.operation.plannable
        items = plannable.selections.items
        for number, part in enumerate(self._divided.deferred, 1):
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
            for part, plan, execution in zip(self._divided.deferred, self._plans[1:], self._executions[1:], strict=True)
        }
        try:
            if not has_begun:
                await self._run_first()
            plan, execution = self._plans[0], self._executions[0]
            execution.finish()
            if plan.outgrows(execution):
                yield self._format.initial(None, [self._too_large()], [], None)
                return
            data, written, errors = self._first_data(plan, execution)
            announced = self._announcer.deferred_at(self._split.deferred, execution.tree, data)
            for run, part in list(self._waiting.items()):  # so far they are rests of lists
                rests = self._announcer.rests_of(part, self._cut_at[run], data)  # type: ignore[arg-type]
                announced += rests
                if not rests:
                    del self._waiting[run]
                    run.cancel()
            self._waiting.update({runs[piece.part]: piece.part for piece in announced if piece.part in runs})
            body = self._format.initial(written, errors, announced, await self._prepared.extensions(plan))
            if len(body) > self._most:
                yield self._format.initial(None, [self._too_large()], [], None)
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
        """Each part when it has come, of several at once in their order. One that is too large is the end: the others count on
        the fields that the client would have of it.
        """
        while self._waiting:
            done, _ = await asyncio.wait(self._waiting, return_when=asyncio.FIRST_COMPLETED)
            for run in [each for each in self._waiting if each in done]:
                untold = list(self._waiting.values())
                part, payload = self._waiting.pop(run), LaterPayload(told, delivered)
                body = None
                if not self._outgrows(part, run):
                    self._fill(payload, part, run)
                    self._waiting.update({runs[piece.part]: piece.part for piece in payload.pending})  # type: ignore[index]
                    ran = None if run.exception() else await self._prepared.extensions(run.result()[0])
                    body = payload.encode(self._format, ran, has_next=bool(self._waiting))
                if body is None or len(body) > self._most:
                    pieces = [piece for each in untold for piece in self._announcer.of(each)]
                    payload.fail_all(pieces, self._too_large())
                    yield payload.encode(self._format, None, has_next=False)
                    return
                yield body

    def _outgrows(self, part: DeferredPart | StreamedList, run: _Run) -> bool:
        """As `CompiledPlan.outgrows`, for all pieces of a part together."""
        if run.exception() is not None or not run.result()[1].may_outgrow():
            return False
        execution = run.result()[1]
        sizes: dict[int, int] = {}
        size = 0
        for piece in self._announcer.of(part):
            found = value_at(execution.tree, piece.path)
            if found.__class__ is dict or found.__class__ is list:
                if id(found) not in sizes:
                    sizes[id(found)] = response_bytes(part.selections, found, execution.variables)
                size += sizes[id(found)]
        return size > self._most

    def _first_data(self, plan: CompiledPlan, execution: Execution) -> tuple[Any, Any, list[ErrorEntry]]:
        """The first result to be looked into, the same to be written, and its errors. Its lists are its own where items are
        added to them.
        """
        if not self._split.streams:
            return plan.project_openly(execution)
        data, errors = plan.project_plainly(execution)
        return data, data, errors

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
                alone = msgspec.structs.replace(
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
        is_repeated = self._prepared.request.repeats_fields
        return DeliveredData(data, execution.tree, self._divided.key_names, is_repeated=is_repeated)

    def _fill(self, payload: LaterPayload, part: DeferredPart | StreamedList, run: _Run) -> None:
        error = run.exception()
        if isinstance(error, RequestError):
            for piece in self._announcer.of(part):
                payload.fail(piece, _at(piece.path, error))
            return
        plan, execution = run.result()
        encoded = EncodedPieces(part, plan, execution) if part in self._sent_whole else None
        for piece in self._announcer.of(part):
            data = payload.add(piece, plan, execution, encoded)
            if isinstance(part, DeferredPart) and data is not None:
                payload.pending += self._announcer.deferred_at(part.nested, execution.tree, data, piece.path)


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
