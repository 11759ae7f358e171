"""Faults of a campaign: what is done to one part of the running platform, or to the connections to it, and then undone.

`KINDS` has each with the parts that it can befall. Called by `campaign` with a stack over the servers of `campaign_servers`.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import random
import resource
import signal
import subprocess
from collections.abc import AsyncIterator, Collection, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import aiohttp
import asyncpg
from redis.asyncio import Redis

from deploy.embedded import DOMAINS
from tests.testkit.campaign_servers import SERVERS, SERVICES, Site
from tests.testkit.faulty_link import Condition
from tests.testkit.running_stack import RunningStack

PARTS = (*SERVICES, "broker", "valkey", "postgres")
#: Parts to which connections lead through a link: of the router to subgraphs, of all these to servers.
LINKED = (*SERVERS, *DOMAINS)
#: How a process ends or stands still; each befalls every part in every round.
OF_PROCESSES = ("kill", "stop", "restart")
CONDITIONS = {
    "latency": Condition(latency_seconds=0.2),
    "jitter": Condition(jitter_seconds=0.6),
    "bandwidth": Condition(bytes_per_second=50_000),
    "black-hole": Condition(is_silent=True),
    "limit-data": Condition(most_bytes=1_500),
}
#: By how many seconds a service's clock is ahead, until it comes back.
LEAPS = {"clock-hour": 3_600.0, "clock-hour-back": -3_600.0, "clock-years": 10 * 365.25 * 86_400}
KINDS = {
    **dict.fromkeys(OF_PROCESSES, PARTS),
    **dict.fromkeys((*CONDITIONS, "reset", "half-close"), LINKED),
    # of their disk, where it could be mounted; Valkey keeps all in memory and has a limit of its own
    "fill": ("postgres", "valkey", "broker"),
    "connections": ("postgres",),
    **dict.fromkeys(LEAPS, SERVICES),
    "descriptors": (*SERVICES, "broker", "valkey"),
    # of services, those that the large requests of `_large_requests` pass
    "memory": ("nutrition", "router", "broker", "postgres"),
}
REPLACED_SECONDS = 90.0
#: SIGTERM lets them finish; Postgres' word for "now, and properly" is SIGINT.
RESTART_SIGNAL = {"postgres": signal.SIGINT}
# So many more than a process has open are too few for what it does next.
SPARE_DESCRIPTORS = 2
# A note that nobody may write: it is read whole before it is refused, and so much is not found in what a process has lying about.
LARGE_NOTE = "n" * 600_000
LOG_LARGE_MEAL = """mutation($input: LogMealInput!) { logMeal(input: $input) { userErrors { code } } }"""


class Limit(StrEnum):
    """Of a process, as /proc/PID/limits names it."""

    DESCRIPTORS = "Max open files"
    MEMORY = "Max address space"


@dataclass(frozen=True, slots=True)
class Fault:
    kind: str  # of KINDS
    part: str

    def __str__(self) -> str:
        return f"{self.kind} {self.part}"


def planned(
    count: int,
    seed: int,
    parts: Collection[str] = LINKED + PARTS,
    kinds: Collection[str] = tuple(KINDS),
    disks: Collection[str] = (),
) -> Iterator[Fault]:
    """In every round each part is killed, stopped and restarted once, and each other kind comes once, at another part than in
    the rounds before; the seed decides the order. `disks` are the parts whose disk can be filled.

    Raises ValueError where none of these kinds can befall any of these parts.
    """
    chooser = random.Random(seed)
    places = {kind: [each for each in KINDS[kind] if each in parts] for kind in KINDS if kind in kinds}
    if "fill" in places:
        places["fill"] = [each for each in places["fill"] if each == "valkey" or each in disks]
    places = {kind: where for kind, where in places.items() if where}
    if not places:
        raise ValueError(f"There is no {' or '.join(kinds)} of {' or '.join(parts)}.")
    for where in places.values():
        chooser.shuffle(where)
    in_turn = {kind: itertools.cycle(where) for kind, where in places.items()}
    while count > 0:
        faults = [
            Fault(kind, next(in_turn[kind]))
            for kind, where in places.items()
            for _ in (where if kind in OF_PROCESSES else (1,))
        ]
        chooser.shuffle(faults)
        yield from faults[:count]
        count -= len(faults)


async def inflict(fault: Fault, stack: RunningStack, site: Site, seconds: float) -> None:
    """Returns when it is over. What lasts, lasts for so many seconds."""
    match fault.kind:
        case "kill":
            await _end(stack, site, fault.part, signal.SIGKILL)
        case "restart":
            await _end(stack, site, fault.part, RESTART_SIGNAL.get(fault.part, signal.SIGTERM))
        case "reset":
            site.links[fault.part].reset()
        case "half-close":
            site.links[fault.part].half_close()
        case _:
            async with _lasting(fault, stack, site):
                await asyncio.sleep(seconds)


@asynccontextmanager
async def _lasting(fault: Fault, stack: RunningStack, site: Site) -> AsyncIterator[None]:
    async with AsyncExitStack() as until_it_ends:
        match fault.kind, fault.part:
            case "stop", part:
                until_it_ends.enter_context(_stopped(await _pid(stack, site, part)))
            case "fill", "valkey":
                await until_it_ends.enter_async_context(_full_redis(site.direct["REDIS_URL"]))
            case "fill", part:
                await until_it_ends.enter_async_context(_full_disk(site, part))
            case "connections", _:
                await until_it_ends.enter_async_context(_no_connection_left(site))
            case "descriptors", part:
                until_it_ends.enter_context(_limited(await _pid(stack, site, part), Limit.DESCRIPTORS))
            case "memory", part:
                await until_it_ends.enter_async_context(_large_requests(stack))
                until_it_ends.enter_context(_limited(await _pid(stack, site, part), Limit.MEMORY))
            case kind, part if kind in LEAPS:
                until_it_ends.enter_context(site.clocks.ahead(part, LEAPS[kind]))
            case kind, part:
                await until_it_ends.enter_async_context(site.links[part].under(CONDITIONS[kind]))
        yield


async def _pid(stack: RunningStack, site: Site, part: str, *, unlike: int | None = None) -> int:
    """Of the part, once it runs, and not as the process `unlike`. Raises TimeoutError."""
    async with asyncio.timeout(REPLACED_SECONDS):
        while (pid := {**stack.state.pids, **site.pids}.get(part)) in (None, unlike):
            await asyncio.sleep(0.1)
    assert pid is not None
    return pid


async def _end(stack: RunningStack, site: Site, part: str, how: signal.Signals) -> None:
    old = await _pid(stack, site, part)
    os.kill(old, how)
    await _pid(stack, site, part, unlike=old)


@contextmanager
def _stopped(pid: int) -> Iterator[None]:
    family = _family(pid)
    for each in family:
        _signal(each, signal.SIGSTOP)
    try:
        yield
    finally:
        for each in family:
            _signal(each, signal.SIGCONT)


def _family(pid: int) -> list[int]:
    """The process and all that it started, directly or not."""
    family = [pid]
    with suppress(FileNotFoundError, ProcessLookupError):
        for listed in Path(f"/proc/{pid}/task").glob("*/children"):
            for child in listed.read_text(encoding="ascii").split():
                family += _family(int(child))
    return family


def _signal(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


@contextmanager
def _limited(pid: int, what: Limit) -> Iterator[None]:
    """The process and those it started may take next to nothing more: of descriptors, or of memory (address space)."""
    before: dict[int, str] = {}
    for each in _family(pid):
        with suppress(ProcessLookupError, FileNotFoundError):
            before[each] = _limits(each, what)
            _limit(each, what, f"{_most(each, what)}:{before[each].partition(':')[2]}")
    try:
        yield
    finally:
        for each in {*before, *_family(pid)}:  # who was started meanwhile has inherited it
            with suppress(ProcessLookupError, FileNotFoundError):
                _limit(each, what, before.get(each, before[pid]))


def _limits(pid: int, what: Limit) -> str:
    """`SOFT:HARD`, as prlimit reads it."""
    text = Path(f"/proc/{pid}/limits").read_text(encoding="ascii")
    (line,) = (line for line in text.splitlines() if line.startswith(what.value))
    return ":".join(line.removeprefix(what.value).split()[:2])


def _limit(pid: int, what: Limit, soft_hard: str) -> None:
    """By the process's own user, for not every root may change others'. Raises FileNotFoundError where it is gone."""
    owner = Path(f"/proc/{pid}").stat()
    as_owner = {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []} if os.geteuid() == 0 else {}
    option = {Limit.DESCRIPTORS: "nofile", Limit.MEMORY: "as"}[what]
    subprocess.run(["prlimit", f"--pid={pid}", f"--{option}={soft_hard}"], capture_output=True, check=False, **as_owner)


def _most(pid: int, what: Limit) -> int:
    process = Path(f"/proc/{pid}")
    if what is Limit.DESCRIPTORS:
        return len(list((process / "fd").iterdir())) + SPARE_DESCRIPTORS
    return int((process / "statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()


@asynccontextmanager
async def _large_requests(stack: RunningStack) -> AsyncIterator[None]:
    """Somebody asks for what takes memory, again and again."""
    visitor = await stack.register()
    given = {"slot": "LUNCH", "items": [], "notes": LARGE_NOTE}

    async def ask() -> None:
        while True:
            with suppress(aiohttp.ClientError, OSError, ValueError):
                await visitor.ask(LOG_LARGE_MEAL, {"input": given})
            await asyncio.sleep(0.05)

    asking = asyncio.create_task(ask())
    try:
        yield
    finally:
        asking.cancel()
        await asyncio.wait([asking])


@asynccontextmanager
async def _full_redis(url: str) -> AsyncIterator[None]:
    async with Redis.from_url(url) as redis:
        allowed = (await redis.config_get("maxmemory"))["maxmemory"]
        await redis.config_set("maxmemory", 1)
        try:
            yield
        finally:
            await redis.config_set("maxmemory", allowed)


@asynccontextmanager
async def _full_disk(site: Site, part: str) -> AsyncIterator[None]:
    disk = site.disks[part]

    async def keep_full() -> None:
        while True:
            await asyncio.to_thread(disk.fill)
            if part == "postgres":  # whose log has room in its segments: make it want a new one
                with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                    await _switch_log(site.superuser_url)
            await asyncio.sleep(0.2)

    filling = asyncio.create_task(keep_full())
    try:
        yield
    finally:
        filling.cancel()
        await asyncio.wait([filling])
        disk.make_room()


async def _switch_log(url: str) -> None:
    connection = await asyncpg.connect(url, timeout=2)
    try:
        await connection.execute("SELECT pg_switch_wal()", timeout=2)
    finally:
        connection.terminate()


@asynccontextmanager
async def _no_connection_left(site: Site) -> AsyncIterator[None]:
    """Somebody else's programs have all that the server allows, and the services lose those they had."""
    taken: list[asyncpg.Connection] = []

    async def keep_taking() -> None:
        while True:
            try:
                taken.append(await asyncpg.connect(site.direct["DATABASE_URL_USERS"], timeout=5))
            except (OSError, asyncpg.PostgresError):
                await asyncio.sleep(0.05)

    takers = [asyncio.create_task(keep_taking()) for _ in range(8)]
    try:
        async with asyncio.timeout(30):
            while not await _is_used_up(site.direct["DATABASE_URL_WORKOUTS"]):
                await asyncio.sleep(0.2)
        site.links["postgres"].reset()
        yield
    finally:
        for taker in takers:
            taker.cancel()
        await asyncio.gather(*takers, return_exceptions=True)
        for connection in taken:
            connection.terminate()


async def _is_used_up(url: str) -> bool:
    try:
        connection = await asyncpg.connect(url, timeout=5)
    except asyncpg.TooManyConnectionsError:
        return True
    connection.terminate()
    return False
