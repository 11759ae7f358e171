"""The command line of a random comparison: from seed to seed until enough has been tried; what is found is printed.

Used by `differences` and `lies`.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

Found = TypeVar("Found")


async def _as_text(found: object) -> str:
    return str(found)


@dataclass(frozen=True, slots=True)
class LongRun(Generic[Found]):
    """`results_of(seed, count)` gives None for every trial that went well; `tell` is printed for any other."""

    trials: str  # what is counted: "operations"
    finds: str  # and what is looked for: "differences"
    results_of: Callable[[int, int], AsyncIterator[Found | None]]
    default: int
    per_graph: int
    tell: Callable[[Found], Awaitable[str]] = _as_text
    summary: Callable[[list[Found]], str] = lambda _: ""

    def main(self, description: str | None) -> None:
        parser = argparse.ArgumentParser(description=description)
        parser.add_argument(f"--{self.trials}", dest="trials", type=int, default=self.default)
        parser.add_argument("--seed", type=int, default=1, help="the first one")
        parser.add_argument("--per-graph", type=int, default=self.per_graph, help="operations over each random graph")
        parser.add_argument("--stop-after", type=int, default=5, help=self.finds)
        options = parser.parse_args()
        raise SystemExit(asyncio.run(self.run(options.seed, options.trials, options.per_graph, options.stop_after)))

    async def run(self, first_seed: int, trials: int, per_graph: int, stop_after: int) -> int:
        """The exit code: 1 where something was found."""
        found: list[Found] = []
        done, seed, began = 0, first_seed, time.monotonic()
        while done < trials and len(found) < stop_after:
            async for result in self.results_of(seed, per_graph):
                done += 1
                if result is not None:
                    found.append(result)
                    print(f"\n=== {self.finds} {len(found)}\n{await self.tell(result)}", flush=True)
                    break
            seed += 1
            if seed % 50 == 0:
                rate = done / (time.monotonic() - began)
                progress = f"seed {seed}: {done} {self.trials}, {len(found)} {self.finds}, {rate:.0f}/s"
                print(progress, file=sys.stderr, flush=True)
        print(
            f"{done} {self.trials} over seeds {first_seed}..{seed - 1}: {len(found)} {self.finds}{self.summary(found)}"
        )
        return 1 if found else 0
