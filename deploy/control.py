"""How `fittracker scale` and `roll` reach the `fittracker up` that runs: one line of JSON over a Unix socket, lines back.

`up` serves it, `operations_cli` asks. The socket is in a folder of its own that only its owner enters.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import socket
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from deploy.errors import FriendlyError

LARGEST_REQUEST_BYTES = 64 * 1024
PATIENCE_SECONDS = 600.0  # between two lines

Request = dict[str, Any]
Tell = Callable[[str], None]
#: Does what a request asks, telling of it; raises FriendlyError.
Perform = Callable[[Request, Tell], Awaitable[None]]


@asynccontextmanager
async def control_socket(perform: Perform) -> AsyncIterator[Path]:
    """Serves until the block ends. Requests wait for one another."""
    folder = Path(tempfile.mkdtemp(prefix="fittracker-"))  # of mode 0700, and short: a socket's path has 107 bytes
    one_at_a_time = asyncio.Lock()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        def send(**message: str | bool) -> None:
            writer.write(json.dumps(message).encode() + b"\n")

        try:
            request = json.loads(await reader.readline())
            async with one_at_a_time:
                await perform(request, lambda text: send(told=text))
            send(done=True)
        except FriendlyError as error:
            send(failed=str(error), hint=error.hint or "")
        except (ValueError, ConnectionError) as error:
            send(failed=f"no request: {error}", hint="")
        finally:
            with suppress(ConnectionError):
                await writer.drain()
            writer.close()

    path = folder / "control"
    server = await asyncio.start_unix_server(serve, path, limit=LARGEST_REQUEST_BYTES)
    try:
        yield path
    finally:
        server.close()
        shutil.rmtree(folder, ignore_errors=True)


def ask(path: str, request: Request) -> Iterator[str]:
    """What is told while it is done. Raises FriendlyError where it is refused or nobody answers."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(PATIENCE_SECONDS)
        try:
            connection.connect(path)
        except OSError as error:
            raise FriendlyError(f"the running stack does not answer: {error.strerror}") from None
        connection.sendall(json.dumps(request).encode() + b"\n")
        for line in connection.makefile("rb"):
            message = json.loads(line)
            if "failed" in message:
                raise FriendlyError(message["failed"], message["hint"] or None)
            if "done" in message:
                return
            yield message["told"]
    raise FriendlyError("the stack stopped before it was done")
