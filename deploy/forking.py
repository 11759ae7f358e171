"""Children that are forked from one process which has their libraries imported. `child` asks for them, `stack` keeps the server during a start.

On Linux alone: elsewhere a fork of a process with libraries of the system is not safe, and nobody can adopt it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from typing import Self

from deploy import fork_server
from deploy.parents_death import adopt_orphans, dies_with_its_parent

LONGEST_LINE_BYTES = 1024 * 1024


class ForkedProcess:
    """A child of ours that another process has forked. As an `asyncio.subprocess.Process`, in what `child` needs of one."""

    def __init__(self, pid: int, stdout: asyncio.StreamReader) -> None:
        self.pid = pid
        self.stdout = stdout
        self.returncode: int | None = None
        self._has_ended = asyncio.Event()
        self._descriptor = os.pidfd_open(pid)
        asyncio.get_running_loop().add_reader(self._descriptor, self._reap)

    async def wait(self) -> int:
        await self._has_ended.wait()
        assert self.returncode is not None
        return self.returncode

    def send_signal(self, number: signal.Signals) -> None:
        """Raises ProcessLookupError where it has ended."""
        if self.returncode is not None:
            raise ProcessLookupError
        os.kill(self.pid, number)

    def _reap(self) -> None:
        asyncio.get_running_loop().remove_reader(self._descriptor)
        os.close(self._descriptor)
        _, status = os.waitpid(self.pid, 0)
        self.returncode = os.waitstatus_to_exitcode(status)
        self._has_ended.set()


class ForkServer:
    """`start` it as early as possible: it begins with imports, during which whoever asks waits. Once it has ended it forks nothing."""

    def __init__(self, process: asyncio.subprocess.Process, connection: socket.socket) -> None:
        self._process = process
        self._connection = connection
        self._asks_one_by_one = asyncio.Lock()
        self._is_there = True

    @classmethod
    async def start(cls, environment: Mapping[str, str]) -> Self | None:
        """None where children cannot be forked. Whatever children have of `environment` is the server's too."""
        if not _can_fork():
            return None
        ours, theirs = socket.socketpair()
        with theirs:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "deploy.fork_server", str(theirs.fileno()), fork_server.ROOM_FOR_ARGUMENTS,
                env=environment, pass_fds=(theirs.fileno(),), start_new_session=True,
                preexec_fn=dies_with_its_parent(signal.SIGKILL),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,  # what cannot be imported is told by the child that is started instead
            )  # fmt: skip
        adopt_orphans(True)
        return cls(process, ours)

    @property
    def pid(self) -> int:
        return self._process.pid

    async def spawn(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        descriptors: Mapping[str, int],
        death_signal: signal.Signals,
        stdin: int | None = None,
    ) -> ForkedProcess | None:
        """What `command` is, which is `python -m MODULE ...`. None where the server is gone: it is to be started then.

        `descriptors` are by the variable that names each to the child.
        """
        request = fork_server.ForkRequest(
            module=command[2],
            arguments=command[3:],
            environment=environment,
            parent=os.getpid(),
            death_signal=death_signal,
            names=list(descriptors),
        )
        readable, writable = os.pipe()
        output, nothing = os.fdopen(readable, "rb", 0), os.open(os.devnull, os.O_RDONLY)
        given_in = nothing if stdin is None else stdin
        try:
            pid = await self._ask(request, [given_in, writable, *descriptors.values()])
        except BaseException:
            output.close()
            raise
        finally:
            os.close(nothing)
            os.close(writable)
        if pid is None:
            output.close()
            return None
        reader = asyncio.StreamReader(limit=LONGEST_LINE_BYTES)
        process = ForkedProcess(pid, reader)
        await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), output)
        return process

    async def close(self) -> None:
        """Nothing is forked from now on; what was forked goes on."""
        async with self._asks_one_by_one:
            self._is_there = False
        self._connection.close()
        await self._process.wait()
        adopt_orphans(False)

    async def _ask(self, request: fork_server.ForkRequest, descriptors: list[int]) -> int | None:
        async with self._asks_one_by_one:
            if not self._is_there:
                return None
            asking = asyncio.create_task(asyncio.to_thread(fork_server.send, self._connection, request, descriptors))
            try:
                return await asyncio.shield(asking)
            except OSError:
                self._is_there = False
                return None
            except asyncio.CancelledError:
                with contextlib.suppress(OSError):
                    pid = await asking
                    os.kill(pid, signal.SIGKILL)
                    await asyncio.to_thread(os.waitpid, pid, 0)
                raise


def _can_fork() -> bool:
    if sys.platform != "linux":
        return False
    try:
        os.close(os.pidfd_open(os.getpid()))
    except OSError:  # a kernel before 5.3
        return False
    return True
