"""A subgraph as a process is spoken to: GraphQL over HTTP, its streams, probes, metrics and masked errors."""

import asyncio
import io
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import aiohttp
import orjson
import pytest
import uvicorn
from sqlalchemy import text

from subgraphs.app import SubgraphApp
from subgraphs.database import migrate
from subgraphs.graphql_http import LARGEST_BODY_BYTES
from subgraphs.settings import Settings
from subgraphs.users.app import create_app
from tests.testkit.servers import Broker, Postgres, Valkey, free_port
from tests.testkit.subgraph import SECRET, sign_token

JSON = {"content-type": "application/json"}
NEWER = JSON | {"accept": "application/graphql-response+json"}


@dataclass(frozen=True)
class Running:
    app: SubgraphApp
    url: str
    client: aiohttp.ClientSession

    async def post(self, body: Any, **headers: str) -> tuple[int, str, Any]:
        """Status, media type and parsed answer."""
        data = io.BytesIO(body if isinstance(body, bytes) else orjson.dumps(body))
        async with self.client.post(f"{self.url}/graphql", data=data, headers=JSON | headers) as response:
            return response.status, response.content_type, orjson.loads(await response.read())

    async def get(self, path: str) -> tuple[int, bytes]:
        async with self.client.get(self.url + path) as response:
            return response.status, await response.read()


@pytest.fixture(scope="module")
async def users(postgres: Postgres, valkey: Valkey, broker: Broker) -> AsyncIterator[Running]:
    url = postgres.create_database("users_app")
    await migrate("users", url)
    settings = Settings(
        subgraph="users",
        database_url=url,
        jwt_secret=SECRET,
        redis_url=valkey.url,
        kafka_bootstrap_servers=broker.bootstrap_servers,
        kafka_idempotent=False,
        kafka_fetch_max_wait_ms=20,
        log_level="ERROR",
    )
    async with running(settings) as subgraph:
        yield subgraph


class running:  # noqa: N801 - used as a function
    """The users subgraph under uvicorn, on a free port."""

    def __init__(self, settings: Settings) -> None:
        self._app = create_app(settings)
        self._port = free_port()
        self._server = uvicorn.Server(
            uvicorn.Config(self._app, port=self._port, log_config=None, ws="websockets-sansio")  # type: ignore[arg-type]
        )

    async def __aenter__(self) -> Running:
        self._task = asyncio.create_task(self._server.serve())
        while not self._server.started:
            await asyncio.sleep(0.01)
        self._client = aiohttp.ClientSession()
        return Running(self._app, f"http://127.0.0.1:{self._port}", self._client)

    async def __aexit__(self, *_: object) -> None:
        await self._client.close()
        self._server.should_exit = True
        await self._task


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b'{"query": ', 400, "BAD_REQUEST"),
        (b"[]", 400, "BAD_REQUEST"),
        ({"query": ""}, 400, "BAD_REQUEST"),
        ({"query": 7}, 400, "BAD_REQUEST"),
        ({"query": "{ me { id } }", "variables": []}, 400, "BAD_REQUEST"),
        ({"query": "{ me { id } }", "operationName": 1}, 400, "BAD_REQUEST"),
        ({"query": "query a { me { id } }", "operationName": "b"}, 400, "OPERATION_RESOLUTION_FAILURE"),
        ({"query": "{ me { "}, 400, "GRAPHQL_PARSE_FAILED"),
        ({"query": "{ shoeSize }"}, 400, "GRAPHQL_VALIDATION_FAILED"),
        ({"query": "query ($id: ID!) { user(id: $id) { id } }"}, 400, "BAD_USER_INPUT"),
        ({"query": "{ me { id } }"}, 200, "UNAUTHENTICATED"),
        (b" " * (LARGEST_BODY_BYTES + 1), 413, "PAYLOAD_TOO_LARGE"),
    ],
)
async def test_bad_requests_are_told_what_is_wrong(users: Running, body: Any, status: int, code: str) -> None:
    answered, media_type, answer = await users.post(body, accept="application/graphql-response+json")
    assert (answered, media_type) == (status, "application/graphql-response+json")
    assert answer["errors"][0]["extensions"]["code"] == code


async def test_clients_of_the_older_media_type_get_200_for_what_was_a_request(users: Running) -> None:
    status, media_type, answer = await users.post({"query": "{ shoeSize }"})
    assert (status, media_type) == (200, "application/json")
    assert answer["data"] is None
    assert answer["errors"][0]["locations"] == [{"line": 1, "column": 3}]


async def test_methods_and_media_types_that_are_not_spoken_are_refused(users: Running) -> None:
    async with users.client.get(f"{users.url}/graphql?query={{me{{id}}}}") as response:
        assert (response.status, response.headers["allow"]) == (405, "POST")
    async with users.client.post(
        f"{users.url}/graphql", data=b"{}", headers={"content-type": "text/plain"}
    ) as response:
        assert response.status == 415


@pytest.mark.parametrize("header", ["Bearer nonsense", "Basic abc", "Bearer "])
async def test_a_bad_token_is_an_error_and_not_an_anonymous_caller(users: Running, header: str) -> None:
    _, _, answer = await users.post({"query": "{ me { id } }"}, authorization=header)
    assert answer["errors"][0]["extensions"] == {"code": "UNAUTHENTICATED"}


