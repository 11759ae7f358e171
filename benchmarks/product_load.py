"""The whole product under people's real mix of requests, which come when they come: `python -m benchmarks.product_load`.

The loop is open: requests arrive at random moments (a Poisson process) at a given rate, whether or not earlier ones have been
answered, and an answer's time counts from the moment at which its request was due. So a platform that stalls is charged for
everybody who would have come meanwhile (a closed loop, where each client waits for its answer, leaves them out: "coordinated
omission"). The rate rises step by step until the platform cannot follow. Beside it, people hear of their days over WebSockets,
and the time from a meal's sending to the live event that tells of it is measured too.

`--rates 10 --repeat 60 --seconds 60` is a soak of an hour: the same rate again and again, memory of each part beside it.
`--servers real` starts the distribution's PostgreSQL and Redis and Apache Kafka, and runs on them in place of the embedded ones (`fittracker/real_servers.py`
says what it needs). Servers that `DATABASE_URL_USERS` and its like name in the environment are used as they are.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import orjson
from prometheus_client.parser import text_string_to_metric_families

from benchmarks.fittracker.app import App, RefusedError
from benchmarks.fittracker.product import LOGIN, Product, running_product
from benchmarks.fittracker.real_servers import real_servers, server_versions
from benchmarks.plots import write_line_plot, write_stacked_plot
from benchmarks.processes import resident_mib
from benchmarks.report import write_results
from deploy.embedded import DOMAINS, HOST
from deploy.sample_data.histories import PASSWORD

#: What requests are for, by weight. An app asks far more often than it writes; `reconnect` is a phone that was away: a new WebSocket, until
#: the first state of its stream is there.
#: `writes` has the writes of `people` alone, in the same proportions: the way from a write to its subscriber under so many of them a second.
MIXES = {
    "people": {
        "dashboard": 28,
        "day": 24,
        "search": 18,
        "meal": 12,
        "water": 8,
        "weight": 2,
        "workout": 2,
        "reconnect": 6,
    },
    "writes": {"meal": 12, "water": 8, "weight": 2, "workout": 2},
}
PERCENTILES = (50, 90, 99, 99.9)
TIMEOUT_SECONDS = 30.0
#: How long after a step its last answers and live events may still come.
SETTLE_SECONDS = 10.0
#: A step beyond one of these is the last: the platform does not follow the rate.
MOST_P99_SECONDS = 2.0
MOST_FAILED_SHARE = 0.01
#: Access tokens live for fifteen minutes.
RENEW_SECONDS = 600.0
GENERATOR = "load generator"
#: Servers and mix of a result file whose name says neither.
_USUAL = ("embedded", "people")


@dataclass
class Step:
    """What came of one rate. Times are in milliseconds, from when a request was due; `cpu` is in cores, by part.

    `untold` are meals that no live event told of before the step was over; `late_ms` is by how much the generator itself
    sent its requests late, at p99: where that is large, it was the generator that did not follow. `subscribers` have a live stream when
    the last request is sent, `resubscribed` of them anew in this step. `behind` are events that wait at that moment: in each outbox, and for
    each group of consumers.
    """

    rate: float
    seconds: float
    arrived: int = 0
    answered_per_second: float = 0.0
    failed: dict[str, int] = field(default_factory=dict)
    all_ms: dict[str, float] = field(default_factory=dict)
    by_operation_ms: dict[str, dict[str, float]] = field(default_factory=dict)
    event_ms: dict[str, float] = field(default_factory=dict)
    events_awaited: int = 0
    untold: int = 0
    subscribers: int = 0
    resubscribed: int = 0
    behind: dict[str, int] = field(default_factory=dict)
    late_ms: float = 0.0
    cpu: dict[str, float] = field(default_factory=dict)
    resident_mib: dict[str, int] = field(default_factory=dict)
    bottleneck: str = ""

    @property
    def is_saturated(self) -> bool:
        too_slow = self.all_ms.get("p99", 0.0) > MOST_P99_SECONDS * 1000
        return too_slow or sum(self.failed.values()) > self.arrived * MOST_FAILED_SHARE or self.untold > 0


class Listener:
    """A person's live days over one WebSocket, and the meals that have not been told of yet."""

    def __init__(self, app: App) -> None:
        self.app = app
        self.event_seconds: list[float] = []
        self.is_subscribed = False
        self.subscriptions = 0
        self._awaited: dict[str, list[float]] = defaultdict(list)
        self._told: dict[str, float] = {}

    def expect(self, local_date: str, sent: float) -> None:
        """An event of that day is due, for a meal that was sent at that moment; it may have come before the meal's answer."""
        told = self._told.get(local_date, 0.0)
        if told > sent:
            self.event_seconds.append(told - sent)
        else:
            self._awaited[local_date].append(sent)

    def untold(self) -> int:
        return sum(map(len, self._awaited.values()))

    def forget(self) -> None:
        self.event_seconds.clear()
        self._awaited.clear()

    async def listen(self) -> None:
        """Until cancelled; a stream that ends, as at its token's expiry, is opened again."""
        while True:
            try:
                async with self.app.connect() as socket:
                    await self.app.live(socket)
                    self.is_subscribed = True
                    self.subscriptions += 1
                    async for message in socket:
                        await self.take(socket, orjson.loads(message.data))
            except (aiohttp.ClientError, OSError, RefusedError):
                await asyncio.sleep(0.5)
            finally:
                self.is_subscribed = False

    async def take(self, socket: aiohttp.ClientWebSocketResponse, message: Mapping[str, Any]) -> None:
        """One message of the protocol."""
        now = time.monotonic()
        match message["type"]:
            case "ping":
                await socket.send_json({"type": "pong"})
            case "complete" | "error":
                await socket.close()
            case "next" if (data := message["payload"].get("data")) is not None:
                # An event has the day's last numbers, and so tells of every meal that was answered before it. (Of one that is
                # still under way, it may not: two writes of one person about one day at one moment are too rare to matter.)
                local_date = data["dailySummaryChanged"]["date"]
                self._told[local_date] = now
                sent = self._awaited.pop(local_date, [])
                self.event_seconds.extend(now - each for each in sent)


