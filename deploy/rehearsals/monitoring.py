"""The monitoring rehearsal: real Prometheus, Alertmanager and exporters over a running platform.

1. Every panel of every dashboard is asked of Prometheus and must not be empty.
2. Trouble is made and each alert that it should raise must reach a webhook through Alertmanager.

`python -m deploy.rehearsals.monitoring`; what it needs and changes, `watched_platform` says.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from pathlib import Path

import aiohttp

from deploy.dashboards.catalog import DASHBOARDS
from deploy.rehearsals.platform import going_on
from deploy.rehearsals.report import Report
from deploy.rehearsals.scene import NotHereError, Scene
from deploy.rehearsals.troubles import TROUBLES
from deploy.rehearsals.visitors import arrivals, read_and_err, write
from deploy.rehearsals.watched_platform import Monitoring, watched_platform

#: What a panel may need that this rehearsal has not.
ABSENT = {"a replica", "a memory limit"}
TRAFFIC_SECONDS = 45.0
ALERT_SECONDS = 150.0
RECOVERY_SECONDS = 5.0
ARRIVAL_SECONDS = 0.25


async def rehearse(report: Report) -> None:
    """Writes what it saw into `report`. Raises FriendlyError where a tool is absent."""
    with tempfile.TemporaryDirectory(prefix="fittracker-rehearsal-") as name:
        async with watched_platform(Path(name)) as (scene, monitoring):
            platform = scene.platform
            people = arrivals(lambda: (read_and_err(platform), write(platform)), lambda: ARRIVAL_SECONDS)
            async with going_on(people):
                await asyncio.sleep(TRAFFIC_SECONDS)
                await _look_at_panels(monitoring, report)
                await _raise_alerts(scene, monitoring, report)


async def _look_at_panels(monitoring: Monitoring, report: Report) -> None:
    async with aiohttp.ClientSession() as session:
        for dashboard in DASHBOARDS:
            for panel in dashboard.panels:
                for query in panel.queries:
                    series = await monitoring.ask(session, query.expression)
                    if panel.needs in ABSENT and not series:
                        continue
                    report.check(f"panel {dashboard.title} / {panel.title}", bool(series), f"{len(series)} series")


async def _raise_alerts(scene: Scene, monitoring: Monitoring, report: Report) -> None:
    for trouble in TROUBLES:
        began = time.monotonic()
        try:
            async with trouble.make(scene):
                while time.monotonic() < began + ALERT_SECONDS and not trouble.alerts <= monitoring.told.keys():
                    await asyncio.sleep(0.5)
        except NotHereError as reason:
            for alert in sorted(trouble.alerts):
                report.note(f"alert {alert}", f"not raised here: {reason}")
            continue
        for alert in sorted(trouble.alerts):
            told = monitoring.told.get(alert)
            after = "" if told is None else ", told before already" if told < began else f", after {told - began:.0f} s"
            report.check(f"alert {alert}", told is not None, f"{trouble.what}{after}")
        await asyncio.sleep(RECOVERY_SECONDS)


def main() -> int:
    report = Report("monitoring")
    asyncio.run(rehearse(report))
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
