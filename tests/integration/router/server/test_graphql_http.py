"""What comes back over HTTP, for good requests and bad ones."""

from __future__ import annotations

import asyncio
import gzip
import io
import re
import threading
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest
from multidict import CIMultiDict

from router import pipeline
from router.content_coding import decode, encode
from router.pipeline import Response
from router.prepared_request import PreparedRequest
from router.server.graphql_http import MOST_CODED_ON_THE_LOOP
from tests.testkit.running_router import SECRET, RunningRouter, StartRouter, token
from tests.testkit.strawberry_shop import Shop

GRAPHQL_RESPONSE = {"accept": "application/graphql-response+json"}


async def test_one_query_is_answered_by_three_subgraphs(router: RunningRouter) -> None:
    answer = await router.ask("{ products { name inStock owner { name } } }")
    assert answer == {
        "data": {
            "products": [
                {"name": "Product 1", "inStock": 10, "owner": {"name": "Ann"}},
                {"name": "Product 2", "inStock": 20, "owner": {"name": "Ann"}},
            ]
        }
    }


@pytest.mark.parametrize(
    ("request_options", "status", "code"),
    [
        ({"data": b'{"query":', "headers": {"content-type": "application/json"}}, 400, "MALFORMED_JSON"),
        ({"json": {}}, 400, "MISSING_QUERY"),
        ({"json": {"query": 1}}, 400, "BAD_REQUEST"),
        ({"json": {"query": "{ a }", "variables": []}}, 400, "BAD_REQUEST"),
        ({"json": [{"query": "{ __typename }"}]}, 400, "BATCHING_DISABLED"),
        ({"json": {"query": "{ nope }"}, "headers": GRAPHQL_RESPONSE}, 400, "GRAPHQL_VALIDATION_FAILED"),
        ({"json": {"query": "{ nope }"}}, 200, "GRAPHQL_VALIDATION_FAILED"),
        ({"json": {"query": "{"}, "headers": GRAPHQL_RESPONSE}, 400, "GRAPHQL_PARSE_FAILED"),
        (
            {
                "json": {"query": "query($s: Float!) { slow(seconds: $s) }", "variables": {"s": "x"}},
                "headers": GRAPHQL_RESPONSE,
            },
            400,
            "BAD_USER_INPUT",
        ),
        ({"data": b"{ __typename }", "headers": {"content-type": "text/plain"}}, 415, "UNSUPPORTED_MEDIA_TYPE"),
        (
            {"data": io.BytesIO(b" " * 10_485_760), "headers": {"content-type": "application/json"}},
            413,
            "REQUEST_TOO_LARGE",
        ),
        ({"json": {"query": "{ me { id } }"}, "headers": {"accept": "image/png"}}, 406, "NOT_ACCEPTABLE"),
        (
            {"json": {"query": "subscription { ticks(count: 1) { n } }"}, "headers": GRAPHQL_RESPONSE},
            406,
            "SUBSCRIPTION_NOT_SUPPORTED",
        ),
    ],
)
async def test_a_bad_request_gets_its_status_and_code(
    router: RunningRouter, request_options: dict[str, Any], status: int, code: str
) -> None:
    async with router.session.post(router.url, **request_options) as response:
        answer = await response.json(content_type=None)
        assert (response.status, answer["errors"][0]["extensions"]["code"]) == (status, code)
        assert "data" not in answer


@pytest.mark.parametrize(
    ("accept", "query", "content_type"),
    [
        ("text/html", "", "text/html"),
        ("application/json", "{ me { id } }", "application/json"),
        ("application/graphql-response+json", "{ me { id } }", "application/graphql-response+json"),
        ("application/graphql-response+json", "{ nope }", "application/graphql-response+json"),
        ("text/event-stream", "{ me { id } }", "text/event-stream"),
        ("multipart/mixed", "{ products { id ... @defer { name } } }", "multipart/mixed"),
        ("image/png", "{ me { id } }", "application/json"),  # the refusal
    ],
)
async def test_caches_are_told_that_an_answer_depends_on_what_was_accepted(
    start_router: StartRouter, accept: str, query: str, content_type: str
) -> None:
    headers = {"accept": accept, "apollo-require-preflight": "1", "origin": "http://localhost:3000"}
    async with start_router(dev=True, cors={"origins": ["http://localhost:3000"]}, compress_from_bytes=1) as router:
        async with router.session.get(router.url, params={"query": query}, headers=headers) as response:
            assert response.content_type == content_type
            varies = response.headers.getall("vary")
            assert {"accept", "origin"} <= set(varies)
            assert len(varies) == len(set(varies))
            # streams are not encoded
            assert ("accept-encoding" in varies) is (content_type not in ("text/event-stream", "multipart/mixed"))
        async with router.session.options(router.url, headers=headers) as preflight:
            assert preflight.headers.getall("vary") == ["origin"]


