"""How the time to compose grows with the graph, beside other composers: `python -m benchmarks.composition`. See benchmarks/README.md.

Graphs of the same kind in several sizes, twenty types a subgraph. Each composer composes each size in a process of its own, and has to
show clients the schema that the subgraphs together have.
"""

from __future__ import annotations

import argparse
import json
import math
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from graphql import GraphQLError

from benchmarks.composers import MOST_GIB, Composed, Composer, ComposerError, compose_with, known_composers
from benchmarks.plots import write_line_plot
from benchmarks.public_schema import PublicSchema, differences, public_schema
from benchmarks.report import write_results
from schema import SubgraphSource

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


def run_size(
    size: int, composers: Sequence[Composer], left_out: dict[str, str], options: argparse.Namespace
) -> dict[str, Composed]:
    """What each composer took for a graph of so many subgraphs, without those that cannot do it: why is said, and noted in `left_out`."""
    sources = generate(size)
    sdls = [source.sdl for source in sources]
    expected = public_schema(*sdls)
    print(f"{size} subgraphs, {len(expected)} types, {sum(map(len, sdls)) // 1024} KiB", flush=True)
    composed: dict[str, Composed] = {}
    with tempfile.TemporaryDirectory() as name:
        given = Path(name) / "subgraphs.json"
        given.write_text(json.dumps([{"name": each.name, "url": each.url, "sdl": each.sdl} for each in sources]))
        for composer in composers:
            supergraph = Path(name) / f"{composer.name}.graphql"
            try:
                taken = compose_with(
                    composer,
                    given,
                    supergraph,
                    rounds=options.rounds,
                    most_seconds=options.most_seconds,
                    most_gib=options.most_gib,
                )
                check(supergraph, expected)
            except ComposerError as error:
                left_out[composer.name] = f"from {size} subgraphs on: {error}"
                print(f"  {composer.name} is left out {left_out[composer.name]}", flush=True)
                continue
            composed[composer.name] = taken
            print(f"  {composer.name:12} {taken.seconds:9.3f} s, {taken.peak_memory_mib:5.0f} MiB", flush=True)
    return composed


def check(supergraph: Path, expected: PublicSchema) -> None:
    """Raises ComposerError where a supergraph does not parse, or has another schema for its clients."""
    try:
        found = differences(expected, public_schema(supergraph.read_text()))
    except GraphQLError as error:
        raise ComposerError(f"its supergraph does not parse: {error}") from None
    if found:
        raise ComposerError(f"its supergraph differs in {len(found)} types: {'; '.join(found[:3])}")


@dataclass(frozen=True, slots=True)
class Results:
    """`composed` by composer and size; `left_out` says of a composer that could not do a size from which on, and why."""

    composed: dict[str, dict[int, Composed]]
    left_out: dict[str, str]


def run(composers: Sequence[Composer], options: argparse.Namespace) -> Results:
    """A composer that cannot do a size is not asked for larger ones."""
    results = Results({composer.name: {} for composer in composers}, {})
    for size in sorted(options.sizes):
        able = [composer for composer in composers if composer.name not in results.left_out]
        for name, taken in run_size(size, able, results.left_out, options).items():
            results.composed[name][size] = taken
    return results


def growth(sizes: Mapping[int, Composed]) -> float | None:
    """The exponent of the time between the smallest and the largest graph: 1 is linear. None for fewer than two sizes."""
    if len(sizes) < 2:
        return None
    first, last = min(sizes), max(sizes)
    return round(math.log(sizes[last].seconds / sizes[first].seconds) / math.log(last / first), 2)


def print_table(results: Mapping[str, Mapping[int, Composed]], sizes: Sequence[int]) -> None:
    """Rows as the README has them."""
    print(f"\n| subgraphs | {' | '.join(results)} |\n|---|{'---|' * len(results)}")
    for size in sorted(sizes):
        cells = [
            f"{taken[size].seconds:.2f} s, {taken[size].peak_memory_mib:.0f} MiB" if size in taken else "-"
            for taken in results.values()
        ]
        print(f"| {size} | {' | '.join(cells)} |")
    print("Time grows with the subgraphs to the power of: ", end="")
    print(", ".join(f"{name} {growth(taken)}" for name, taken in results.items()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[5, 10, 25, 50, 100, 250, 500], help="subgraphs")
    parser.add_argument("--composer", action="append", choices=[each.name for each in known_composers()])
    parser.add_argument("--rounds", type=int, default=3, help="of which the median counts")
    parser.add_argument("--most-seconds", type=float, default=60.0, help="for the rounds of one composer and size")
    parser.add_argument("--most-gib", type=int, default=MOST_GIB, help="of memory of one composer")
    parser.add_argument("--no-results", action="store_true", help="do not write into benchmarks/results")
    options = parser.parse_args()
    chosen = [each for each in known_composers() if not options.composer or each.name in options.composer]
    for composer in chosen:
        if composer.missing:
            print(f"{composer.name} is left out: {composer.missing}")
    results = run([each for each in chosen if not each.missing], options)
    print_table(results.composed, options.sizes)
    if not options.no_results:
        method = {**vars(options), "types_per_subgraph": TYPES_PER_SUBGRAPH}
        write(results, method)


def write(results: Results, method: Mapping[str, Any]) -> None:
    composed = results.composed
    figures = {name: {str(size): asdict(each) for size, each in taken.items()} for name, taken in composed.items()}
    exponents = {name: growth(taken) for name, taken in composed.items()}
    content = {"by_composer": figures, "growth_exponents": exponents, "left_out": results.left_out}
    target = write_results("composition", method, content)
    lines = {name: [(size, each.seconds) for size, each in taken.items()] for name, taken in composed.items()}
    write_line_plot("Seconds to compose", lines, ("subgraphs", "s"), target.with_suffix(".svg"))


if __name__ == "__main__":
    main()
