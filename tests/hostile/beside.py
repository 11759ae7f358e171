"""Runs an attack while a victim asks, and measures what the platform's processes need meanwhile."""

import asyncio
import json
import sys
import time
from collections import Counter
from dataclasses import dataclass

from benchmarks.processes import peak_memory_mib
from tests.hostile.attacks import ATTACKS
from tests.testkit.running_stack import ROOT, RunningStack, Visitor

#: Of one process. A subgraph that was taken to 5 GB is what this is about; at rest they have 90 to 250.
MOST_MEMORY_MIB = 1_024


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one attack: its answers by code, and what the victim saw; times in milliseconds."""

    attack: str
    rounds: int
    answers: Counter[str]
    asked: int
    failed: int
    p50_ms: float
    p99_ms: float
    worst_ms: float
    memory_mib: dict[str, float]  # by process, the most it ever had


async def nothing(stack: RunningStack, person: Visitor) -> Counter[str]:
    """What the victim sees while nobody attacks."""
    await asyncio.sleep(1)
    return Counter()


async def attacked(name: str, stack: RunningStack, person: Visitor, *, seconds: float) -> Outcome:
    """Rounds of one attack until the time is over, at least one, beside a victim of its own process."""
    attack = {"nothing": nothing, **ATTACKS}[name]
    victim = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.hostile.victim", stack.state.router_url, cwd=ROOT,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    answers: Counter[str] = Counter()
    rounds, deadline = 0, time.monotonic() + seconds
    try:
        while not rounds or time.monotonic() < deadline:
            answers += await attack(stack, person)
            rounds += 1
    finally:
        output, _ = await victim.communicate(b"")  # its input ends, and so does it
    seen = json.loads(output)
    memory = {process: peak_memory_mib(pid) for process, pid in stack.state.pids.items()}
    return Outcome(name, rounds, answers, memory_mib=memory, **seen)
