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

from deploy.child import ChildError
from deploy.forking import LONGEST_LINE_BYTES, ForkedProcess, ForkServer
from deploy.parents_death import dies_with_its_parent

#: The line by which it tells that the databases are migrated and the graph is written.
PREPARED = "prepared: four databases and the graph"
#: The line by which it is told that the databases are there.
DATABASES_ARE_THERE = b"go\n"


class Preparation:
    """One run. `log` gets its output, at the end or when it is stopped."""

    def __init__(self, process: asyncio.subprocess.Process | ForkedProcess, word: int, log: Path) -> None:
        """`word` is the writable end of its standard input."""
        self._process = process
        self._word = open(word, "wb", buffering=0)  # noqa: SIM115 - closed by `_read`
        self._log = log
        self._lines: list[str] = []
        self._is_prepared = asyncio.Event()
        self._reader = asyncio.create_task(self._read())

    @classmethod
    async def begin(
        cls, arguments: Sequence[str], environment: Mapping[str, str], log: Path, fork_server: ForkServer | None = None
    ) -> Self:
        command = (sys.executable, "-m", "deploy.prepare", *arguments)
        whole = {**os.environ, **environment}
        readable, writable = os.pipe()
        try:
            forked = None
            if fork_server is not None:
                forked = await fork_server.spawn(command, whole, {}, signal.SIGKILL, stdin=readable)
            process = forked or await asyncio.create_subprocess_exec(
                *command,
                env=whole,
                stdin=readable, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
                start_new_session=True,  # a Ctrl-C in the terminal reaches us, and we end it
                preexec_fn=dies_with_its_parent(signal.SIGKILL),
                limit=LONGEST_LINE_BYTES,
            )  # fmt: skip
        except BaseException:
            os.close(writable)
            raise
        finally:
            os.close(readable)
        return cls(process, writable, log)

    async def prepared(self) -> None:
        """Tell it that the databases are there, and wait until what serves may begin. Raises ChildError."""
        with contextlib.suppress(ConnectionError, ValueError):  # it ended already; why, is in its output
            self._word.write(DATABASES_ARE_THERE)
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
        self._word.close()
        self._log.write_text("\n".join(self._lines) + "\n", encoding="utf-8")
