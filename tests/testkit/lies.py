"""Random graphs whose subgraphs lie once: the router's answer must stay an answer, and stay honest about the rest.

Run by `tests/conformance/test_lying_subgraphs.py` for some hundreds of lies, and for many by
`python -m tests.testkit.lies --lies 20000`.
"""

from __future__ import annotations

import asyncio
import json
import time
import traceback
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

import orjson
from graphql import parse

from router import exact_json
from router.errors import RequestError
from router.executor.execute import CompiledPlan, ConditionStep, ParallelStep, SequenceStep
from router.executor.fetch import EntityFetchStep, Execution, RootFetch, _response_keys
from router.executor.nested_root import NestedRootFetch
from router.executor.object_path import positions_at
from router.loaded_graph import LoadedGraph
from router.transport.protocol import SubgraphAnswer, SubgraphRequest
from tests.testkit.client_shape import Path, Shape, is_non_null, is_own_answer, shape_of, with_type_names
from tests.testkit.differences import composed_trial
from tests.testkit.federated_graph import FederatedGraph
from tests.testkit.long_run import LongRun
from tests.testkit.random_lie import Lie, random_lie
from tests.testkit.random_model import ACTIVE_LABELS
from tests.testkit.random_operation import random_operation
from tests.testkit.random_sdl import print_subgraphs
from tests.testkit.stub_transport import StubTransport

#: Beyond ten times what the honest answer takes.
MAX_MORE_SECONDS = 5.0
LIES_PER_OPERATION = 5
#: However much a subgraph says, the client is told no more than this beside the data.
MAX_ERROR_BYTES = 2_000_000


@dataclass(slots=True)
class Run:
    """One run of one operation. `spoilt` are the places that the lie may change, None where nobody can tell."""

    body: bytes
    requests: int
    lie: Lie | None = None
    spoilt: list[Path] | None = None

    @property
    def answer(self) -> dict[str, Any]:
        answered: dict[str, Any] = orjson.loads(self.body)
        return answered


class LyingTransport:
    """Honest but for one request; `lies_at` counts from 0."""

    def __init__(self, honest: StubTransport, lies_at: int | None, graph: LoadedGraph, rng: Random) -> None:
        self._honest = honest
        self._lies_at = lies_at
        self._type_names = list(graph.api_schema.type_map)
        self._rng = rng
        self.requests = 0
        self.lie: Lie | None = None
        self.spoilt: list[Path] | None = None
        self.plan: CompiledPlan | None = None
        self.execution: Execution | None = None

    def send(self, request: SubgraphRequest) -> asyncio.Future[SubgraphAnswer]:
        number, self.requests = self.requests, self.requests + 1
        if number != self._lies_at:
            return self._honest.send(request)
        return asyncio.ensure_future(self._lie(request))

    async def _lie(self, request: SubgraphRequest) -> SubgraphAnswer:
        assert self.plan is not None
        assert self.execution is not None
        # before anything else: objects still stand where they stood when they were collected
        steps, positions = [], []
        for step in _fetches(self.plan.step, orjson.loads(request.body)["query"]):
            found = _entity_positions(step, self.execution, request.body)
            if found is not None:
                steps.append(step)
                positions.append(found)
        answer = await self._honest.send(request)
        self.lie = random_lie(answer.body, self._type_names, self._rng)
        self.spoilt = []
        for step, known in zip(steps, positions, strict=True):
            self.spoilt += _spoilt(step, self.lie, answer.body, known)
        if not steps or any(not path for path in self.spoilt):
            self.spoilt = None
        return SubgraphAnswer(self.lie.status, self.lie.body, answer.content_type)


def _fetches(step: Any, query: str) -> Iterator[RootFetch | EntityFetchStep]:
    match step:
        case SequenceStep(steps):
            inner: list[Any] = list(steps)
        case ParallelStep(fetches, others):
            inner = [*fetches, *others]
        case ConditionStep(_, only):
            inner = [only]
        case NestedRootFetch():
            inner = [step._fetch]
        case RootFetch() | EntityFetchStep() if step.query == query:
            yield step
            return
        case _:  # with context values: what it asks is made for each request, so nobody can tell here
            return
    for each in inner:
        yield from _fetches(each, query)


#: By response key and representation, where in the client's answer the entity stands.
Positions = dict[str, list[list[Path]]]


def _entity_positions(step: RootFetch | EntityFetchStep, execution: Execution, body: bytes) -> Positions | None:
    """None where another step, of the same query, asks for these entities."""
    if isinstance(step, RootFetch):
        return {}
    positions: Positions = {}
    sent = exact_json.loads(body)["variables"]
    for lookup in step.lookups:
        variable = orjson.loads(b"{" + lookup._variable + b"0}")
        collected = lookup._collector.collect(
            execution.tree, {}, execution.variables
        )  # what the request knows must not change by this
        places = [each for path in lookup.paths for each in positions_at(execution.tree, path)]
        by_identity: dict[int, list[Path]] = {}
        for path, item in places:
            by_identity.setdefault(id(item), []).append(path)
        by_content = {
            exact_json.dumps(representation): [path for target, _ in targets for path in by_identity[id(target)]]
            for representation, targets in zip(collected.representations, collected.targets, strict=True)
        }
        asked = sent[next(iter(variable))]
        if not all(exact_json.dumps(each) in by_content for each in asked):
            return None
        positions[lookup.response_key] = [by_content[exact_json.dumps(each)] for each in asked]
    return positions


