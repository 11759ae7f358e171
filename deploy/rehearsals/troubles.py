"""The troubles of the monitoring rehearsal: each is made for real, lasts as long as its block, and is then mended.

`TROUBLES` says which alerts each must raise; every alert of deploy/prometheus/rules is one of them. One that needs what this machine
does not give raises `NotHereError`, which says what.
"""

from __future__ import annotations

import asyncio
import os
import re
import resource
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager, suppress
from pathlib import Path

import asyncpg
from aiokafka import AIOKafkaProducer
from redis.asyncio import Redis

from deploy.rehearsals.lost_key import factor_key_is_lost
from deploy.rehearsals.platform import going_on
from deploy.rehearsals.scene import Making, NotHereError, Scene, Trouble
from events.topics import USERS_BODY

PROJECTION_GROUP = "workouts-person"
BAD_RECORDS = 1500
#: Between two rounds of a trouble that goes on.
PAUSE_SECONDS = 0.2


def _at_once(make: Callable[[Scene], AbstractContextManager[None]]) -> Making:
    """What is made and mended without waiting for anything."""

    @asynccontextmanager
    async def made(scene: Scene) -> AsyncIterator[None]:
        with make(scene):
            yield

    return made


def _hangs(part: str) -> Making:
    """Its process and all that it started are stopped, not killed: no supervisor starts them again."""

    @asynccontextmanager
    async def make(scene: Scene) -> AsyncIterator[None]:
        stopped = list(_with_descendants(scene.pid(part)))
        for pid in stopped:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in stopped:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)

    return make


@asynccontextmanager
async def _stutters(scene: Scene) -> AsyncIterator[None]:
    """A process that gets no processor for 700 ms at a time, as on an overcommitted host.

    It measures twice a second, and from when it got the processor again: what waits shorter would always be over just in time.
    """

    async def stutter() -> None:
        pid = scene.pid("workouts")
        try:
            while True:
                os.kill(pid, signal.SIGSTOP)
                await asyncio.sleep(0.7)
                os.kill(pid, signal.SIGCONT)
                await asyncio.sleep(0.2)
        finally:
            os.kill(pid, signal.SIGCONT)

    async with going_on(stutter()):
        yield


@asynccontextmanager
async def _broker_loses_its_records(scene: Scene) -> AsyncIterator[None]:
    """The embedded broker keeps its records in memory: killed, it is started again empty."""
    os.kill(scene.pid("broker"), signal.SIGKILL)
    yield


@asynccontextmanager
async def _few_descriptors(scene: Scene) -> AsyncIterator[None]:
    pid = scene.pid("users")
    soft, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (_open_files(pid) + 3, hard))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (soft, hard))


@asynccontextmanager
async def _busy_host(_scene: Scene) -> AsyncIterator[None]:
    burning = [
        await asyncio.create_subprocess_exec(sys.executable, "-c", "while True: pass")
        for _ in range(2 * (os.cpu_count() or 1))
    ]
    try:
        yield
    finally:
        for process in burning:
            process.kill()
            await process.wait()


@asynccontextmanager
async def _locked_table(scene: Scene) -> AsyncIterator[None]:
    """Somebody's migration holds a table: whoever asks for foods waits with a connection of the pool in hand."""
    connection = await asyncpg.connect(scene.database("nutrition"))
    try:
        async with connection.transaction():
            await connection.execute("LOCK TABLE food IN ACCESS EXCLUSIVE MODE")
            async with going_on(_search_at_once(scene)):
                yield
    finally:
        await connection.close()


@asynccontextmanager
async def _deadlock(scene: Scene) -> AsyncIterator[None]:
    """Two transactions that wait for each other; Postgres ends one of them, as often as they try."""

    async def take(first: int, second: int) -> None:
        connection = await asyncpg.connect(scene.database("analytics"))
        try:
            while True:
                with suppress(asyncpg.DeadlockDetectedError):
                    async with connection.transaction():
                        await connection.execute("SELECT pg_advisory_xact_lock($1)", first)
                        await asyncio.sleep(PAUSE_SECONDS)
                        await connection.execute("SELECT pg_advisory_xact_lock($1)", second)
        finally:
            connection.terminate()

    async with going_on(take(1, 2)), going_on(take(2, 1)):
        yield


