"""Extensions through the whole router: loaded by path and by name, at every stage, and refused where they cannot work."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from router.errors import RequestError, SubgraphHttpError
from router.pipeline import Response
from router.prepared_request import OperationRequest
from router.query_plan import QueryPlan, Sequence
from router.server import extensions
from router.server.extensions import load_extensions
from router.settings import SettingsError
from router.transport.protocol import SubgraphAnswer, SubgraphRequest
from tests.testkit.running_router import RunningRouter, StartRouter, token

PRODUCTS = "{ products { name inStock } }"


class Forbidden(RequestError):  # noqa: N818 - as an extension would name it
    code = "NOT_ON_SUNDAYS"
    status = 403


class Watching:
    """Notes what it sees; a header of the client's decides what it does."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    async def on_request(self, request: OperationRequest) -> OperationRequest:
        self.seen.append("request")
        if "sunday" in request.query:
            raise Forbidden("The shop is closed.")
        text = request.query.replace("wares", "products")
        return replace(request, query=text, headers=(*request.headers, ("x-seen", "yes")))

    async def on_subgraph_request(self, request: SubgraphRequest) -> SubgraphRequest:
        self.seen.append(f"asks {request.subgraph}")
        if request.subgraph == "stock" and ("x-break", "stock") in request.headers:
            raise SubgraphHttpError("Not today.", "stock")
        return replace(request, headers=(*request.headers, ("x-for", request.subgraph)))

    async def on_subgraph_answer(self, request: SubgraphRequest, answer: SubgraphAnswer) -> SubgraphAnswer:
        self.seen.append(f"{request.subgraph} answers")
        return replace(answer, body=answer.body.replace(b"Product 1", b"Product One"))

    async def on_response(self, request: OperationRequest, response: Response) -> Response:
        self.seen.append("response")
        return replace(response, headers=(*response.headers, ("x-length", str(len(request.query)))))


@pytest.fixture
def watching(monkeypatch: pytest.MonkeyPatch) -> Watching:
    own = Watching()
    monkeypatch.setitem(sys.modules, "shop_extension", SimpleNamespace(watching=own))  # type: ignore[arg-type]
    return own


async def test_each_stage_sees_the_request_and_may_change_it(start_router: StartRouter, watching: Watching) -> None:
    async with start_router(extensions=["shop_extension:watching"]) as router:
        query = PRODUCTS.replace("products", "wares")
        async with router.session.post(router.url, json={"query": query}) as response:
            answer = await response.json()
            assert response.headers["x-length"] == str(len(PRODUCTS))
        told = (await router.ask("{ headers }"))["data"]["headers"]
    assert answer["data"]["products"][0] == {"name": "Product One", "inStock": 10}
    stages = ["request", "asks catalog", "catalog answers", "asks stock", "stock answers", "response"]
    assert watching.seen[:6] == stages
    assert {"x-seen: yes", "x-for: accounts"} <= set(told)


async def test_a_refusal_has_the_extensions_code(start_router: StartRouter, watching: Watching) -> None:
    async with (
        start_router(extensions=["shop_extension:watching"]) as router,
        router.session.post(router.url, json={"query": "{ sunday }"}) as response,
    ):
        assert response.status == 403
        assert (await response.json())["errors"][0]["extensions"]["code"] == "NOT_ON_SUNDAYS"
    assert watching.seen == ["request"]


async def test_a_subgraph_that_an_extension_stops_has_failed(start_router: StartRouter, watching: Watching) -> None:
    async with start_router(extensions=["shop_extension:watching"], forward_headers=["x-break"]) as router:
        answer = await router.ask(PRODUCTS, **{"x-break": "stock"})
    assert answer["data"] is None
    assert answer["errors"][0]["message"] == "Not today."


async def test_an_extension_is_a_file_or_an_entry_point_too(router: RunningRouter, tmp_path: Path) -> None:
    file = tmp_path / "own.py"
    file.write_text("async def on_response(request, response): return response\n")
    loaded = load_extensions([str(file)])
    assert not loaded.watch_subgraphs
    response: Any = object()
    assert await loaded.response(OperationRequest("{ a }"), response) is response
    assert router.app.settings.extensions == ()


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("x = 1", "has none of"),
        ("def on_request(request): return request", "not an async function"),
        ("raise RuntimeError('no')", "cannot be loaded"),
        ("syntax error", "cannot be loaded"),
    ],
)
def test_an_extension_that_cannot_work_is_refused_at_start(tmp_path: Path, text: str, complaint: str) -> None:
    file = tmp_path / "own.py"
    file.write_text(text)
    with pytest.raises(SettingsError, match=complaint):
        load_extensions([str(file)])
    with pytest.raises(SettingsError, match="cannot be loaded"):
        load_extensions(["no_such_module"])


class Planning:
    """Looks at plans and events; refuses what asks more than one subgraph."""

    async def on_plan(self, request: OperationRequest, plan: QueryPlan) -> None:
        if isinstance(plan.node, Sequence):
            raise Forbidden(f"{request.query} asks one subgraph after another.")

    async def on_event(self, request: OperationRequest, body: bytes) -> bytes | None:
        assert "ticks" in request.query
        return None if b'"n":1' in body else body.replace(b'"n"', b'"number"')


async def test_plans_can_be_refused_and_events_changed_or_kept_back(
    start_router: StartRouter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "planning_extension", SimpleNamespace(own=Planning()))  # type: ignore[arg-type]
    async with start_router(extensions=["planning_extension:own"]) as router:
        assert "errors" not in await router.ask("{ products { name } }")
        refused = await router.ask(PRODUCTS)
        assert refused["errors"][0]["extensions"]["code"] == "NOT_ON_SUNDAYS"
        async with router.session.ws_connect(router.url, protocols=["graphql-transport-ws"]) as socket:
            await socket.send_json({"type": "connection_init"})
            assert (await socket.receive_json())["type"] == "connection_ack"
            query = "subscription { ticks(count: 3) { n } }"
            await socket.send_json({"id": "1", "type": "subscribe", "payload": {"query": query}})
            told = [await socket.receive_json() for _ in range(3)]
        assert [each.get("payload") for each in told] == [
            {"data": {"ticks": {"number": 0}}},
            {"data": {"ticks": {"number": 2}}},
            None,
        ]


async def test_the_example_of_the_readme_does_what_it_says(start_router: StartRouter, tmp_path: Path) -> None:
    readme = (Path(extensions.__file__).parents[1] / "README.md").read_text()
    (example,) = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
    (tmp_path / "closing.py").write_text(example)
    async with start_router(
        extensions=[str(tmp_path / "closing.py")], forward_headers=["x-tenant", "authorization"]
    ) as router:
        for authorization, tenant in ((token("u1"), "u1"), ("", "nobody")):
            body, headers = {"query": "{ headers }"}, {"authorization": authorization}
            async with router.session.post(router.url, json=body, headers=headers) as response:
                told = (await response.json())["data"]["headers"]
                assert response.headers["x-served-by"] == "the shop"
            assert f"x-tenant: {tenant}" in told
        body, headers = {"query": "{ headers }"}, {"authorization": token("u1", roles=["guest"])}
        async with router.session.post(router.url, json=body, headers=headers) as response:
            answer = await response.json()
        assert answer["errors"][0]["extensions"]["code"] == "CLOSED"
