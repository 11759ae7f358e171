"""Who may read what, through the whole router."""

from __future__ import annotations

import asyncio
import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.testkit.running_router import SECRET, RunningRouter, StartRouter, token
from tests.testkit.strawberry_shop import Shop


async def test_what_needs_a_login_is_null_for_strangers_and_not_fetched(router: RunningRouter, shop: Shop) -> None:
    answer = await router.ask('{ user(id: "u2") { name email } }')
    assert answer == {
        "errors": [
            {
                "message": "Log in to read User.email.",
                "path": ["user", "email"],
                "extensions": {"code": "UNAUTHENTICATED", "reason": "NO_TOKEN", "coordinate": "User.email"},
            }
        ],
        "data": {"user": {"name": "Ben", "email": None}},
    }
    shop.requests.clear()
    await router.ask('{ user(id: "u2") { email } }')
    assert await router.ask('{ user(id: "u2") { email } }', authorization=token()) == {
        "data": {"user": {"email": "u2@example.com"}}
    }


async def test_a_scope_that_is_missing_takes_the_nearest_nullable_parent(router: RunningRouter) -> None:
    query = "{ me { name salary } }"
    denied = await router.ask(query, authorization=token(scope="read"))
    assert denied["data"] == {"me": None}
    assert denied["errors"] == [
        {
            "message": "You are not allowed to read User.salary.",
            "path": ["me", "salary"],
            "extensions": {
                "code": "UNAUTHORIZED_FIELD_OR_TYPE",
                "reason": "NOT_GRANTED",
                "coordinate": "User.salary",
            },
        }
    ]
    for scope in ("payroll read", "admin"):
        assert (await router.ask(query, authorization=token(scope=scope)))["data"] == {
            "me": {"name": "Ann", "salary": 1000}
        }


async def test_a_denied_field_is_told_at_every_place_it_would_stand(router: RunningRouter) -> None:
    answer = await router.ask("{ products { owner { email } } }")
    assert answer["data"] == {"products": [{"owner": {"email": None}}, {"owner": {"email": None}}]}
    assert [error["path"] for error in answer["errors"]] == [
        ["products", 0, "owner", "email"],
        ["products", 1, "owner", "email"],
    ]


async def test_what_the_plan_needs_for_itself_is_still_withheld(
    start_router: StartRouter, router: RunningRouter
) -> None:
    """`Product.id` joins catalog and stock; forbidding it must not stop the join, nor let the id out."""
    sdl = router.supergraph.read_text()
    product = sdl.index("type Product")
    router.supergraph.write_text(sdl[:product] + sdl[product:].replace("  id: ID!", "  id: ID! @authenticated", 1))
    async with start_router() as strict:
        answer = await strict.ask("{ products { id inStock } }")
        assert "1" not in [value for error in answer["errors"] for value in error["path"]]
        assert answer["data"] is None
        assert (await strict.ask("{ products { inStock } }"))["data"] == {
            "products": [{"inStock": 10}, {"inStock": 20}]
        }


