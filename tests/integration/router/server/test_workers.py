"""The router as processes: several on one port, a dead one replaced, all stopped by one signal."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import aiohttp
import orjson
import pytest

from tests.testkit.callback_subgraph import callback_subgraph
from tests.testkit.servers import free_port
from tests.testkit.strawberry_shop import SCHEMAS, Shop

SERVE = "import sys; from pathlib import Path; from router.settings import load_settings; from router.server.app import serve"


class Served:
    """A child process and what it has logged."""

    def __init__(self, process: asyncio.subprocess.Process, port: int) -> None:
        self.process = process
        self.port = port
        self.events: list[dict[str, object]] = []

    async def read(self) -> None:
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            self.events.append(orjson.loads(line))

    def pids(self) -> list[int]:
        return [int(str(event["pid"])) for event in self.events if event["event"] == "listening"]

    async def until_answering(self) -> None:
        async with asyncio.timeout(90), aiohttp.ClientSession() as session:
            while True:
                try:
                    async with session.get(f"http://127.0.0.1:{self.port}/ready") as response:
                        if response.status == 200:
                            return
                except aiohttp.ClientConnectionError:
                    pass
                await asyncio.sleep(0.05)


@pytest.fixture
async def calling_back() -> AsyncIterator[str]:
    """The address of a subgraph that tells events by callback, each on a connection of its own."""
    async with callback_subgraph(SCHEMAS["catalog"]) as (_, url):
        yield url


@pytest.fixture
async def two_workers(shop: Shop, calling_back: str, tmp_path: Path) -> AsyncIterator[Served]:
    port = free_port()
    settings: dict[str, object] = {
        "subscriptions": {"callback": {"public_url": f"http://127.0.0.1:{port}/callback"}},
        "subgraphs": {"catalog": {"subscription_url": calling_back, "subscription_protocol": "callback"}},
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, write_script(tmp_path, shop, port, settings),
        stdout=asyncio.subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(Path.cwd())},
    )  # fmt: skip
    served = Served(process, port)
    reading = asyncio.create_task(served.read())
    await served.until_answering()
    yield served
    if process.returncode is None:
        process.terminate()  # killed, it would leave its workers behind
        await process.wait()
    reading.cancel()


def write_script(folder: Path, shop: Shop, port: int, settings: Mapping[str, object]) -> Path:
    """What serves the shop by two workers when it is run."""
    supergraph, script = folder / "supergraph.graphql", folder / "serve.py"
    supergraph.write_text(shop.supergraph)
    script.write_text(
        f"{SERVE}\nif __name__ == '__main__':\n"
        f"    serve(load_settings(None, {{}}, supergraph=Path({str(supergraph)!r}), port={port}, workers=2, **{settings!r}))\n"
    )
    return script


async def ask(port: int) -> object:
    # a connection of its own each time: the kernel chooses a worker for each
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"http://127.0.0.1:{port}/graphql", json={"query": "{ products { inStock } }"}) as response,
    ):
        return await response.json()


async def counted(port: int) -> float:
    """Queries that were answered, by one scrape."""
    address = f"http://127.0.0.1:{port}/actuator/prometheus"
    async with aiohttp.ClientSession() as session, session.get(address) as response:
        text = await response.text()
    lines = [
        line
        for line in text.splitlines()
        if line.startswith('router_operations_total{outcome="ok"') and '"query"' in line
    ]
    assert len(lines) == 1
    return float(lines[0].rpartition(" ")[2])


async def events(port: int) -> list[str]:
    """What a subscription of twenty events tells."""
    query = {"query": "subscription { ticks(count: 20) { n } }"}
    async with (
        aiohttp.ClientSession() as session,
        session.post(
            f"http://127.0.0.1:{port}/graphql", json=query, headers={"accept": "text/event-stream"}
        ) as response,
    ):
        return [
            line.removeprefix("data: ") for line in (await response.text()).splitlines() if line.startswith("data: {")
        ]


async def test_workers_share_a_port_and_are_replaced_and_stopped(two_workers: Served) -> None:
    answers = await asyncio.gather(*(ask(two_workers.port) for _ in range(20)))
    assert all(answer == {"data": {"products": [{"inStock": 10}, {"inStock": 20}]}} for answer in answers)

    async with asyncio.timeout(90):
        while len(two_workers.pids()) < 2:
            await asyncio.sleep(0.05)
        # whichever of them the kernel chooses for an event, its client is told
        assert await events(two_workers.port) == [f'{{"data":{{"ticks":{{"n":{number}}}}}}}' for number in range(20)]
        # whichever worker is asked, it tells of both, and goes on telling of one that died
        assert [await counted(two_workers.port) for _ in range(4)] == [20.0] * 4
        os.kill(two_workers.pids()[0], signal.SIGKILL)
        while len(two_workers.pids()) < 3:
            await asyncio.sleep(0.05)
    await two_workers.until_answering()
    assert await counted(two_workers.port) == 20.0
    assert await ask(two_workers.port) == answers[0]
    assert await counted(two_workers.port) == 21.0

    two_workers.process.send_signal(signal.SIGTERM)
    async with asyncio.timeout(60):
        assert await two_workers.process.wait() == 0
    for pid in two_workers.pids():
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def _with_a_handler_of_interrupts(parent: int) -> int:
    """How many children of the process have come so far: Python's own handler is there before the first module is loaded."""
    found = 0
    for child in Path(f"/proc/{parent}/task/{parent}/children").read_text().split():
        status = Path(f"/proc/{child}/status").read_text()
        (caught,) = (line for line in status.splitlines() if line.startswith("SigCgt:"))
        found += bool(int(caught.split()[1], 16) & 1 << (signal.SIGINT - 1))
    return found


@pytest.mark.usefixtures("interrupts_are_heard")
@pytest.mark.skipif(sys.platform != "linux", reason="how far the workers are is read in /proc")
async def test_ctrl_c_while_workers_load_ends_all_of_them_without_a_traceback(shop: Shop, tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, write_script(tmp_path, shop, free_port(), {}), start_new_session=True,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(Path.cwd())},
    )  # fmt: skip
    assert process.stdout is not None
    while orjson.loads(await process.stdout.readline())["event"] != "workers_started":
        pass
    async with asyncio.timeout(60):
        while _with_a_handler_of_interrupts(process.pid) < 2:
            await asyncio.sleep(0.01)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal sends it: to the workers too
    async with asyncio.timeout(60):
        _, errors = await process.communicate()
    assert errors == b""
    assert process.returncode == 0
