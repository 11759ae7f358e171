"""Children that are forked from a process with their libraries are children as any other: their parent, streams, arguments, ends and restarts."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from deploy.child import Child, ChildError, ChildSpec, Gate
from deploy.forking import ForkServer
from deploy.supervisor import Supervisor
from tests.testkit.running_stack import eventually

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere children are not forked")

ROOT = Path(__file__).parents[3]
PROGRAM = """
import json, os, sys, time
from deploy.handover import wait_at_the_gate
if sys.argv[1] == "gated":
    wait_at_the_gate()
is_forked = "strawberry" in sys.modules
print(json.dumps({
    "parent": os.getppid(), "session": os.getsid(0), "arguments": sys.argv[1:], "given": os.environ.get("GIVEN"),
    "shown": open("/proc/self/cmdline").read().rstrip(chr(0)).split(chr(0)), "forked": is_forked,
}), flush=True)
if sys.argv[1] == "fails":
    sys.exit("no such disk")
time.sleep(600)
"""


class Told:
    """What children and the supervisor said."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.news: list[str] = []

    @property
    def facts(self) -> list[dict[str, Any]]:
        """One of each generation."""
        return [json.loads(line) for line in self.lines if line.startswith("{")]

    async def is_there(self) -> bool:
        return bool(self.lines)


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
async def supervisor(told: Told) -> AsyncIterator[Supervisor]:
    async with Supervisor(
        lambda _, line: told.lines.append(line), lambda _, news: told.news.append(news)
    ) as supervisor:
        yield supervisor


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[ForkServer]:
    (tmp_path / "forked_program.py").write_text(PROGRAM)
    server = await ForkServer.start({**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"})
    assert server is not None
    yield server
    await server.close()


@pytest.fixture
def spec_of(server: ForkServer, tmp_path: Path, told: Told) -> Callable[..., ChildSpec]:
    def spec_of(argument: str, ready: Callable[[], Awaitable[bool]] = told.is_there, **more: Any) -> ChildSpec:
        environment = {"PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}", "GIVEN": "to it"}
        command = (sys.executable, "-m", "forked_program", argument)
        return ChildSpec("forked", command, 0, ready, environment, fork_server=server, **more)

    return spec_of


async def test_a_fork_is_our_child_with_its_own_session_environment_and_arguments(
    spec_of: Callable[..., ChildSpec], supervisor: Supervisor, told: Told
) -> None:
    await supervisor.start(spec_of("serves"))
    assert told.facts == [
        {
            "parent": os.getpid(),
            "session": supervisor.pids["forked"],
            "arguments": ["serves"],
            "given": "to it",
            "shown": [sys.executable, "-m", "forked_program", "serves"],
            "forked": True,
        }
    ]


async def test_one_that_was_killed_comes_back_and_after_the_start_it_is_not_forked(
    spec_of: Callable[..., ChildSpec], server: ForkServer, supervisor: Supervisor, told: Told
) -> None:
    await supervisor.start(spec_of("serves"))
    first = supervisor.pids["forked"]
    await server.close()
    supervisor.signal_child("forked", signal.SIGKILL)

    async def is_back() -> bool:
        return supervisor.pids.get("forked", first) != first and len(told.facts) == 2

    await eventually(is_back, seconds=60)
    assert told.news[0].startswith("was killed by SIGKILL")
    assert [each["forked"] for each in told.facts] == [True, False]
    assert {each["parent"] for each in told.facts} == {os.getpid()}


async def test_one_that_cannot_start_is_told_with_its_code_and_last_words(spec_of: Callable[..., ChildSpec]) -> None:
    async def never() -> bool:
        return False

    with pytest.raises(ChildError, match=r"forked ended at start with code 1:\n(.*\n)*no such disk"):
        await Child.start(spec_of("fails", never), lambda _line: None)


async def test_one_is_stopped_by_its_signal(spec_of: Callable[..., ChildSpec], told: Told) -> None:
    child = await Child.start(spec_of("serves"), told.lines.append)
    await child.stop()
    assert await child.wait() == -signal.SIGTERM
    with pytest.raises(ProcessLookupError):
        os.kill(child.pid, 0)


async def test_it_waits_at_the_gate(spec_of: Callable[..., ChildSpec], told: Told) -> None:
    gate = Gate()
    try:
        starting = asyncio.create_task(
            Child.start(spec_of("gated", gate=gate, start_timeout_seconds=30), told.lines.append)
        )
        await asyncio.sleep(3.0)
        assert not told.lines
        gate.open()
        child = await starting
        assert len(told.facts) == 1
        await child.stop()
    finally:
        gate.close()


async def test_without_the_server_it_is_started_as_any_other(
    spec_of: Callable[..., ChildSpec], server: ForkServer, told: Told
) -> None:
    os.kill(server.pid, signal.SIGKILL)
    child = await Child.start(spec_of("serves"), told.lines.append)
    assert [each["forked"] for each in told.facts] == [False]
    await child.stop()


async def test_nobody_who_gives_up_leaves_a_fork(spec_of: Callable[..., ChildSpec], server: ForkServer) -> None:
    before = _children()
    starting = asyncio.create_task(Child.start(spec_of("serves"), lambda _line: None))
    await asyncio.sleep(0.05)  # it waits for the server, which is still importing
    starting.cancel()
    with suppress(asyncio.CancelledError):
        await starting

    async def nobody_else() -> bool:
        return _children() <= before

    await eventually(nobody_else, seconds=10)


def test_what_is_shared_leaves_nothing_that_a_fork_would_break() -> None:
    program = """
import importlib, os, socket
from deploy.fork_server import SHARED
from deploy.loading import load_without_extras
load_without_extras()
for module in SHARED: importlib.import_module(module)
print(len(os.listdir("/proc/self/task")), [each for each in os.listdir("/proc/self/fd") if int(each) > 2 and os.path.exists(f"/proc/self/fd/{each}")])
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    assert ended.stdout == "1 []\n"


def _children() -> set[int]:
    """Of this process, those that have ended and wait for us included."""
    return {
        int(child)
        for task in Path("/proc/self/task").iterdir()
        for child in (task / "children").read_text(encoding="utf-8").split()
    }