async def test_keys_overlap_during_a_rotation(start_router: StartRouter) -> None:
    old = "the secret that is being replaced, long"
    ring = {"keys": [{"secret": SECRET, "kid": "new"}, {"secret": old, "kid": "old"}]}
    claims = {"sub": "u1", "exp": 4_000_000_000}
    async with start_router(jwt=ring) as router:
        for secret, kid in ((SECRET, "new"), (old, "old")):
            authorization = "Bearer " + jwt.encode(claims, secret, "HS256", headers={"kid": kid})
            assert (await router.ask("{ me { name } }", authorization=authorization))["data"]["me"] == {"name": "Ann"}
        forged = "Bearer " + jwt.encode(claims, old, "HS256", headers={"kid": "new"})
        refused = await router.ask('{ user(id: "u1") { email } }', authorization=forged)
        assert refused["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


async def test_public_keys_come_from_a_jwks_and_are_no_hmac_secrets(start_router: StartRouter, tmp_path: Path) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
    jwks = tmp_path / "jwks.json"
    jwks.write_text(json.dumps({"keys": [{**public, "kid": "k1", "use": "sig", "alg": "RS256"}]}))
    claims = {"sub": "u1", "exp": 4_000_000_000}
    async with start_router(jwt={"jwks": [str(jwks)]}) as router:
        good = "Bearer " + jwt.encode(claims, key, "RS256", headers={"kid": "k1"})
        assert (await router.ask("{ me { name } }", authorization=good))["data"]["me"] == {"name": "Ann"}
        other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        bad: list[str] = [
            jwt.encode(claims, other, "RS256", headers={"kid": "k1"}),
            jwt.encode(claims, key, "RS256", headers={"kid": "unknown"}),
            jwt.encode(claims, public["n"], "HS256", headers={"kid": "k1"}),
            jwt.encode(claims, None, "none"),
        ]
        for each in bad:
            answer = await router.ask('{ user(id: "u1") { email } }', authorization=f"Bearer {each}")
            assert answer["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


async def test_tokens_for_others_are_refused(router: RunningRouter) -> None:
    for wrong in ({"iss": "elsewhere"}, {"aud": "elsewhere"}):
        answer = await router.ask('{ user(id: "u1") { email } }', authorization=token(**wrong))
        assert answer["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


async def test_a_cached_token_expires_all_the_same(start_router: StartRouter) -> None:
    ring = {"keys": [{"secret": SECRET}], "leeway_seconds": 0}
    async with start_router(jwt=ring) as router:
        authorization = token(lifetime_seconds=2)
        assert "errors" not in await router.ask("{ me { name } }", authorization=authorization)
        await asyncio.sleep(2.1)
        answer = await router.ask('{ user(id: "u1") { email } }', authorization=authorization)
        assert answer["errors"][0]["extensions"]["reason"] == "EXPIRED"


async def test_an_automatic_persisted_query_is_registered_once(router: RunningRouter) -> None:
    query = '{ user(id: "u1") { name } }'
    extensions = {"persistedQuery": {"version": 1, "sha256Hash": sha256(query.encode()).hexdigest()}}

    async def send(**body: Any) -> Any:
        async with router.session.post(router.url, json={"extensions": extensions, **body}) as response:
            return await response.json()

    assert (await send())["errors"][0]["extensions"]["code"] == "PERSISTED_QUERY_NOT_FOUND"
    assert (await send(query=query))["data"]["user"] == {"name": "Ann"}
    assert (await send())["data"]["user"] == {"name": "Ann"}
    assert (await send(query="{ __typename }"))["errors"][0]["extensions"]["code"] == "PERSISTED_QUERY_REFUSED"


async def test_a_persisted_text_that_is_no_operation_of_the_graph_is_not_kept(router: RunningRouter) -> None:
    for query in ("{ nothingOfThis }", "{ user(", "query ($id: Missing) { user(id: $id) { name } }"):
        extensions = {"persistedQuery": {"version": 1, "sha256Hash": sha256(query.encode()).hexdigest()}}
        async with router.session.post(router.url, json={"query": query, "extensions": extensions}) as response:
            assert (await response.json())["errors"][0]["extensions"]["code"] != "PERSISTED_QUERY_NOT_FOUND"
        async with router.session.post(router.url, json={"extensions": extensions}) as response:
            assert (await response.json())["errors"][0]["extensions"]["code"] == "PERSISTED_QUERY_NOT_FOUND"


async def test_only_trusted_documents_run_where_they_are_required(start_router: StartRouter, tmp_path: Path) -> None:
    manifest = tmp_path / "manifest.json"
    manifest.write_text(json.dumps({"operations": [{"id": "ann", "body": '{ user(id: "u1") { name } }'}]}))
    async with start_router(persisted_documents={"manifest": manifest, "require": True}) as router:
        async with router.session.post(router.url, json={"documentId": "ann"}) as response:
            assert (await response.json())["data"]["user"] == {"name": "Ann"}
        async with router.session.post(router.url, json={"query": "{ __typename }"}) as response:
            assert response.status == 403
            assert (await response.json())["errors"][0]["extensions"]["code"] == "DOCUMENT_NOT_TRUSTED"
