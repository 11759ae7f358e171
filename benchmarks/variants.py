"""What a feature costs: our router with it and without it, side by side: `python -m benchmarks.variants`.

The router has core 0, the load and the shop's subgraphs core 1, as in `compare`; runs alternate. Each pair answers the same
operation, and each answer is verified before it is timed.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from statistics import median
from typing import Any

import jwt
import yaml

from benchmarks.compare import GATEWAY_CORE, LOAD_CORE, running_subgraphs, write_graph
from benchmarks.gateways import our_gateway
from benchmarks.load import Request, Sample, WrongAnswerError, ask_for_bytes, sample, verify_answer
from benchmarks.memory import Reloader
from benchmarks.processes import Server, free_port
from benchmarks.report import write_results
from benchmarks.shop.facts import SHOP
from benchmarks.shop.workloads import HEAVY, INNER, LIGHT
from benchmarks.workload import Workload

SECRET = "a secret of this benchmark's own, known to nobody else"  # noqa: S105 - it opens nothing
CALLERS = 1_000
RELOAD_SECONDS = 1.0
#: `HEAVY` with the inner reviews of each product in later parts of the answer.
DEFERRED = HEAVY.replace(INNER, f"... @defer {{ {INNER} }}")


INCREMENTAL = "multipart/mixed;deferSpec=20220824"


@dataclass(frozen=True, slots=True)
class Variant:
    """A router with its settings, and what it is asked. `against` is the variant without the feature, empty for one without."""

    name: str
    workload: Workload
    against: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    callers: int = 0  # that sign in; 0: nobody does
    accept: str = "application/json"
    reloads: bool = False

    def requests(self) -> list[Request]:
        (body,) = self.workload.bodies()
        authorizations = list(_authorizations(self.callers)) if self.callers else [""]
        return [Request(body, authorization, self.accept) for authorization in authorizations]


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
    Variant("light, reloading", _LIGHT, "light", reloads=True),
    Variant("heavy", _HEAVY),
    Variant("heavy, deferred", replace(_HEAVY, operation=DEFERRED), "heavy", accept=INCREMENTAL),
)


def joined(body: bytes) -> dict[str, Any]:
    """The data of an answer in parts, as `deferSpec=20220824` has them, put together. Raises WrongAnswerError for errors."""
    parts = [json.loads(part.partition(b"\r\n\r\n")[2]) for part in body.split(b"\r\n---") if b"{" in part]
    whole: dict[str, Any] = {}
    for part in parts:
        pieces = part.get("incremental") or ([part] if "data" in part else [])
        if part.get("errors") or any(piece.get("errors") for piece in pieces):
            raise WrongAnswerError(f"a part has errors: {part}")
        for piece in pieces:
            at: Any = whole
            for step in piece.get("path") or ():
                at = at[step]
            _merge(at, piece["data"])
    return whole


def _merge(there: Any, arriving: dict[str, Any]) -> None:
    for key, value in arriving.items():
        known = there.get(key)
        if isinstance(value, dict) and isinstance(known, dict):
            _merge(known, value)
        elif isinstance(value, list) and isinstance(known, list):
            for one, other in zip(known, value, strict=True):
                _merge(one, other)
        else:
            there[key] = value


def verify_variant(url: str, variant: Variant) -> None:
    """Raises WrongAnswerError where the answer, put together, is not that of the shop's facts."""
    request = variant.requests()[0]
    if variant.accept != INCREMENTAL:
        verify_answer(url, request, variant.workload.expected())
    elif joined(ask_for_bytes(url, request)) != replace(variant.workload, operation=HEAVY).expected():
        raise WrongAnswerError(f"{url}: the parts do not make the whole")


def run(variants: Sequence[Variant], options: argparse.Namespace) -> dict[str, list[Sample]]:
    samples: dict[str, list[Sample]] = {variant.name: [] for variant in variants}
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        directory = Path(name)
        supergraph = write_graph(SHOP, stack.enter_context(running_subgraphs(0.0, directory)), directory)
        servers = [(variant, *_start(variant, supergraph, stack)) for variant in variants]
        for round_number in range(-1, options.rounds):  # the first round warms up
            for variant, server, url, own in servers:
                verify_variant(url, variant)
                with _reloading(own, supergraph.read_text()) if variant.reloads else nullcontext():
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


@contextmanager
def _reloading(file: Path, text: str) -> Iterator[None]:
    """The router gets a new graph each RELOAD_SECONDS."""
    reloader, over = Reloader(file, text), threading.Event()

    def reload() -> None:
        while not over.wait(RELOAD_SECONDS):
            reloader.reload()

    thread = threading.Thread(target=reload)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


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
