"""FitTracker's own dashboard, on the real product: `python -m benchmarks.dashboard`. See benchmarks/README.md.

Starts Postgres, sample data, four subgraphs and each gateway in turn; checks the answer against the facts; then wrk.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.fittracker.contenders import NAMES, OURS, Contender, running
from benchmarks.fittracker.product import ROOT, Product, running_product
from benchmarks.load import WrongAnswerError, run_wrk, verify_answer
from benchmarks.plots import write_stacked_plot
from benchmarks.processes import cpu_seconds, peak_memory_mib
from benchmarks.report import write_results

GATEWAY = "gateway"


@dataclass(frozen=True, slots=True)
class Sample:
    """One timed run. CPU and memory are by process; `gateway` is the one that the client asks."""

    requests_per_second: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    alone_p50_ms: float
    alone_p99_ms: float
    cpu_ms_per_request: dict[str, float]
    peak_memory_mib: dict[str, float]
    failed: int


def measure(contender: Contender, options: argparse.Namespace) -> Sample:
    """Under `--connections`, and then alone: one connection, nobody else waiting."""
    pids = {GATEWAY: contender.server.pid, **contender.others}
    before = {name: cpu_seconds(pid) for name, pid in pids.items()}
    requests = contender.product.requests
    busy = run_wrk(contender.url, requests, core=None, connections=options.connections, seconds=options.seconds)
    used = {name: cpu_seconds(pid) - before[name] for name, pid in pids.items()}
    alone = run_wrk(contender.url, requests, core=None, connections=1, seconds=max(1, options.seconds // 2))
    return Sample(
        requests_per_second=busy.requests_per_second,
        p50_ms=busy.p50_ms,
        p95_ms=busy.p95_ms,
        p99_ms=busy.p99_ms,
        alone_p50_ms=alone.p50_ms,
        alone_p99_ms=alone.p99_ms,
        cpu_ms_per_request={name: seconds * 1000 / (busy.requests or 1) for name, seconds in used.items()},
        peak_memory_mib={name: peak_memory_mib(pid) for name, pid in pids.items()},
        failed=busy.failed + alone.failed,
    )


def run(options: argparse.Namespace) -> dict[str, list[Sample]]:
    samples: dict[str, list[Sample]] = {}
    with tempfile.TemporaryDirectory(prefix="dashboard-", ignore_cleanup_errors=True) as name, ExitStack() as stack:
        directory = Path(name)
        # Postgres may run as another user, who must be able to reach its files.
        directory.chmod(0o755)
        print("starting the product, with the week of John for everybody", flush=True)
        product = stack.enter_context(running_product(directory / "data", options.people))
        contenders = [_started(stack, each, product, directory) for each in options.gateway or NAMES]
        if options.against:
            contenders.append(_other_checkout(stack, options, directory))
        ready = [each for each in contenders if each is not None and _is_right(each, options)]
        for round_number in range(options.rounds):
            for contender in ready:
                sample = measure(contender, options)
                samples.setdefault(contender.name, []).append(sample)
                print(f"  {round_number + 1}/{options.rounds} {contender.name}: {_line(sample)}", flush=True)
    return samples


def _started(stack: ExitStack, name: str, product: Product, directory: Path) -> Contender | None:
    try:
        return stack.enter_context(running(name, product, directory, source=ROOT))
    except RuntimeError as error:
        print(f"  {name} is left out: {error}")
        return None


def _other_checkout(stack: ExitStack, options: argparse.Namespace, directory: Path) -> Contender:
    """The whole product of another work tree, to compare two versions in one run."""
    source = Path(options.against).resolve()
    command = ["git", "-C", str(source), "rev-parse", "--short", "HEAD"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    label = f"{OURS} at {done.stdout.strip() or source.name}"
    product = stack.enter_context(running_product(directory / "other", options.people, source=source))
    return stack.enter_context(running(OURS, product, directory, label=label, source=source))


def _is_right(contender: Contender, options: argparse.Namespace) -> bool:
    """Whether it answers as the facts say, before and after a warm-up."""
    requests = contender.product.requests
    try:
        verify_answer(contender.url, requests[0], contender.product.expected)
        run_wrk(contender.url, requests, core=None, connections=options.connections, seconds=options.warm_up)
        verify_answer(contender.url, requests[0], contender.product.expected)
    except (WrongAnswerError, OSError) as error:
        print(f"  {contender.name} is left out: {error}")
        return False
    return True


def _line(sample: Sample) -> str:
    total = sum(sample.cpu_ms_per_request.values())
    return f"{sample.requests_per_second:.0f}/s, alone p50 {sample.alone_p50_ms:.1f} ms, {total:.2f} CPU ms in all, {sample.failed} failed"


def summarise(samples: dict[str, list[Sample]]) -> dict[str, dict[str, Any]]:
    """Medians of every figure by contender."""
    summary: dict[str, dict[str, Any]] = {}
    for name, runs in samples.items():
        rows = [asdict(each) for each in runs]
        summary[name] = {key: _median([row[key] for row in rows]) for key in rows[0]}
    return summary


def _median(values: list[Any]) -> Any:
    if isinstance(values[0], dict):
        return {key: round(median(value[key] for value in values), 3) for key in values[0]}
    return round(median(values), 3)


def print_summary(summary: dict[str, dict[str, Any]]) -> None:
    print(
        f"\n{'':22} {'req/s':>6} {'p50 ms':>8} {'p99 ms':>8} {'alone p50':>10} {'CPU ms/request':>15} {'of the gateway':>15} {'MiB':>6}"
    )
    for name, figures in summary.items():
        cpu = figures["cpu_ms_per_request"]
        print(
            f"{name:22} {figures['requests_per_second']:6.0f} {figures['p50_ms']:8.1f} {figures['p99_ms']:8.1f} "
            f"{figures['alone_p50_ms']:10.2f} {sum(cpu.values()):15.2f} {cpu[GATEWAY]:15.2f} "
            f"{figures['peak_memory_mib'][GATEWAY]:6.0f}"
        )
    for name, figures in summary.items():
        parts = ", ".join(f"{part} {value:.2f}" for part, value in figures["cpu_ms_per_request"].items())
        print(f"CPU ms per request, {name}: {parts}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gateway", action="append", choices=NAMES)
    parser.add_argument("--against", metavar="DIRECTORY", help="another work tree, whose product runs beside ours")
    parser.add_argument("--people", type=int, default=50, help="who ask in turn, so that no two waiting are equal")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=10, help="of each timed run")
    parser.add_argument("--warm-up", type=int, default=3, help="seconds before the first timed run")
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--no-results", action="store_true", help="do not write into benchmarks/results")
    options = parser.parse_args()
    samples = run(options)
    summary = summarise(samples)
    print_summary(summary)
    if not options.no_results:
        runs = {name: [asdict(each) for each in runs] for name, runs in samples.items()}
        target = write_results("dashboard", vars(options), {"medians": summary, "runs": runs})
        parts = {name: figures["cpu_ms_per_request"] for name, figures in summary.items()}
        write_stacked_plot("CPU ms per dashboard request, by process", parts, target.with_suffix(".svg"))


if __name__ == "__main__":
    main()
