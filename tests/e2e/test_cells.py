"""People divided between two whole platforms by the cell router: two databases a domain, and clients that know of one address."""

from __future__ import annotations

import asyncio
import itertools
import os
import re
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import pytest

from deploy.embedded import DOMAINS
from deploy.erasure import traces_of
from tests.e2e.conftest import CELL_SECRET
from tests.testkit.running_stack import PASSWORD, REGISTER, ROOT, RunningStack, eventually, running_stack
from tests.testkit.servers import free_port

pytestmark = pytest.mark.timeout(300)  # two platforms start

LOGIN = "mutation($input: LoginInput!) { login(input: $input) { accessToken refreshToken user { id } } }"
REFRESH = "mutation($input: RefreshInput!) { refresh(input: $input) { accessToken user { id } } }"
LOG_WEIGHT = "mutation($input: LogWeightInput!) { logWeight(input: $input) { weightEntry { weightKg } } }"
LOG_WATER = "mutation { logWater(input: { amountMl: 250 }) { drink { id } userErrors { message } } }"
CREATE_EXERCISE = """mutation { createExercise(input: { name: "Squat", category: STRENGTH }) { exercise { id } } }"""
CHANGED = "subscription { dailySummaryChanged { weightKg } }"
DAY = "query($date: LocalDate!) { dailySummary(date: $date) { weightKg waterMl } }"
ME = "{ me { id email } }"
ASK_PROOF = """mutation($input: RequestEmailVerificationInput!) {
  requestEmailVerification(input: $input) { sentTo userErrors { message } } }"""
VERIFY = "mutation { verifyEmail(input: { token: %s }) { isVerified user { email } userErrors { message } } }"
_numbers = itertools.count(1)


@dataclass
class Person:
    id: str
    email: str
    access_token: str
    refresh_token: str


@dataclass
class Cells:
    """`url` is the cell router's, which is all that clients know."""

    url: str
    first: RunningStack
    second: RunningStack
    session: aiohttp.ClientSession

    async def post(self, query: str, variables: Any = None, token: str | None = None) -> tuple[int, Any]:
        return await self.send({"query": query, "variables": variables}, token)

    async def send(self, body: Any, token: str | None = None) -> tuple[int, Any]:
        headers = {"authorization": f"Bearer {token}"} if token else {}
        async with self.session.post(f"{self.url}/graphql", json=body, headers=headers) as response:
            return response.status, await response.json(content_type=None)

    async def data(self, query: str, variables: Any = None, token: str | None = None) -> Any:
        status, answer = await self.post(query, variables, token)
        assert (status, "errors" in answer) == (200, False), answer
        return answer["data"]

    async def register(self, email: str) -> Person:
        given = {"email": email, "password": PASSWORD, "displayName": "A Person", "timeZone": "UTC"}
        made = (await self.data(REGISTER, {"input": given}))["register"]
        return Person(made["user"]["id"], email, made["accessToken"], made["refreshToken"])

    async def person_of(self, stack: RunningStack) -> Person:
        """Somebody new whom the cell router placed there."""
        for _ in range(40):
            person = await self.register(new_address())
            if await rows(stack, "users", "account", "id", person.id):
                return person
        raise AssertionError("forty people and none of them in this cell")


def new_address() -> str:
    return f"celled-{next(_numbers)}-{time.time_ns()}@example.com"


async def rows(stack: RunningStack, domain: str, table: str, column: str, person: str) -> int:
    connection = await asyncpg.connect(stack.state.environment[f"DATABASE_URL_{domain.upper()}"])
    try:
        return int(await connection.fetchval(f"SELECT count(*) FROM {table} WHERE {column} = $1", person))
    finally:
        await connection.close()


@pytest.fixture(scope="module")
async def cells(stack: RunningStack, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Cells]:
    folder = tmp_path_factory.mktemp("cells")
    environment = {"CELL": "second", "CELL_SECRET": CELL_SECRET}
    async with (
        running_stack(folder / "data", "--no-sample-data", **environment) as second,
        cell_router(folder / "cells.yaml", cell_map(first=stack, second=second)) as url,
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20)) as session,
    ):
        yield Cells(url, stack, second, session)


def cell_map(**stacks: RunningStack) -> str:
    return "cells:\n" + "".join(
        f"  - {{name: {name}, router: 'http://127.0.0.1:{stack.state.ports['router']}',"
        f" users: 'http://127.0.0.1:{stack.state.ports['users']}'}}\n"
        for name, stack in stacks.items()
    )


@asynccontextmanager
async def cell_router(file: Path, text: str) -> AsyncIterator[str]:
    """`fittracker cell-router` over this map; its address."""
    file.write_text(text)
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "deploy", "cell-router", str(file), "--port", str(port),
        cwd=ROOT, env={**os.environ, "CELL_SECRET": CELL_SECRET}, stdout=asyncio.subprocess.DEVNULL,
    )  # fmt: skip

    async def answers() -> bool:
        assert process.returncode is None
        try:
            async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}/live") as response:
                return response.status == 200
        except aiohttp.ClientConnectionError:
            return False

    try:
        await eventually(answers)
        yield f"http://127.0.0.1:{port}"
    finally:
        if process.returncode is None:
            process.terminate()
        assert await process.wait() == 0


