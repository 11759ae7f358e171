"""`fittracker scale` and `roll` over a running stack, with people at work: no request fails and no event is lost."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from typer.testing import CliRunner

from deploy.cli import app
from deploy.control import ask
from deploy.errors import FriendlyError
from tests.testkit.running_stack import ROOT, RunningStack, Visitor, eventually, running_stack

DRINK = "mutation { logWater(input: { amountMl: 10 }) { userErrors { message } } }"
OF_FOUR = "{ me { displayName day { mealsLogged } meals(first: 1) { edges { cursor } } workouts(first: 1) { edges { cursor } } } }"
MOST_DRINKS = 90  # a day has room for a hundred


@pytest.fixture(scope="module")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningStack]:
    """Not the one that other files share: every process of it is replaced here."""
    async with running_stack(tmp_path_factory.mktemp("fleet") / "data", "--no-sample-data") as stack:
        yield stack


async def fittracker(stack: RunningStack, *words: str) -> tuple[int, str]:
    """Exit code and output of a command over the stack's data directory."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "deploy", *words, "--data-dir", str(stack.directory.path),
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200"},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    output, _ = await asyncio.wait_for(process.communicate(), 400)
    return process.returncode or 0, output.decode()


async def registered(stack: RunningStack) -> dict[str, list[str]]:
    """The status of every instance, by subgraph, as the router's registry has it."""
    address = stack.state.router_url.replace("/graphql", "/actuator/registry")
    async with stack.session.get(address) as response:
        rows: list[dict[str, Any]] = (await response.json())["subgraphs"]
    return {row["name"]: [each["status"] for each in row["instances"]] for row in rows}


class AtWork:
    """People who write and read until `stop`; whatever fails is in `failures`."""

    def __init__(self, people: list[Visitor]) -> None:
        self.people = people
        self.drinks = dict.fromkeys((each.id for each in people), 0)
        self.requests = 0
        self.failures: list[str] = []

    async def work(self, person: Visitor) -> None:
        while True:
            writes = self.drinks[person.id] < MOST_DRINKS
            try:
                answer = await person.ask(DRINK if writes else OF_FOUR)
                if "errors" in answer or (writes and answer["data"]["logWater"]["userErrors"]):
                    self.failures.append(f"{answer}"[:400])
                elif writes:
                    self.drinks[person.id] += 1
                answer = await person.ask(OF_FOUR)
                if "errors" in answer:
                    self.failures.append(f"{answer}"[:400])
            except (aiohttp.ClientError, OSError) as error:
                self.failures.append(repr(error))
            self.requests += 2
            await asyncio.sleep(0.1)

    @asynccontextmanager
    async def meanwhile(self) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(self.work(each)) for each in self.people]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


@pytest.mark.timeout(450)  # seven processes start one after the other, beside people at work
async def test_scaling_and_rolling_everything_costs_no_request_and_no_event(stack: RunningStack) -> None:
    at_work = AtWork([await stack.register() for _ in range(3)])
    async with at_work.meanwhile():
        code, told = await fittracker(stack, "scale", "nutrition=2")
        assert (code, told.strip()) == (0, "NUTRITION-SERVICE: 2 instances")
        assert len((await registered(stack))["nutrition"]) == 2
        assert {"nutrition", "nutrition-2"} <= stack.state.pids.keys()
        before = dict(stack.state.pids)
        watching = asyncio.create_task(close_code(stack, at_work.people[0]))
        await asyncio.sleep(0.5)
        code, told = await fittracker(stack, "roll")
        assert code == 0, told
        rolled = ("users", "nutrition", "nutrition-2", "workouts", "analytics", "router")
        assert [line.partition(":")[0] for line in told.splitlines()] == list(rolled)
        assert all(stack.state.pids[name] != before[name] for name in rolled)
        assert await asyncio.wait_for(watching, 90) in (
            aiohttp.WSCloseCode.GOING_AWAY,
            aiohttp.WSCloseCode.SERVICE_RESTART,
        )
        code, told = await fittracker(stack, "scale", "nutrition=1")
        assert code == 0, told
        assert len((await registered(stack))["nutrition"]) == 1
    assert at_work.failures == []
    assert at_work.requests > 50

    async def arrived(person: Visitor) -> bool:
        day = await person.data("{ me { day { waterMl } } }")
        return bool(day["me"]["day"]["waterMl"] == 10 * at_work.drinks[person.id])

    for person in at_work.people:
        await eventually(lambda person=person: arrived(person), seconds=90)


async def close_code(stack: RunningStack, person: Visitor) -> int | None:
    """How the router ends a WebSocket that is open while it is replaced."""
    url = stack.state.router_url.replace("http://", "ws://", 1)
    async with stack.session.ws_connect(url, protocols=("graphql-transport-ws",)) as socket:
        await socket.send_json(
            {"type": "connection_init", "payload": {"Authorization": f"Bearer {person.access_token}"}}
        )
        with contextlib.suppress(TypeError):
            while True:
                await socket.receive_json(timeout=400)
        return socket.close_code


@pytest.mark.parametrize(
    ("request_", "told"),
    [
        ({"verb": "scale", "wanted": {"nutrition": 0}}, "between 1 and 9 instances"),
        ({"verb": "scale", "wanted": {"sleep": 2}}, "there is no subgraph 'sleep'"),
        ({"verb": "roll", "names": ["sleep"]}, "there is no subgraph 'sleep'"),
        ({"verb": "dance"}, "of another version"),
    ],
)
async def test_what_cannot_be_done_is_said(stack: RunningStack, request_: dict[str, Any], told: str) -> None:
    with pytest.raises(FriendlyError, match=told):
        await asyncio.to_thread(lambda: list(ask(stack.state.control, request_)))


def test_without_a_running_stack_there_is_nothing_to_scale(tmp_path: Path) -> None:
    command = CliRunner()
    nowhere = command.invoke(app, ["scale", "users=2", "--data-dir", str(tmp_path)])
    assert isinstance(nowhere.exception, FriendlyError)
    assert "no stack runs over" in str(nowhere.exception)
    assert "not of the form NAME=N" in command.invoke(app, ["scale", "nutrition"]).output