@pytest.mark.parametrize(
    "content_type",
    [
        'application/json;charset="UTF-8"',
        "APPLICATION/JSON ; Charset = utf8",
        'application/json; note="charset=latin-1"',
        "application/graphql-response+json",
    ],
)
async def test_a_content_type_is_read_with_its_parameters(router: RunningRouter, content_type: str) -> None:
    headers = {"content-type": content_type}
    async with router.session.post(router.url, data=b'{"query":"{ __typename }"}', headers=headers) as response:
        assert (response.status, await response.json(content_type=None)) == (200, {"data": {"__typename": "Query"}})


@pytest.mark.parametrize("coding", ["gzip", "br", "zstd"])
async def test_bodies_and_answers_are_compressed_as_both_sides_say(start_router: StartRouter, coding: str) -> None:
    body = encode(b'{"query":"{ products { name } }"}', coding)
    headers = {
        "content-type": "application/json",
        "content-encoding": coding,
        "accept-encoding": f"{coding}, identity;q=0",
    }
    async with (
        start_router(compress_from_bytes=1) as router,
        aiohttp.ClientSession(auto_decompress=False) as session,
        session.post(router.url, data=body, headers=headers) as response,
    ):
        assert response.headers["content-encoding"] == coding
        answer = orjson.loads(decode(await response.read(), coding, 10_000))
    assert answer == {"data": {"products": [{"name": "Product 1"}, {"name": "Product 2"}]}}


@pytest.mark.parametrize(
    ("body", "coding", "status", "code"),
    [
        (encode(b" " * 50_000_000, "gzip"), "gzip", 413, "REQUEST_TOO_LARGE"),
        (b"{}", "gzip", 400, "MALFORMED_CONTENT"),
        (b"{}", "deflate", 415, "UNSUPPORTED_MEDIA_TYPE"),
    ],
)
async def test_a_compressed_body_is_bounded_and_has_to_be_one(
    router: RunningRouter, body: bytes, coding: str, status: int, code: str
) -> None:
    headers = {"content-type": "application/json", "content-encoding": coding}
    async with router.session.post(router.url, data=body, headers=headers) as response:
        answer = await response.json(content_type=None)
    assert (response.status, answer["errors"][0]["extensions"]["code"]) == (status, code)


async def test_lines_of_one_header_are_one_list_to_us_and_to_subgraphs(start_router: StartRouter) -> None:
    lines = [("Accept", "image/png"), ("Accept", "application/json"), ("X-Tenant", "t1"), ("X-Tenant", "t2")]
    headers = CIMultiDict([*lines, ("Cookie", "a=1"), ("Cookie", "b=2"), ("Content-Type", "application/json")])
    async with (
        start_router(forward_headers=["x-tenant", "cookie"]) as router,
        router.session.post(router.url, data=b'{"query":"{ headers }"}', headers=headers) as response,
    ):
        assert response.status == 200
        told = (await response.json())["data"]["headers"]
    assert [each for each in told if each.startswith(("x-tenant", "cookie"))] == [
        "x-tenant: t1, t2",
        "cookie: a=1; b=2",
    ]


async def test_two_authorization_lines_are_nobody(router: RunningRouter) -> None:
    headers = CIMultiDict([("Authorization", token("u1")), ("Authorization", token("u2"))])
    async with router.session.post(router.url, json={"query": "{ me { id } }"}, headers=headers) as response:
        answer = await response.json()
        assert answer == {"data": {"me": None}}


BAD_TOKENS = {
    "EXPIRED": token(lifetime_seconds=-60),
    "INVALID": "Bearer nonsense",
}


@pytest.mark.parametrize("reason", BAD_TOKENS)
async def test_a_bad_token_is_an_error_only_where_a_field_needs_a_good_one(router: RunningRouter, reason: str) -> None:
    body = {"query": '{ me { id } user(id: "u2") { name email } }'}
    headers = {"authorization": BAD_TOKENS[reason]}
    async with router.session.post(router.url, json=body, headers=headers) as response:
        assert response.status == 200
        assert response.headers["www-authenticate"] == 'Bearer error="invalid_token"'
        answer = await response.json()
    assert answer["data"] == {"me": None, "user": {"name": "Ben", "email": None}}
    assert [(each["path"], each["extensions"]) for each in answer["errors"]] == [
        (["user", "email"], {"code": "UNAUTHENTICATED", "reason": reason, "coordinate": "User.email"})
    ]


