"""A subgraph as a process is spoken to: GraphQL over HTTP, its streams, probes, metrics and masked errors."""

import asyncio
import io
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import orjson
import pytest
from sqlalchemy import text

from events.kafka_settings import KafkaSettings
from router.server.side_server import accepting
from router.server.workers import bound_socket
from subgraphs.shell.app import SubgraphApp
from subgraphs.shell.command_line import server_config
from subgraphs.shell.database import migrate
from subgraphs.shell.graphql_http import LARGEST_BODY_BYTES
from subgraphs.shell.settings import Settings
from subgraphs.users.app import create_app
from subgraphs.users.commands import session
from subgraphs.users.commands.attempts import Pace
from tests.testkit.event_pipeline import eventually
from tests.testkit.servers import Broker, Postgres, Valkey, free_port
from tests.testkit.strawberry_shop import serving
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
        kafka=KafkaSettings(broker.bootstrap_servers, idempotent=False, fetch_max_wait_ms=20),
        log_level="ERROR",
    )
    async with running(settings) as subgraph:
        yield subgraph


@asynccontextmanager
async def running(settings: Settings, make: Callable[[Settings], SubgraphApp] = create_app) -> AsyncIterator[Running]:
    """A subgraph on a free port, behind the protocol that its process has: users, unless another one is made."""
    app = make(settings)
    http: Any = server_config(app, "127.0.0.1", 0, settings, app).http
    async with serving(app, http=http) as port, aiohttp.ClientSession() as client:
        yield Running(app, f"http://127.0.0.1:{port}", client)


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


class CountsWhole:
    """The application, for requests that arrive whole."""

    def __init__(self, app: SubgraphApp) -> None:
        self.takes = app.takes
        self._app = app
        self.answered = 0

    def answer(self, request: Any) -> Any:
        self.answered += 1
        return self._app.answer(request)


STREAM = '{"query": "{ __typename }"}'
WHOLE = [
    (JSON, '{"query": "{ me { id } }"}', 200),
    (NEWER, '{"query": "{ me { id } }"}', 200),
    (NEWER, '{"query": "{ me { nothing } }"}', 400),
    (JSON, '{"query": "{ __typename }", "operationName": "none"}', 400),
    (JSON, '{"query": "subscription { __typename }"}', 400),
    (JSON, '{"query": ', 400),
    (JSON, "[]", 400),
    (JSON, "", 400),
    ({"content-type": "text/plain"}, STREAM, 415),
    (JSON | {"accept": "text/event-stream"}, STREAM, 200),
    (JSON | {"x-deadline-ms": "0"}, '{"query": "{ __typename }"}', 504),
]


async def test_a_request_that_arrives_whole_is_answered_as_one_in_pieces(users: Running) -> None:
    counted: Any = CountsWhole(users.app)
    config = server_config(users.app, "127.0.0.1", 0, users.app.resources.settings, counted)
    config.lifespan = "off"  # the application runs already
    with bound_socket("127.0.0.1", 0, is_shared=False) as listener:
        async with accepting((config, listener)):
            port = listener.getsockname()[1]
            for headers, text, status in WHOLE:
                body = text.encode()
                lines = {"host": "here", **headers, "content-length": str(len(body)), "connection": "close"}
                head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
                begin = f"POST /graphql HTTP/1.1\r\n{head}\r\n".encode()
                before = counted.answered
                whole = await _exchanged(port, begin + body)
                assert counted.answered == before + 1
                pieces = await _exchanged(port, begin, body)
                assert counted.answered == before + 1 + (not body)  # a head without a body is whole
                assert whole == pieces
                assert whole[0] == status, text