@asynccontextmanager
async def _many_connections(scene: Scene) -> AsyncIterator[None]:
    """Nine tenths of what Postgres allows, by somebody else's programs."""
    opened = [await asyncpg.connect(scene.database("users"))]
    allowed = int(await opened[0].fetchval("SHOW max_connections"))
    in_use = int(await opened[0].fetchval("SELECT count(*) FROM pg_stat_activity"))
    try:
        while len(opened) < int(allowed * 0.9) - in_use:
            opened.append(await asyncpg.connect(scene.database("users")))
        yield
    finally:
        for connection in opened:
            connection.terminate()


@asynccontextmanager
async def _full_redis(scene: Scene) -> AsyncIterator[None]:
    redis = Redis.from_url(scene.platform.state.environment["REDIS_URL"])
    try:
        allowed = int((await redis.config_get("maxmemory"))["maxmemory"] or 0)
        await redis.config_set("maxmemory", int((await redis.info("memory"))["used_memory"] * 1.02))
        try:
            yield
        finally:
            await redis.config_set("maxmemory", allowed)
    finally:
        await redis.aclose()


@asynccontextmanager
async def _texts_that_differ(scene: Scene) -> AsyncIterator[None]:
    """Clients that write a number into each operation's name."""

    async def ask(number: int) -> None:
        await scene.platform.ask(f"query Day{number} {{ me {{ name{number}: displayName }} }}")

    async def flood() -> None:
        number = 0
        while True:
            await asyncio.gather(*(ask(number + each) for each in range(40)), return_exceptions=True)
            number += 40

    async with going_on(flood()):
        yield


@asynccontextmanager
async def _tokens_are_tried(scene: Scene) -> AsyncIterator[None]:
    async def attempt() -> None:
        number = 0
        while True:
            attempts = (
                scene.platform.ask("{ me { displayName } }", authorization=f"Bearer {number}.{each}.c")
                for each in range(20)
            )
            await asyncio.gather(*attempts, return_exceptions=True)
            number += 1
            await asyncio.sleep(PAUSE_SECONDS)

    async with going_on(attempt()):
        yield


@asynccontextmanager
async def _handler_fails(scene: Scene) -> AsyncIterator[None]:
    """A migration that took away what a handler needs: nobody foresaw it, so the group waits at the record."""
    connection = await asyncpg.connect(scene.database("analytics"))
    try:
        await connection.execute("ALTER TABLE weight_fact RENAME TO weight_fact_away")
        try:
            await scene.platform.weigh()
            yield
        finally:
            await connection.execute("ALTER TABLE weight_fact_away RENAME TO weight_fact")
    finally:
        await connection.close()


@asynccontextmanager
async def _bad_records(scene: Scene) -> AsyncIterator[None]:
    """Each is tried a few times before it is parked, so that those behind it wait for minutes."""
    await publish(scene, "nobody", [b"not an event"] * BAD_RECORDS)
    yield


@asynccontextmanager
async def _copy_differs(scene: Scene) -> AsyncIterator[None]:
    """Somebody corrected a copy by hand; `fittracker events rebuild` makes it anew afterwards."""
    connection = await asyncpg.connect(scene.database("workouts"))
    try:
        await connection.execute("UPDATE person_weight SET weight_kg = weight_kg + 1")
    finally:
        await connection.close()
    try:
        yield
    finally:
        command = (
            sys.executable,
            "-m",
            "deploy",
            "events",
            "rebuild",
            PROJECTION_GROUP,
            "--data-dir",
            scene.folder / "data",
        )
        process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.DEVNULL)
        await process.wait()


@asynccontextmanager
async def _bad_graph(scene: Scene) -> AsyncIterator[None]:
    file = scene.folder / "data" / "supergraph.graphql"
    before = file.read_text(encoding="utf-8")
    file.write_text("type Query { broken: Absent }\n", encoding="utf-8")
    try:
        yield
    finally:
        file.write_text(before, encoding="utf-8")


