"""The tracing rehearsal: the guide's three queries, asked of Jaeger itself by the API that its page asks.

The end-to-end tests prove what is in the traces, on a collector of their own; here Jaeger takes them by OTLP, keeps them, and
finds them again by service and duration, by service and operation, and by its own sums.
`python -m deploy.rehearsals.tracing`; needs Jaeger's `all-in-one` (v1.76) on the PATH or named by JAEGER. It is built by
`go build -o jaeger ./cmd/all-in-one` in the module github.com/jaegertracing/jaeger@v1.76.0.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg

from deploy.errors import FriendlyError
from deploy.rehearsals.cluster import free_port
from deploy.rehearsals.platform import WEEK, Platform, comes, running_platform, since
from deploy.rehearsals.report import Report

SLOW_SECONDS = 0.8
HISTORY = "query History { me { id weights(first: 5) { nodes { weightKg } } } }"
ENVIRONMENT = {"OTEL_TRACES_SAMPLER_ARG": "1", "OTEL_BSP_SCHEDULE_DELAY": "500"}
#: Whom a weighing passes, in Jaeger's own words: the service and the operation of a span.
WAY = {
    ("router", "graphql.operation"),
    ("router", "fetch users"),
    ("users", "INSERT"),
    ("users", "publish users.body.v1"),
    ("analytics", "project analytics-service"),
    ("analytics", "INSERT"),
}


class Jaeger:
    """Its query API, which is also its page's."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self._url = url
        self._session = session

    async def find(self, **parameters: str) -> list[Any]:
        """Traces, as the search form finds them. Raises aiohttp.ClientError."""
        return list((await self._get("traces", parameters))["data"] or [])

    async def services(self) -> list[str]:
        return list((await self._get("services", {}))["data"] or [])

    async def dependencies(self) -> set[tuple[str, str]]:
        """(caller, called) of services, as its graph of the architecture draws them."""
        found = await self._get("dependencies", {"endTs": str(int(time.time() * 1000)), "lookback": "3600000"})
        return {(each["parent"], each["child"]) for each in found["data"] or []}

    async def _get(self, path: str, parameters: Mapping[str, str]) -> Any:
        async with self._session.get(f"{self._url}/api/{path}", params=parameters) as response:
            response.raise_for_status()
            return await response.json()


