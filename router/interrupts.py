"""Ctrl-C where nobody wants a traceback of it: in a command whose modules load, and in processes that a parent ends.

`deploy`'s console scripts load their modules by it, and `server.workers` starts its processes by it. Imports next to nothing.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def ended_by_interrupt() -> Iterator[None]:
    """Ctrl-C ends the process as the signal does by itself, without a word. After the block it raises KeyboardInterrupt again."""
    heard = signal.getsignal(signal.SIGINT)
    if heard is signal.default_int_handler:  # otherwise it is ignored, as behind nohup, and stays so
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, heard)


@contextmanager
def deaf_to_interrupts() -> Iterator[None]:
    """Processes that are started in the block never get a SIGINT: a terminal sends it to them and to us, who end them. One that
    comes to us meanwhile is handled after the block.
    """
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
