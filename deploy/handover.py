"""The server of a child that has predecessors and successors: they share a listening socket, and no request is lost.

`serve` runs it. The other side is `child`, which hands down the socket, and `supervisor`, which asks the elder to leave.
"""

from __future__ import annotations

import asyncio
import os
import socket

import uvicorn

from deploy.child import LISTEN_FD, READY_FD

#: How long connections in use have to hear that they should close. What was idle for so long is closed unheard.
FAREWELL_SECONDS = 0.5
_CLOSE = (b"connection", b"close")


def inherited_listener() -> socket.socket | None:
    """The socket that a supervisor handed down, if one did."""
    descriptor = os.environ.pop(LISTEN_FD, None)
    return socket.socket(fileno=int(descriptor)) if descriptor else None


class HandoverServer(uvicorn.Server):
    """Says when it accepts, and leaves in steps: a keep-alive connection that is closed under a request loses it."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        descriptor = os.environ.pop(READY_FD, None)
        if descriptor is not None:
            os.write(int(descriptor), b"1")
            os.close(int(descriptor))

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """The successor takes new connections; ours end with their next answer; then the rest is closed.

        A WebSocket is closed with 1012, "service restart": its client is to come again.
        """
        for server in self.servers:
            server.close()
        self.server_state.default_headers.append(_CLOSE)
        loop = asyncio.get_running_loop()
        end = loop.time() + FAREWELL_SECONDS
        while self.server_state.connections and loop.time() < end:
            await asyncio.sleep(0.02)
        await super().shutdown(sockets)
