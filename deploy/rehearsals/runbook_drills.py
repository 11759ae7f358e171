"""The drills of the runbooks: which trouble makes each page's commands worth typing, and what they say then.

A drill's trouble yields what stands in for the page's placeholders. `NOT_HERE` are the commands that no drill runs, each with its
reason; tests/unit/deploy/test_runbook_drills.py holds both against the pages.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import yaml

from deploy.certificates import make_certificates
from deploy.embedded import free_ports
from deploy.local_http import http_ok
from deploy.rehearsals.platform import FOODS, comes
from deploy.rehearsals.scene import Scene
from deploy.rehearsals.troubles import PROJECTION_GROUP, TROUBLES, publish

Words = Mapping[str, str]
Trouble = Callable[[Scene], AbstractAsyncContextManager[Words | None]]
ROOT = Path(__file__).parents[2]
SUBGRAPHS = ROOT / "schema" / "fittracker" / "subgraphs"
CLIENT_OPERATION = ROOT / "deploy" / "workbench" / "operations"


@dataclass(frozen=True, slots=True)
class Step:
    """`command` as the page has it; its output has to match `says` (re.search, several lines) and its exit status is one of `status`.

    It is asked again until both hold, as a person looks again, unless it is `once`. `mended`: run after the trouble is over.
    `slow`: takes longer than a test of CI may.
    """

    command: str
    says: str
    status: int = 0
    once: bool = False
    mended: bool = False
    slow: bool = False


@dataclass(frozen=True, slots=True)
class Drill:
    """`short`: also a test of CI, where nothing that others use may be stopped."""

    page: str
    what: str
    trouble: Trouble
    steps: tuple[Step, ...]
    short: bool = False


def _known(what: str) -> Trouble:
    """One of the monitoring rehearsal's."""
    (found,) = (trouble.make for trouble in TROUBLES if trouble.what == what)
    return found


@asynccontextmanager
async def _forgotten_transaction(scene: Scene) -> AsyncIterator[Words]:
    """Somebody changed a table by hand and went home; who asks for foods waits. It ends with the connection."""
    connection = await asyncpg.connect(scene.database("nutrition"))
    waiting = []
    try:
        await connection.execute("BEGIN; LOCK TABLE food IN ACCESS EXCLUSIVE MODE")
        waiting = [
            asyncio.create_task(scene.platform.ask(FOODS.replace("rice", f"rice {time.time_ns()}"))) for _ in range(2)
        ]
        yield {
            "HOLDER": str(connection.get_server_pid()),
            '"$DATABASE_URL_NUTRITION"': f"'{scene.database('nutrition')}'",
            "OPERATION.graphql": str(min(CLIENT_OPERATION.rglob("*.graphql"))),
        }
    finally:
        connection.terminate()
        await asyncio.gather(*waiting, return_exceptions=True)


@asynccontextmanager
async def _missing_table(scene: Scene) -> AsyncIterator[None]:
    """A release took away a table that it still reads."""
    connection = await asyncpg.connect(scene.database("nutrition"))
    try:
        await connection.execute("ALTER TABLE food RENAME TO food_away")
        try:
            await scene.platform.ask(FOODS.replace("rice", "a food that nobody has asked for"))
            yield
        finally:
            await connection.execute("ALTER TABLE food_away RENAME TO food")
    finally:
        await connection.close()


@asynccontextmanager
async def _changed_copy(scene: Scene) -> AsyncIterator[Words]:
    """Somebody corrected a copy by hand. The page's own command mends it."""
    await scene.platform.weigh()
    connection = await asyncpg.connect(scene.database("workouts"))
    try:

        async def changed() -> bool:
            done = await connection.execute("UPDATE person_weight SET weight_kg = weight_kg + 1")
            return str(done) != "UPDATE 0"

        await comes(changed)
    finally:
        await connection.close()
    yield {"GROUP": PROJECTION_GROUP}