def _spoilt(step: RootFetch | EntityFetchStep, lie: Lie, honest: bytes, positions: Positions) -> list[Path]:
    """What may differ: the item (or root field) that the lie is about, since other fields may be computed from it."""
    place = lie.place
    if isinstance(step, RootFetch) and step._client_errors._selections is None:
        return [()]  # it belongs to objects further down, wherever they are
    if place is None:
        if _has_honest_data(lie, honest):
            return []
        if isinstance(step, RootFetch):
            data = orjson.loads(honest).get("data") or {}
            return [_item((key,)) for key in {*data, *_response_keys(step.selections, {})}]
        return [_item(path) for entities in positions.values() for each in entities for path in each]
    if isinstance(step, RootFetch):
        return [_item(place)]
    entities = positions[str(place[0])]
    if len(place) > 1 and isinstance(place[1], int):
        return [_item((*path, *place[2:])) for path in entities[place[1]]]
    return [_item(path) for each in entities for path in each]


def _has_honest_data(lie: Lie, honest: bytes) -> bool:
    try:
        answer = orjson.loads(lie.body)
    except orjson.JSONDecodeError:
        return False
    return (
        isinstance(answer, dict) and answer.get("data") is not None and answer["data"] == orjson.loads(honest)["data"]
    )


def _item(path: Path) -> Path:
    """The root field, or its item where it is a list; nothing where only the plan knows the key."""
    if isinstance(path[0], str) and path[0].startswith("__"):
        return ()
    length = 1
    while length < len(path) and isinstance(path[length], int):
        length += 1
    return path[:length]


# -- judging ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Complaint:
    seed: int
    sdls: dict[str, str]
    operation: str
    variables: dict[str, Any]
    lie: Lie | None
    honest: bytes
    received: bytes | str
    complaints: list[str]

    def __str__(self) -> str:
        sdls = "".join(f"\n# --- {name}\n" + "\n".join(sdl.splitlines()[4:]) for name, sdl in self.sdls.items())
        lie = f"{self.lie.kind} at {self.lie.place}: {self.lie.body[:2000]!r}" if self.lie else "none"
        received = self.received if isinstance(self.received, str) else self.received[:3000].decode(errors="replace")
        return (
            f"seed {self.seed}\n{sdls}\n\n# operation\n{self.operation}\n# variables\n{json.dumps(self.variables)}\n"
            f"# honest\n{self.honest[:3000].decode()}\n# lie\n{lie}\n# received\n{received}\n# wrong\n"
            + "\n".join(self.complaints[:8])
        )


async def complaints_of(seed: int, operations: int) -> AsyncIterator[Complaint | None]:
    """For each lie told while the seed's graph answers random operations: None, or what went wrong."""
    composed = composed_trial(seed)
    if composed is None:
        return
    trial, federated = composed
    schema = federated.graph.api_schema
    for index in range(operations):
        rng = Random(f"{seed}/{index}/lies")
        operation = random_operation(schema, rng)
        text = with_type_names(operation.text, schema)
        document = parse(text)
        try:
            honest = await _run(federated, text, operation.variables, None, rng)
            began = time.monotonic()
            honest = await _run(federated, text, operation.variables, None, rng)  # now compiled
            max_seconds = 10 * (time.monotonic() - began) + MAX_MORE_SECONDS
        except RequestError:
            continue  # larger than any router should take
        shape = shape_of(document, schema)
        for _ in range(LIES_PER_OPERATION if honest.requests else 0):
            began = time.monotonic()
            lie: Lie | None = None
            received: bytes | str = ""
            lies_at, told = rng.randrange(honest.requests), rng.random()
            try:
                run = await _run(federated, text, operation.variables, lies_at, Random(told))
                lie, received = run.lie, run.body
                found = _wrong_with(run, honest, shape) if lie is not None else []
                first = await _run(federated, text, operation.variables, lies_at, Random(told), is_first=True)
                if _said(first) != _said(run):
                    found.append(f"a plan's first answer is {first.body[:2000]!r}")
                if run.answer["data"] is not None:
                    found += is_own_answer(run.answer["data"], schema, document, operation.variables)
            except _CrashedError as error:
                lie, received = error.lie, str(error.__cause__)
                found = ["".join(traceback.format_exception(error.__cause__)[-4:])]
            if time.monotonic() - began > max_seconds:
                found.append(f"took {time.monotonic() - began:.1f} s")
            sdls = print_subgraphs(trial.supergraph)
            if found:
                yield Complaint(
                    seed,
                    sdls,
                    text,
                    operation.variables,
                    lie=lie,
                    honest=honest.body,
                    received=received,
                    complaints=found,
                )
            else:
                yield None


