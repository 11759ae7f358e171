"""Faults of a campaign: one part of the running platform is killed, stopped, restarted, or loses its connections."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg
from redis.asyncio import Redis

from tests.testkit.running_stack import RunningStack

KINDS = ("kill", "stop", "restart", "cut")
PARTS = ("users", "nutrition", "workouts", "analytics", "router", "broker", "valkey", "postgres")
REPLACED_SECONDS = 90.0
#: SIGTERM lets them finish; Postgres' word for "now, and properly" is SIGINT.
RESTART_SIGNAL = {"postgres": signal.SIGINT}


@dataclass(frozen=True, slots=True)
class Fault:
    kind: str  # of KINDS
    part: str

    def __str__(self) -> str:
        return f"{self.kind} {self.part}"


def planned(count: int, seed: int, parts: Collection[str] = PARTS, kinds: Collection[str] = KINDS) -> Iterator[Fault]:
    """Every kind at every part before any comes again, in an order that the seed decides. Only servers of data can be cut."""
    chooser = random.Random(seed)
    all_faults = [Fault(kind, part) for kind in ("kill", "stop", "restart") for part in PARTS]
    all_faults += [Fault("cut", "postgres"), Fault("cut", "valkey")]
    all_faults = [fault for fault in all_faults if fault.part in parts and fault.kind in kinds]
    if not all_faults:
        raise ValueError(f"There is no {' or '.join(kinds)} of {' or '.join(parts)}.")
    while count > 0:
        chooser.shuffle(all_faults)
        yield from all_faults[:count]
        count -= len(all_faults)


async def inflict(fault: Fault, stack: RunningStack, stop_seconds: float) -> None:
    """Returns when the part is there again."""
    if fault.kind == "kill":
        await _end(stack, fault.part, signal.SIGKILL)
    elif fault.kind == "restart":
        await _end(stack, fault.part, RESTART_SIGNAL.get(fault.part, signal.SIGTERM))
    elif fault.kind == "stop":
        await _stop(stack.state.pids[fault.part], stop_seconds)
    elif fault.part == "postgres":
        for domain in ("USERS", "NUTRITION", "WORKOUTS", "ANALYTICS"):
            await _cut_postgres(stack.state.environment[f"DATABASE_URL_{domain}"])
    else:
        await _cut_redis(stack.state.environment["REDIS_URL"])


async def _end(stack: RunningStack, part: str, how: signal.Signals) -> None:
    old = stack.state.pids[part]
    os.kill(old, how)
    async with asyncio.timeout(REPLACED_SECONDS):
        while stack.state.pids.get(part, old) == old:
            await asyncio.sleep(0.1)


async def _stop(pid: int, seconds: float) -> None:
    family = [pid, *_children(pid)]
    for each in family:
        _signal(each, signal.SIGSTOP)
    try:
        await asyncio.sleep(seconds)
    finally:
        for each in family:
            _signal(each, signal.SIGCONT)


def _children(pid: int) -> list[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    children = [int(each) for each in text.split()]
    return [*children, *(grandchild for child in children for grandchild in _children(child))]


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


async def _cut_postgres(url: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE backend_type = 'client backend' AND usename = current_user AND pid <> pg_backend_pid()"
        )
    finally:
        await connection.close()


async def _cut_redis(url: str) -> None:
    async with Redis.from_url(url) as redis:
        for kind in ("normal", "pubsub"):
            await redis.client_kill_filter(_type=kind, skipme=True)
