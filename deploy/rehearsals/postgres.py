"""The Postgres rehearsal: the distribution's own server with our settings and roles, a streaming replica, pgbouncer, and a
mistake that is undone by recovery to the moment before it.

Somebody uses the platform all the while. `python -m deploy.rehearsals.postgres`; needs the distribution's postgresql and
pgbouncer (Debian: postgresql postgresql-contrib pgbouncer).
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import aiohttp

from deploy.embedded import DOMAINS
from deploy.rehearsals.cluster import Cluster, base_backup, give_to_server_user, run
from deploy.rehearsals.platform import FOODS, WEEK, Platform, comes, fittracker, running_platform, settles, since
from deploy.rehearsals.pooler import Pooler, pooler
from deploy.rehearsals.report import Report
from subgraphs.shell.database import migrate

PATIENCE_SECONDS = 90.0
FEW_CONNECTIONS = 5  # a subgraph has at pgbouncer in transaction mode, and opens more to it
AT_ONCE = 12
# Of what a role has open, what is pgbouncer's: the relay and its watcher go past it.
POOLED = "SELECT count(*) FROM pg_stat_activity WHERE application_name <> 'relay' AND backend_type = 'client backend'"
WEIGHINGS = "SELECT count(*) FROM weight_entry"
READS = "SELECT sum(xact_commit) FROM pg_stat_database WHERE datname = 'fittracker_nutrition'"


async def rehearse(report: Report) -> None:
    with _folders() as (folder, archive):
        primary, standby = Cluster(folder / "primary"), Cluster(folder / "standby")
        restored = Cluster(folder / "restored")
        running: list[Cluster] = []
        try:
            primary.initialise(archive)
            running.append(primary)
            report.check("our settings, access rules and roles", True, run("postgres", "--version").strip())
            for domain in DOMAINS:
                await migrate(domain, primary.url("fittracker_owner", "owner", f"fittracker_{domain}"))
            report.check("migrations by the owner, subgraphs as their own roles", True)
            await _replica(report, folder / "with-replica", primary, standby, running)
            await _pgbouncer(report, folder, primary)
            await _recovery(report, folder, primary, restored, running)
        finally:
            for cluster in running:
                with suppress(Exception):
                    cluster.stop("immediate")


@contextmanager
def _folders() -> Iterator[tuple[Path, Path]]:
    """One for everything, through which the server's user has to pass, and one in it for the log's archive."""
    with tempfile.TemporaryDirectory(prefix="fittracker-postgres-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        archive = folder / "archive"
        archive.mkdir()
        give_to_server_user(archive)
        yield folder, archive


async def _replica(report: Report, data: Path, primary: Cluster, standby: Cluster, running: list[Cluster]) -> None:
    standby.copy_of(primary, "standby1")
    standby.start()
    running.append(standby)
    environment = primary.environment() | standby.environment("DATABASE_REPLICA_URL")
    async with running_platform(data, environment=environment) as platform:
        report.check("the replica is used", await comes(lambda: _in_use(platform, wanted=True)))
        before = int(standby.value(READS))
        failed = await _use(platform)
        await asyncio.sleep(2)  # the server counts with a delay
        report.check("reads reach it", int(standby.value(READS)) > before, f"{int(standby.value(READS)) - before}")
        standby.value("SELECT pg_wal_replay_pause()")
        failed += await _use(platform)
        started = time.monotonic()
        left = await comes(lambda: _in_use(platform, wanted=False))
        report.check("a replica that stands still is left", left, since(started))
        failed += await _use(platform)
        standby.value("SELECT pg_wal_replay_resume()")
        report.check("and used again when it has caught up", await comes(lambda: _in_use(platform, wanted=True)))
        standby.stop("immediate")
        failed += await _use(platform)
        report.check("a replica that is gone is left", await comes(lambda: _in_use(platform, wanted=False)))
        failed += await _use(platform)
        standby.start()
        report.check("and used again when it is back", await comes(lambda: _in_use(platform, wanted=True)))
        failed += await _use(platform)
        report.check("no request failed meanwhile", not failed, "; ".join(failed[:3]) or "150 reads and writes")
        report.check("events arrive", await settles(data, environment, PATIENCE_SECONDS))
        told = await fittracker("db", "slow", data=data, environment=environment)
        report.check("each subgraph's role is told its slow statements", told)


async def _pgbouncer(report: Report, folder: Path, primary: Cluster) -> None:
    given = pooler()
    with given.running(folder / "sessions", primary) as port:
        environment = primary.environment(port=port)
        data = folder / "through-sessions"
        async with running_platform(data, "--no-sample-data", environment=environment) as platform:
            failed = await _use(platform)
            report.check("through pgbouncer in session mode", not failed, "; ".join(failed[:3]) or given.told)
            report.check(
                "and events arrive: the relay's lock and LISTEN hold",
                await settles(data, environment, PATIENCE_SECONDS),
            )
    if given.has_transactions:
        await _transactions(report, folder, primary, given)
    else:
        report.note("transaction mode", f"{given.told} was at hand; it needs 1.21 (max_prepared_statements)")


async def _transactions(report: Report, folder: Path, primary: Cluster, given: Pooler) -> None:
    """Many at once over few connections of the server, which go from one client to another between two transactions."""
    with given.running(folder / "transactions", primary, connections=FEW_CONNECTIONS) as port:
        environment = primary.environment(port=port) | primary.environment("DATABASE_DIRECT_URL")
        data = folder / "through-transactions"
        async with running_platform(data, "--no-sample-data", environment=environment) as platform:
            failed = [each for some in await asyncio.gather(*[_use(platform) for _ in range(AT_ONCE)]) for each in some]
            told = "; ".join(failed[:3]) or f"{given.told}, {AT_ONCE} at once"
            report.check("through pgbouncer in transaction mode", not failed, told)
            most = max(int(primary.value(f"{POOLED} AND usename = 'fittracker_{domain}'")) for domain in DOMAINS)
            report.check("over few connections", 0 < most <= FEW_CONNECTIONS, f"at most {most} a subgraph")
            report.check(
                "and events arrive: the relay goes past it", await settles(data, environment, PATIENCE_SECONDS)
            )
            failed = await _use(platform)  # statements that were prepared over other connections than these
            report.check("statements that were prepared before are found again", not failed, "; ".join(failed[:3]))


async def _recovery(report: Report, folder: Path, primary: Cluster, restored: Cluster, running: list[Cluster]) -> None:
    base = folder / "base"
    base.mkdir()
    give_to_server_user(base)
    started = time.monotonic()
    base_backup(primary, base)
    report.check("base backup", (base / "base.tar.gz").exists(), since(started))
    async with running_platform(folder / "pitr", "--no-sample-data", environment=primary.environment()) as platform:
        for _ in range(10):
            await platform.weigh()
    kept = primary.value(WEIGHINGS, "fittracker_users")
    moment = primary.value("SELECT clock_timestamp()")
    await asyncio.sleep(1)
    primary.value("DELETE FROM weight_entry", "fittracker_users")
    report.check("a mistake", primary.value(WEIGHINGS, "fittracker_users") == "0", f"{kept} weighings are gone")
    last = primary.value("SELECT pg_walfile_name(pg_switch_wal())")
    archived = await comes(lambda: _is_archived(primary, last))
    report.check("its log is archived", archived, last)
    primary.stop()
    running.remove(primary)
    started = time.monotonic()
    restored.unpack(base, f"""
