"""The recovery rehearsal: a backup of a platform in use, a disaster, a restore, and everything right again.

One database is restored alone, older than the others, which is the case that goes wrong where versions are reused: events
of its former life have been projected already. At the end every projection equals what its sources say, and writes that
were acknowledged before the backup are there. The times are the recovery time objective; what was written after the backup
is lost, which is the recovery point objective without a WAL archive.
`python -m deploy.rehearsals.recovery`
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from pathlib import Path

from deploy.rehearsals.platform import fittracker, running_platform, settles, since
from deploy.rehearsals.report import Report

GROUPS = ("nutrition-profile", "workouts-person", "analytics-service")


async def rehearse(report: Report) -> None:
    with tempfile.TemporaryDirectory(prefix="fittracker-rehearsal-") as name:
        data, backups = Path(name) / "data", Path(name) / "backups"
        async with running_platform(data) as platform:
            for _ in range(20):
                await platform.weigh()
            kept = await platform.weighings()
            started = time.monotonic()
            report.check("backup", await fittracker("backup", "--to", str(backups), data=data), since(started))
            started = time.monotonic()
            report.check("verify-backup", await fittracker("verify-backup", str(backups)), since(started))
            for _ in range(10):
                await platform.weigh()
            later = await platform.weighings()
            report.check("writes after the backup", len(later) == len(kept) + 10, f"{len(later)} weighings")
        started = time.monotonic()
        restored = await fittracker("restore", str(backups), "--domain", "users", "--yes", data=data)
        report.check("restore users alone", restored, since(started))
        async with running_platform(data) as platform:
            report.check("what the backup held is there", await platform.weighings() == kept, f"{len(kept)} weighings")
            await settles(data)  # what the restored source still has is told anew by itself; what it lost is not
            await _rebuild(data, report)
            report.check("projections equal their sources", await settles(data), since(started))
            await platform.weigh()
            report.check("writes go on", len(await platform.weighings()) == len(kept) + 1)
            report.check("and reach the projections", await settles(data))
        restored = await fittracker("restore", str(backups), "--domain", "analytics", "--yes", data=data)
        report.check("restore analytics alone", restored)
        async with running_platform(data) as platform:
            await _rebuild(data, report)
            report.check("projections equal their sources", await settles(data))
            await platform.sign_in()


async def _rebuild(data: Path, report: Report) -> None:
    for group in GROUPS:
        started = time.monotonic()
        report.check(f"rebuild {group}", await fittracker("events", "rebuild", group, data=data), since(started))


def main() -> int:
    report = Report("recovery")
    asyncio.run(rehearse(report))
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
