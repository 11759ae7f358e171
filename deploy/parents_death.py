"""What the kernel does when a parent dies: it tells the children, and gives them to another process. What `stack` starts is told, whether
it is started or forked.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Callable

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


def dies_with_its_parent(number: signal.Signals, parent: int | None = None) -> Callable[[], None] | None:
    """On Linux the kernel sends `number` when the supervisor dies, however it dies, so none is orphaned. The `parent` is this process
    where none is named.
    """
    libc = _libc
    if libc is None:
        return None
    expected = os.getpid() if parent is None else parent

    def ask_kernel() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, int(number))
        if os.getppid() != expected:  # it died between fork and here
            os._exit(1)

    return ask_kernel


def die_with_the_parent(parent: int) -> None:
    """Asked by a process of a pool as it begins: it holds both ends of what its work comes by, and would wait for ever."""
    ask_kernel = dies_with_its_parent(signal.SIGKILL, parent)
    if ask_kernel is not None:
        ask_kernel()


def adopt_orphans(does: bool) -> None:
    """Whether this process becomes the parent of descendants whose own parent ends. Does nothing where the system is not Linux."""
    if _libc is not None:
        _libc.prctl(_PR_SET_CHILD_SUBREAPER, int(does))