archive_mode = off
restore_command = 'cp {folder}/archive/%f %p'
recovery_target_time = '{moment}'
recovery_target_action = 'pause'
""")  # fmt: skip
    restored.start()
    running.append(restored)
    paused = await comes(lambda: _says(restored, "SELECT pg_get_wal_replay_pause_state()", "paused"))
    report.check("recovered to the moment before it", paused, since(started))
    found = restored.value(WEIGHINGS, "fittracker_users")
    report.check("what was there then is there", found == kept, f"{found} weighings")
    restored.value("SELECT pg_wal_replay_resume()")
    writes = await comes(lambda: _says(restored, "SELECT pg_is_in_recovery()", "f"))
    report.check("it takes writes", writes, f"{since(started)} after the decision to restore")
    environment = restored.environment()
    async with running_platform(folder / "after", "--no-sample-data", environment=environment) as platform:
        report.check("the platform runs on it", not await _use(platform), since(started))
        report.check("projections equal their sources", await settles(folder / "after", environment, PATIENCE_SECONDS))


async def _use(platform: Platform) -> list[str]:
    """Some reads and writes; what failed of them, in words."""
    failed = []
    for _ in range(10):
        for operation in (WEEK, FOODS):
            answer = await platform.ask(operation)
            failed += [error["message"] for error in answer.get("errors", ())]
        try:
            await platform.weigh()
        except KeyError as error:
            failed.append(str(error))
    return failed


async def _in_use(platform: Platform, *, wanted: bool) -> bool:
    """Whether each subgraph says that it reads from the replica, or that it does not."""
    async with aiohttp.ClientSession() as session:
        for domain in DOMAINS:
            url = f"http://127.0.0.1:{platform.state.ports[domain]}/actuator/prometheus"
            async with session.get(url) as response:
                line = f'database_replica_in_use{{pool="{domain}"}} {float(wanted)}'
                if line not in (await response.text()).splitlines():
                    return False
    return True


async def _says(cluster: Cluster, statement: str, wanted: str) -> bool:
    return cluster.value(statement) == wanted


async def _is_archived(cluster: Cluster, segment: str) -> bool:
    return cluster.value("SELECT last_archived_wal FROM pg_stat_archiver") >= segment


def main() -> int:
    report = Report("postgres")
    asyncio.run(rehearse(report))
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
