"""The garbage collector waits while a process loads its modules: nothing of them is garbage, and it would walk them again and again.

Used by `serve` and `prepare`; a tenth to a fifth of a start is spent in the collector otherwise.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collector_waits() -> Iterator[None]:
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
