"""What `stack` starts for each subgraph and for the router: as `fittracker subgraph NAME` and `fittracker router --config FILE --watch`
do, without the command line of all verbs, which takes 3 MB of each process.

python -m deploy.served subgraph NAME
python -m deploy.served router FILE
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

from deploy.friendly_exit import friendly_exit
from deploy.handover import wait_at_the_gate
from deploy.loading import collector_waits, load_without_extras
from deploy.serve import serve_router, serve_subgraph


def main(kind: str, what: str) -> None:
    with friendly_exit():
        with collector_waits():
            load_without_extras()
            importlib.import_module("router.server.app" if kind == "router" else f"subgraphs.{what}.app")
        wait_at_the_gate()
        if kind == "router":
            serve_router([], Path(what), supergraph=None, watch=True)
        else:
            serve_subgraph(what, "127.0.0.1", None)


if __name__ == "__main__":
    main(*sys.argv[1:])
