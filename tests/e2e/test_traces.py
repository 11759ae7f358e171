"""One trace and one correlation id from a client through router, subgraph, outbox, broker and projection to subscribers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import asyncpg
import pytest

from events.envelope import Envelope, decode_envelope
from tests.testkit.running_stack import RunningStack, Visitor, eventually, running_stack, subscribed
from tests.testkit.trace_collector import SeenSpan, TraceCollector, collecting_traces

TRACE = "0af7651916cd43dd8448eb211c80319c"
TRACEPARENT = f"00-{TRACE}-b7ad6b7169203331-01"
LOG_WEIGHT = """mutation LogWeight($input: LogWeightInput!) {
  logWeight(input: $input) { weightEntry { id weightKg } userErrors { message } }
}"""
HISTORY = "query History { me { id weights(first: 5) { nodes { weightKg } } } }"
CHANGES = "subscription { dailySummaryChanged { weightKg } }"

#: Each step of a weighing's way that has to be in its one trace: service and name.
WAY = (
    ("router", "graphql.operation"),
    ("router", "fetch users"),
    ("users", "graphql"),
    ("users", "INSERT"),
    ("users", "publish users.body.v1"),
    ("users", "load account_by_id"),
    ("analytics", "project analytics-service"),
    ("analytics", "INSERT"),
    ("analytics", "fan-out"),
    ("analytics", "deliver"),
)


@pytest.fixture(scope="module")
def collector() -> Iterator[TraceCollector]:
    with collecting_traces() as made:
        yield made


@pytest.fixture(scope="module")
async def traced(tmp_path_factory: pytest.TempPathFactory, collector: TraceCollector) -> AsyncIterator[RunningStack]:
    """A stack that keeps every trace."""
    environment = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.endpoint,
        "OTEL_TRACES_SAMPLER_ARG": "1",
        "OTEL_BSP_SCHEDULE_DELAY": "200",
    }
    async with running_stack(tmp_path_factory.mktemp("traced") / "data", "--no-sample-data", **environment) as stack:
        yield stack


async def events_of(stack: RunningStack, domain: str, person: Visitor) -> list[Envelope]:
    connection = await asyncpg.connect(stack.state.environment[f"DATABASE_URL_{domain}"])
    try:
        rows = await connection.fetch("SELECT value FROM outbox WHERE key = $1 ORDER BY seq", person.id)
    finally:
        await connection.close()
    return [decode_envelope(row["value"]) for row in rows]


async def log_weight(person: Visitor, kilograms: float, **headers: str) -> None:
    body = {"query": LOG_WEIGHT, "variables": {"input": {"weightKg": kilograms}}}
    _, answer = await person.stack.post(body, authorization=f"Bearer {person.access_token}", **headers)
    assert "errors" not in answer, answer


@pytest.mark.timeout(300)
async def test_one_trace_and_one_correlation_id_lead_from_the_client_to_the_subscriber(
    traced: RunningStack, collector: TraceCollector
) -> None:
    person = await traced.register()

    async def has_projected_the_registration() -> bool:  # otherwise both may be one batch, which is a trace of its own
        return any(each.name == "project analytics-service" for each in collector.seen)

    await eventually(has_projected_the_registration, seconds=60)
    async with subscribed(person, CHANGES) as events:

        async def a_summary_came() -> bool:
            return not events.empty()

        await log_weight(person, 80.5, traceparent=TRACEPARENT, **{"x-request-id": "from-the-edge"})
        await eventually(a_summary_came, seconds=60)
        await eventually(lambda: passes(collector, TRACE, WAY), seconds=60)
        await eventually(lambda: hangs_together(collector, TRACE, "b7ad6b7169203331"), seconds=60)
    weighing = next(each for each in await events_of(traced, "USERS", person) if "weigh" in each.type.lower())
    derived = next(each for each in await events_of(traced, "ANALYTICS", person) if each.causation_id)
    assert (weighing.correlation_id, derived.correlation_id) == ("from-the-edge", "from-the-edge")
    assert (weighing.traceparent or "").split("-")[1] == TRACE


async def test_the_guides_three_queries_find_a_slow_request_its_way_and_its_bottleneck(
    traced: RunningStack, collector: TraceCollector
) -> None:
    person = await traced.register()
    await log_weight(person, 79)
    holder = await asyncpg.connect(traced.state.environment["DATABASE_URL_USERS"])
    try:
        async with holder.transaction():
            await holder.execute("LOCK TABLE weight_entry IN ACCESS EXCLUSIVE MODE")
            asking = asyncio.create_task(person.data(HISTORY))
            await asyncio.sleep(0.8)  # so long at least the statement takes
        await asking
    finally:
        await holder.close()

    async def is_found() -> bool:
        return bool(collector.requests_of("router", "History")) and bool(collector.slow_requests("users", 0.5))

    await eventually(is_found, seconds=60)
    (way,) = collector.requests_of("router", "History")
    slow = {each.trace for each in collector.slow_requests("users", 0.5)}
    assert slow == {way[0].trace}
    assert {"router", "users"} <= {each.service for each in way}
    assert any(each.name.startswith("load ") for each in way)
    longest = collector.bottleneck(way[0].trace)
    assert (longest.service, longest.name, longest.seconds >= 0.5) == ("users", "SELECT", True)
    assert "weight_entry" in str(longest.attributes["db.statement"])


async def test_an_operation_of_a_websocket_has_a_trace_and_a_correlation_id_too(
    traced: RunningStack, collector: TraceCollector
) -> None:
    person = await traced.register()
    url = traced.state.router_url.replace("http://", "ws://", 1)
    async with traced.session.ws_connect(url, protocols=("graphql-transport-ws",)) as socket:
        payload = {"Authorization": f"Bearer {person.access_token}", "x-request-id": "over-the-socket"}
        await socket.send_json({"type": "connection_init", "payload": payload})
        assert (await socket.receive_json())["type"] == "connection_ack"
        for number in (1, 2):
            body = {"query": LOG_WEIGHT, "variables": {"input": {"weightKg": 70 + number}}}
            await socket.send_json({"type": "subscribe", "id": str(number), "payload": body})
            assert "errors" not in (await socket.receive_json())["payload"]
            assert (await socket.receive_json())["type"] == "complete"
    ids = [each.correlation_id for each in await events_of(traced, "USERS", person)]
    assert {"over-the-socket.1", "over-the-socket.2"} <= set(ids)

    def found() -> list[SeenSpan]:
        return [each for each in collector.seen if each.attributes.get("correlation_id") == "over-the-socket.2"]

    async def is_whole() -> bool:
        spans = found()
        return bool(spans) and await passes(collector, spans[0].trace, WAY[:6])

    await eventually(is_whole, seconds=60)


async def test_nothing_but_requests_begins_a_trace(traced: RunningStack, collector: TraceCollector) -> None:
    """Relays, consumers and probes have asked their databases all the while."""
    assert (await (await traced.register()).data(HISTORY))["me"]
    roots = {(each.service, each.name) for each in collector.seen if not each.parent and not each.links}
    assert roots == {("router", "graphql.operation")}


async def hangs_together(collector: TraceCollector, trace: str, clients: str) -> bool:
    """Whether every span hangs on another of the trace or on the client's own. A span is told when it ends: after its children."""
    spans = {each.id: each for each in collector.trace(trace)}
    return all(each.parent in spans or each.parent == clients for each in spans.values())


async def passes(collector: TraceCollector, trace: str, way: Any) -> bool:
    seen = {(each.service, each.name) for each in collector.trace(trace)}
    return set(way) <= seen