class Crowd:
    """Everybody who uses the product: each has an app, and hears of the own days."""

    def __init__(self, product: Product, session: aiohttp.ClientSession, seed: int, mix: Mapping[str, int]) -> None:
        url = product.state.router_url
        self._product = product
        self._session = session
        self._mix = mix
        self._listeners = [Listener(App(url, request, session)) for request in product.requests]
        self._random = random.Random(seed)
        self._numbers = random.Random(seed + 1)

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Everybody is ready and subscribed, and stays signed in, until the block ends."""
        async with AsyncExitStack() as stack:
            for listener in self._listeners:
                await listener.app.begin()
            tasks = [asyncio.create_task(listener.listen()) for listener in self._listeners]
            tasks.append(asyncio.create_task(self._stay_signed_in()))
            for task in tasks:
                stack.callback(task.cancel)
            await asyncio.sleep(2)
            yield

    async def _stay_signed_in(self) -> None:
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            for listener, email in zip(self._listeners, self._product.emails, strict=True):
                answer = await listener.app.ask(LOGIN, {"input": {"email": email, "password": PASSWORD}})
                listener.app.authorization = f"Bearer {answer['login']['accessToken']}"

    async def step(self, rate: float, seconds: float) -> Step:
        """Requests at `rate` a second for so long, and what came of them."""
        step = Step(rate, seconds)
        for listener in self._listeners:
            listener.forget()
        times: dict[str, list[float]] = defaultdict(list)
        failed: Counter[str] = Counter()
        late: list[float] = []
        subscriptions = sum(listener.subscriptions for listener in self._listeners)
        cpu, own_cpu, began = self._product.cpu_seconds(), time.process_time(), time.monotonic()
        tasks: list[asyncio.Task[None]] = []
        due = began
        while (due := due + self._random.expovariate(rate)) < began + seconds:
            await asyncio.sleep(due - time.monotonic())
            late.append(max(0.0, time.monotonic() - due))
            listener = self._random.choice(self._listeners)
            operation = self._random.choices(list(self._mix), list(self._mix.values()))[0]
            tasks.append(asyncio.create_task(self._one(listener, operation, due, times, failed)))
        elapsed = time.monotonic() - began
        used = {part: (total - cpu[part]) / elapsed for part, total in self._product.cpu_seconds().items()}
        used[GENERATOR] = (time.process_time() - own_cpu) / elapsed
        in_time = sum(map(len, times.values()))
        step.subscribers = sum(listener.is_subscribed for listener in self._listeners)
        step.resubscribed = sum(listener.subscriptions for listener in self._listeners) - subscriptions
        step.behind = await self._behind()
        if tasks:
            await asyncio.wait(tasks)
        await self._until_told()
        everything = sorted(each for some in times.values() for each in some)
        events = sorted(each for listener in self._listeners for each in listener.event_seconds)
        step.arrived, step.answered_per_second = len(tasks), round(in_time / elapsed, 1)
        step.failed = dict(failed)
        step.all_ms = percentiles(everything)
        step.by_operation_ms = {operation: percentiles(sorted(some)) for operation, some in sorted(times.items())}
        step.untold = sum(listener.untold() for listener in self._listeners)
        step.event_ms, step.events_awaited = percentiles(events), len(events) + step.untold
        step.late_ms = percentiles(sorted(late)).get("p99", 0.0)
        step.cpu = {part: round(cores, 3) for part, cores in used.items()}
        step.resident_mib = {part: round(resident_mib(pid)) for part, pid in self._product.pids.items()}
        step.bottleneck = bottleneck(step.cpu)
        return step

    async def _one(
        self, listener: Listener, operation: str, due: float, times: dict[str, list[float]], failed: Counter[str]
    ) -> None:
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                await self._use(listener, operation)
        except (RefusedError, aiohttp.ClientError, OSError, TimeoutError) as error:
            failed[f"{operation}: {type(error).__name__} {str(error)[:160]}"] += 1
            return
        times[operation].append(time.monotonic() - due)

    async def _use(self, listener: Listener, operation: str) -> None:
        if operation == "reconnect":
            async with listener.app.connect() as socket:
                await listener.app.first_state(socket)
            return
        sent = time.monotonic()
        data = await listener.app.use(operation, self._numbers.randrange(1_000_000))
        if operation == "meal":
            listener.expect(data["logMeal"]["meal"]["localDate"], sent)

    async def _behind(self) -> dict[str, int]:
        """What waits, as each subgraph's metrics say it."""
        found: Counter[str] = Counter()
        for name in DOMAINS:
            url = f"http://{HOST}:{self._product.state.ports[name]}/actuator/prometheus"
            async with self._session.get(url) as response:
                found += waiting(await response.text())
        return dict(found)

    async def _until_told(self) -> None:
        deadline = time.monotonic() + SETTLE_SECONDS
        while time.monotonic() < deadline and any(listener.untold() for listener in self._listeners):
            await asyncio.sleep(0.1)


