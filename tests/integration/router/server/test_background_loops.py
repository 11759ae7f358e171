"""Background loops that fail: logged, begun anew, and told by health and metrics."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from router.server import background_loops
from router.server.usage import UsageReports
from tests.testkit.running_router import RunningRouter, StartRouter

PATIENCE_SECONDS = 60


async def loops_of(router: RunningRouter) -> dict[str, Any]:
    async with router.session.get(f"{router.origin}/actuator/health") as response:
        assert response.status == 200, "requests are served all the same"
        loops: dict[str, Any] = (await response.json())["components"]["loops"]
        return loops


async def test_a_loop_that_fails_for_no_known_reason_is_told_and_begins_anew(
    start_router: StartRouter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(background_loops, "FIRST_PAUSE_SECONDS", 0.01)
    usage, fails, flush = tmp_path / "usage.jsonl", True, UsageReports.flush

    async def sometimes(reports: UsageReports) -> None:
        if fails:
            raise LookupError("nobody foresaw this")
        await flush(reports)

    monkeypatch.setattr(UsageReports, "flush", sometimes)
    async with start_router(usage_reporting={"file": str(usage), "interval_seconds": 0.05}) as router:
        assert (await router.ask("{ __typename }"))["data"] == {"__typename": "Query"}
        async with asyncio.timeout(PATIENCE_SECONDS):
            while (loops := await loops_of(router))["status"] == "UP":
                await asyncio.sleep(0.02)
        assert loops["components"]["usage"]["status"] == "DOWN"
        assert loops["components"]["usage"]["details"]["restarts"] >= 1
        assert loops["components"]["eventLoop"] == {"status": "UP", "details": {"restarts": 0}}
        async with router.session.get(f"{router.origin}/actuator/prometheus") as response:
            metrics = await response.text()
        assert 'router_background_loop_down{loop="usage"} 1.0' in metrics
        fails = False
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not usage.exists() or "__typename" not in usage.read_text():
                await asyncio.sleep(0.05)
        monkeypatch.setattr(background_loops, "STEADY_AFTER_SECONDS", 0.01)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while (await loops_of(router))["status"] == "DOWN":
                await asyncio.sleep(0.02)
