"""Our composer as `benchmarks.composition` runs each: `python -m benchmarks.compose_ours SUBGRAPHS SUPERGRAPH`.

Composes once for each line of the standard input, and prints the seconds from the subgraphs' text to the supergraph's.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from schema import SubgraphSource, compose


def main() -> None:
    given, target = (Path(argument) for argument in sys.argv[1:])
    sources = [SubgraphSource(each["name"], each["sdl"], each["url"]) for each in json.loads(given.read_text())]
    for _line in sys.stdin:
        began = time.perf_counter()
        result = compose(sources)
        seconds = time.perf_counter() - began
        if result.supergraph_sdl is None:
            raise SystemExit(f"the graph does not compose: {result.errors[0]}")
        target.write_text(result.supergraph_sdl)
        print(seconds, flush=True)


if __name__ == "__main__":
    main()
