"""Where router and subgraphs listen: beyond the highest port is none, and privileged ports are told as such."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from deploy.data_directory import DataDirectory
from deploy.stack import PortTakenError, Stack, StackOptions
from deploy.terminal import Terminal

UNPRIVILEGED = Path("/proc/sys/net/ipv4/ip_unprivileged_port_start")
AS_NOBODY = """
import asyncio, os, sys
from pathlib import Path
from deploy.data_directory import DataDirectory
from deploy.errors import friendly
from deploy.stack import Stack, StackOptions
from deploy.terminal import Terminal
if os.geteuid() == 0:
    os.setuid(65534)
folder = Path(sys.argv[1])
try:
    asyncio.run(Stack(StackOptions(folder, 80), DataDirectory(folder), Terminal()).start())
except Exception as error:
    print(friendly(error))
"""


def stack_at(port: int, folder: Path) -> Stack:
    (folder / "logs").mkdir(exist_ok=True)
    return Stack(StackOptions(folder, port), DataDirectory(folder), Terminal())


async def test_subgraphs_beyond_the_highest_port_are_elsewhere(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stack = stack_at(65_535, tmp_path)
    stack.choose_ports()
    told = capsys.readouterr().out
    await stack.stop()
    assert "port 65536 is beyond the highest; users listens on" in told
    assert len(set(stack.subgraph_ports.values())) == 4
    assert all(1_024 <= port < 65_535 for port in stack.subgraph_ports.values())


async def test_a_taken_port_is_told_before_anything_starts(tmp_path: Path) -> None:
    first = stack_at(0, tmp_path)
    first.choose_ports()
    second = stack_at(first.port, tmp_path)
    with pytest.raises(PortTakenError, match=f"port {first.port} is taken"):
        second.choose_ports()
    await second.stop()
    await first.stop()


def test_a_privileged_port_is_told_as_such(tmp_path: Path) -> None:
    if UNPRIVILEGED.exists() and int(UNPRIVILEGED.read_text()) <= 80:
        pytest.skip("everybody may listen on port 80 here")
    told = subprocess.run([sys.executable, "-c", AS_NOBODY, tmp_path], capture_output=True, text=True, check=True)
    assert "ports below 1024 are for privileged users" in told.stdout
    assert "--port" in told.stdout