async def rehearse(report: Report) -> None:
    """Raises FriendlyError where there is no Jaeger."""
    with tempfile.TemporaryDirectory(prefix="fittracker-rehearsal-") as name:
        folder = Path(name)
        async with _running_jaeger(folder) as (jaeger, endpoint):
            environment = {**ENVIRONMENT, "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint}
            async with running_platform(folder / "data", environment=environment) as platform:
                await platform.ask(WEEK)
                await platform.weigh()
                known = await comes(lambda: _knows_services(jaeger))
                report.check("Jaeger knows router and subgraphs", known, ", ".join(sorted(await jaeger.services())))
                await _slow_request(report, jaeger, platform)
                await _way_of_a_write(report, jaeger)


async def _knows_services(jaeger: Jaeger) -> bool:
    return {"router", "users", "nutrition", "workouts", "analytics"} <= set(await jaeger.services())


async def _slow_request(report: Report, jaeger: Jaeger, platform: Platform) -> None:
    """The guide's first and third query: slow requests of a service, and what in one of them took the time."""
    holder = await asyncpg.connect(platform.state.environment["DATABASE_URL_USERS"])
    try:
        async with holder.transaction():
            await holder.execute("LOCK TABLE weight_entry IN ACCESS EXCLUSIVE MODE")
            asking = asyncio.create_task(platform.ask(HISTORY))
            await asyncio.sleep(SLOW_SECONDS)
        answer = await asking
    finally:
        await holder.close()
    report.check("a request waits for a lock, and is answered", "errors" not in answer)
    found: list[Any] = []
    started = time.monotonic()

    async def is_found() -> bool:
        slow = await jaeger.find(service="users", operation="graphql", minDuration="500ms", limit="100")
        found[:] = [trace for trace in slow if _longest(trace)[1] == "SELECT"]
        return bool(found)

    report.check("slow requests: service users, longer than 500 ms", await comes(is_found), since(started))
    if not found:
        return
    service, operation, seconds, statement = _longest(found[0])
    report.check(
        "the bottleneck is the statement that waited",
        (service, operation) == ("users", "SELECT") and seconds >= SLOW_SECONDS * 0.75 and "weight_entry" in statement,
        f"{service} {operation}, {seconds * 1000:.0f} ms by itself",
    )


async def _way_of_a_write(report: Report, jaeger: Jaeger) -> None:
    """The guide's second query: a request across all services, by the service where it begins and the operation's name."""
    found: list[Any] = []
    tags = json.dumps({"graphql.operation.name": "Weigh"})

    async def is_found() -> bool:
        found[:] = await jaeger.find(service="router", operation="graphql.operation", tags=tags, limit="20")
        return any(_steps(trace) >= WAY for trace in found)

    started = time.monotonic()
    is_whole = await comes(is_found)
    missing = WAY - set().union(*(_steps(trace) for trace in found))
    detail = f"{max((len(trace['spans']) for trace in found), default=0)} spans" if is_whole else f"missing: {missing}"
    report.check("a request across all services: router, operation Weigh", is_whole, f"{detail}, {since(started)}")
    calls = await jaeger.dependencies()
    wanted = {("router", name) for name in ("users", "nutrition", "workouts", "analytics")}
    report.check(
        "its graph of services has the router before each",
        calls >= wanted,
        ", ".join(f"{a} → {b}" for a, b in sorted(calls)),
    )


def _steps(trace: Any) -> set[tuple[str, str]]:
    return {(_service(trace, span), span["operationName"]) for span in trace["spans"]}


def _service(trace: Any, span: Any) -> str:
    return str(trace["processes"][span["processID"]]["serviceName"])


def _longest(trace: Any) -> tuple[str, str, float, str]:
    """Service, operation, seconds and statement of the span that took longest by itself, without those below it."""
    own = {span["spanID"]: span["duration"] for span in trace["spans"]}
    for span in trace["spans"]:
        for reference in span["references"]:
            if reference["refType"] == "CHILD_OF" and reference["spanID"] in own:
                own[reference["spanID"]] -= span["duration"]
    span = max(trace["spans"], key=lambda each: own[each["spanID"]])
    tags: Mapping[str, Any] = {tag["key"]: tag["value"] for tag in span["tags"]}
    return _service(trace, span), span["operationName"], own[span["spanID"]] / 1e6, str(tags.get("db.statement", ""))


@asynccontextmanager
async def _running_jaeger(folder: Path) -> AsyncIterator[tuple[Jaeger, str]]:
    """Jaeger in memory, and where it takes OTLP over HTTP. Raises FriendlyError."""
    program = os.environ.get("JAEGER") or shutil.which("jaeger-all-in-one")
    if program is None:
        raise FriendlyError(
            "there is no Jaeger here", "build it as the head of this module says, and name it by JAEGER"
        )
    otlp, query, admin = free_port(), free_port(), free_port()
    others = [f"--{name}=127.0.0.1:{free_port()}" for name in _OTHER_SERVERS]
    with (folder / "jaeger.log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            program, "--collector.otlp.enabled=true", f"--collector.otlp.http.host-port=127.0.0.1:{otlp}",
            f"--query.http-server.host-port=127.0.0.1:{query}", f"--admin.http.host-port=127.0.0.1:{admin}", *others,
            stdout=log, stderr=log,
        )  # fmt: skip
    try:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session:
            jaeger = Jaeger(f"http://127.0.0.1:{query}", session)

            async def answers() -> bool:
                if process.returncode is not None:
                    raise FriendlyError(f"Jaeger ended: {(folder / 'jaeger.log').read_text()[-500:]}")
                try:
                    await jaeger.services()
                except aiohttp.ClientError:
                    return False
                return True

            if not await comes(answers):
                raise FriendlyError(f"Jaeger does not answer: {(folder / 'jaeger.log').read_text()[-500:]}")
            yield jaeger, f"http://127.0.0.1:{otlp}"
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()


_OTHER_SERVERS: Sequence[str] = (
    "collector.grpc-server.host-port",
    "collector.http-server.host-port",
    "collector.otlp.grpc.host-port",
    "query.grpc-server.host-port",
)


def main() -> int:
    report = Report("tracing")
    try:
        asyncio.run(rehearse(report))
    except FriendlyError as error:
        report.check("Jaeger runs", is_well=False, detail=str(error))
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