@asynccontextmanager
async def _bad_record(scene: Scene) -> AsyncIterator[Words]:
    """A record that is no event, which somebody else's program wrote."""
    await publish(scene, "nobody", [b"not an event"])
    connection = await asyncpg.connect(scene.database("workouts"))
    try:

        async def parked() -> bool:
            return bool(await connection.fetchval("SELECT count(*) FROM parked_record"))

        await comes(parked)
        number = await connection.fetchval("SELECT max(id) FROM parked_record")
    finally:
        await connection.close()
    yield {"GROUP": PROJECTION_GROUP, "ID": str(number)}


@asynccontextmanager
async def own_router(scene: Scene, **changed: Any) -> AsyncIterator[int]:
    """A second router over the running subgraphs with these settings in place of those of `fittracker up`; its port."""
    data, (port,) = scene.folder / "data", free_ports(1)
    settings = yaml.safe_load((data / "router.yaml").read_text(encoding="utf-8"))
    settings |= {"port": port, **changed}
    file = scene.folder / f"router-{port}.yaml"
    file.write_text(yaml.safe_dump(settings), encoding="utf-8")
    secret = (data / "jwt-secret").read_text(encoding="utf-8").strip()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "deploy", "router", "--config", str(file),
        env={**os.environ, **scene.platform.state.environment, "JWT_SECRET": secret}, stdout=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        watched = int(settings.get("management", {}).get("port", port))
        await comes(http_ok(watched, "/ready"))
        yield port
    finally:
        process.terminate()
        await process.wait()


@asynccontextmanager
async def _greedy_caller(scene: Scene) -> AsyncIterator[Words]:
    """One person asks more often than they may."""
    async with own_router(scene, limits={"rate": "5/second"}) as port:
        url = f"http://127.0.0.1:{port}/graphql"
        await asyncio.gather(*(scene.platform.ask("{ me { displayName } }", url=url) for _ in range(40)))
        yield {"localhost:9080": f"localhost:{port}"}


@asynccontextmanager
async def _old_certificate(scene: Scene) -> AsyncIterator[Words]:
    """A router whose certificate has five days left."""
    folder = scene.folder / "certificates"
    make_certificates(folder, ["router"], days=5, renew_days=1)
    (management,) = free_ports(1)
    tls = {"certificate": str(folder / "router.crt"), "key": str(folder / "router.key")}
    async with own_router(scene, tls=tls, management={"host": "127.0.0.1", "port": management}) as port:
        yield {
            "localhost:9080": f"localhost:{management}",
            "HOST:443": f"localhost:{port}",
            "HOST": "localhost",
            "FOLDER": str(folder),
        }


@asynccontextmanager
async def _process_is_busy(scene: Scene) -> AsyncIterator[Words]:
    """A subgraph that answers as fast as it can, for somebody asks without end."""

    async def ask() -> None:
        number = 0
        while True:
            number += 1
            with suppress(Exception):
                await scene.platform.ask(FOODS.replace("rice", f"rice {number}"))

    asking = [asyncio.create_task(ask()) for _ in range(8)]
    try:
        yield {"PID": str(scene.pid("nutrition"))}
    finally:
        for each in asking:
            each.cancel()
        await asyncio.wait(asking)


@asynccontextmanager
async def _nothing_yet(_scene: Scene) -> AsyncIterator[Words]:
    """The trouble is to come: what is typed is a precaution."""
    yield {"CODE": "SATISFIABILITY_ERROR"}


HEALTH, REGISTRY = "curl -s localhost:9080/actuator/health", "curl -s localhost:9080/actuator/registry"
USERS_HEALTH = "curl -s localhost:8081/actuator/health"
ROUTER_NUMBERS = "curl -s localhost:9080/actuator/prometheus | grep"
COMPOSE = f"fittracker compose {' '.join(f'schema/fittracker/subgraphs/{name}.graphql' for name in ('users', 'nutrition', 'workouts', 'analytics'))} -o /tmp/supergraph.graphql"
QUEUES = 'curl -s localhost:8081/actuator/prometheus | grep -E "queue_oldest_seconds|mails_total|web_push_total|webhook_attempts_total"'
UNREADABLE = "curl -s localhost:8081/actuator/prometheus | grep second_factor_unreadable_total"
MEMORY = 'curl -s localhost:8081/actuator/prometheus | grep -E "process_resident_memory_bytes|process_memory_limit_bytes|python_gc_objects"'
END_HOLDER = 'psql "$DATABASE_URL_NUTRITION" -c "SELECT pg_terminate_backend(HOLDER)"'
NO_STATISTICS = "keeps no statistics of statements"

