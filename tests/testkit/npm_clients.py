"""Packages from npm for tests, and the clients of tests/e2e/clients run against a server of this event loop."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest

CLIENTS = Path(__file__).parents[1] / "e2e" / "clients"
TIMEOUT_SECONDS = 180
INSTALL_SECONDS = 240


def install_packages(directory: Path, purpose: str) -> None:
    """What the lock file of the directory says, unless it is there. Skips the test where there is no node."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip(f"needs node and npm, to run {purpose}")
    done, lock = directory / "node_modules" / ".package-lock.json", directory / "package-lock.json"
    if not done.exists() or done.stat().st_mtime < lock.stat().st_mtime:
        install = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        subprocess.run(install, cwd=directory, check=True, capture_output=True, timeout=INSTALL_SECONDS)


def compile_relay() -> None:
    """What relay-compiler makes of the documents in clients/relay, in its folder build. Skips the test without node."""
    install_packages(CLIENTS, "other people's clients")
    (CLIENTS / "relay" / "build").mkdir(exist_ok=True)
    subprocess.run(["../node_modules/.bin/relay-compiler"], cwd=CLIENTS / "relay", check=True, capture_output=True)


async def run_client(script: str, *arguments: str) -> Any:
    """What the script printed, parsed. Skips the test where there is no node."""
    await asyncio.to_thread(install_packages, CLIENTS, "other people's clients")
    return orjson.loads(await _run("node", script, *arguments))


async def _run(*command: str) -> bytes:
    process = await asyncio.create_subprocess_exec(
        *command, cwd=CLIENTS, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(TIMEOUT_SECONDS):
        output, complaints = await process.communicate()
    assert process.returncode == 0, complaints.decode()
    return output


class TalkingClient:
    """A client that goes on: what it has printed so far, one JSON object a line, and lines for it to read."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.told: list[dict[str, Any]] = []
        self.reader = asyncio.create_task(self._read())

    async def _read(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            self.told.append(orjson.loads(line))

    def all(self, kind: str) -> list[Any]:
        """What it told of that kind, in order."""
        return [each[kind] for each in self.told if kind in each]

    def say(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n".encode())

    async def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            await asyncio.wait_for(self._process.wait(), 60)
        except TimeoutError:
            self._process.kill()
        await self.reader


@asynccontextmanager
async def talking_client(*command: str) -> AsyncIterator[TalkingClient]:
    """The command as it runs, in the directory of the clients."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, cwd=CLIENTS, stdin=pipe, stdout=pipe)
    client = TalkingClient(process)
    try:
        yield client
    finally:
        await client.close()