async def test_our_own_failures_are_masked(users: Running) -> None:
    async with users.app.resources.database.transaction() as transaction:
        await transaction.execute(text("ALTER TABLE account RENAME TO hidden"))
    try:
        authorization = f"Bearer {sign_token('somebody')}"
        _, _, answer = await users.post({"query": "{ me { id } }"}, authorization=authorization)
    finally:
        async with users.app.resources.database.transaction() as transaction:
            await transaction.execute(text("ALTER TABLE hidden RENAME TO account"))

    (error,) = answer["errors"]
    assert error["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
    assert error["extensions"]["errorId"] in error["message"]
    assert "account" not in str(answer)


async def test_health_tells_of_every_part(users: Running) -> None:
    assert (await users.get("/live"))[0] == 200
    assert (await users.get("/ready"))[0] == 200
    status, body = await users.get("/actuator/health")
    up = {"status": "UP"}
    assert (status, orjson.loads(body)) == (
        200,
        {"status": "UP", "components": {"db": up, "redis": up, "kafka": up, "diskSpace": up, "ping": up}},
    )


async def test_metrics_have_the_names_that_dashboards_ask_for(users: Running) -> None:
    await users.post({"query": "{ __typename }"})
    _, body = await users.get("/actuator/prometheus")
    for name in (
        b"http_server_requests_seconds_bucket{",
        b"hikaricp_connections_active{",
        b"outbox_oldest_age_seconds",
    ):
        assert name in body


async def test_a_registered_user_reaches_the_broker(users: Running) -> None:
    given = {"email": "relay@example.com", "password": "Password123!", "displayName": "Some Body"}
    register = "mutation ($input: RegisterInput!) { register(input: $input) { user { id } } }"
    _, _, answer = await users.post({"query": register, "variables": {"input": given}})
    user_id = answer["data"]["register"]["user"]["id"]

    statement = text("SELECT published_at FROM outbox WHERE key = :id")
    async with asyncio.timeout(20):
        while True:
            async with users.app.resources.database.reading() as connection:
                if await connection.scalar(statement, {"id": user_id}) is not None:
                    return
            await asyncio.sleep(0.05)


async def test_a_session_that_ended_is_refused_by_other_processes(users: Running) -> None:
    given = {"email": "leaver@example.com", "password": "Password123!", "displayName": "Some Body"}
    register = "mutation ($input: RegisterInput!) { register(input: $input) { accessToken } }"
    _, _, answer = await users.post({"query": register, "variables": {"input": given}})
    authorization = f"Bearer {answer['data']['register']['accessToken']}"

    async with running(users.app.resources.settings) as other:
        _, _, before = await other.post({"query": "{ me { id } }"}, authorization=authorization)
        assert "errors" not in before
        await users.post({"query": "mutation { logout { success } }"}, authorization=authorization)
        async with asyncio.timeout(5):
            while True:
                _, _, after = await other.post({"query": "{ me { id } }"}, authorization=authorization)
                if "errors" in after:
                    break
                await asyncio.sleep(0.02)
        assert after["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    # one that starts later hears of it as well
    async with running(users.app.resources.settings) as later, asyncio.timeout(5):
        while "errors" not in (await later.post({"query": "{ me { id } }"}, authorization=authorization))[2]:
            await asyncio.sleep(0.02)


async def test_too_many_wrong_passwords_make_a_pause(users: Running) -> None:
    login = "mutation ($input: LoginInput!) { login(input: $input) { accessToken } }"
    given = {"email": "guessed@example.com", "password": "Guess123!"}
    codes = []
    for _ in range(11):
        _, _, answer = await users.post({"query": login, "variables": {"input": given}})
        codes.append(answer["errors"][0]["extensions"]["code"])
    assert codes == ["UNAUTHENTICATED"] * 10 + ["RATE_LIMITED"]
    assert 0 < answer["errors"][0]["extensions"]["retryAfterSeconds"] <= 300


async def test_a_websocket_takes_the_token_with_its_first_message(users: Running) -> None:
    url = f"{users.url}/graphql"
    async with users.client.ws_connect(url, protocols=["graphql-transport-ws"]) as socket:
        await socket.send_json({"type": "connection_init", "payload": {"Authorization": f"Bearer {sign_token('ws')}"}})
        assert (await socket.receive_json())["type"] == "connection_ack"
        await socket.send_json({"id": "1", "type": "subscribe", "payload": {"query": '{ user(id: "ws") { id } }'}})
        message = await socket.receive_json()
        assert (message["type"], message["payload"]["data"]) == ("next", {"user": None})
    async with users.client.ws_connect(url, protocols=["graphql-transport-ws"]) as socket:
        await socket.send_json({"type": "connection_init", "payload": {"Authorization": "Bearer nonsense"}})
        closed = await socket.receive()
        assert (closed.type, closed.data) == (aiohttp.WSMsgType.CLOSE, 4403)


async def test_answers_come_as_server_sent_events_to_who_asks_for_them(users: Running) -> None:
    headers = JSON | {"accept": "text/event-stream"}
    async with users.client.post(f"{users.url}/graphql", json={"query": "{ __typename }"}, headers=headers) as response:
        assert (response.status, response.content_type) == (200, "text/event-stream")
        assert b'"__typename":"Query"' in await response.read()