@asynccontextmanager
async def _mails_wait(scene: Scene) -> AsyncIterator[None]:
    """Somebody's program holds the mail that is to leave next, which waits for an hour already."""
    holder, other = [await asyncpg.connect(scene.database("users")) for _ in range(2)]
    try:
        await other.execute(
            "INSERT INTO pending_mail (id, kind, recipient, created_at, due_at, first_due_at)"
            " VALUES ('rehearsal', 'PASSWORD_CHANGED', 'nobody@example.com', now(), now() + interval '1 hour', now())"
        )
        async with holder.transaction():
            await holder.execute("SELECT FROM pending_mail WHERE id = 'rehearsal' FOR KEY SHARE")
            # Which lets the columns change that are no key.
            await other.execute(
                "UPDATE pending_mail SET due_at = now(), first_due_at = now() - interval '1 hour' WHERE id = 'rehearsal'"
            )
            yield
        await other.execute("DELETE FROM pending_mail WHERE id = 'rehearsal'")
    finally:
        holder.terminate()
        other.terminate()


@contextmanager
def _little_memory(scene: Scene) -> Iterator[None]:
    """A control group whose limit a process nearly comes to. What it has already is counted where it was, so that it lives."""
    pid = scene.pid("workouts")
    group, limit_file = _memory_group(pid)
    (resident,) = re.findall(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(encoding="ascii"))
    inner = group / "fittracker-rehearsal"
    try:
        inner.mkdir()
        (inner / limit_file).write_text(str(int(resident) * 1024 * 100 // 95), encoding="ascii")
        (inner / "cgroup.procs").write_text(str(pid), encoding="ascii")
    except OSError as failure:
        raise NotHereError(f"needs the right to make a control group with a limit of memory ({failure})") from failure
    try:
        yield
    finally:
        (group / "cgroup.procs").write_text(str(pid), encoding="ascii")
        inner.rmdir()


def _memory_group(pid: int) -> tuple[Path, str]:
    """The folder of the group that limits this process' memory, and the name of the file with the limit."""
    for line in Path(f"/proc/{pid}/cgroup").read_text(encoding="ascii").splitlines():
        _, controllers, path = line.split(":", 2)
        if "memory" in controllers.split(","):
            return Path("/sys/fs/cgroup/memory") / path.strip("/"), "memory.limit_in_bytes"
        if controllers == "" and (found := Path("/sys/fs/cgroup") / path.strip("/") / "memory.max").parent.is_dir():
            return found.parent, found.name
    raise NotHereError("needs control groups")


@contextmanager
def _full_disk(scene: Scene) -> Iterator[None]:
    """A file system of its own, of which less than a tenth is free."""
    image, mounted = scene.folder / "disk.img", scene.folder / "disk"
    mounted.mkdir()
    with image.open("wb") as file:
        file.truncate(32 * 2**20)
    for command in (["mkfs.ext4", "-q", str(image)], ["mount", "-o", "loop", str(image), str(mounted)]):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise NotHereError(f"a file system of its own has to be mounted ({done.stderr.strip()[-200:]})")
    try:
        with suppress(OSError), (mounted / "all").open("wb", buffering=0) as file:
            while file.write(bytes(2**20)):
                pass
        yield
    finally:
        subprocess.run(["umount", str(mounted)], check=True)


@asynccontextmanager
async def _replica_stands_still(scene: Scene) -> AsyncIterator[None]:
    if scene.replica is None:
        raise NotHereError("needs a replica: Debian's postgresql")
    primary, standby = scene.replica
    standby.value("SELECT pg_wal_replay_pause()")
    primary.value("CREATE TABLE change AS SELECT now() AS at")
    try:
        yield
    finally:
        standby.value("SELECT pg_wal_replay_resume()")


@asynccontextmanager
async def _old_files(scene: Scene) -> AsyncIterator[None]:
    scene.textfile.write_text(
        "fittracker_backup_last_success_timestamp_seconds 1\n"
        f'fittracker_certificate_expires_timestamp_seconds{{file="tls.crt"}} {time.time() + 86400:.0f}\n',
        encoding="ascii",
    )
    try:
        yield
    finally:
        scene.textfile.unlink()


async def _search_at_once(scene: Scene) -> None:
    """Thirty at a time, for ever: more than a pool has connections. The words differ, for equal queries under way run once."""
    query = "query Search($search: String!) { foods(search: $search, first: 3) { nodes { name } } }"
    while True:
        searches = (scene.platform.ask(query, {"search": f"rice {number}"}) for number in range(30))
        await asyncio.gather(*searches, return_exceptions=True)


async def publish(scene: Scene, key: str, values: list[bytes]) -> None:
    servers = scene.platform.state.environment["KAFKA_BOOTSTRAP_SERVERS"]
    producer = AIOKafkaProducer(bootstrap_servers=servers, enable_idempotence=False)
    await producer.start()
    try:
        for value in values:
            await producer.send(USERS_BODY.name, value, key=key.encode())
        await producer.flush()
    finally:
        await producer.stop()


def _open_files(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def _with_descendants(pid: int) -> Iterator[int]:
    """A process and all that it started, directly or not, by the kernel's own lists."""
    yield pid
    for listed in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in listed.read_text(encoding="ascii").split():
            yield from _with_descendants(int(child))


TROUBLES = (
    Trouble(
        "a subgraph hangs",
        frozenset(
            {
                "ServiceDown",
                "SubgraphFails",
                "HighErrorRate",
                "ErrorBudgetBurnsFast",
                "ErrorBudgetBurnsSlowly",
                "SlowRequests",
                "LatencyBudgetBurnsFast",
            }
        ),
        _hangs("users"),
    ),
    Trouble("a subgraph with a circuit breaker hangs", frozenset({"CircuitOpen"}), _hangs("nutrition")),
    Trouble("the broker hangs", frozenset({"EventsDoNotLeave"}), _hangs("broker")),
    Trouble("the broker lost its records", frozenset({"BrokerRefilled"}), _broker_loses_its_records),
    Trouble("Postgres hangs", frozenset({"PostgresDown"}), _hangs("postgres")),
    Trouble("a table is locked", frozenset({"PoolExhausted"}), _locked_table),
    Trouble("two transactions wait for each other", frozenset({"Deadlocks"}), _deadlock),
    Trouble("somebody opens connections", frozenset({"ConnectionsNearlyUsedUp"}), _many_connections),
    Trouble("Redis hangs", frozenset({"RedisDown"}), _hangs("valkey")),
    Trouble("Redis fills up", frozenset({"RedisNearlyFull"}), _full_redis),
    Trouble("operations have numbers in their names", frozenset({"CacheMisses"}), _texts_that_differ),
    Trouble("tokens are tried", frozenset({"ManyTokensRefused"}), _tokens_are_tried),
    Trouble(
        "a key was replaced and is not among the former ones", frozenset({"SecondFactorUnreadable"}), factor_key_is_lost
    ),
    Trouble("a handler fails", frozenset({"ConsumerBlocked", "LoopStandsStill"}), _handler_fails),
    Trouble("records are no events", frozenset({"RecordsParked", "ConsumerLags"}), _bad_records),
    Trouble("a copy was corrected by hand", frozenset({"ProjectionDiffers"}), _copy_differs),
    Trouble("a process gets no processor", frozenset({"EventLoopBlocked"}), _stutters),
    Trouble("a process may open few files", frozenset({"TooManyOpenFiles"}), _few_descriptors),
    Trouble("the host is busy", frozenset({"HighCpu"}), _busy_host),
    Trouble("a supergraph that cannot be served", frozenset({"GraphRefused"}), _bad_graph),
    Trouble("an old backup and certificate", frozenset({"BackupTooOld", "CertificateExpires"}), _old_files),
    Trouble("a mail does not leave", frozenset({"QueueAges"}), _mails_wait),
    Trouble("a process nears its limit of memory", frozenset({"HighMemoryUsage"}), _at_once(_little_memory)),
    Trouble("a disk is full", frozenset({"DiskFills"}), _at_once(_full_disk)),
    Trouble("a replica stands still", frozenset({"ReplicaLags"}), _replica_stands_still),
)
