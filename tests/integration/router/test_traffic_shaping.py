"""Time-outs, retries, circuit breakers and overrides of subgraph traffic, through a router to raw servers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from structlog.testing import capture_logs

from router.server.app import create_app
from router.settings import load_settings
from router.telemetry import REGISTRY
from schema import SubgraphSource, compose
from tests.testkit.raw_server import RawServer, http_response, server_that
from tests.testkit.strawberry_shop import serving

LINK = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.5", import: ["@key"])\n'
ALPHA = LINK + "type Query { a: String } type Mutation { write: String }"
BETA = LINK + "type Query { b: String c: String }"


@dataclass
class Traffic:
    """A router over subgraphs `alpha` (a, write) and `beta` (b, c), which answer what a test sets."""

    alpha: RawServer
    beta: RawServer
    origin: str
    session: aiohttp.ClientSession

    async def ask(self, query: str, **headers: str) -> Any:
        async with self.session.post(f"{self.origin}/graphql", json={"query": query}, headers=headers) as response:
            return await response.json()

    async def code(self, query: str) -> str | None:
        """Of the only error."""
        errors = (await self.ask(query)).get("errors", [])
        assert len(errors) <= 1
        return errors[0]["extensions"]["code"] if errors else None


Start = Callable[..., AbstractAsyncContextManager[Traffic]]


def whole(name: str) -> bytes:
    return http_response(b'{"data":{"%b":"whole"}}' % name.encode())


def sends(*answers: bytes) -> Any:
    """Each answer once, the last for ever; an empty one closes the connection."""
    left = list(answers)

    async def answer(_head: str, _body: bytes, writer: asyncio.StreamWriter) -> None:
        sent = left.pop(0) if len(left) > 1 else left[0]
        writer.write(sent)
        if not sent:
            writer.close()

    return answer


def waits(seconds: float, sent: bytes) -> Any:
    async def answer(_head: str, _body: bytes, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(seconds)
        writer.write(sent)

    return answer


UNAVAILABLE = http_response(b"busy", "503 Service Unavailable", "Content-Type: text/plain\r\n")


@pytest.fixture
def start(tmp_path: Path) -> Start:
    @asynccontextmanager
    async def run(**settings: Any) -> AsyncIterator[Traffic]:
        async with AsyncExitStack() as stack:
            alpha = await stack.enter_async_context(server_that(sends(whole("a"))))
            beta = await stack.enter_async_context(server_that(sends(whole("b"))))
            composed = compose([SubgraphSource("alpha", ALPHA, alpha.url), SubgraphSource("beta", BETA, beta.url)])
            assert composed.supergraph_sdl is not None, composed.errors
            file = tmp_path / "supergraph.graphql"
            file.write_text(composed.supergraph_sdl)
            values = {"supergraph": file, "telemetry": {"log_level": "error"}, **settings}
            port = await stack.enter_async_context(serving(create_app(load_settings(None, {}, **values))))
            session = await stack.enter_async_context(aiohttp.ClientSession())
            yield Traffic(alpha, beta, f"http://127.0.0.1:{port}", session)

    return run


def counted(metric: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(metric, labels) or 0.0


async def test_a_slow_subgraph_costs_its_own_time_out_and_only_its_fields(start: Start) -> None:
    shaping = {"all": {"timeout_seconds": 60}, "subgraphs": {"alpha": {"timeout_seconds": 0.2}}}
    async with start(traffic_shaping=shaping) as traffic:
        traffic.alpha.answer = waits(30, whole("a"))
        traffic.beta.answer = waits(0.5, whole("b"))
        started = time.perf_counter()
        answer = await traffic.ask("{ a b }")
        assert time.perf_counter() - started < 20
    assert answer["data"] == {"a": None, "b": "whole"}
    assert answer["errors"] == [
        {
            "message": "The subgraph did not answer in time.",
            "path": ["a"],
            "extensions": {"code": "SUBGRAPH_TIMEOUT", "service": "alpha"},
        }
    ]


async def test_what_a_subgraph_does_not_say_is_taken_from_all_also_deep_down(start: Start) -> None:
    settings = load_settings(
        None,
        {},
        supergraph="a",
        traffic_shaping={
            "all": {"timeout_seconds": 3, "retry": {"max_attempts": 4, "pause_seconds": 1}},
            "subgraphs": {"alpha": {"retry": {"pause_seconds": 2}}},
        },
    )
    alpha = settings.traffic_shaping.of("alpha")
    assert (alpha.timeout_seconds, alpha.retry.max_attempts, alpha.retry.pause_seconds) == (3, 4, 2)
    assert settings.traffic_shaping.of("beta") is settings.traffic_shaping.all


@pytest.mark.parametrize("trouble", [b"", UNAVAILABLE], ids=["closed", "503"])
async def test_a_query_that_failed_in_passing_is_sent_again_and_a_mutation_never(start: Start, trouble: bytes) -> None:
    before = counted("router_subgraph_retries_total", subgraph="alpha")
    async with start() as traffic:
        traffic.alpha.answer = sends(trouble, whole("a"))
        assert await traffic.ask("{ a }") == {"data": {"a": "whole"}}
        assert len(traffic.alpha.requests) == 2
        assert counted("router_subgraph_retries_total", subgraph="alpha") == before + 1

        traffic.alpha.answer = sends(trouble, whole("write"))
        assert await traffic.code("mutation { write }") == "SUBREQUEST_HTTP_ERROR"
        assert len(traffic.alpha.requests) == 3


async def test_a_time_out_and_an_answer_with_errors_are_not_tried_again(start: Start) -> None:
    async with start(traffic_shaping={"all": {"timeout_seconds": 0.2, "retry": {"max_attempts": 5}}}) as traffic:
        traffic.alpha.answer = waits(1, whole("a"))
        assert await traffic.code("{ a }") == "SUBGRAPH_TIMEOUT"
        traffic.beta.answer = sends(http_response(b'{"errors":[{"message":"no"}]}', "500 Internal Server Error"))
        assert await traffic.code("{ b }") == "DOWNSTREAM_SERVICE_ERROR"
        assert (len(traffic.alpha.requests), len(traffic.beta.requests)) == (1, 1)


async def test_retries_end_with_their_attempts_and_with_the_budget(start: Start) -> None:
    shaping = {"all": {"retry": {"max_attempts": 3, "pause_seconds": 0.001, "budget_percent": 10}}}
    async with start(traffic_shaping=shaping) as traffic:
        traffic.alpha.answer = traffic.beta.answer = sends(UNAVAILABLE)
        assert await traffic.code("{ a }") == "SUBREQUEST_HTTP_ERROR"
        assert len(traffic.alpha.requests) == 3
        for _ in range(40):
            await traffic.code("{ b }")
        assert 40 + 10 <= len(traffic.beta.requests) <= 40 + 10 + 4


async def test_a_client_that_leaves_during_the_pause_ends_the_retries(start: Start) -> None:
    async with start(traffic_shaping={"all": {"retry": {"pause_seconds": 0.8}}}) as traffic:
        traffic.alpha.answer = sends(UNAVAILABLE)
        asking = asyncio.create_task(traffic.ask("{ a }"))
        await asyncio.sleep(0.1)
        asking.cancel()
        await asyncio.sleep(1)
        assert len(traffic.alpha.requests) == 1


async def test_a_failing_subgraph_is_left_alone_until_a_probe_succeeds(start: Start) -> None:
    breaker = {"enabled": True, "min_requests": 3, "open_seconds": 0.3, "probes": 1}
    shaping = {"all": {"retry": {"max_attempts": 1}}, "subgraphs": {"alpha": {"circuit_breaker": breaker}}}
    before = counted("router_subgraph_not_asked_total", subgraph="alpha")
    async with start(traffic_shaping=shaping) as traffic:
        traffic.alpha.answer = sends(UNAVAILABLE)
        codes = [await traffic.code("{ a }") for _ in range(5)]
        assert codes == ["SUBREQUEST_HTTP_ERROR"] * 3 + ["SUBGRAPH_CIRCUIT_OPEN"] * 2
        assert len(traffic.alpha.requests) == 3
        assert counted("router_subgraph_circuit_state", subgraph="alpha") == 2
        assert counted("router_subgraph_not_asked_total", subgraph="alpha") == before + 2
        assert await traffic.ask("{ b }") == {"data": {"b": "whole"}}  # the others go on
        async with traffic.session.get(f"{traffic.origin}/actuator/registry") as response:
            table = {row["name"]: (row["status"], row["circuit"]) for row in (await response.json())["subgraphs"]}
        assert table == {"alpha": ("DOWN", "OPEN"), "beta": ("UP", None)}

        traffic.alpha.answer = sends(whole("a"))
        await asyncio.sleep(0.35)
        assert await traffic.ask("{ a }") == {"data": {"a": "whole"}}
        assert counted("router_subgraph_circuit_state", subgraph="alpha") == 0


async def test_the_log_says_once_where_and_why_a_subgraph_fails_and_that_it_answers_again(start: Start) -> None:
    nowhere = "http://127.0.0.1:1/graphql"
    async with start(subgraphs={"beta": {"url": nowhere}}) as traffic:
        with capture_logs() as logs:
            async with traffic.session.get(f"{traffic.origin}/actuator/health"):
                pass  # which asks them itself, and is nobody's request
            answers = [await traffic.ask("{ b }") for _ in range(3)]
            traffic.alpha.answer = sends(UNAVAILABLE)
            await traffic.ask("{ a }")
            traffic.alpha.answer = sends(whole("a"))
            for _ in range(2):
                await traffic.ask("{ a }")
    told = [each for each in logs if each["event"] in ("subgraph_fails", "subgraph_answers_again")]
    assert [(each["event"], each["subgraph"]) for each in told] == [
        ("subgraph_fails", "beta"),
        ("subgraph_fails", "alpha"),
        ("subgraph_answers_again", "alpha"),
    ]
    assert told[0]["url"] == nowhere
    assert "Connect call failed ('127.0.0.1', 1)" in told[0]["reason"]
    assert told[1]["reason"] == "status 503"
    assert "127.0.0.1" not in str(answers), "no client learns of addresses"


async def test_health_asks_subgraphs_that_nobody_has_asked(start: Start) -> None:
    async def states() -> dict[str, str]:
        async with traffic.session.get(f"{traffic.origin}/actuator/health") as response:
            return dict((await response.json())["components"]["subgraphs"]["details"])

    async with start() as traffic:
        traffic.alpha.answer = sends(UNAVAILABLE)
        assert await states() == {"alpha": "DOWN", "beta": "UP"}
        traffic.alpha.answer = sends(whole("a"))
        assert await states() == {"alpha": "UP", "beta": "UP"}
        asked = len(traffic.alpha.requests)
        assert await states() == {"alpha": "UP", "beta": "UP"}
        assert len(traffic.alpha.requests) == asked, "it answered a moment ago"


async def test_health_takes_a_subgraph_that_hangs_for_down(start: Start) -> None:
    async with start() as traffic:
        traffic.alpha.answer = waits(30, whole("a"))
        async with traffic.session.get(f"{traffic.origin}/actuator/registry") as response:
            rows = {row["name"]: row["status"] for row in (await response.json())["subgraphs"]}
        assert rows == {"alpha": "DOWN", "beta": "UP"}


async def test_no_more_connections_are_opened_than_allowed(start: Start) -> None:
    async with start(traffic_shaping={"all": {"max_connections": 2}}) as traffic:
        traffic.alpha.answer = waits(0.1, whole("a"))
        answers = await asyncio.gather(*(traffic.ask("{ a }", **{"accept-language": str(n)}) for n in range(8)))
        assert answers == [{"data": {"a": "whole"}}] * 8
        assert traffic.alpha.connections == 2


async def test_an_answer_over_the_allowed_size_is_refused(start: Start) -> None:
    async with start(traffic_shaping={"subgraphs": {"alpha": {"max_response_bytes": 10}}}) as traffic:
        assert await traffic.code("{ a }") == "SUBGRAPH_RESPONSE_TOO_LARGE"
        assert await traffic.code("{ b }") is None


async def test_connections_are_given_up_after_their_idle_time(start: Start) -> None:
    async with start(traffic_shaping={"subgraphs": {"alpha": {"keep_alive_seconds": 0}}}) as traffic:
        for _ in range(3):
            await traffic.ask("{ a }")
            await traffic.ask("{ b }")
        assert (traffic.alpha.connections, traffic.beta.connections) == (3, 1)


async def test_a_subgraph_is_moved_and_given_headers_of_its_own(start: Start) -> None:
    async with server_that(sends(whole("a"))) as moved:
        subgraphs = {"alpha": {"url": moved.url, "headers": {"x-api-key": "k1"}}}
        async with start(subgraphs=subgraphs) as traffic:
            assert await traffic.ask("{ a b }") == {"data": {"a": "whole", "b": "whole"}}
            assert not traffic.alpha.requests
            assert "x-api-key: k1\r\n" in moved.requests[0][0]
            assert "x-api-key" not in traffic.beta.requests[0][0]


def told(request: tuple[str, bytes]) -> list[int]:
    """The milliseconds in a request's head."""
    lines = request[0].lower().split("\r\n")
    return [int(line.partition(":")[2]) for line in lines if line.startswith("x-deadline-ms:")]