def waiting(metrics: str) -> Counter[str]:
    """Events that wait, in a subgraph's metrics: `outbox of NAME` for Kafka, and by group for its consumers. Nothing where nothing does."""
    found: Counter[str] = Counter()
    for family in text_string_to_metric_families(metrics):
        for sample in family.samples:
            if sample.value > 0 and sample.name == "outbox_unpublished":
                found[f"outbox of {sample.labels['service']}"] += int(sample.value)
            elif sample.value > 0 and sample.name == "consumer_lag_messages":
                found[sample.labels["group"]] += int(sample.value)
    return found


def percentiles(ordered: Sequence[float]) -> dict[str, float]:
    """{"p50": ms, ..., "max": ms} of seconds in rising order; exact, since each is kept. Nothing for none."""
    if not ordered:
        return {}
    found = {
        f"p{percent:g}": ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))] for percent in PERCENTILES
    }
    return {name: round(seconds * 1000, 1) for name, seconds in {**found, "max": ordered[-1]}.items()}


def bottleneck(cpu: Mapping[str, float]) -> str:
    """Which part used most, and how much of the machine's cores all of them did."""
    part, most = max(cpu.items(), key=lambda each: each[1])
    return f"{part} uses {most:.2f} cores, all together {sum(cpu.values()):.2f} of {os.cpu_count()}"


