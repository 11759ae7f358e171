"""Public keys from a real HTTP server: rotation, floods of unknown keys, an issuer that is away or slow."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import jwt
import orjson
import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ed25519

from router.access.authentication import Authenticator, UnauthenticatedError
from router.access.key_set import JwksSource
from router.settings import Jwt


class Issuer:
    """Publishes keys and signs with them; `reads` counts how often it was asked."""

    def __init__(self) -> None:
        self.keys: dict[str, ed25519.Ed25519PrivateKey] = {}
        self.published: list[str] = []
        self.reads = 0
        self.status = 200
        self.pause_seconds = 0.0
        self.extra: list[dict[str, Any]] = []
        self.url = ""

    def publish(self, *kids: str) -> None:
        for kid in kids:
            self.keys.setdefault(kid, ed25519.Ed25519PrivateKey.generate())
        self.published = list(kids)

    def token(self, kid: str, **headers: Any) -> str:
        claims = {"sub": "u1", "exp": 4_000_000_000}
        return "Bearer " + jwt.encode(claims, self.keys[kid], "EdDSA", headers={"kid": kid, **headers})

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.reads += 1
        public = [
            {**jwt.algorithms.OKPAlgorithm.to_jwk(self.keys[kid].public_key(), as_dict=True), "kid": kid}
            for kid in self.published
        ]
        response = web.StreamResponse(status=self.status)
        await response.prepare(request)
        for byte_pair in (document := orjson.dumps({"keys": [*self.extra, *public]}))[:100], document[100:]:
            await response.write(byte_pair)  # in pieces, as some servers send it
            await asyncio.sleep(self.pause_seconds or 0.01)
        return response


@asynccontextmanager
async def issuing() -> AsyncIterator[Issuer]:
    issuer = Issuer()
    application = web.Application()
    application.router.add_get("/jwks", issuer.answer)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    issuer.url = f"http://127.0.0.1:{runner.addresses[0][1]}/jwks"
    try:
        yield issuer
    finally:
        await runner.cleanup()


@asynccontextmanager
async def authenticating(
    issuer: Issuer, *, refresh_seconds: float, pause_seconds: float
) -> AsyncIterator[Authenticator]:
    authenticator = Authenticator(Jwt(jwks=(issuer.url,), max_cached_tokens=0))
    authenticator._jwks = JwksSource((issuer.url,), refresh_seconds, pause_seconds)
    await authenticator.start()
    yield authenticator


async def is_known(authenticator: Authenticator, token: str) -> bool:
    try:
        return (await authenticator.authenticate(token)).subject == "u1"
    except UnauthenticatedError:
        return False


async def test_a_key_that_appears_is_found_and_one_that_went_is_forgotten() -> None:
    async with issuing() as issuer:
        issuer.publish("old")
        async with authenticating(issuer, refresh_seconds=300, pause_seconds=0) as authenticator:
            old = issuer.token("old")
            assert await is_known(authenticator, old)
            issuer.publish("new")
            assert await is_known(authenticator, old)  # nobody has asked for another key yet
            assert await is_known(authenticator, issuer.token("new"))
            assert not await is_known(authenticator, old)


async def test_a_flood_of_unknown_keys_asks_the_issuer_once_in_a_while() -> None:
    async with issuing() as issuer:
        issuer.publish("good", "forged")
        forged = issuer.token("forged")
        issuer.publish("good")
        async with authenticating(issuer, refresh_seconds=300, pause_seconds=0.3) as authenticator:
            await asyncio.sleep(0.35)
            answers = await asyncio.gather(*(is_known(authenticator, forged) for _ in range(50)))
            for _ in range(50):
                await is_known(authenticator, forged)
            assert not any(answers)
            assert issuer.reads == 2  # at start, and for all hundred
            assert await is_known(authenticator, issuer.token("good"))


@pytest.mark.parametrize("trouble", ["status", "not keys", "away"])
async def test_an_issuer_in_trouble_keeps_its_last_keys(trouble: str) -> None:
    async with issuing() as issuer:
        issuer.publish("unknown")
        unknown = issuer.token("unknown")
        issuer.publish("good")
        async with authenticating(issuer, refresh_seconds=0.05, pause_seconds=0) as authenticator:
            if trouble == "status":
                issuer.status = 503
            elif trouble == "not keys":
                issuer.extra = ["nonsense"]  # type: ignore[list-item]
            else:
                authenticator._jwks._locations = ("http://127.0.0.1:1/jwks",)  # type: ignore[union-attr]
            for _ in range(3):
                await asyncio.sleep(0.07)
                assert await is_known(authenticator, issuer.token("good"))
                assert not await is_known(authenticator, unknown)


async def test_a_key_of_an_unknown_kind_spoils_no_other() -> None:
    async with issuing() as issuer:
        issuer.publish("good")
        issuer.extra = [{"kty": "OKP", "crv": "nonsense", "kid": "x"}, {"kty": "quantum"}, {"kty": "oct", "k": "AAAA"}]
        async with authenticating(issuer, refresh_seconds=300, pause_seconds=0) as authenticator:
            assert await is_known(authenticator, issuer.token("good"))


async def test_nobody_whose_key_is_known_waits_for_a_slow_issuer() -> None:
    async with issuing() as issuer:
        issuer.publish("good")
        async with authenticating(issuer, refresh_seconds=0.05, pause_seconds=0) as authenticator:
            issuer.pause_seconds = 20
            await asyncio.sleep(0.1)
            async with asyncio.timeout(10):
                assert await is_known(authenticator, issuer.token("good"))


async def test_a_router_that_starts_before_its_issuer_finds_it_later() -> None:
    async with issuing() as issuer:
        issuer.publish("good")
        issuer.status = 503
        async with authenticating(issuer, refresh_seconds=300, pause_seconds=0.05) as authenticator:
            assert not await is_known(authenticator, issuer.token("good"))
            issuer.status = 200
            await asyncio.sleep(0.1)
            assert await is_known(authenticator, issuer.token("good"))
