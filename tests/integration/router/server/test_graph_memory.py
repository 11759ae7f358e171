"""A large graph is replaced while the router serves: neither the loop nor the memory notices."""

from __future__ import annotations

import asyncio
import gc
import time
import weakref
from pathlib import Path
from typing import Any

from router.garbage import THRESHOLDS
from router.pipeline import run
from router.prepared_request import OperationRequest
from router.server.app import create_app
from router.settings import Settings
from router.transport.in_process import InProcessTransport
from tests.testkit.hard_supergraphs import many_types

MAX_STOPPED_SECONDS = 0.05


class Collections:
    """The longest that the garbage collector stopped everything, in CPU time of the thread that it ran in."""

    def __init__(self) -> None:
        self.longest = 0.0
        self._began = 0.0

    def __call__(self, phase: str, _: dict[str, Any]) -> None:
        if phase == "start":
            self._began = time.thread_time()
        else:
            self.longest = max(self.longest, time.thread_time() - self._began)


async def test_reading_a_large_graph_stops_nobody_for_long(tmp_path: Path) -> None:
    file = tmp_path / "supergraph.graphql"
    file.write_text(many_types())
    graphs = create_app(Settings(supergraph=file), transport=InProcessTransport()).graph_file
    await graphs.load()
    collections = Collections()
    ordinary = gc.get_threshold()
    gc.set_threshold(*THRESHOLDS)  # as the router's own process has it
    gc.callbacks.append(collections)
    try:
        file.write_text(many_types() + "# changed")
        assert await graphs.reload()
        assert gc.get_threshold() == THRESHOLDS
    finally:
        gc.callbacks.remove(collections)
        gc.set_threshold(*ordinary)
    graphs.close()

    assert 0 < collections.longest < MAX_STOPPED_SECONDS


async def test_replaced_graphs_go_without_a_full_collection(tmp_path: Path) -> None:
    async def empty(_body: bytes) -> bytes:
        return b'{"data":{"t0":null}}'

    file = tmp_path / "supergraph.graphql"
    file.write_text(many_types(50))
    graphs = create_app(Settings(supergraph=file), transport=InProcessTransport(functions={"m": empty})).graph_file
    await graphs.load()
    types = []
    gc.collect()
    gc.disable()
    try:
        for number in range(4):
            served = graphs.current
            await run(OperationRequest("{ t0 { id name } }"), served.graph, served.runtime)
            types.append(weakref.ref(served.graph.api_schema.type_map["T1"].fields["children"]))
            del served
            file.write_text(many_types(50) + f"# {number}")
            assert await graphs.reload()
            await asyncio.sleep(0)
        left = [each() is not None for each in types]
    finally:
        gc.enable()
    graphs.close()

    assert left[:3] == [False, False, False]  # the last one goes when the next is read
