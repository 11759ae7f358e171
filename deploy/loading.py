"""How a process loads its modules: without the collector of garbage, and without what libraries load besides and nobody here uses.

Used by `served`, `serve` and `prepare`. Next to nothing of what is loaded is garbage, and the collector would take a tenth to a fifth of a start
for walking it. What is garbage then stays: 1,600 of a subgraph's 190,000 objects, for which a collection takes 0.17 s.
"""

from __future__ import annotations

import gc
import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager

#: structlog prints tracebacks by rich, unless it is told of another way, as `router.log_lines` does (4 MB of a process). redis-py counts by
#: OpenTelemetry's metrics when it is asked to (1 MB, of which psutil is the most).
_EXTRAS = {"structlog": ("rich",), "redis": ("opentelemetry.sdk.metrics",)}


@contextmanager
def collector_waits() -> Iterator[None]:
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def load_without_extras() -> None:
    """Those libraries, each as if nothing of what it can do without were installed; whoever wants that imports it afterwards."""
    for library, extras in _EXTRAS.items():
        hidden = [name for name in extras if name not in sys.modules]
        sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]  # None: its import fails
        try:
            importlib.import_module(library)
        finally:
            for name in hidden:
                del sys.modules[name]
