"""A session that was ended stays ended, whatever becomes of Redis, of the broker and of the process."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import aiohttp
import jwt
import pytest

from events.kafka_settings import KafkaSettings
from subgraphs.shell.database import migrate
from subgraphs.shell.settings import Settings
from subgraphs.workouts.app import create_app as create_workouts
from tests.integration.subgraphs.shell.test_app import Running, running
from tests.testkit.servers import Broker, Postgres, Valkey
from tests.testkit.subgraph import SECRET

REGISTER = "mutation ($input: RegisterInput!) { register(input: $input) { accessToken } }"
LOGIN = "mutation ($input: LoginInput!) { login(input: $input) { accessToken } }"
LOGOUT = "mutation { logout(input: {}) { endedSessions } }"
ME = "{ me { id } }"
PASSWORD = "Password123!"


@pytest.fixture
async def settings(postgres: Postgres, broker: Broker) -> Settings:
    url = postgres.create_database(f"ended_{time.time_ns()}")
    await migrate("users", url)
    return Settings(
        subgraph="users",
        database_url=url,
        jwt_secret=SECRET,
        kafka=KafkaSettings(broker.bootstrap_servers, idempotent=False, fetch_max_wait_ms=20),
        log_level="CRITICAL",
    )


async def signed_in(users: Running) -> dict[str, str]:
    given = {"email": f"e{time.time_ns()}@example.com", "password": PASSWORD, "displayName": "Some Body"}
    _, _, answer = await users.post({"query": REGISTER, "variables": {"input": given}})
    return {"authorization": f"Bearer {answer['data']['register']['accessToken']}"}


async def is_refused(subgraph: Running, headers: dict[str, str], query: str = ME) -> bool:
    _, _, answer = await subgraph.post({"query": query}, **headers)
    codes = [error["extensions"]["code"] for error in answer.get("errors", ())]
    assert codes in ([], ["UNAUTHENTICATED"], ["NOT_FOUND"])
    return codes == ["UNAUTHENTICATED"]


@asynccontextmanager
async def own_valkey() -> AsyncIterator[Valkey]:
    server = Valkey()
    server.start()
    try:
        yield server
    finally:
        server.resume()
        server.kill()


async def test_a_sign_out_outlives_redis_and_the_process(settings: Settings) -> None:
    async with own_valkey() as valkey:
        with_redis = replace(settings, redis_url=valkey.url)
        async with running(with_redis) as users:
            headers = await signed_in(users)
            assert not await is_refused(users, headers)
            await users.post({"query": LOGOUT}, **headers)
            valkey.kill()
            valkey.start()  # and has forgotten everything
            await asyncio.sleep(2.5)  # longer than until the set is read again
            assert await is_refused(users, headers)
        async with running(with_redis) as users:
            assert await is_refused(users, headers)


async def test_another_subgraph_hears_of_a_sign_out_without_redis_and_remembers_it(
    settings: Settings, postgres: Postgres
) -> None:
    url = postgres.create_database(f"ended_workouts_{time.time_ns()}")
    await migrate("workouts", url)
    others = replace(settings, subgraph="workouts", database_url=url)
    query = '{ workout(id: "none") { id } }'
    async with running(settings) as users:
        headers = await signed_in(users)
        async with running(others, create_workouts) as workouts:
            assert not await is_refused(workouts, headers, query)
            await users.post({"query": LOGOUT}, **headers)
            async with asyncio.timeout(60):
                while not await is_refused(workouts, headers, query):
                    await asyncio.sleep(0.1)
    alone = replace(others, kafka=None)
    async with running(alone, create_workouts) as workouts:
        assert await is_refused(workouts, headers, query)


async def test_users_tells_the_router_which_sessions_ended_and_until_when_that_is_complete(settings: Settings) -> None:
    async with running(settings) as users:
        told_at = time.time()

        async def told(**since: Any) -> dict[str, Any]:
            async with users.client.get(f"{users.url}/ended-sessions", params=since) as response:
                answer: dict[str, Any] = await response.json()
                assert response.status == (400 if since == {"since": "yesterday"} else 200)
                return answer

        before = await told()
        headers = await signed_in(users)
        await users.post({"query": LOGOUT}, **headers)
        (session,) = (await told())["ended"].keys() - before["ended"].keys()
        claims = jwt.decode(headers["authorization"].split()[1], options={"verify_signature": False})
        assert session == claims["sid"]
        assert session in (await told(since=told_at - 30))["ended"]
        assert (await told(since=time.time() + 1))["ended"] == {}
        assert "error" in await told(since="yesterday")
        assert abs((await told())["at"] - time.time()) < 10


async def test_why_the_router_refused_a_token_is_told_to_the_client(settings: Settings) -> None:
    async with running(settings) as users:
        for told, reason in (("SESSION_ENDED", "SESSION_ENDED"), ("EXPIRED", "EXPIRED"), ("made up", "INVALID")):
            _, _, answer = await users.post({"query": ME}, **{"x-token-refused": told})
            assert answer["errors"][0]["extensions"]["reason"] == reason


async def test_a_redis_that_hangs_costs_sign_in_and_sign_out_a_moment_and_no_error(settings: Settings) -> None:
    async with own_valkey() as valkey, running(replace(settings, redis_url=valkey.url)) as users:
        headers = await signed_in(users)
        valkey.pause()
        began = time.monotonic()
        email = f"e{time.time_ns()}@example.com"
        given: dict[str, Any] = {"email": email, "password": PASSWORD, "displayName": "Some Body"}
        for query, variables in (
            (REGISTER, {"input": given}),
            (LOGIN, {"input": {"email": email, "password": PASSWORD}}),
        ):
            _, _, answer = await users.post({"query": query, "variables": variables})
            assert "errors" not in answer
        _, _, answer = await users.post({"query": LOGOUT}, **headers)
        assert answer["data"]["logout"]["endedSessions"] == 1
        assert await is_refused(users, headers)
        assert time.monotonic() - began < 30
        async with users.client.get(f"{users.url}/actuator/health", timeout=aiohttp.ClientTimeout(total=60)) as health:
            assert health.status == 503


@pytest.mark.parametrize("has_redis", [True, False])
async def test_of_guesses_made_at_once_ten_are_judged_and_the_owner_gets_in(
    settings: Settings, has_redis: bool
) -> None:
    async with own_valkey() as valkey:
        chosen = replace(settings, redis_url=valkey.url) if has_redis else settings
        async with running(chosen) as users:
            email = f"e{time.time_ns()}@example.com"
            given = {"email": email, "password": PASSWORD, "displayName": "Some Body"}
            _, _, answer = await users.post({"query": REGISTER, "variables": {"input": given}})
            owner = {"authorization": f"Bearer {answer['data']['register']['accessToken']}"}

            async def guess(number: int) -> str:
                wrong = {"email": email, "password": f"Guess{number}!"}
                _, _, answer = await users.post({"query": LOGIN, "variables": {"input": wrong}})
                code: str = answer["errors"][0]["extensions"]["code"]
                return code

            codes = await asyncio.gather(*map(guess, range(120)))
            # Ten at once, and one more for each second, two, four that the rest of them took.
            assert 10 <= codes.count("UNAUTHENTICATED") <= 13
            assert set(codes) == {"UNAUTHENTICATED", "RATE_LIMITED"}
            right = {"query": LOGIN, "variables": {"input": {"email": email, "password": PASSWORD}}}
            _, _, answer = await users.post(right, **owner)
            assert "errors" not in answer