DRILLS = (
    Drill(
        "bad-deploy",
        "a release changes the API",
        _nothing_yet,
        (
            Step(
                "fittracker schema diff schema/fittracker/released.graphql schema/fittracker/api.graphql",
                r"(?m)^(safe|dangerous|breaking) ",
            ),
        ),
        short=True,
    ),
    Drill(
        "bad-schema",
        "a supergraph that cannot be served",
        _known("a supergraph that cannot be served"),
        (
            Step(f"{ROUTER_NUMBERS} router_graph_loads_total", r'outcome="refused"\} [1-9]'),
            Step(HEALTH, r'"generation":1,"digest":"\w+"'),
            Step("fittracker schema check", "supergraph.graphql is current"),
            Step(COMPOSE, r"composed\.graphql: [\d,]+ bytes"),
            Step("fittracker explain SATISFIABILITY_ERROR", "no way of keys leads to a subgraph"),
            Step(HEALTH, r'^\{"status":"UP"', mended=True),
        ),
    ),
    Drill(
        "database",
        "somebody's transaction holds a table",
        _forgotten_transaction,
        (
            Step("fittracker db connections", "idle in transaction"),
            Step("fittracker db locks", "LOCK TABLE food"),
            Step("fittracker db running", r"(?i)lock\s.*(select|with)"),
            Step("fittracker sizing", r"max_connections should be \d+"),
            Step("fittracker sizing --check", r"max_connections is \d+: enough"),
            Step("fittracker db end-idle", r"idle in transaction \| t", slow=True),
            Step("fittracker db locks", r"^(?!.*LOCK TABLE)(?s:.*)$", slow=True),
        ),
    ),
    Drill(
        "database",
        "the same, ended at once",
        _forgotten_transaction,
        (
            Step("fittracker db locks", "LOCK TABLE food"),
            Step(END_HOLDER, r"(?m)^ t$", once=True),
            Step("fittracker db connections", r"^(?s:(?!.*idle in transaction).*)$", mended=True),
        ),
    ),
    Drill(
        "error-rate",
        "a table is away",
        _missing_table,
        (
            Step(f"{ROUTER_NUMBERS} router_operation_errors_total", r'code="INTERNAL_SERVER_ERROR".* [1-9]'),
            Step(
                f"{ROUTER_NUMBERS} router_named_operations_total",
                r'operation="Foods",outcome="(partly_)?failed"\} [1-9]',
            ),
        ),
        short=False,
    ),
    Drill(
        "expired-certificate",
        "a certificate ends in five days",
        _old_certificate,
        (
            Step(f"{ROUTER_NUMBERS} router_certificate_expires_timestamp_seconds", r"router\.crt.*e\+0?9"),
            Step(
                "openssl s_client -connect HOST:443 -servername HOST </dev/null | openssl x509 -noout -enddate -issuer",
                r"notAfter=(?s:.*)issuer=",
            ),
            Step("fittracker certificates FOLDER", r"router\.crt: valid until .*, new", once=True),
        ),
    ),
    Drill(
        "full-disk",
        "a disk is full",
        _known("a disk is full"),
        (
            Step("df -h", r"(?m)\b(9\d|100)% .*/disk$"),
            Step("du -xh --max-depth=2 / 2>/dev/null | sort -h | tail -20", r"M\s.*/disk"),
            Step("fittracker db tables", "dead_percent"),
            Step("fittracker backup --to backups --keep-days 14", r"backups/\S+", once=True),
            Step("fittracker db vacuum", "(?m)^VACUUM$", once=True),
        ),
    ),
    Drill(
        "high-cpu-or-memory",
        "a subgraph is asked without end",
        _process_is_busy,
        (
            Step("ps -eo pid,pcpu,rss,args --sort=-rss | head", r"(?m)^\s*\d+\s+\d.* (python|postgres)|deploy"),
            Step("fittracker doctor", "nutrition is ready"),
            Step("py-spy dump --pid PID", r"Thread \d+"),
            Step("py-spy record --pid PID -o /tmp/cpu.svg -d 30", r"Wrote flamegraph|cpu\.svg", once=True),
            Step(MEMORY, r"(?m)^process_resident_memory_bytes \d"),
        ),
    ),
    Drill(
        "hot-user",
        "one caller asks without end",
        _greedy_caller,
        (
            Step(f"{ROUTER_NUMBERS} router_rate_limited_total", r"router_rate_limited_total [1-9]"),
            Step(f"{ROUTER_NUMBERS} router_operation_cost", r"router_operation_cost_count\{.*\} [1-9]"),
        ),
    ),
    Drill(
        "kafka",
        "the broker hangs",
        _known("the broker hangs"),
        (
            Step("curl -s localhost:8082/actuator/prometheus | grep outbox_", "outbox_oldest_age_seconds"),
            Step(
                "curl -s localhost:8084/actuator/prometheus | grep consumer_lag_messages",
                r'group="analytics-service",topic="users',
            ),
            Step("curl -s localhost:8084/actuator/health", r'"kafka":\{"status":"DOWN"'),
            Step("curl -s localhost:8084/actuator/health", r'^\{"status":"UP"', mended=True),
        ),
    ),
    Drill(
        "kafka",
        "a record is no event",
        _bad_record,
        (
            Step("fittracker events parked", rf"{PROJECTION_GROUP}: [1-9]\d* parked"),
            Step("fittracker events replay GROUP", r"(?i)not|fail|still|parked", status=1, once=True),
            Step("fittracker events replay GROUP ID --discard", r"(?i)discard|struck", once=True),
            Step("fittracker events parked", rf"{PROJECTION_GROUP}: 0 parked", mended=True),
        ),
    ),
    Drill(
        "kafka",
        "a copy was corrected by hand",
        _changed_copy,
        (
            Step("fittracker events check GROUP", r"[1-9]\d* rows differ", status=1),
            Step("fittracker events rebuild GROUP", PROJECTION_GROUP, once=True),
            Step("fittracker events check GROUP", r"\b0 rows differ", mended=True),
        ),
    ),
    Drill(
        "latency",
        "a table is locked",
        _forgotten_transaction,
        (
            Step("fittracker db running", r"(?i)lock\s.*(select|with)"),
            Step("fittracker db locks", "LOCK TABLE food"),
            Step("fittracker db slow", NO_STATISTICS, status=1),
            Step("fittracker plan --supergraph schema/fittracker/supergraph.graphql OPERATION.graphql", "(?i)fetch"),
            Step("fittracker db vacuum", "(?m)^VACUUM$", once=True, mended=True),
        ),
    ),
    Drill(
        "mass-sign-out",
        "tokens are tried",
        _known("tokens are tried"),
        (
            Step(f"{ROUTER_NUMBERS} router_tokens_refused_total", r"router_tokens_refused_total\S* [1-9]"),
            Step("date -u", "UTC"),
            Step("openssl rand -base64 48", r"^[A-Za-z0-9+/]{64}$"),
        ),
        short=True,
    ),
    Drill(
        "mass-sign-out",
        "a key was replaced",
        _known("a key was replaced and is not among the former ones"),
        (Step(UNREADABLE, r"(?m)^second_factor_unreadable_total [1-9]"),),
    ),
    Drill(
        "queues",
        "a mail does not leave",
        _known("a mail does not leave"),
        (
            Step(USERS_HEALTH, r'"mail":\{"status":"UP"'),
            Step(QUEUES, r'queue_oldest_seconds\{queue="mail"\} ([3-9]\d\d|\d{4,})'),
            Step("fittracker db locks", "holder"),
            Step("fittracker logs users", "subgraph=users|subgraph_started"),
            Step("fittracker scale users=2", "USERS-SERVICE: 2 instances", once=True),
            Step("fittracker roll users", "(?i)users", once=True),
            Step(QUEUES, r'queue_oldest_seconds\{queue="mail"\} 0', mended=True),
            Step("fittracker scale users=1", "USERS-SERVICE: 1 instance", once=True, mended=True),
        ),
    ),
    Drill(
        "redis-loss",
        "Redis hangs",
        _known("Redis hangs"),
        (
            # the router's is the other one, which holds what may be forgotten
            Step(HEALTH, r'"redis":\{"status":"UP"'),
            Step(USERS_HEALTH, r'"redis":\{"status":"DOWN"'),
            Step(USERS_HEALTH, r'"redis":\{"status":"UP"', mended=True),
        ),
    ),
    Drill(
        "service-down",
        "a subgraph hangs",
        _known("a subgraph hangs"),
        (
            Step("fittracker doctor", "users does not answer|users.*not", status=1),
            Step(HEALTH, r'"users":"DOWN"'),
            Step(REGISTRY, r'"name":"users"[^}]*"status":"DOWN"'),
            # curl's own exit status where nobody answers within its limit is 28; the drill's curl has one of fifteen seconds
            Step(USERS_HEALTH, r"^$", status=28),
            Step("fittracker doctor", "users is ready", mended=True),
        ),
    ),
)