async def test_a_bad_token_blocks_no_mutation_that_needs_none(router: RunningRouter) -> None:
    headers = {"authorization": BAD_TOKENS["EXPIRED"]}
    body = {"query": 'mutation { rename(name: "Ann") { name } }'}  # it answers null to nobody
    async with router.session.post(router.url, json=body, headers=headers) as response:
        assert (response.status, await response.json()) == (200, {"data": {"rename": None}})


async def test_a_refused_token_goes_to_no_subgraph_which_hears_why_from_the_router_alone(router: RunningRouter) -> None:
    async def told(**headers: str) -> list[str]:
        body = {"query": "{ headers }"}
        async with router.session.post(router.url, json=body, headers=headers) as response:
            lines = (await response.json())["data"]["headers"]
        return [each for each in lines if each.startswith(("authorization", "x-token-refused"))]

    assert await told(authorization=BAD_TOKENS["INVALID"]) == ["x-token-refused: INVALID"]
    assert await told(authorization=BAD_TOKENS["EXPIRED"]) == ["x-token-refused: EXPIRED"]
    assert await told(**{"x-token-refused": "EXPIRED"}) == []


async def test_a_graph_that_needs_a_caller_for_everything_answers_401_and_says_why(start_router: StartRouter) -> None:
    async with start_router(jwt={"keys": [{"secret": SECRET}], "required": True}) as router:
        for authorization, reason in ((None, "NO_TOKEN"), *((each, why) for why, each in BAD_TOKENS.items())):
            headers = {} if authorization is None else {"authorization": authorization}
            body = {"query": '{ user(id: "u2") { name } }'}
            async with router.session.post(router.url, json=body, headers=headers) as response:
                assert response.status == 401
                extensions = (await response.json())["errors"][0]["extensions"]
            assert extensions == {"code": "UNAUTHENTICATED", "reason": reason}


async def test_other_methods_are_told_what_is_allowed(router: RunningRouter) -> None:
    async with router.session.put(router.url, json={}) as response:
        assert (response.status, response.headers["allow"]) == (405, "GET, HEAD, POST, OPTIONS")


async def test_get_runs_queries_and_refuses_mutations(router: RunningRouter, shop: Shop) -> None:
    async with router.session.get(router.url, params={"query": '{ user(id: "u2") { name } }'}) as response:
        assert await response.json() == {"data": {"user": {"name": "Ben"}}}
    mutation = {"query": 'mutation { rename(name: "Eve") { name } }'}
    async with router.session.get(router.url, params=mutation, headers={"authorization": token()}) as response:
        assert response.status == 405
    assert shop.names["u1"] == "Ann"


async def test_the_subgraph_gets_the_token_and_the_trace_but_no_cookie(router: RunningRouter) -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    authorization = token()
    answer = await router.ask("{ headers }", authorization=authorization, traceparent=trace, cookie="a=b")
    received = dict(line.split(": ", 1) for line in answer["data"]["headers"])
    assert received["authorization"] == authorization
    assert received["traceparent"] == trace
    assert "cookie" not in received


async def test_long_answers_are_compressed_for_those_who_can_read_them(start_router: StartRouter) -> None:
    async with start_router(compress_from_bytes=10) as router:
        router.session._auto_decompress = False  # to see the bytes that were sent
        body = {"query": "{ products { name } }"}
        headers = {"accept-encoding": "gzip"}
        async with router.session.post(router.url, json=body, headers=headers) as response:
            assert response.headers["content-encoding"] == "gzip"
            packed = await response.read()
        async with router.session.post(router.url, json=body, headers={"accept-encoding": "identity"}) as response:
            assert "content-encoding" not in response.headers
            assert gzip.decompress(packed) == await response.read()


