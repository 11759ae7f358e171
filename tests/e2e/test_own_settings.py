"""`fittracker up` with somebody's own settings, let in from other machines; what it costs and leaves while nobody asks."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from benchmarks.processes import cpu_seconds, proportional_mib
from tests.testkit.running_stack import RunningStack, running_stack

IDLE_SECONDS = 6.0
SETTINGS = "cors:\n  origins: [https://app.example]\nbatching: {enabled: true, max_size: 2}\n"


def address_of_this_machine() -> str:
    """Its own address in a network; nothing is sent. In none: an address of its own that is not the usual one."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return "127.0.0.2"
        address: str = probe.getsockname()[0]
    return address


@dataclass(frozen=True)
class OwnStack:
    """A fresh one, with the settings in `file`, of somebody whose home directory is `home`."""

    stack: RunningStack
    file: Path
    home: Path


@pytest.fixture(scope="module")
async def own(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[OwnStack]:
    folder = tmp_path_factory.mktemp("own")
    (folder / "own.yaml").write_text(SETTINGS)
    (folder / "home").mkdir()
    options = ("--no-sample-data", "--host", "0.0.0.0", "--config", str(folder / "own.yaml"))
    async with running_stack(folder / "data", *options, HOME=str(folder / "home")) as stack:
        yield OwnStack(stack, folder / "own.yaml", folder / "home")


@pytest.mark.timeout(300)
async def test_own_settings_count_and_the_router_is_reached_from_outside(own: OwnStack) -> None:
    stack = own.stack
    url = stack.state.router_url.replace("127.0.0.1", address_of_this_machine())
    query = {"query": "{ __typename }"}
    async with stack.session.post(url, json=[query, query], headers={"origin": "https://app.example"}) as response:
        assert await response.json() == [{"data": {"__typename": "Query"}}] * 2
        assert response.headers["access-control-allow-origin"] == "https://app.example"
        assert response.headers["access-control-allow-credentials"] == "true"  # of the generated ones
    port = stack.state.ports["users"]
    with socket.socket() as probe:
        assert probe.connect_ex((address_of_this_machine(), port)) != 0
    assert own.file.read_text() == SETTINGS


async def test_a_stack_leaves_nothing_in_the_home_directory_and_runs_what_is_in_its_environment(own: OwnStack) -> None:
    assert list(own.home.iterdir()) == []
    kept = (sys.prefix, "/var/lib/fittracker")  # the latter where root runs Postgres as another user
    for name, pid in own.stack.state.pids.items():
        program = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0", 1)[0].decode()
        assert program.startswith(kept), (name, program)


async def test_a_page_on_any_port_of_this_machine_may_call_a_development_stack_and_no_other_page(
    stack: RunningStack,
) -> None:
    asked = {"access-control-request-method": "POST", "access-control-request-headers": "authorization,content-type"}
    for origin, is_allowed in (
        ("http://localhost:5173", True),
        ("http://127.0.0.1:3000", True),
        ("https://app.example", False),
        ("http://localhost.example:3000", False),
    ):
        async with stack.session.options(stack.state.router_url, headers={"origin": origin, **asked}) as preflight:
            allowed = preflight.headers.get("access-control-allow-origin")
            assert allowed == (origin if is_allowed else None)
            if is_allowed:
                assert {"authorization", "content-type"} <= set(
                    preflight.headers["access-control-allow-headers"].lower().replace(" ", "").split(",")
                )
        query = {"query": "{ __typename }"}
        async with stack.session.post(stack.state.router_url, json=query, headers={"origin": origin}) as response:
            assert response.headers.get("access-control-allow-origin") == allowed


@pytest.mark.timeout(300)
async def test_a_stack_that_nobody_asks_costs_next_to_nothing(own: OwnStack) -> None:
    """Under a twentieth of a core and 700 MB for all processes together, whatever else the machine does at the time.

    Alone it is less than half of it: `python -m benchmarks.start_and_idle`.
    """
    pid = own.stack.state.supervisor_pid
    assert proportional_mib(pid) < 700
    shares: list[float] = []
    while not shares or shares[-1] >= 0.05:
        assert len(shares) < 8, shares  # by then it has long done what follows a start
        before = cpu_seconds(pid)
        await asyncio.sleep(IDLE_SECONDS)
        shares.append((cpu_seconds(pid) - before) / IDLE_SECONDS)