async def test_each_person_has_one_cell_with_a_database_for_each_domain(cells: Cells) -> None:
    for own, other in ((cells.first, cells.second), (cells.second, cells.first)):
        person = await cells.person_of(own)
        await cells.data(LOG_WEIGHT, {"input": {"weightKg": 70.5}}, person.access_token)
        await cells.data(LOG_WATER, token=person.access_token)
        await cells.data(CREATE_EXERCISE, token=person.access_token)
        today = datetime.now(UTC).date().isoformat()

        async def summary_is_there(token: str = person.access_token, today: str = today) -> bool:
            summary = (await cells.data(DAY, {"date": today}, token))["dailySummary"]
            return bool(summary == {"weightKg": 70.5, "waterMl": 250})

        await eventually(summary_is_there, seconds=60)  # by the cell's own outboxes, broker and projections
        for domain, table, column in (
            ("users", "account", "id"),
            ("users", "weight_entry", "user_id"),
            ("nutrition", "water", "user_id"),
            ("workouts", "exercise", "created_by"),
            ("analytics", "daily_summary", "user_id"),
        ):
            assert await rows(own, domain, table, column, person.id) == 1, (domain, table)
            assert await rows(other, domain, table, column, person.id) == 0, (domain, table)


async def test_everything_that_leads_into_an_account_finds_its_cell(cells: Cells) -> None:
    for stack in (cells.first, cells.second):
        person = await cells.person_of(stack)
        given = {"email": person.email.upper(), "password": PASSWORD}
        entered = (await cells.data(LOGIN, {"input": given}))["login"]
        assert entered["user"]["id"] == person.id
        literal = f'mutation {{ ... {{ login(input: {{ email: "{person.email}", password: "{PASSWORD}" }}) {{ user {{ id }} }} }} }}'
        assert (await cells.data(literal))["login"]["user"]["id"] == person.id
        for other in (cells.first, cells.second):  # signed in as somebody else until now
            token = (await cells.person_of(other)).access_token
            assert (await cells.data(LOGIN, {"input": given}, token))["login"]["user"]["id"] == person.id
        renewed = (await cells.data(REFRESH, {"input": {"refreshToken": person.refresh_token}}))["refresh"]
        assert renewed["user"]["id"] == person.id
        assert (await cells.data(ME, token=renewed["accessToken"]))["me"]["id"] == person.id
        again = await cells.post(REGISTER, {"input": {**given, "displayName": "Again"}})
        assert again[1]["data"]["register"] is None or again[1]["data"]["register"]["user"] is None, again


async def test_a_new_address_leads_to_the_same_cell_wherever_a_new_person_would_go(cells: Cells) -> None:
    person = await cells.person_of(cells.second)
    for _ in range(3):  # with each, it is as likely as not that a new person would go to the other cell
        address = new_address()
        given = {"email": address, "currentPassword": PASSWORD}
        await cells.data(ASK_PROOF, {"input": given}, person.access_token)
        token = await mailed_token(cells.second, address)
        assert token.startswith("second.")

        async def is_verified(token: str = token) -> bool:  # the mail may be there before its transaction has ended
            return bool((await cells.data(VERIFY % f'"{token}"'))["verifyEmail"]["isVerified"])

        await eventually(is_verified)
        entered = (await cells.data(LOGIN, {"input": {"email": address, "password": PASSWORD}}))["login"]
        assert entered["user"]["id"] == person.id


async def mailed_token(stack: RunningStack, address: str) -> str:
    found: list[str] = []

    async def has_come() -> bool:
        texts = (file.read_text() for file in stack.directory.mail.glob("*"))
        found[:] = [
            match
            for text in texts
            if address in text
            for match in re.findall(r"(?<![\w-])[a-z]+\.[\w-]{43}(?![\w-])", text)
        ]
        return bool(found)

    await eventually(has_come)
    return found[0]


async def test_live_updates_come_over_a_websocket_and_over_an_event_stream(cells: Cells) -> None:
    person = await cells.person_of(cells.second)
    headers = {"authorization": f"Bearer {person.access_token}", "accept": "text/event-stream"}
    async with (
        cells.session.ws_connect(f"{cells.url}/graphql", protocols=("graphql-transport-ws",)) as socket,
        cells.session.post(f"{cells.url}/graphql", json={"query": CHANGED}, headers=headers) as stream,
    ):
        assert socket.protocol == "graphql-transport-ws"
        await socket.send_json(
            {"type": "connection_init", "payload": {"Authorization": f"Bearer {person.access_token}"}}
        )
        assert (await socket.receive_json())["type"] == "connection_ack"
        await socket.send_json({"type": "subscribe", "id": "1", "payload": {"query": CHANGED}})
        await cells.data(LOG_WEIGHT, {"input": {"weightKg": 81.5}}, person.access_token)
        async with asyncio.timeout(60):
            told = await socket.receive_json()
            assert told["payload"]["data"] == {"dailySummaryChanged": {"weightKg": 81.5}}
            async for line in stream.content:
                if line.startswith(b"data:") and b"81.5" in line:
                    break


