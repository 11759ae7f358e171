"""How the time to compose grows with the graph: `python -m benchmarks.composition`. See benchmarks/README.md.

Graphs of the same kind in several sizes, twenty types a subgraph; each size in a process of its own, for its peak memory.
"""

from __future__ import annotations

import argparse
import json
import math
import resource
import subprocess
import sys
import time
from statistics import median

from benchmarks.plots import write_line_plot
from benchmarks.report import write_results
from schema import SubgraphSource, compose

TYPES_PER_SUBGRAPH = 20
LINK = (
    'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", '
    'import: ["@key", "@shareable", "@external", "@requires", "@provides"])\n'
)


def generate(subgraphs: int) -> list[SubgraphSource]:
    """Each subgraph owns entities of its own, contributes to those of its neighbours (a field, one with `@requires`,
    one shared), and has a value type, an interface, an enum and an input that others have too.
    """
    return [SubgraphSource(f"s{number}", _sdl(number, subgraphs), f"http://s{number}") for number in range(subgraphs)]


def _sdl(number: int, subgraphs: int) -> str:
    own = [f"S{number}Entity{index}" for index in range(TYPES_PER_SUBGRAPH)]
    neighbour = (number + 1) % subgraphs
    parts = [
        LINK,
        "type Money @shareable { amount: Float currency: Currency }",
        "enum Currency { EUR USD }",
        "interface Named { name: String }",
        "input Page { first: Int after: String }",
        f"type Query {{ {' '.join(f'{name.lower()}(page: Page): [{name}]' for name in own)} }}",
    ]
    for index, name in enumerate(own):
        following = own[(index + 1) % len(own)]
        parts.append(
            f'type {name} implements Named @key(fields: "id") @key(fields: "code region") {{ id: ID! code: String '
            f"region: String name: String weight: Int price: Money next: {following} "
            f"neighbour: S{neighbour}Entity{index} }}"
        )
        if subgraphs > 1:
            parts.append(
                f'type S{neighbour}Entity{index} @key(fields: "id") {{ id: ID! weight: Int @external '
                f'addedBy{number}: Int @requires(fields: "weight") seenBy{number}: [{name}] }}'
            )
    return "\n".join(parts)


def measure(subgraphs: int, rounds: int) -> dict[str, float]:
    """Seconds (median of the rounds), types that clients see, and peak MiB of this process."""
    sources = generate(subgraphs)
    seconds = []
    for _ in range(rounds):
        began = time.perf_counter()
        result = compose(sources)
        seconds.append(time.perf_counter() - began)
        if result.supergraph_sdl is None or result.api_sdl is None:
            raise SystemExit(f"the generated graph does not compose: {result.errors[0]}")
    return {
        "subgraphs": subgraphs,
        "types": sum(result.api_sdl.count(f"\n{kind} ") for kind in ("type", "interface", "enum", "input")),
        "supergraph_kib": round(len(result.supergraph_sdl) / 1024, 1),
        "seconds": round(median(seconds), 3),
        "peak_memory_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[5, 10, 25, 50, 100], help="subgraphs")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--no-results", action="store_true", help="do not write into benchmarks/results")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one is not None:
        print(json.dumps(measure(options.one, options.rounds)))
        return
    rows = []
    print(f"{'subgraphs':>9} {'types':>6} {'KiB':>7} {'seconds':>8} {'ms a type':>10} {'MiB':>6}")
    for size in options.sizes:
        command = [sys.executable, "-m", "benchmarks.composition", "--one", str(size), "--rounds", str(options.rounds)]
        row = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        rows.append(row)
        print(
            f"{row['subgraphs']:9} {row['types']:6} {row['supergraph_kib']:7} {row['seconds']:8.2f} "
            f"{row['seconds'] * 1000 / row['types']:10.2f} {row['peak_memory_mib']:6.0f}",
            flush=True,
        )
    exponent = growth(rows)
    print(f"time grows with types to the power of {exponent:.2f}")
    if not options.no_results:
        method = {"rounds": options.rounds, "types_per_subgraph": TYPES_PER_SUBGRAPH}
        target = write_results("composition", method, {"sizes": rows, "growth_exponent": round(exponent, 2)})
        points = [(row["types"], row["seconds"]) for row in rows]
        write_line_plot("Seconds to compose", {"seconds": points}, ("types", "s"), target.with_suffix(".svg"))


def growth(rows: list[dict[str, float]]) -> float:
    """The exponent between the smallest and the largest graph: 1 is linear."""
    first, last = rows[0], rows[-1]
    if first is last:
        return 1.0
    return math.log(last["seconds"] / first["seconds"]) / math.log(last["types"] / first["types"])


if __name__ == "__main__":
    main()
