"""The generations of one child share a listening socket: here a process takes it over, and says that it accepts.

`serve` calls both. The other side is `child`, which hands the socket down, and `supervisor`, which asks the elder to leave;
how it leaves is in `router.server.draining`.
"""

from __future__ import annotations

import os
import socket

from deploy.child import GATE_FD, LISTEN_FD, READY_FD


def inherited_listener() -> socket.socket | None:
    """The socket that a supervisor handed down, if one did."""
    descriptor = os.environ.pop(LISTEN_FD, None)
    return socket.socket(fileno=int(descriptor)) if descriptor else None


def say_that_it_accepts() -> None:
    """To the supervisor, where there is one; the predecessor is asked to leave only then."""
    descriptor = os.environ.pop(READY_FD, None)
    if descriptor is not None:
        os.write(int(descriptor), b"1")
        os.close(int(descriptor))


def wait_at_the_gate() -> None:
    """Until the supervisor says that what this process needs is there; where it has no gate, not at all."""
    descriptor = os.environ.pop(GATE_FD, None)
    if descriptor is not None:
        os.read(int(descriptor), 1)  # nobody writes: it ends
        os.close(int(descriptor))
