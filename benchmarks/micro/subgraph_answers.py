"""What the subgraphs' part of the dashboard costs: each request that the router sends, from ASGI to bytes, no socket.

python -m benchmarks.micro.subgraph_answers prints CPU microseconds, bytes, SQL statements, and how many Python and C functions an
answer calls, which is the same under every load; --profile NAME says where the time of one subgraph goes. Starts the product, or uses the one that is up over --data-dir.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import gc
import importlib
import pstats
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import uvloop

from benchmarks.fittracker.product import Product, product_of, running_product
from deploy.embedded import DOMAINS
from router.executor.fetch import Execution
from router.loaded_graph import LoadedGraph
from router.transport.in_process import InProcessTransport
from router.transport.protocol import SubgraphAnswer, SubgraphRequest
from subgraphs.shell.app import SubgraphApp, close_resources
from subgraphs.shell.settings import read_settings


class RecordingTransport:
    """Sends as the caller and remembers what was sent, in order."""

    def __init__(self, apps: dict[str, Any], authorization: str) -> None:
        self._transport = InProcessTransport(apps)
        self._headers = (("authorization", authorization),)
        self.sent: list[SubgraphRequest] = []

    def send(self, request: SubgraphRequest) -> asyncio.Future[SubgraphAnswer]:
        request = replace(request, headers=self._headers)
        self.sent.append(request)
        return self._transport.send(request)


async def requests_of_the_dashboard(product: Product, apps: dict[str, Any]) -> list[SubgraphRequest]:
    """What the router's plan sends for it. Raises SystemExit if the answer is not the one that the facts give."""
    graph = LoadedGraph.from_sdl(product.directory.supergraph.read_text(encoding="utf-8"))
    dashboard = product.requests[0]
    transport = RecordingTransport(apps, dashboard.authorization)
    prepared = await graph.prepare(dashboard.content["query"], None)
    compiled = await graph.plan(prepared, prepared.plannable)
    variables = {**prepared.coercion.coerce(dashboard.content["variables"])}
    answer = orjson.loads(await compiled.respond(Execution(transport, variables)))
    if answer != {"data": product.expected}:
        raise SystemExit(f"wrong answer: {answer}")
    return transport.sent


def apps_of(product: Product) -> dict[str, SubgraphApp]:
    """The four subgraphs in this process, over the product's databases; they open connections when first asked."""
    environment = product.environment()
    return {
        name: importlib.import_module(f"subgraphs.{name}.app").create_app(read_settings(name, environment))
        for name in DOMAINS
    }


async def statements_of(app: SubgraphApp, request: SubgraphRequest) -> list[str]:
    """The SQL of one answer."""
    with app.resources.database.watched_statements() as statements:
        await InProcessTransport({request.subgraph: app}).send(request)
    return statements


async def calls_of(app: SubgraphApp, request: SubgraphRequest) -> tuple[int, int]:
    """The calls of Python and of C functions of one answer. A coroutine counts each time that it goes on."""
    calls = Counter[str]()

    def count(_frame: Any, event: str, _arg: Any) -> None:
        calls[event] += 1

    transport = InProcessTransport({request.subgraph: app})
    sys.setprofile(count)
    await transport.send(request)
    sys.setprofile(None)
    return calls["call"], calls["c_call"]


async def measure(product: Product, rounds: int, profiled: str | None) -> None:
    apps = apps_of(product)
    requests = await requests_of_the_dashboard(product, apps)
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)  # as the application's lifespan does
    total, statements, python, c = 0.0, 0, 0, 0
    for request in requests:
        microseconds, size, count = await _time(apps[request.subgraph], request, rounds)
        total, statements = total + microseconds, statements + count
        calls = await calls_of(apps[request.subgraph], request)
        python, c = python + calls[0], c + calls[1]
        what = orjson.loads(request.body)["query"][:60]
        print(
            f"{request.subgraph:10} {microseconds:8.0f} us {size:6} B {count:3} statements {calls[0]:6} + {calls[1]} calls  {what}"
        )
    print(f"{'together':10} {total:8.0f} us {'':6}   {statements:3} statements {python:6} + {c} calls")
    if profiled:
        await _profile(apps[profiled], [each for each in requests if each.subgraph == profiled], rounds)
    for app in apps.values():
        await close_resources(app.resources)


async def _time(app: SubgraphApp, request: SubgraphRequest, rounds: int) -> tuple[float, int, int]:
    """(CPU microseconds an answer, its bytes, its statements), after a warm-up."""
    transport = InProcessTransport({request.subgraph: app})
    answer = await transport.send(request)
    for _ in range(20):
        await transport.send(request)
    statements = await statements_of(app, request)
    began = time.process_time()
    for _ in range(rounds):
        await transport.send(request)
    return (time.process_time() - began) / rounds * 1e6, len(answer.body), len(statements)


async def _profile(app: SubgraphApp, requests: Sequence[SubgraphRequest], rounds: int) -> None:
    transport = InProcessTransport({request.subgraph: app for request in requests})
    profile = cProfile.Profile(time.process_time)
    profile.enable()
    for _ in range(rounds):
        for request in requests:
            await transport.send(request)
    profile.disable()
    pstats.Stats(profile).sort_stats("tottime").print_stats(60)


@contextmanager
def _product(data_dir: Path | None) -> Iterator[Product]:
    if data_dir is not None:
        yield product_of(data_dir, 1)
        return
    with tempfile.TemporaryDirectory(prefix="subgraphs-", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o755)  # Postgres may run as another user
        with running_product(Path(name) / "data", 1) as product:
            yield product


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=300)
    parser.add_argument("--data-dir", type=Path, help="of a stack that is up with sample data")
    parser.add_argument("--profile", choices=DOMAINS)
    options = parser.parse_args()
    with _product(options.data_dir) as product:
        uvloop.run(measure(product, options.rounds, options.profile))


if __name__ == "__main__":
    main()
