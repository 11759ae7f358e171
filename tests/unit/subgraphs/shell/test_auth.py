"""Tokens: which hold, and for how long."""

import base64
import time
from typing import Any

import jwt
import pytest

from subgraphs.shell.auth import AUDIENCE, ISSUER, KeyRing, bearer_token, key_id
from subgraphs.shell.errors import NobodyReason, UnauthenticatedError

OLD, NEW = "the old secret, which is long enough", "the new secret, which is long enough"


def claims(**changes: Any) -> dict[str, Any]:
    now = int(time.time())
    base = {"sub": "1", "name": "Ada", "roles": ["USER"], "use": "access", "iat": now, "exp": now + 60}
    return base | {"iss": ISSUER, "aud": AUDIENCE, "sid": "s"} | changes


def test_a_rotated_secret_still_verifies_and_no_longer_signs() -> None:
    before, after = KeyRing(OLD), KeyRing(NEW, (OLD,))
    assert after.verify(before.sign(claims())).id == "1"
    assert jwt.get_unverified_header(after.sign(claims()))["kid"] == key_id(NEW)
    with pytest.raises(UnauthenticatedError):
        before.verify(after.sign(claims()))


@pytest.mark.parametrize(
    "changes", [{"use": "refresh"}, {"aud": "others"}, {"iss": "others"}, {"exp": 1}, {"sub": None}, {"iat": None}]
)
def test_tokens_for_other_uses_are_refused(changes: dict[str, Any]) -> None:
    given = {name: value for name, value in (claims() | changes).items() if value is not None}
    with pytest.raises(UnauthenticatedError):
        KeyRing(OLD).verify(KeyRing(OLD).sign(given))


def test_a_token_without_signature_is_refused() -> None:
    unsigned = jwt.encode(claims(), None, algorithm="none", headers={"kid": key_id(OLD)})
    for token in (unsigned, "nonsense", unsigned.rpartition(".")[0], ""):
        with pytest.raises(UnauthenticatedError):
            KeyRing(OLD).verify(token)


@pytest.mark.parametrize(
    "head",
    [
        '{"alg": "HS256", "x": ' + "[" * 20_000 + "]" * 20_000 + "}",
        '{"alg": "HS256", "kid": [1]}',
        '{"alg": "HS256", "kid": {}}',
        '{"alg": null}',
        '{"alg": ["HS256"]}',
        '{"alg": "HS256", "crit": ["exp"]}',
        '{"alg": "HS256", "b64": false}',
        '{"alg": "HS256", "kid": "\\ud800"}',
        "[]",
        "5",
        "{",
        "\xff",
    ],
)
def test_whatever_a_token_begins_with_it_is_the_token_that_is_wrong(head: str) -> None:
    _, payload, signed = KeyRing(OLD).sign(claims()).split(".")
    forged = base64.urlsafe_b64encode(head.encode("latin-1")).rstrip(b"=").decode()
    with pytest.raises(UnauthenticatedError):
        KeyRing(OLD).verify(f"{forged}.{payload}.{signed}")


def test_a_remembered_token_expires_all_the_same() -> None:
    now = time.time()
    ring = KeyRing(OLD, seconds=lambda: now)
    token = ring.sign(claims())
    ring.verify(token)
    now += 61
    with pytest.raises(UnauthenticatedError) as refused:
        ring.verify(token)
    assert refused.value.extensions["reason"] == NobodyReason.EXPIRED


@pytest.mark.parametrize("ahead", [2, 3_600])
def test_a_token_of_a_machine_whose_clock_is_ahead_holds(ahead: int) -> None:
    now = int(time.time()) + ahead
    assert KeyRing(OLD).verify(KeyRing(OLD).sign(claims(iat=now, exp=now + 60))).id == "1"


@pytest.mark.parametrize("expiry", ["soon", float("nan"), float("inf"), [1], {}])
def test_a_token_that_expires_at_no_time_is_refused(expiry: Any) -> None:
    with pytest.raises(UnauthenticatedError):
        KeyRing(OLD).verify(KeyRing(OLD).sign(claims(exp=expiry)))


def test_short_secrets_are_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        KeyRing("too short")


def test_the_header_names_its_scheme() -> None:
    assert bearer_token("bearer abc") == "abc"
    assert bearer_token(None) is None
    for header in ("abc", "Basic abc", "Bearer "):
        with pytest.raises(UnauthenticatedError):
            bearer_token(header)
