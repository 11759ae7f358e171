"""A process that the kernel tells when its parent dies. What `stack` starts has it, whether it is started or forked."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Callable

_PR_SET_PDEATHSIG = 1
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
