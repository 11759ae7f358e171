"""What a client gets for input that is wrong: a status and a code that never change."""

from __future__ import annotations

import json
import time
from typing import Any

import jwt
import pytest

from tests.testkit.running_stack import PASSWORD, RunningStack, eventually

REGISTER = "mutation($input: RegisterInput!) { register(input: $input) { accessToken userErrors { code field } } }"


def _register(**changes: Any) -> dict[str, Any]:
    given = {"email": "somebody@example.com", "password": PASSWORD, "displayName": "Some Body", **changes}
    return {"query": REGISTER, "variables": {"input": given}}


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b'{"query": ', 400, "MALFORMED_JSON"),
        (b"[]", 400, "BATCHING_DISABLED"),
        (b'{"variables": {}}', 400, "MISSING_QUERY"),
        ({"query": "{ me "}, 400, "GRAPHQL_PARSE_FAILED"),
        ({"query": "{ me { shoeSize } }"}, 400, "GRAPHQL_VALIDATION_FAILED"),
        ({"query": "query($id: Int!) { user(id: $id) { id } }"}, 400, "GRAPHQL_VALIDATION_FAILED"),
        (_register(email=7), 400, "BAD_USER_INPUT"),
        (json.dumps(_register(displayName="x" * 10_000_000)).encode(), 413, "REQUEST_TOO_LARGE"),
    ],
    ids=["cut-off-json", "empty-batch", "no-query", "syntax", "unknown-field", "wrong-type", "bad-variable", "10-mb"],
)
async def test_a_request_that_cannot_be_run(stack: RunningStack, body: Any, status: int, code: str) -> None:
    accept = "application/graphql-response+json"
    answered, answer = await stack.post(body, accept=accept)
    assert (answered, answer["errors"][0]["extensions"]["code"]) == (status, code)


async def test_a_field_that_needs_a_viewer_is_refused_to_nobody(stack: RunningStack) -> None:
    _, answer = await stack.post({"query": "{ me { id } }"})
    assert answer["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


async def test_an_expired_or_forged_token_is_an_error_only_where_a_field_needs_one(stack: RunningStack) -> None:
    secret = stack.directory.jwt_secret()
    claims = {"sub": "x", "iss": "fittracker", "aud": "fittracker", "use": "access", "iat": 0, "roles": ["USER"]}
    expired = jwt.encode({**claims, "exp": int(time.time()) - 3600}, secret, "HS256")
    forged = jwt.encode({**claims, "exp": int(time.time()) + 3600}, "f" * 48, "HS256")
    person = await stack.register()
    login = "mutation ($input: LoginInput!) { login(input: $input) { accessToken user { id } } }"
    for token, reason in ((expired, "EXPIRED"), (forged, "INVALID"), ("not.a.token", "INVALID")):
        authorization = f"Bearer {token}"
        public = {"query": '{ foodByBarcode(gtin: "40170725") { name } }'}
        assert await stack.post(public, authorization=authorization) == (200, {"data": {"foodByBarcode": None}})
        status, answer = await stack.post({"query": "{ me { id } }"}, authorization=authorization)
        (error,) = answer["errors"]
        assert (status, answer["data"]) == (200, None)
        assert (error["path"], error["extensions"]["code"]) == (["me"], "UNAUTHENTICATED")
        assert error["extensions"]["reason"] == reason
        credentials = {"email": person.email, "password": PASSWORD}
        _, answer = await stack.post({"query": login, "variables": {"input": credentials}}, authorization=authorization)
        assert answer["data"]["login"]["user"]["id"] == person.id


async def test_the_router_itself_refuses_a_token_soon_after_the_sign_out(stack: RunningStack) -> None:
    person = await stack.register()
    headers = {"authorization": f"Bearer {person.access_token}"}
    await person.data("mutation { logout(input: {}) { endedSessions } }")

    async def is_refused() -> bool:
        async with stack.session.post(
            stack.state.router_url, json={"query": "{ me { id } }"}, headers=headers
        ) as response:
            (error,) = (await response.json())["errors"]
        assert error["extensions"]["reason"] == "SESSION_ENDED"
        return "www-authenticate" in response.headers  # subgraphs refuse it at once; this is the router

    await eventually(is_refused)


async def test_a_second_account_with_the_same_email_is_a_conflict(stack: RunningStack) -> None:
    person = await stack.register()
    _, answer = await stack.post(_register(email=person.email.upper()))
    assert "errors" not in answer
    refusal = {"code": "CONFLICT", "field": "email"}
    assert answer["data"] == {"register": {"accessToken": None, "userErrors": [refusal]}}


async def test_every_invalid_field_of_an_input_is_named(stack: RunningStack) -> None:
    _, answer = await stack.post(_register(email="nobody", password="short"))
    refusals = [{"code": "VALIDATION_ERROR", "field": field} for field in ("email", "password")]
    assert answer["data"] == {"register": {"accessToken": None, "userErrors": refusals}}


async def test_a_wrong_password_tells_nothing(stack: RunningStack) -> None:
    person = await stack.register()
    login = "mutation($input: LoginInput!) { login(input: $input) { accessToken } }"
    messages = set()
    for email in (person.email, "nobody@example.com"):
        _, answer = await stack.post(
            {"query": login, "variables": {"input": {"email": email, "password": "Wrong123!"}}}
        )
        assert answer["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
        messages.add(answer["errors"][0]["message"])
    assert len(messages) == 1