async def test_subgraphs_are_told_what_is_left_of_the_operations_time_or_of_the_attempts(start: Start) -> None:
    shaping = {"all": {"timeout_seconds": 15}, "subgraphs": {"beta": {"timeout_seconds": 2}}}
    async with start(request_timeout_seconds=8, traffic_shaping=shaping, forward_headers=["x-deadline-ms"]) as traffic:
        traffic.alpha.answer = sends(UNAVAILABLE, whole("a"))
        assert await traffic.ask("{ a b }", **{"x-deadline-ms": "7"}) == {"data": {"a": "whole", "b": "whole"}}
        (first,), (second,) = (told(each) for each in traffic.alpha.requests)
        assert 0 < second < first <= 7_900  # less the way back, and again less after the pause of a retry
        assert told(traffic.beta.requests[0]) == [1_900]


async def test_a_subgraph_is_told_no_deadline_where_the_settings_say_so(start: Start) -> None:
    async with start(traffic_shaping={"subgraphs": {"beta": {"tell_deadline": False}}}) as traffic:
        await traffic.ask("{ a b }")
        assert [len(told(traffic.alpha.requests[0])), len(told(traffic.beta.requests[0]))] == [1, 0]


async def test_a_subgraph_that_gave_up_at_its_deadline_is_not_asked_again_and_the_rest_is_answered(
    start: Start,
) -> None:
    failure = b'{"data":null,"errors":[{"message":"too late","extensions":{"code":"DEADLINE_EXCEEDED"}}]}'
    given_up = http_response(failure, "504 Gateway Timeout", "Content-Type: application/graphql-response+json\r\n")
    async with start(traffic_shaping={"all": {"retry": {"max_attempts": 3}}}) as traffic:
        traffic.alpha.answer = sends(given_up)
        answer = await traffic.ask("{ a b }")
        assert answer["data"] == {"a": None, "b": "whole"}
        assert [each["extensions"]["code"] for each in answer["errors"]] == ["DEADLINE_EXCEEDED"]
        assert len(traffic.alpha.requests) == 1