async def _exchanged(port: int, *pieces: bytes) -> tuple[int, list[bytes], bytes]:
    """Status, headers and body of the answer to what is sent with pauses between."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for piece in pieces:
        writer.write(piece)
        await asyncio.sleep(0.05)
    answer = await reader.read()
    writer.close()
    head, _, body = answer.partition(b"\r\n\r\n")
    line, *headers = head.lower().split(b"\r\n")
    return int(line.split()[1]), sorted(each for each in headers if not each.startswith(b"date:")), body


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
    assert answer["errors"][0]["extensions"] == {"code": "UNAUTHENTICATED", "reason": "INVALID"}


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

    async def is_up() -> bool:  # a loop that read a table while it had another name, in a test before, tries again
        return (await users.get("/actuator/health"))[0] == 200

    await eventually(is_up, within_seconds=30)
    health = orjson.loads((await users.get("/actuator/health"))[1])
    assert health["status"] == "UP"
    assert {name: component["status"] for name, component in health["components"].items()} == dict.fromkeys(
        (
            "db",
            "redis",
            "kafka",
            "diskSpace",
            "ping",
            "fanout",
            "clock",
            "revocations",
            "revocation-news",
            "grant-news",
            "clocks",
            "unused-connections",
            "retention",
            "settle_changes",
            "tell_measurements_of_before",
            "withdrawn-accounts",
            "relay",
            "reminders",
            "second-factors",
            "consumer:users-notifications",
            "consumer:users-plans",
        ),
        "UP",
    )
    assert set(health["components"]["relay"]["details"]) == {"secondsSinceProgress", "restarts"}


async def test_a_dead_primary_behind_a_live_replica_is_not_up_and_reads_go_on(postgres: Postgres) -> None:
    url = postgres.create_database("users_replica_only")
    await migrate("users", url)
    nobody = f"postgresql://nobody@127.0.0.1:{free_port()}/users"
    settings = Settings(
        subgraph="users", database_url=nobody, database_replica_url=url, jwt_secret=SECRET, log_level="CRITICAL"
    )
    async with running(settings) as subgraph:
        status, body = await subgraph.get("/actuator/health")
        components = orjson.loads(body)["components"]
        assert (status, components["db"]["status"], components["dbReader"]["status"]) == (503, "DOWN", "UP")
        assert (await subgraph.get("/ready"))[0] == 200
        subgraph.app.begin_draining()
        assert (await subgraph.get("/ready"))[0] == 503


async def test_a_stopped_broker_shows_in_health_and_the_waiting_events_in_the_metrics(postgres: Postgres) -> None:
    own_broker = Broker()
    own_broker.start()
    url = postgres.create_database("users_stopped_broker")
    await migrate("users", url)
    settings = Settings(
        subgraph="stopped",
        database_url=url,
        jwt_secret=SECRET,
        kafka=KafkaSettings(own_broker.bootstrap_servers, idempotent=False),
        log_level="ERROR",
    )
    try:
        async with running(settings) as subgraph:
            await _until(subgraph, lambda status, _: status == 200)
            own_broker.pause()
            given = {"email": "waits@example.com", "password": "Password123!", "displayName": "Some Body"}
            register = "mutation ($input: RegisterInput!) { register(input: $input) { user { id } } }"
            _, _, answer = await subgraph.post({"query": register, "variables": {"input": given}})
            assert "errors" not in answer  # events wait, people do not
            down = await _until(subgraph, lambda _, health: health["components"]["relay"]["status"] == "DOWN")
            assert down["components"]["kafka"]["status"] == "DOWN"
            ages = []
            for _ in range(2):
                await asyncio.sleep(0.3)
                _, body = await subgraph.get("/actuator/prometheus")
                lines = [line.split() for line in body.decode().splitlines()]
                values = {name: float(value) for name, value in (line for line in lines if len(line) == 2)}
                assert values['outbox_unpublished{service="stopped"}'] == 1
                assert values['background_loop_up{loop="relay",service="stopped"}'] == 0
                ages.append(values['outbox_oldest_age_seconds{service="stopped"}'])
            assert 0 < ages[0] < ages[1]
            own_broker.resume()
            await _until(subgraph, lambda status, _: status == 200)
    finally:
        own_broker.kill()


async def _until(subgraph: Running, holds: Callable[[int, Any], bool]) -> Any:
    async with asyncio.timeout(60):
        while True:
            status, body = await subgraph.get("/actuator/health")
            health = orjson.loads(body)
            if holds(status, health):
                return health
            await asyncio.sleep(0.2)


async def test_metrics_have_the_names_that_dashboards_ask_for(users: Running) -> None:
    await users.post({"query": "{ __typename }"})
    _, body = await users.get("/actuator/prometheus")
    for name in (
        b"http_server_requests_seconds_bucket{",
        b"hikaricp_connections_active{",
        b'hikaricp_connections_active{pool="loaders"}',
        b'hikaricp_connections_pending{pool="loaders"}',
        b"outbox_oldest_age_seconds",
    ):
        assert name in body


async def test_a_registered_user_reaches_the_broker(users: Running) -> None:
    given = {"email": "relay@example.com", "password": "Password123!", "displayName": "Some Body"}
    register = "mutation ($input: RegisterInput!) { register(input: $input) { user { id } } }"
    _, _, answer = await users.post({"query": register, "variables": {"input": given}})
    user_id = answer["data"]["register"]["user"]["id"]

    statement = text("SELECT published_at FROM outbox WHERE key = :id")
    async with asyncio.timeout(60):
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
        await users.post({"query": "mutation { logout(input: {}) { endedSessions } }"}, authorization=authorization)
        async with asyncio.timeout(60):
            while True:
                _, _, after = await other.post({"query": "{ me { id } }"}, authorization=authorization)
                if "errors" in after:
                    break
                await asyncio.sleep(0.02)
        assert after["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    # one that starts later hears of it as well
    async with running(users.app.resources.settings) as later, asyncio.timeout(60):
        while "errors" not in (await later.post({"query": "{ me { id } }"}, authorization=authorization))[2]:
            await asyncio.sleep(0.02)


async def test_too_many_wrong_passwords_make_a_pause(users: Running) -> None:
    login = "mutation ($input: LoginInput!) { login(input: $input) { accessToken } }"
    given = {"email": "guessed@example.com", "password": "Guess123!"}
    answer: Any = None

    async def guess(_: int) -> str:
        nonlocal answer
        _, _, answer = await users.post({"query": login, "variables": {"input": given}})
        return str(answer["errors"][0]["extensions"]["code"])

    codes = await until_limited(guess)
    assert codes[:10] == ["UNAUTHENTICATED"] * 10
    assert 0 < answer["errors"][0]["extensions"]["retryAfterSeconds"] <= 300


async def login_code(users: Running, email: str, password: str, address: str) -> str:
    login = "mutation ($input: LoginInput!) { login(input: $input) { accessToken } }"
    body = {"query": login, "variables": {"input": {"email": email, "password": password}}}
    _, _, answer = await users.post(body, **{"x-client-address": address})
    return str(answer["errors"][0]["extensions"]["code"]) if "errors" in answer else "ok"


async def register_code(users: Running, email: str, address: str) -> str:
    register = "mutation ($input: RegisterInput!) { register(input: $input) { userErrors { code } } }"
    given = {"email": email, "password": "Password123!", "displayName": "Some Body"}
    _, _, answer = await users.post({"query": register, "variables": {"input": given}}, **{"x-client-address": address})
    if "errors" in answer:
        return str(answer["errors"][0]["extensions"]["code"])
    return "".join(error["code"] for error in answer["data"]["register"]["userErrors"]) or "ok"


async def until_limited(attempt: Callable[[int], Awaitable[str]]) -> list[str]:
    """What each attempt came to, up to the first that is refused for its number. The wait doubles, so one soon is."""
    codes = []
    for number in range(20):
        codes.append(await attempt(number))
        if codes[-1] == "RATE_LIMITED":
            return codes
    raise AssertionError(codes)


async def test_one_address_tries_so_many_accounts_and_no_other_address_waits(
    users: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "WRONG_FROM_ADDRESS", Pace(free=3, longest_wait=600, forgiven_after=600))
    guesses = await until_limited(lambda n: login_code(users, f"sprayed-{n}@example.com", "Guess123!", "203.0.113.9"))
    assert guesses[:3] == ["UNAUTHENTICATED"] * 3
    assert await login_code(users, "sprayed-1@example.com", "Guess123!", "203.0.113.10") == "UNAUTHENTICATED"
    # one network of 64 bits is one customer's, and this machine is nobody's in particular
    await until_limited(lambda n: login_code(users, f"spread-{n}@example.com", "Guess123!", f"2001:db8::{n}"))
    local = [await login_code(users, f"local-{n}@example.com", "Guess123!", "127.0.0.1") for n in range(5)]
    assert local == ["UNAUTHENTICATED"] * 5


async def test_right_passwords_of_an_office_make_nobody_wait(users: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "WRONG_FROM_ADDRESS", Pace(free=3, longest_wait=600, forgiven_after=600))
    people = [f"colleague-{number}@example.com" for number in range(5)]
    for person in people:
        assert await register_code(users, person, "127.0.0.1") == "ok"
    assert [await login_code(users, each, "Password123!", "203.0.113.11") for each in people] == ["ok"] * 5


async def test_guesses_from_elsewhere_keep_nobody_out_who_has_been_here_lately(users: Running) -> None:
    owner = "owner-at-home@example.com"
    assert await register_code(users, owner, "127.0.0.1") == "ok"
    assert await login_code(users, owner, "Password123!", "203.0.113.20") == "ok"
    await until_limited(lambda _: login_code(users, owner, "Guess123!", "203.0.113.21"))
    assert await login_code(users, owner, "Password123!", "203.0.113.20") == "ok"


async def test_one_address_registers_so_many_people(users: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "REGISTRATIONS_FROM_ADDRESS", Pace(free=2, longest_wait=600, forgiven_after=600))
    made = await until_limited(lambda n: register_code(users, f"farm-{n}@example.com", "203.0.113.30"))
    assert made[:2] == ["ok"] * 2
    assert await register_code(users, "farm-9@example.com", "203.0.113.31") == "ok"


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


async def test_who_asks_for_a_stream_is_bounded_like_everybody(users: Running) -> None:
    """Strawberry's view would read a body of any size into memory, of whatever media type."""
    headers = JSON | {"accept": "text/event-stream"}
    url = f"{users.url}/graphql"

    async def endless() -> AsyncIterator[bytes]:
        yield b'{"query": "'
        for _ in range(4 * LARGEST_BODY_BYTES // 65_536):
            yield b" " * 65_536

    async with users.client.post(url, data=endless(), headers=headers) as response:
        assert (response.status, (await response.json())["errors"][0]["extensions"]["code"]) == (
            413,
            "PAYLOAD_TOO_LARGE",
        )
    plain = headers | {"content-type": "text/plain"}
    async with users.client.post(url, data=b'{"query": "{ __typename }"}', headers=plain) as response:
        assert response.status == 415
    async with users.client.get(f"{url}?query=%7B__typename%7D", headers=headers) as response:
        assert response.status == 405


async def test_an_answer_to_a_stream_has_a_bounded_number_of_bytes(
    users: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("subgraphs.shell.graphql_http.LARGEST_ANSWER_BYTES", 300)
    long = {"query": "{ " + " ".join(f"a{number}: __typename" for number in range(60)) + " }"}
    headers = JSON | {"accept": "text/event-stream"}
    async with users.client.post(f"{users.url}/graphql", json=long, headers=headers) as response:
        assert b"ANSWER_TOO_LARGE" in await response.read()
    async with users.client.ws_connect(f"{users.url}/graphql", protocols=["graphql-transport-ws"]) as socket:
        await socket.send_json({"type": "connection_init"})
        assert (await socket.receive_json())["type"] == "connection_ack"
        await socket.send_json({"id": "1", "type": "subscribe", "payload": long})
        message = await socket.receive_json()
        assert (message["id"], message["payload"]["errors"][0]["extensions"]["code"]) == ("1", "ANSWER_TOO_LARGE")


async def test_a_message_of_a_websocket_has_a_bounded_number_of_bytes(users: Running) -> None:
    """As every subgraph is served."""
    config = server_config(users.app, "127.0.0.1", 0, users.app.resources.settings, users.app)
    config.lifespan = "off"  # the application runs already
    with bound_socket("127.0.0.1", 0, is_shared=False) as listener:
        async with accepting((config, listener)):
            url = f"http://127.0.0.1:{listener.getsockname()[1]}/graphql"
            begin = '{"type": "connection_init"}'
            for length, is_taken in ((LARGEST_BODY_BYTES, True), (LARGEST_BODY_BYTES + 1, False)):
                async with users.client.ws_connect(url, protocols=["graphql-transport-ws"]) as socket:
                    try:
                        await socket.send_str(begin.ljust(length))
                        found = (await socket.receive()).type
                    except (aiohttp.ClientError, ConnectionError):  # it was closed before all of it was sent
                        found = aiohttp.WSMsgType.CLOSE
                    assert (found is aiohttp.WSMsgType.TEXT) is is_taken
