"""The long form: `python -m tests.hostile [--seconds 60] [--attacks NAME ...]`. Writes what came of it to `results/<date>.md`,
beside what the victim sees while nobody attacks; exit code 1 where the victim was failed, or its p99 is
MOST_BEYOND_IDLE_MS beyond that. Of named attacks the file's name has their names, so that it replaces no result of all.
"""

import argparse
import asyncio
import os
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from tests.hostile.attacks import ATTACKS
from tests.hostile.beside import Outcome, attacked
from tests.testkit.running_stack import running_stack

RESULTS = Path(__file__).parent / "results"
MOST_BEYOND_IDLE_MS = 100.0


async def run(attacks: Sequence[str], seconds: float) -> list[Outcome]:
    """What came of these attacks, one after the other on one platform; first what the victim sees while nobody attacks."""
    with tempfile.TemporaryDirectory() as folder:
        async with running_stack(Path(folder) / "data", ROUTER_TRUSTED_PROXIES="127.0.0.1") as stack:
            person = await stack.register()
            return [await attacked(name, stack, person, seconds=seconds) for name in ("nothing", *attacks)]


def report(outcomes: list[Outcome], seconds: float) -> str:
    at = datetime.now(UTC)
    load = os.getloadavg()[0]
    lines = [
        f"# Attacks of {seconds:g} s each, {at:%Y-%m-%d %H:%M} UTC",
        "",
        f"{os.cpu_count()} cores, load average {load:.1f} at the end. Times are the victim's, in milliseconds.",
        "",
        "| attack | rounds | answers | asked | failed | p50 | p99 | beyond idle | worst | most memory of a process, MiB |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    idle = outcomes[0].p99_ms
    for each in outcomes:
        answers = ", ".join(f"{code} {count}" for code, count in sorted(each.answers.items()))
        process, most = max(each.memory_mib.items(), key=lambda item: item[1])
        lines.append(
            f"| {each.attack} | {each.rounds} | {answers} | {each.asked} | {each.failed} | {each.p50_ms} | {each.p99_ms} |"
            f" {each.p99_ms - idle:+.1f} |"
            f" {each.worst_ms} | {process} {most:.0f} |"
        )
    return "\n".join(lines) + "\n"


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.hostile", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="for each attack")
    parser.add_argument(
        "--attacks", nargs="+", choices=list(ATTACKS), metavar="NAME",
        help=f"these attacks only, in this order; by default all: {', '.join(ATTACKS)}",
    )  # fmt: skip
    return parser


def results_file(attacks: Sequence[str] | None, at: datetime, folder: Path = RESULTS) -> Path:
    """Where the results of these attacks go; None: of all."""
    return folder / f"{'-'.join([f'{at:%Y-%m-%d}', *(attacks or ())])}.md"


def main() -> None:
    options = arguments().parse_args()
    outcomes = asyncio.run(run(options.attacks or list(ATTACKS), options.seconds))
    text = report(outcomes, options.seconds)
    file = results_file(options.attacks, datetime.now(UTC))
    file.parent.mkdir(exist_ok=True)
    file.write_text(text, encoding="utf-8")
    print(text, end="")
    idle = outcomes[0].p99_ms
    sys.exit(any(each.failed or each.p99_ms > idle + MOST_BEYOND_IDLE_MS for each in outcomes))


if __name__ == "__main__":
    main()