async def test_a_batch_for_two_cells_is_refused_and_one_for_a_cell_is_not(cells: Cells) -> None:
    people = [await cells.person_of(cells.first), await cells.person_of(cells.second)]
    logins = [
        {"query": LOGIN, "variables": {"input": {"email": person.email, "password": PASSWORD}}} for person in people
    ]
    status, answer = await cells.send(logins)
    assert (status, answer["errors"][0]["extensions"]["code"]) == (400, "BAD_REQUEST")


async def test_nobody_is_placed_while_a_cell_is_silent_and_who_is_known_is_let_in(cells: Cells, tmp_path: Path) -> None:
    known = await cells.person_of(cells.second)
    silent = f"  - {{name: third, router: 'http://127.0.0.1:{free_port()}', users: 'http://127.0.0.1:{free_port()}'}}\n"
    text = cell_map(first=cells.first, second=cells.second) + silent
    async with cell_router(tmp_path / "cells.yaml", text) as url:
        here = Cells(url, cells.first, cells.second, cells.session)
        assert (await here.data(LOGIN, {"input": {"email": known.email, "password": PASSWORD}}))["login"]
        given = {"email": new_address(), "password": PASSWORD, "displayName": "Nobody"}
        status, answer = await here.post(REGISTER, {"input": given})
        assert (status, answer["errors"][0]["extensions"]["code"]) == (503, "UNAVAILABLE")


async def test_nobody_without_the_secret_learns_who_has_an_account(cells: Cells) -> None:
    person = await cells.person_of(cells.first)
    users = f"http://127.0.0.1:{cells.first.state.ports['users']}/cell/account"
    for headers in ({}, {"authorization": "Bearer another"}, {"authorization": f"Bearer {person.access_token}"}):
        async with cells.session.post(users, json={"email": person.email}, headers=headers) as response:
            assert response.status == 401
    async with cells.session.get(f"{cells.url}/actuator/registry") as response:
        assert response.status == 404
    async with cells.session.post(f"{cells.url}/cell/account", json={"email": person.email}) as response:
        assert response.status in {404, 405}


async def test_a_person_moves_to_another_cell_and_leaves_nothing_behind(cells: Cells, tmp_path: Path) -> None:
    """By the command, as its person; nothing is erased before all of it is there, nor after a change meanwhile."""
    person = await cells.person_of(cells.first)
    await cells.data(LOG_WEIGHT, {"input": {"weightKg": 71.25}}, person.access_token)
    await cells.data(LOG_WATER, token=person.access_token)
    await cells.data(CREATE_EXERCISE, token=person.access_token)
    secret = tmp_path / "password"
    secret.write_text(PASSWORD)

    async def moved(folder: str, *options: str) -> tuple[int, str]:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "deploy", "move", str(tmp_path / folder), "--email", person.email,
            "--from", cells.first.state.router_url, "--to", cells.second.state.router_url,
            "--password-file", str(secret), *options,
            cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        output, _ = await process.communicate()
        return process.returncode or 0, output.decode()

    code, told = await moved("one")
    assert (code, "nothing is erased" in told) == (0, True), told
    login = {"input": {"email": person.email, "password": PASSWORD}}
    assert (await cells.data(LOGIN, login))["login"]["user"][
        "id"
    ] == person.id  # the older account, while there are two
    await cells.data(LOG_WATER, token=person.access_token)
    code, told = await moved("one", "--erase")
    assert (code, "drinks changed while it moved" in told) == (1, True), told
    assert await rows(cells.first, "users", "account", "id", person.id) == 1
    code, told = await moved("two", "--erase")
    assert code == 0, told
    entered = (await cells.data(LOGIN, login))["login"]
    new_id = entered["user"]["id"]
    assert new_id != person.id
    assert f"{person.id} is {new_id} there" in told
    for domain, table, column, count in (
        ("users", "weight_entry", "user_id", 1),
        ("nutrition", "water", "user_id", 2),
        ("workouts", "exercise", "created_by", 1),
    ):
        assert await rows(cells.second, domain, table, column, new_id) == count, table
    urls = {name: cells.first.state.environment[f"DATABASE_URL_{name.upper()}"] for name in DOMAINS}

    async def is_gone() -> bool:
        left = await asyncio.to_thread(lambda: [each for each in traces_of(person.id, urls) if each.kept is None])
        return left == []

    await eventually(is_gone, seconds=60)
