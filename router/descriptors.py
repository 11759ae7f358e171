"""How many files and sockets the process may have open, and what share of them is for what.

`server.bounded_http` takes half for clients, `transport.subscription_source` the other half for streams from subgraphs.
"""

from __future__ import annotations

import sys

if sys.platform != "win32":
    import resource

#: What else a process has open: files, listeners, Redis, connections for queries.
_OTHERS = 256


def half_of_descriptors() -> int:
    """At least 64."""
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[0] if sys.platform != "win32" else 8_192
    return max(64, (min(files, 2**20) - _OTHERS) // 2)
