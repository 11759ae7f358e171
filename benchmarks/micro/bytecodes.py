"""Which Python functions a request's bytecodes are of: `python -m benchmarks.micro.bytecodes light`.

`instructions` says that a request has grown, this says where: the counts are the same on every machine under every load.
What runs in C is not in them; of a no-hop request's instructions a third are the interpreter's own.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import uvloop

from benchmarks.compare import compose_shop, running_subgraphs
from benchmarks.micro.counted_stages import DEFERRED, SENT, counted, do_nothing_for_slowness
from benchmarks.micro.http_requests import HttpClient, router_in_memory
from router.settings import Telemetry
from router.telemetry import configure_logging

WARM_UP = 30
ROOT = Path(__file__).parents[2]


class Tracer:
    """Counts bytecodes and calls by function while it is the tracer of `sys.settrace`."""

    def __init__(self) -> None:
        self.bytecodes: Counter[CodeType] = Counter()
        self.calls: Counter[CodeType] = Counter()

    def begin(self, frame: FrameType, _event: str, _arg: Any) -> Any:
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        self.calls[frame.f_code] += 1
        return self._step

    def _step(self, frame: FrameType, event: str, _arg: Any) -> Any:
        if event == "opcode":
            self.bytecodes[frame.f_code] += 1
        return self._step


async def verified_sender(client: HttpClient, name: str) -> Callable[[int, int], Awaitable[None]]:
    """What sends requests of the workload: the number of the first, and how many. Raises SystemExit for a wrong answer."""
    if name == DEFERRED:
        await client.verify_deferred()
        return lambda _, times: client.send_deferred(times)
    workload = counted(name)
    await client.verify(workload)
    return lambda first, times: client.send(workload, first, times)


async def trace(name: str, subgraphs_port: int, requests: int) -> Tracer:
    """All of a number of requests over HTTP, after a warm-up. A coroutine counts as called each time that it goes on."""
    tracer = Tracer()
    with tempfile.TemporaryDirectory() as directory:
        supergraph = Path(directory) / "supergraph.graphql"
        supergraph.write_text(compose_shop(subgraphs_port))
        signed_in = name != DEFERRED and bool(counted(name).callers)
        async with router_in_memory(supergraph, signed_in=signed_in) as client:
            send = await verified_sender(client, name)
            await send(1, WARM_UP)
            sys.settrace(tracer.begin)
            # a task of its own: what runs already is not traced
            await asyncio.create_task(_sent(send, requests))
            sys.settrace(None)
    return tracer


async def _sent(send: Callable[[int, int], Awaitable[None]], requests: int) -> None:
    await send(WARM_UP + 1, requests)


def lines_of(tracer: Tracer, requests: int, functions: int) -> list[str]:
    total = tracer.bytecodes.total()
    lines = [f"{total / requests:,.0f} bytecodes a request, {tracer.calls.total() / requests:,.0f} calls"]
    for code, number in tracer.bytecodes.most_common(functions):
        file = code.co_filename.removeprefix(f"{ROOT}/").rpartition("site-packages/")[2]
        place = f"{file}:{code.co_firstlineno} {code.co_qualname}"
        lines.append(
            f"{number / requests:9,.0f} {number / total:6.1%}  {tracer.calls[code] / requests:6.1f} calls  {place}"
        )
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workload", choices=(*SENT, DEFERRED))
    parser.add_argument("--requests", type=int, default=20)
    parser.add_argument("--functions", type=int, default=60, help="how many to list")
    options = parser.parse_args()
    configure_logging(Telemetry())
    do_nothing_for_slowness()
    with tempfile.TemporaryDirectory() as directory, running_subgraphs(0.0, Path(directory)) as port:
        runner = asyncio.Runner(loop_factory=uvloop.new_event_loop)
        tracer = runner.run(trace(options.workload, port, options.requests))
        runner.close()
    print("\n".join(lines_of(tracer, options.requests, options.functions)))


if __name__ == "__main__":
    main()
