"""What one request did, for development: its stages, and every fetch with time, size, outcome and what was sent.

`pipeline` begins one where a plan is asked for or a console listens; requests in production have none.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from router.errors import SubgraphError
from router.exact_json import loads
from router.transport.protocol import SubgraphAnswer, SubgraphRequest, SubgraphTransport

#: Of one request; more fetches, and longer bodies, are counted and not shown.
MAX_FETCHES = 500
MAX_SHOWN_BYTES = 200_000
MAX_SHOWN_REPRESENTATIONS = 50


@dataclass(slots=True)
class FetchRecord:
    """One request to a subgraph. Times are seconds since the trace began; `seconds` is None while it is under way."""

    subgraph: str
    body: bytes
    started: float
    answer: asyncio.Future[SubgraphAnswer] | None = None
    seconds: float | None = None
    bytes_received: int = 0
    status: int | None = None
    error: str | None = None

    def land(self, now: float) -> None:
        """Takes the outcome over, once, if there is one. Who waits for an answer that is there already goes on before the
        answer's callbacks run, so the trace asks here too.
        """
        answer = self.answer
        if answer is None or not answer.done():
            return
        self.answer = None
        self.seconds = now - self.started
        if answer.cancelled():
            self.error = "CANCELLED"
        elif (error := answer.exception()) is not None:
            self.error = error.code if isinstance(error, SubgraphError) else type(error).__name__
        else:
            arrived = answer.result()
            self.status, self.bytes_received = arrived.status, len(arrived.body)


@dataclass(slots=True)
class StageRecord:
    """`prepare` or `plan`; `cached` says that an earlier request had left the result."""

    name: str
    seconds: float
    cached: bool


@dataclass(slots=True)
class RequestTrace:
    """`left_out` counts fetches beyond MAX_FETCHES."""

    began_at: float = field(default_factory=time.time)
    stages: list[StageRecord] = field(default_factory=list)
    fetches: list[FetchRecord] = field(default_factory=list)
    kept: dict[tuple[str, str], int] = field(default_factory=dict)  # by subgraph and type
    left_out: int = 0
    _zero: float = field(default_factory=time.perf_counter)

    @property
    def seconds(self) -> float:
        """Since it began."""
        return time.perf_counter() - self._zero

    def stage(self, name: str, since: float, *, cached: bool) -> None:
        """Notes a stage that began at `since` (as `seconds` said then) and has ended now."""
        self.stages.append(StageRecord(name, self.seconds - since, cached))

    def of_next_event(self) -> RequestTrace:
        """A new one, of a subscription whose stages are over."""
        return RequestTrace(stages=self.stages)

    def recording(self, transport: SubgraphTransport) -> SubgraphTransport:
        return _RecordingTransport(transport, self)

    def note_kept(self, subgraph: str, type_name: str, number: int) -> None:
        """Entities, or root answers, that a cache had and nobody was asked for."""
        self.kept[subgraph, type_name] = self.kept.get((subgraph, type_name), 0) + number

    def begin_fetch(self, request: SubgraphRequest) -> FetchRecord | None:
        if len(self.fetches) >= MAX_FETCHES:
            self.left_out += 1
            return None
        record = FetchRecord(request.subgraph, request.body, self.seconds)
        self.fetches.append(record)
        return record


class _RecordingTransport:
    def __init__(self, transport: SubgraphTransport, trace: RequestTrace) -> None:
        self._transport = transport
        self._trace = trace

    def send(self, request: SubgraphRequest) -> asyncio.Future[SubgraphAnswer]:
        record = self._trace.begin_fetch(request)
        sent = self._transport.send(request)
        if record is not None:
            record.answer = sent
            sent.add_done_callback(lambda _: record.land(self._trace.seconds))
        return sent


def trace_as_json(trace: RequestTrace, node_of: Callable[[str, str], int | None]) -> dict[str, Any]:
    """Milliseconds and bytes. `node_of` gives the number of the plan's node for a subgraph and the text sent to it.

    With the values that were sent, so only for the one who sent the request.
    """
    for each in trace.fetches:
        each.land(trace.seconds)
    return {
        "startedAt": trace.began_at,
        "milliseconds": _milliseconds(trace.seconds),
        "stages": [
            {"name": each.name, "milliseconds": _milliseconds(each.seconds), "cached": each.cached}
            for each in trace.stages
        ],
        "fetches": [_fetch_as_json(each, node_of, with_values=True) for each in trace.fetches],
        "fetchesLeftOut": trace.left_out,
        "kept": kept_as_json(trace),
    }


def kept_as_json(trace: RequestTrace) -> list[dict[str, Any]]:
    return [{"subgraph": subgraph, "type": name, "count": number} for (subgraph, name), number in trace.kept.items()]


def fetches_without_values(fetches: Iterable[FetchRecord]) -> list[dict[str, Any]]:
    """For somebody else to see: the texts have no literals, as the router lifts those into variables."""
    return [_fetch_as_json(each, lambda _subgraph, _text: None, with_values=False) for each in fetches]


def _fetch_as_json(
    record: FetchRecord, node_of: Callable[[str, str], int | None], *, with_values: bool
) -> dict[str, Any]:
    told: dict[str, Any] = {
        "subgraph": record.subgraph,
        "startMilliseconds": _milliseconds(record.started),
        "milliseconds": None if record.seconds is None else _milliseconds(record.seconds),
        "bytesSent": len(record.body),
        "bytesReceived": record.bytes_received,
        "status": record.status,
        "error": record.error,
    }
    if len(record.body) > MAX_SHOWN_BYTES:
        return told | {"node": None, "operation": None}
    sent = loads(record.body)
    variables: dict[str, Any] = sent.get("variables") or {}
    lists = [name for name in variables if _is_of_representations(name, sent["query"])]
    told |= {
        "node": node_of(record.subgraph, sent["query"]),
        "operation": sent["query"],
        "representationCount": sum(len(variables[name]) for name in lists),
    }
    if with_values:
        shown = {name: variables[name][:MAX_SHOWN_REPRESENTATIONS] for name in lists}
        told["variables"] = {**variables, **shown}
    return told


def _is_of_representations(name: str, query: str) -> bool:
    return f"_entities(representations:${name})" in query


def _milliseconds(seconds: float) -> float:
    return round(seconds * 1000, 3)