#: The two pages that are about a platform which does not run: what is typed while it does, while it is stopped, and when it runs again.
BEFORE_THE_LOSS = (
    Step("fittracker backup --to backups --keep-days 30", r"backups/\S+", once=True),
    Step("fittracker verify-backup backups", "restores whole", once=True),
)
#: Refused while subgraphs are connected, as the page says.
TOO_EARLY = (Step("fittracker restore backups --yes", "(?i)connect", status=1, once=True),)
WHILE_STOPPED = (Step("fittracker restore backups --yes", "restored users, nutrition, workouts, analytics", once=True),)
RESTORED = (
    Step("fittracker events check", r"analytics-service: \d+ people checked"),
    Step("fittracker events rebuild GROUP", "people made anew", once=True),
    Step("fittracker db tables", r"weight_entry +\|"),
    Step("fittracker events new-epoch NAME", "its whole state is told anew", once=True),
)
ELSEWHERE = (Step("fittracker doctor", "router is ready"),)
WITHOUT_PLATFORM = {
    "restore": BEFORE_THE_LOSS + WHILE_STOPPED + RESTORED,
    "region-loss": WHILE_STOPPED + ELSEWHERE,
}

NO_ENGINE = (
    "no container engine here; the file is held against the specification by tests/unit/deploy/test_production_files.py"
)
NO_CLUSTER = "no cluster here; tests/unit/deploy/test_chart.py renders the chart"
NO_SYSTEMD = "nothing is run by systemd here; tests/unit/deploy/test_systemd_units.py verifies the units"
REAL_KAFKA = "the embedded broker has no such thing; tests/e2e/test_real_kafka.py does it on Apache Kafka"
#: Program and verb, or the whole command; the reason.
NOT_HERE = {
    "FITTRACKER_IMAGE=fittracker:PREVIOUS docker compose": NO_ENGINE,
    "docker compose": NO_ENGINE,
    "helm rollback": NO_CLUSTER,
    "systemctl": NO_SYSTEMD,
    "nginx -s reload": "no nginx here",
    "py-spy top": "it draws on a terminal until somebody ends it",
    "memray": "needs memray and gdb beside the process",
    "fittracker events grow": REAL_KAFKA,
    "fittracker events topics": REAL_KAFKA,
    "fittracker events park ": "tests/e2e/test_killed_children.py and the unit tests of the command; needs a record that blocks",
    "fittracker explain CODE": "the next command is one of it",
}
