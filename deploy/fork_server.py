"""A process that has imported what subgraphs and the router share, and becomes each of them by a fork. `forking` starts it and asks it.

python -m deploy.fork_server DESCRIPTOR ROOM

It holds no thread, no event loop and no connection but the one over which it is asked: nothing that a fork would break. A fork's parent is
not this process but whoever asked, as if that one had forked it: it waits for its end, and the kernel tells the fork when it dies.
"""

from __future__ import annotations

import ctypes
import importlib
import json
import os
import runpy
import signal
import socket
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from deploy.loading import collector_waits, load_without_extras
from deploy.parents_death import dies_with_its_parent

#: With these comes nearly all that four subgraphs import alike, and half of the router's.
SHARED = (
    "deploy.serve",
    "deploy.observed",
    "subgraphs.shell.app",
    "subgraphs.shell.command_line",
    "subgraphs.shell.idempotency",
    "subgraphs.shell.mutation",
    "subgraphs.shell.units",
    "sqlmodel",
    "strawberry.tools",
    "uvicorn",
    "uvloop",
    "router.server.bounded_http",
    "router.server.draining",
    "router.server.websocket_protocol",
    "router.server.whole_request",
)
#: More than anybody hands down.
MOST_DESCRIPTORS = 8
_LENGTH_BYTES = 4
#: Where its arguments are in memory: the 48th and 49th field of the file, of which two stand before the name's end.
_ARGUMENTS = slice(45, 47)
ROOM_FOR_ARGUMENTS = " " * 2048
_REPARENTED_WITHIN_SECONDS = 0.001


@dataclass(frozen=True, slots=True)
class ForkRequest:
    """A module to run as `python -m` does. `names` are variables for descriptors that come with it, after standard input and output."""

    module: str
    arguments: Sequence[str]
    environment: Mapping[str, str]
    parent: int
    death_signal: int
    names: Sequence[str]


def send(connection: socket.socket, request: ForkRequest, descriptors: list[int]) -> int:
    """The process id of the fork, which is a child of this process by then. Blocks. Raises OSError where there is none."""
    body = json.dumps(asdict(request)).encode()
    socket.send_fds(connection, [len(body).to_bytes(_LENGTH_BYTES, "big")], descriptors)
    connection.sendall(body)
    pid = int.from_bytes(_exactly(connection, _LENGTH_BYTES), "big")
    if pid == 0:
        raise ChildProcessError("the fork has ended before it began")
    return pid


def main(descriptor: int) -> None:
    """Until the other side closes the connection, or, in a fork, until what was asked for ends."""
    with socket.socket(fileno=descriptor) as connection:
        with collector_waits():
            load_without_extras()
            for module in SHARED:
                importlib.import_module(module)
        request = _what_to_become(connection)
    if request is not None:
        sys.argv = [request.module, *request.arguments]
        _show_as((sys.executable, "-m", *sys.argv))
        runpy.run_module(request.module, run_name="__main__", alter_sys=True)


def _what_to_become(connection: socket.socket) -> ForkRequest | None:
    """In each fork what was asked for; None in the server itself, when nobody asks any more."""
    while True:
        head, descriptors, _, _ = socket.recv_fds(connection, _LENGTH_BYTES, MOST_DESCRIPTORS)
        if not head:
            return None
        request = ForkRequest(**json.loads(_exactly(connection, int.from_bytes(head, "big"))))
        readable, writable = os.pipe()
        helper = os.fork()
        if helper == 0:
            _fork_again()
            _take_place(request, descriptors)
            os.write(writable, os.getpid().to_bytes(_LENGTH_BYTES, "big"))
            os.close(readable)
            os.close(writable)
            return request
        os.close(writable)
        os.waitpid(helper, 0)
        connection.sendall(os.read(readable, _LENGTH_BYTES) or bytes(_LENGTH_BYTES))
        for each in (readable, *descriptors):
            os.close(each)


def _fork_again() -> None:
    """And end, so that whoever asked is the fork's parent: it adopts orphans."""
    helper = os.getpid()
    try:
        if os.fork() != 0:
            os._exit(0)
    except OSError:
        os._exit(1)
    while os.getppid() == helper:
        time.sleep(_REPARENTED_WITHIN_SECONDS)


def _take_place(request: ForkRequest, descriptors: list[int]) -> None:
    """Session, standard streams, environment: what a process that was started with `exec` has."""
    os.setsid()
    if (ask_kernel := dies_with_its_parent(signal.Signals(request.death_signal), request.parent)) is not None:
        ask_kernel()
    given_in, given_out, *others = descriptors
    os.dup2(given_in, sys.stdin.fileno())
    os.dup2(given_out, sys.stdout.fileno())
    os.dup2(given_out, sys.stderr.fileno())
    os.close(given_in)
    os.close(given_out)
    os.environ.clear()
    os.environ.update(request.environment)
    os.environ.update({name: str(each) for name, each in zip(request.names, others, strict=True)})


def _show_as(command: tuple[str, ...]) -> None:
    """What `ps` shows of this process, in place of the server's own arguments, the last of which made room for it."""
    state = Path("/proc/self/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    begin, end = (int(each) for each in state[_ARGUMENTS])
    if not 0 < begin < end:  # a kernel that does not tell
        return
    text = b"".join(os.fsencode(each) + b"\0" for each in command)[: end - begin - 1]
    ctypes.memmove(begin, text.ljust(end - begin, b"\0"), end - begin)


def _exactly(connection: socket.socket, length: int) -> bytes:
    """Raises ConnectionError where the connection ends before."""
    parts = bytearray()
    while len(parts) < length:
        part = connection.recv(length - len(parts))
        if not part:
            raise ConnectionError("the other side has ended")
        parts += part
    return bytes(parts)


if __name__ == "__main__":
    main(int(sys.argv[1]))
