"""The child that runs `deploy.prepare` beside the start of the servers: told when the databases are there, it tells when what serves
may begin. Used by `stack`.

It begins before there is any database, because most of its time goes into imports. Where the stack ends, however it ends,
its standard input ends, and so does it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from deploy.child import ChildError, dies_with_its_parent

#: The line by which it tells that the databases are migrated and the graph is written.
PREPARED = "prepared: four databases and the graph"
#: The line by which it is told that the databases are there.
DATABASES_ARE_THERE = b"go\n"


class Preparation:
    """One run. `log` gets its output, at the end or when it is stopped."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path) -> None:
        self._process = process
        self._log = log
        self._lines: list[str] = []
        self._is_prepared = asyncio.Event()
        self._reader = asyncio.create_task(self._read())

    @classmethod
    async def begin(cls, arguments: Sequence[str], environment: Mapping[str, str], log: Path) -> Self:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "deploy.prepare", *arguments,
            env={**os.environ, **environment},
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,  # a Ctrl-C in the terminal reaches us, and we end it
            preexec_fn=dies_with_its_parent(signal.SIGKILL),
            limit=1024 * 1024,
        )  # fmt: skip
        return cls(process, log)

    async def prepared(self) -> None:
        """Tell it that the databases are there, and wait until what serves may begin. Raises ChildError."""
        assert self._process.stdin is not None
        with contextlib.suppress(ConnectionError):  # it ended already; why, is in its output
            self._process.stdin.write(DATABASES_ARE_THERE)
            await self._process.stdin.drain()
        told = asyncio.create_task(self._is_prepared.wait())
        try:
            await asyncio.wait({told, self._reader}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            told.cancel()
        if not self._is_prepared.is_set():
            await self.finished()
            raise ChildError("prepare ended before it had done anything")

    async def finished(self) -> None:
        """Wait until it has done everything. Raises ChildError. Whoever gives up waiting leaves it to `stop`."""
        await asyncio.shield(self._reader)
        if await self._process.wait() != 0:
            raise ChildError("prepare failed:\n" + "\n".join(self._lines)[-3000:])

    async def stop(self) -> None:
        """End it and its migrations, wherever they are. Nothing happens where it has ended."""
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGTERM)
        await self._process.wait()
        await self._reader

    async def _read(self) -> None:
        assert self._process.stdout is not None
        async for raw in self._process.stdout:
            line = raw.decode(errors="replace").rstrip()
            self._lines.append(line)
            if line == PREPARED:
                self._is_prepared.set()
        self._log.write_text("\n".join(self._lines) + "\n", encoding="utf-8")
