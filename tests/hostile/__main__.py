"""The long form: `python -m tests.hostile [--seconds 60]`. Writes what came of it to `results/<date>.md`."""

import argparse
import asyncio
import os
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from tests.hostile.attacks import ATTACKS
from tests.hostile.beside import Outcome, attacked
from tests.testkit.running_stack import running_stack

RESULTS = Path(__file__).parent / "results"


async def run(seconds: float) -> list[Outcome]:
    with tempfile.TemporaryDirectory() as folder:
        async with running_stack(Path(folder) / "data", ROUTER_TRUSTED_PROXIES="127.0.0.1") as stack:
            person = await stack.register()
            return [await attacked(name, stack, person, seconds=seconds) for name in ATTACKS]


def report(outcomes: list[Outcome], seconds: float) -> str:
    at = datetime.now(UTC)
    load = os.getloadavg()[0]
    lines = [
        f"# Attacks of {seconds:g} s each, {at:%Y-%m-%d %H:%M} UTC",
        "",
        f"{os.cpu_count()} cores, load average {load:.1f} at the end. Times are the victim's, in milliseconds.",
        "",
        "| attack | rounds | answers | asked | failed | p50 | p99 | worst | most memory of a process, MiB |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for each in outcomes:
        answers = ", ".join(f"{code} {count}" for code, count in sorted(each.answers.items()))
        process, most = max(each.memory_mib.items(), key=lambda item: item[1])
        lines.append(
            f"| {each.attack} | {each.rounds} | {answers} | {each.asked} | {each.failed} | {each.p50_ms} | {each.p99_ms} |"
            f" {each.worst_ms} | {process} {most:.0f} |"
        )
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.hostile", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="for each attack")
    options = parser.parse_args()
    text = report(asyncio.run(run(options.seconds)), options.seconds)
    file = RESULTS / f"{datetime.now(UTC):%Y-%m-%d}.md"
    file.parent.mkdir(exist_ok=True)
    file.write_text(text, encoding="utf-8")
    print(text, end="")


if __name__ == "__main__":
    main()
