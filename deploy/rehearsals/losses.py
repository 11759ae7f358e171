"""The rehearsal of losses: each server of a platform in use is lost, with what it held, and how long it takes to be back.

Redis, the broker and the process of Postgres are killed under somebody who writes; then the machine with all its disks is
lost, and the platform is put on an empty one from the newest dump. What is measured stands in deploy/backup/README.md beside
what may be lost at most; one database alone and recovery to a moment are rehearsed by `recovery` and `postgres`.
`python -m deploy.rehearsals.losses`
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import tempfile
import time
from pathlib import Path

from deploy.rehearsals.platform import Platform, comes, fittracker, running_platform, settles, since
from deploy.rehearsals.report import Report

WRITES = 20
#: What is killed, and its name for the reader. Valkey and the broker keep their records in memory, so that they come back
#: empty; Postgres finds its files again and replays its log.
SERVERS = {
    "valkey": "Redis (live updates, attempts to sign in) comes back empty",
    "valkey-cache": "Redis (cache) comes back empty",
    "broker": "the broker comes back empty",
    "postgres": "Postgres is killed, its disk stays",
}


async def rehearse(report: Report) -> None:
    with tempfile.TemporaryDirectory(prefix="fittracker-rehearsal-") as name:
        data, backups = Path(name) / "data", Path(name) / "backups"
        async with running_platform(data) as platform:
            report.check("all is well before", await settles(data))
            for server, meaning in SERVERS.items():
                await _lose_server(report, platform, data, server, meaning)
            started = time.monotonic()
            report.check("backup", await fittracker("backup", "--to", str(backups), data=data), since(started))
            before = await platform.weighings()
        await _lose_machine(report, Path(name) / "another", backups, before)


async def _lose_server(report: Report, platform: Platform, data: Path, server: str, meaning: str) -> None:
    """Killed between writes, which the summaries have to hold at the end."""
    before = len(await platform.weighings())
    for _ in range(WRITES):
        await platform.weigh()
    os.kill(platform.state.pids[server], signal.SIGKILL)
    started = time.monotonic()
    report.check(f"{meaning}: writes are answered", await comes(platform.takes_writes), f"after {since(started)}")
    report.check("projections equal their sources", await settles(data), f"after {since(started)}")
    there = len(await platform.weighings()) - before
    report.check("nothing that was answered is lost", there > WRITES, f"{there} weighings")


async def _lose_machine(report: Report, data: Path, backups: Path, before: list[float]) -> None:
    """Nothing is left but the backup: another machine with an empty disk."""
    started = time.monotonic()
    await asyncio.to_thread(data.mkdir)
    restored = await fittracker("restore", str(backups), "--yes", data=data)
    report.check("an empty machine: all four databases from the dump", restored, since(started))
    async with running_platform(data, "--no-sample-data") as platform:
        report.check("somebody signs in", bool(platform.token), f"{since(started)} after the decision to restore")
        report.check("what the backup held is there", await platform.weighings() == before, f"{len(before)} weighings")
        report.check("projections equal their sources", await settles(data), since(started))
        report.check("writes are answered", await platform.takes_writes())
        report.check("and reach the projections", await settles(data), since(started))


def main() -> int:
    report = Report("losses")
    asyncio.run(rehearse(report))
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