async def run(product: Product, options: argparse.Namespace) -> list[Step]:
    steps: list[Step] = []
    connector, timeout = aiohttp.TCPConnector(limit=0), aiohttp.ClientTimeout(total=None)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
        crowd = Crowd(product, session, options.seed, MIXES[options.mix])
        async with crowd.listening():
            await crowd.step(min(options.rates), options.warm_up)
            for rate in [rate for rate in options.rates for _ in range(options.repeat)]:
                step = await crowd.step(rate, options.seconds)
                steps.append(step)
                print(_line(step), flush=True)
                if step.is_saturated and options.repeat == 1:
                    break
    return steps


def _line(step: Step) -> str:
    failed, reconnect = sum(step.failed.values()), step.by_operation_ms.get("reconnect", {})
    return (
        f"{step.rate:5.0f}/s: answered {step.answered_per_second:6.1f}/s, p50 {step.all_ms.get('p50', 0):7.1f} ms, "
        f"p99 {step.all_ms.get('p99', 0):8.1f} ms, live p50 {step.event_ms.get('p50', 0):7.1f} ms, p99 {step.event_ms.get('p99', 0):8.1f} ms, "
        f"reconnected p50 {reconnect.get('p50', 0):.0f} ms, p99 {reconnect.get('p99', 0):.0f} ms, {step.subscribers} subscribers, {step.resubscribed} anew, "
        f"{sum(step.behind.values())} events wait, {failed} failed, {step.untold} of {step.events_awaited} untold, sent late by {step.late_ms:.0f} ms; {step.bottleneck}; "
        f"{sum(step.resident_mib.values())} MiB"
    )


def write(steps: Sequence[Step], options: argparse.Namespace, versions: Mapping[str, str]) -> None:
    """Results as JSON, percentiles by rate and processor by rate as plots."""
    others = [chosen for chosen in (options.servers, options.mix) if chosen not in _USUAL]
    content = {"servers": versions, "steps": [asdict(step) for step in steps]}
    target = write_results("-".join(["product", *others]), vars(options), content)
    lines = {
        f"{what} {name}": [(step.rate, getattr(step, f"{what}_ms").get(name, 0.0)) for step in steps]
        for what in ("all", "event")
        for name in ("p50", "p99")
    }
    write_line_plot(
        "Answers and live events: milliseconds by rate", lines, ("requests a second", "ms"), target.with_suffix(".svg")
    )
    cores = {f"{step.rate:.0f} requests a second": step.cpu for step in steps}
    write_stacked_plot("Cores in use, by part", cores, target.with_name(f"{target.stem}-cores.svg"))


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.product_load",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--rates", type=float, nargs="+", default=[5, 10, 20, 30, 40, 60, 80, 120], metavar="N")
    parser.add_argument("--seconds", type=float, default=30.0, help="of each step")
    parser.add_argument("--repeat", type=int, default=1, help="steps of each rate; more than one never ends early")
    parser.add_argument("--warm-up", type=float, default=10.0, help="seconds at the lowest rate before the first step")
    parser.add_argument(
        "--mix", choices=MIXES, default="people", help="everything that people do, or their writes alone"
    )
    parser.add_argument(
        "--servers", choices=("embedded", "real"), default="embedded", help="real: PostgreSQL, Redis and Apache Kafka"
    )
    parser.add_argument("--people", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1, help="of the moments, people and operations")
    parser.add_argument("--no-results", action="store_true", help="do not write into benchmarks/results")
    options = parser.parse_args()
    with ExitStack() as stack:
        temporary = tempfile.TemporaryDirectory(prefix="fittracker-load-", ignore_cleanup_errors=True)
        folder = Path(stack.enter_context(temporary))
        folder.chmod(0o711)  # Postgres may run as another user
        servers = stack.enter_context(real_servers(folder / "servers")) if options.servers == "real" else None
        product = stack.enter_context(running_product(folder / "data", options.people, servers=servers))
        versions = server_versions(product.state.environment, servers)
        print("on " + ", ".join(f"{name} {version}" for name, version in versions.items()), flush=True)
        steps = asyncio.run(run(product, options))
    for step in steps:
        for failure, count in step.failed.items():
            print(f"{step.rate:.0f}/s: {count} x {failure}")
    if not options.no_results:
        write(steps, options, versions)


if __name__ == "__main__":
    main()
