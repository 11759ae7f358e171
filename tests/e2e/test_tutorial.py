"""The tutorial, step by step from its own text: files, commands and answers, beside a stack that others use too."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.testkit.running_stack import ROOT, RunningStack, eventually

TUTORIAL = ROOT / "deploy" / "docs" / "tutorial.md"
BLOCK = re.compile(
    r"(?:^`(?P<file>\.\./badges/\w+\.py)`[^\n]*\n\n)?^```(?P<kind>\w+)\n(?P<text>.*?)^```", re.MULTILINE | re.DOTALL
)
GOES_ON = ("uvicorn ", "--watch", "curl -sN")  # commands that their terminal is left to
PATIENCE_SECONDS = 90


@dataclass
class Reader:
    """Somebody who does what the page says. `names` are those of the page by what they are here."""

    folder: Path
    names: dict[str, str]
    token: str = ""
    running: dict[str, asyncio.subprocess.Process] = field(default_factory=dict)

    def here(self, text: str) -> str:
        return re.sub("|".join(map(re.escape, self.names)), lambda found: self.names[found[0]], text)

    async def run(self, command: str) -> str:
        """What a command prints; nothing of one that goes on, whose output is in a file."""
        kind = next((each for each in GOES_ON if each in command), None)
        if kind is not None:
            await self.leave_running(kind, command)
            return ""
        keeps_token = command.startswith("TOKEN=")
        script = self.here(command) + ('\nprintf %s "$TOKEN"' if keeps_token else "")
        process = await asyncio.create_subprocess_exec(
            "bash", "-euc", script, env={**os.environ, "TOKEN": self.token}, cwd=ROOT, stdout=asyncio.subprocess.PIPE
        )
        output = (await process.communicate())[0].decode()
        assert process.returncode == 0, command
        if keeps_token:
            self.token = output
        return output

    async def leave_running(self, kind: str, command: str) -> None:
        if kind in self.running:
            await self.stop(self.running.pop(kind))
        with self.log(kind).open("wb") as log:
            self.running[kind] = await asyncio.create_subprocess_exec(
                "bash", "-euc", self.here(command), env={**os.environ, "TOKEN": self.token}, cwd=ROOT,
                stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        told = {"uvicorn ": "Uvicorn running", "--watch": "composed"}.get(kind)
        if told is not None:
            await self.log_tells(kind, told)

    def log(self, kind: str) -> Path:
        return self.folder / f"{kind.strip('- ').replace(' ', '-')}.log"

    async def log_tells(self, kind: str, text: str) -> None:
        async def is_told() -> bool:
            assert self.running[kind].returncode is None, self.log(kind).read_text()
            return text in self.log(kind).read_text()

        await eventually(is_told, seconds=PATIENCE_SECONDS)

    async def a_terminal_tells(self, text: str) -> None:
        """One of those that were left to a command."""

        async def is_told() -> bool:
            return any(text in self.log(kind).read_text() for kind in self.running)

        await eventually(is_told, seconds=PATIENCE_SECONDS)

    async def run_until(self, command: str, answer: str) -> None:
        """Asked again until the page's answer comes: the router takes a new graph over in its own time."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (told := json.loads(await self.run(command))) != json.loads(self.here(answer)):
            assert time.monotonic() < deadline, told
            assert "mutation" not in command, told
            await asyncio.sleep(0.3)

    @staticmethod
    async def stop(process: asyncio.subprocess.Process) -> None:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGTERM)
        await asyncio.wait_for(process.wait(), 60)


@asynccontextmanager
async def reader_beside(stack: RunningStack, folder: Path, free_port: int) -> AsyncIterator[Reader]:
    """At the end nothing of theirs runs, and the graph is what it was."""
    visitor = await stack.register(displayName="John Doe")
    ports = {"8080": "router", "8081": "users", "8082": "nutrition", "8083": "workouts", "8084": "analytics"}
    names = {usual: str(stack.state.ports[name]) for usual, name in ports.items()}
    names |= {
        "8085": str(free_port),
        "8092": str(stack.state.ports["broker"]),
        ".fittracker/": f"{stack.directory.path}/",
    }
    names |= {"../badges": str(folder / "badges"), ".venv/bin/": f"{Path(sys.executable).parent}/"}
    names |= {"john.doe@example.com": visitor.email}
    reader = Reader(folder, names)
    before = stack.directory.supergraph.read_bytes()
    try:
        yield reader
    finally:
        for process in reader.running.values():
            await reader.stop(process)
        stack.directory.supergraph.write_bytes(before)

        async def is_as_before() -> bool:
            _, answer = await stack.post({"query": "{ enoughWaterMl }"})
            return answer["errors"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"

        await eventually(is_as_before, seconds=PATIENCE_SECONDS)


@pytest.mark.timeout(400)
async def test_a_fifth_subgraph_comes_into_the_running_graph(
    stack: RunningStack, tmp_path: Path, unused_tcp_port: int
) -> None:
    blocks = list(BLOCK.finditer(TUTORIAL.read_text(encoding="utf-8")))
    assert blocks[0]["text"] == "make up\n"  # that is the stack
    async with reader_beside(stack, tmp_path, unused_tcp_port) as reader:
        for block, following in zip(blocks[1:], [*blocks[2:], None], strict=True):
            if block["kind"] == "python":
                Path(reader.here(block["file"])).write_text(block["text"], encoding="utf-8")
            elif block["kind"] == "text":
                await reader.a_terminal_tells(block["text"].strip())
            elif block["kind"] == "sh" and following is not None and following["kind"] == "json":
                await reader.run_until(block["text"], following["text"])
            elif block["kind"] == "sh":
                await reader.run(block["text"])