class _CrashedError(Exception):
    def __init__(self, lie: Lie | None) -> None:
        super().__init__("the router raised")
        self.lie = lie


async def _run(
    federated: FederatedGraph,
    operation: str,
    variables: dict[str, Any],
    lies_at: int | None,
    rng: Random,
    *,
    is_first: bool = False,
) -> Run:
    """As `pipeline.respond` does it, with the plan and the tree at hand; with a plan that has not run yet, where it `is_first`.
    Raises RequestError, and _CrashedError.
    """
    graph = federated.graph
    transport = LyingTransport(StubTransport(federated.stubs), lies_at, graph, rng)
    prepared = await graph.prepare(operation, None)
    plan = await graph.plan(prepared, prepared.plannable, ACTIVE_LABELS & graph.override_labels)
    if is_first:
        plan = graph.compile(plan.plan, plan.operation)
    execution = Execution(transport, prepared.coercion.coerce(variables))
    transport.plan, transport.execution = plan, execution
    try:
        body = await plan.respond(execution)
    except Exception as error:
        raise _CrashedError(transport.lie) from error
    return Run(body, transport.requests, transport.lie, transport.spoilt)


def _said(run: Run) -> tuple[str, list[str]]:
    """Data in their order, errors in any: of requests that are under way together either may fail first. Digits that no double
    has are the plain projection's to round.
    """
    answer = json.loads(run.body, parse_int=lambda digits: int(digits) if len(digits) < 20 else float(digits))
    return json.dumps(answer["data"]), sorted(map(json.dumps, answer.get("errors", ())))


def _wrong_with(run: Run, honest: Run, shape: Shape) -> list[str]:
    assert run.lie is not None
    before, after = honest.answer, run.answer
    found = [f"error path {path} leads nowhere" for path in _paths(after) if shape.at(path) is None]
    if b"hunter2" in run.body:
        found.append("tells a secret")
    if len(orjson.dumps(after.get("errors"))) > MAX_ERROR_BYTES:
        found.append(f"errors of {len(orjson.dumps(after['errors']))} bytes")
    if run.spoilt is not None:
        spoilt = run.spoilt
        if before["data"] is not None:
            found += [f"{path} differs" for path in _others(before["data"], after["data"], (), spoilt, shape)]
    if run.lie.needs_errors:
        paths = _paths(after) + ([()] if any("path" not in each for each in after.get("errors", ())) else [])
        for null in _new_nulls(before["data"], after["data"], ()):
            if not any(_explains(path, null, shape) or _is_computed(path, null, run.spoilt) for path in paths):
                found.append(f"{null} is null and no error says why")
    return found


def _paths(answer: dict[str, Any]) -> list[Path]:
    return [tuple(error["path"]) for error in answer.get("errors", ()) if "path" in error]


def _others(before: Any, after: Any, path: Path, spoilt: list[Path], shape: Shape) -> Iterator[Path]:
    """Places that differ though the lie was not about them."""
    if before == after or any(path[: len(each)] == each for each in spoilt):
        return
    if isinstance(before, dict) and isinstance(after, dict) and before.keys() == after.keys():
        for key in before:
            yield from _others(before[key], after[key], (*path, key), spoilt, shape)
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for index, item in enumerate(before):
            yield from _others(item, after[index], (*path, index), spoilt, shape)
    elif after is not None or not any(_travels(each, path, shape) for each in spoilt):
        yield path


def _new_nulls(before: Any, after: Any, path: Path) -> Iterator[Path]:
    if before is None or before == after:
        return
    if after is None:
        yield path
    elif isinstance(before, dict) and isinstance(after, dict):
        for key in before.keys() & after.keys():
            yield from _new_nulls(before[key], after[key], (*path, key))
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for index, item in enumerate(before):
            yield from _new_nulls(item, after[index], (*path, index))


def _explains(error: Path, null: Path, shape: Shape) -> bool:
    return null[: len(error)] == error or _travels(error, null, shape)


def _is_computed(error: Path, null: Path, spoilt: list[Path] | None) -> bool:
    """Whether the field may be one that was not asked for at all, since what it is computed from did not come."""
    return any(error[: len(each)] == each == null[: len(each)] for each in spoilt or ())


def _travels(origin: Path, to: Path, shape: Shape) -> bool:
    """Whether a null at `origin` becomes one at `to`: all that stands between is never null."""
    types = shape.at(origin)
    return types is not None and origin[: len(to)] == to and all(map(is_non_null, types[len(to) :]))


if __name__ == "__main__":
    LongRun("lies", "complaints", complaints_of, 20_000, 8).main(__doc__)