async def test_a_long_answer_is_compressed_beside_the_event_loop(
    start_router: StartRouter, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Brotli takes a second for what a response may have at most, and nobody else would be answered meanwhile."""
    threads: list[int] = []

    def noted(body: bytes, coding: str) -> bytes:
        threads.append(threading.get_ident())
        return encode(body, coding)

    monkeypatch.setattr("router.server.graphql_http.encode", noted)
    async with start_router(compress_from_bytes=1) as router:
        for length, is_on_the_loop in ((1_000, True), (MOST_CODED_ON_THE_LOOP + 1, False)):
            threads.clear()
            shop.names["u2"] = "x" * length
            answer = await router.ask('{ user(id: "u2") { name } }', **{"accept-encoding": "br"})
            assert answer == {"data": {"user": {"name": shop.names["u2"]}}}
            assert [each == threading.get_ident() for each in threads] == [is_on_the_loop]


async def test_a_batch_is_answered_in_order_up_to_its_bound(start_router: StartRouter) -> None:
    async with start_router(batching={"enabled": True, "max_size": 2}) as router:
        batch = [{"query": '{ user(id: "u1") { name } }'}, {"query": "{ nope }"}]
        async with router.session.post(router.url, json=batch) as response:
            first, second = await response.json()
            assert first == {"data": {"user": {"name": "Ann"}}}
            assert second["errors"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
        async with router.session.post(router.url, json=[*batch, batch[0]]) as response:
            assert (await response.json())["errors"][0]["extensions"]["code"] == "BATCH_TOO_LARGE"


async def test_a_page_of_another_origin_is_allowed_by_name_only(start_router: StartRouter) -> None:
    async with start_router(cors={"origins": ["https://app.example"], "credentials": True}) as router:
        preflight = {"origin": "https://app.example", "access-control-request-method": "POST"}
        async with router.session.options(router.url, headers=preflight) as response:
            assert response.status == 204
            assert response.headers["access-control-allow-origin"] == "https://app.example"
            assert "authorization" in response.headers["access-control-allow-headers"]
        async with router.session.options(
            router.url, headers={**preflight, "origin": "https://evil.example"}
        ) as response:
            assert "access-control-allow-origin" not in response.headers


async def test_an_answer_that_takes_too_long_is_given_up(start_router: StartRouter) -> None:
    async with (
        start_router(request_timeout_seconds=0.2) as router,
        router.session.post(router.url, json={"query": "{ slow(seconds: 5) }"}) as response,
    ):
        assert response.status == 504
        assert (await response.json())["errors"][0]["extensions"]["code"] == "REQUEST_TIMEOUT"


async def test_a_client_that_leaves_takes_its_request_along(router: RunningRouter, shop: Shop) -> None:
    request = asyncio.create_task(router.ask("{ slow(seconds: 30) }"))
    await asyncio.sleep(0.5)
    request.cancel()
    async with asyncio.timeout(60):
        while (health := router.app.monitor.health.get("catalog")) is None:
            await asyncio.sleep(0.02)
    assert (health.requests, health.failures) == (1, 0)  # cut off by us, which is not the subgraph's failure


async def test_the_plan_is_shown_in_development_to_those_who_ask(start_router: StartRouter) -> None:
    async with start_router(dev=True) as router:
        answer = await router.ask("{ products { inStock } }", **{"x-query-plan": "1"})
        node = answer["extensions"]["queryPlan"]["node"]
        assert [each["serviceName"] for each in node["nodes"]] == ["catalog", "stock"]
        assert "extensions" not in await router.ask("{ products { inStock } }")
    async with start_router() as router:
        assert "extensions" not in await router.ask("{ products { inStock } }", **{"x-query-plan": "1"})


@pytest.mark.parametrize(
    ("query", "location"),
    [
        ("{ __schema { queryType { name } } }", {"line": 1, "column": 3}),
        ('query Q { ...A }\nfragment A on Query { a: __type(name: "User") { name } }', {"line": 2, "column": 23}),
        ("{ ... @defer { __schema { queryType { name } } } }", {"line": 1, "column": 16}),
        ("{ __schema { queryType { name } } }" + " " * 20_000, {"line": 1, "column": 3}),  # planned elsewhere
    ],
)
async def test_a_graph_without_introspection_tells_nothing_of_its_schema(
    start_router: StartRouter, query: str, location: dict[str, int]
) -> None:
    accept = {"accept": "multipart/mixed, application/graphql-response+json"}
    async with start_router(introspection=False, dev=True) as router:
        async with router.session.post(router.url, json={"query": query}, headers=accept) as response:
            assert response.status == 400
            assert await response.json(content_type=None) == {
                "errors": [
                    {
                        "message": "This graph does not tell its schema: introspection is switched off.",
                        "locations": [location],
                        "extensions": {"code": "INTROSPECTION_DISABLED"},
                    }
                ]
            }
        assert await router.ask("{ __typename }") == {"data": {"__typename": "Query"}}
        async with router.session.get(router.url, headers={"accept": "text/html"}) as response:
            assert response.status == 406  # no GraphiQL, which lives on introspection


async def test_a_deferred_introspection_is_answered_later(router: RunningRouter) -> None:
    accept = {"accept": "multipart/mixed, application/json"}
    query = "{ ... @defer { __schema { queryType { name } } } }"
    async with router.session.post(router.url, json={"query": query}, headers=accept) as response:
        assert response.content_type == "multipart/mixed"
        first, later = (await response.text()).split("\r\n---\r\n")[1:]
        assert '"data":{},"pending":[{"id":"0","path":[]}]' in first
        assert '"data":{"__schema":{"queryType":{"name":"Query"}}}' in later


async def test_a_caller_over_the_rate_is_told_when_to_come_back(start_router: StartRouter) -> None:
    async with start_router(limits={"rate": "2/day"}) as router:
        for _ in range(2):
            assert "errors" not in await router.ask("{ __typename }", authorization=token("u1"))
        async with router.session.post(
            router.url, json={"query": "{ __typename }"}, headers={"authorization": token("u1")}
        ) as response:
            assert response.status == 429
            assert int(response.headers["retry-after"]) >= 1
        assert "errors" not in await router.ask("{ __typename }", authorization=token("u2"))


async def test_equal_queries_at_the_same_time_run_once_and_callers_never_share(
    start_router: StartRouter, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs: list[Any] = []
    respond = pipeline.respond

    async def counted(prepared: PreparedRequest) -> Response:
        runs.append(prepared.variables)
        return await respond(prepared)

    monkeypatch.setattr(pipeline, "respond", counted)
    query = "query($s: Float!) { slow(seconds: $s) me { name } }"
    ann, ben = token("u1"), token("u2")

    async def ask_all(router: RunningRouter) -> list[str]:
        answers = await asyncio.gather(
            *(
                router.ask(query, {"s": 0.1}, authorization=who, **{"x-request-id": f"request {number}"})
                for number, who in enumerate((ann, ben, ann, ann, ben))
            )
        )
        return [answer["data"]["me"]["name"] for answer in answers]

    async with start_router() as router:
        assert await ask_all(router) == ["Ann", "Ben", "Ann", "Ann", "Ben"]
        assert len(runs) == 2
    async with start_router(share_identical_requests=False) as router:
        assert await ask_all(router) == ["Ann", "Ben", "Ann", "Ann", "Ben"]
        assert len(runs) == 2 + 5


async def test_a_body_that_does_not_arrive_is_not_waited_for(start_router: StartRouter) -> None:
    async with start_router(request_timeout_seconds=0.2) as router:
        reader, writer = await asyncio.open_connection("127.0.0.1", router.port)
        writer.write(
            b"POST /graphql HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 90\r\n\r\n{"
        )
        async with asyncio.timeout(60):
            assert (await reader.readline()).startswith(b"HTTP/1.1 408")
        writer.close()


async def test_a_subgraph_without_an_address_is_told_at_start(
    start_router: StartRouter, shop: Shop, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "supergraph.graphql").write_text(re.sub(r'(name: "catalog", url: ")[^"]*', r"\1", shop.supergraph))
    async with start_router():
        told = capsys.readouterr().out
    async with start_router(subgraphs={"catalog": {"url": "http://127.0.0.1:1/graphql"}}):
        told_with_one = capsys.readouterr().out
    assert told.count("subgraph_without_address") == 1
    assert "catalog" in told
    assert "subgraph_without_address" not in told_with_one


async def test_names_that_the_graph_does_not_have_are_told_at_start(
    start_router: StartRouter, capsys: pytest.CaptureFixture[str]
) -> None:
    settings: dict[str, Any] = {
        "subgraphs": {"Catalogue": {"headers": {"x": "y"}}},
        "traffic_shaping": {"subgraphs": {"catalog": {"timeout_seconds": 1}, "shop": {}}},
        "override_labels": {"gone": True},
    }
    async with start_router(**settings):
        told = [line for line in capsys.readouterr().out.splitlines() if "setting_names_nothing_in_the_graph" in line]
    assert len(told) == 3
    assert ["Catalogue" in told[0], "shop" in told[1] and "catalog" not in told[1], "gone" in told[2]] == [True] * 3
