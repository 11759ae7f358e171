"""What a feature costs: our router with it and without it, side by side: `python -m benchmarks.variants`.

The router has core 0, the load and the shop's subgraphs core 1, as in `compare`; runs alternate. Each pair answers the same
operation, and each answer is verified before it is timed.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, nullcontext
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from statistics import median
from typing import Any

import jwt
import yaml

from benchmarks.compare import GATEWAY_CORE, LOAD_CORE, running_subgraphs, write_graph
from benchmarks.gateways import our_gateway
from benchmarks.load import Request, Sample, sample, verify_request
from benchmarks.processes import Server, free_port
from benchmarks.reloading import reloading
from benchmarks.report import write_results
from benchmarks.shop.facts import SHOP
from benchmarks.shop.workloads import DEFERRED, HEAVY, LIGHT
from benchmarks.workload import IN_PARTS, Workload

SECRET = "a secret of this benchmark's own, known to nobody else"  # noqa: S105 - it opens nothing
CALLERS = 1_000


@dataclass(frozen=True, slots=True)
class Variant:
    """A router with its settings, and what it is asked. `against` is the variant without the feature, empty for one without."""

    name: str
    workload: Workload
    against: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    callers: int = 0  # that sign in; 0: nobody does

    def requests(self) -> list[Request]:
        (body,) = self.workload.bodies()
        authorizations = list(_authorizations(self.callers)) if self.callers else [""]
        return [Request(body, authorization, self.workload.accept) for authorization in authorizations]


def _authorizations(count: int) -> Iterator[str]:
    """Of as many people, valid for an hour."""
    expires = time.time() + 3_600
    for number in range(count):
        yield f"Bearer {jwt.encode({'sub': f'person-{number}', 'exp': expires}, SECRET, algorithm='HS256')}"


_LIGHT = Workload("light", "one root fetch and one entity hop", SHOP, LIGHT, is_distinct=True)
_HEAVY = Workload("heavy", "four subgraphs, nested entities", SHOP, HEAVY, is_distinct=True)
VARIANTS = (
    Variant("light", _LIGHT),
    Variant("light, signed in", _LIGHT, "light", {"jwt": {"keys": [{"secret": SECRET}], "required": True}}, CALLERS),
    Variant("light, reloading", replace(_LIGHT, reloads=True), "light"),
    Variant("heavy", _HEAVY),
    Variant("heavy, deferred", replace(_HEAVY, operation=DEFERRED, accept=IN_PARTS), "heavy"),
)


def verify_variant(url: str, variant: Variant) -> None:
    """Raises WrongAnswerError where the answer, put together, is not that of the shop's facts."""
    verify_request(url, variant.requests()[0], variant.workload.expected())


def run(variants: Sequence[Variant], options: argparse.Namespace) -> dict[str, list[Sample]]:
    samples: dict[str, list[Sample]] = {variant.name: [] for variant in variants}
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        directory = Path(name)
        supergraph = write_graph(SHOP, stack.enter_context(running_subgraphs(0.0, directory)), directory)
        servers = [(variant, *_start(variant, supergraph, stack)) for variant in variants]
        for round_number in range(-1, options.rounds):  # the first round warms up
            for variant, server, url, own in servers:
                verify_variant(url, variant)
                with reloading(own, supergraph.read_text()) if variant.workload.reloads else nullcontext():
                    taken = sample(
                        url,
                        variant.requests(),
                        server,
                        core=LOAD_CORE,
                        connections=options.connections,
                        seconds=options.seconds,
                    )
                if round_number >= 0:
                    samples[variant.name].append(taken)
    return samples


def _start(variant: Variant, supergraph: Path, stack: ExitStack) -> tuple[Server, str, Path]:
    """A router on a supergraph file of its own, which it watches."""
    label = variant.name.replace(", ", "-").replace(" ", "-")
    own, config, port = supergraph.with_name(f"{label}.graphql"), supergraph.with_name(f"{label}.yaml"), free_port()
    own.write_text(supergraph.read_text())
    config.write_text(yaml.safe_dump(dict(variant.settings)))
    ours = our_gateway()
    command = [*ours.command(own, port), "--watch", "--config", str(config)]
    server = Server(label, command, GATEWAY_CORE, log=own.with_suffix(".log"), environment=ours.environment)
    stack.callback(server.stop)
    server.wait_until_answering(ours.url(port))
    return server, ours.url(port), own


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=8, help="of each timed run")
    parser.add_argument("--connections", type=int, default=20)
    parser.add_argument("--no-results", action="store_true", help="do not write into benchmarks/results")
    options = parser.parse_args()
    samples = run(VARIANTS, options)
    medians = {
        name: {key: round(median(asdict(each)[key] for each in taken), 3) for key in asdict(taken[0])}
        for name, taken in samples.items()
    }
    print(
        f"\n{'variant':20} {'req/s':>8} {'p50 ms':>8} {'p99 ms':>8} {'CPU ms':>8} {'MiB':>6} {'failed':>6}  CPU against"
    )
    for variant in VARIANTS:
        figures, plain = medians[variant.name], medians.get(variant.against)
        against = (
            f"{figures['cpu_ms_per_request'] / plain['cpu_ms_per_request']:.2f} x {variant.against}" if plain else ""
        )
        print(
            f"{variant.name:20} {figures['requests_per_second']:8.0f} {figures['p50_ms']:8.2f} {figures['p99_ms']:8.2f} "
            f"{figures['cpu_ms_per_request']:8.3f} {figures['peak_memory_mib']:6.0f} {figures['failed']:6.0f}  {against}"
        )
    if not options.no_results:
        runs = {name: [asdict(each) for each in taken] for name, taken in samples.items()}
        write_results("variants", vars(options), {"medians": medians, "runs": runs})


if __name__ == "__main__":
    main()
