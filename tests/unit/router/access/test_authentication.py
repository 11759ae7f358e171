"""Tokens against key sets of several kinds: a good one is known by its key, any other is 401, whatever it is made of."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jwt
import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa

from router.access.authentication import Authenticator, UnauthenticatedError
from router.settings import Jwt

SECRET = b"a secret of the tests that is long enough, also for SHA-512 which wants 64"
RSA, OTHER_RSA = rsa.generate_private_key(65537, 2048), rsa.generate_private_key(65537, 2048)
P256, P384 = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP384R1())
ED25519, ED448 = ed25519.Ed25519PrivateKey.generate(), ed448.Ed448PrivateKey.generate()
ALGORITHMS = ("HS256", "HS512", "RS256", "PS256", "ES256", "ES384", "EdDSA")
CLAIMS = {"sub": "u1", "exp": 4_000_000_000}
SIGNERS: dict[str, tuple[str, Any]] = {
    "oct": ("HS256", SECRET),
    "RSA": ("RS256", RSA),
    "RSA, padded otherwise": ("PS256", RSA),
    "EC P-256": ("ES256", P256),
    "EC P-384": ("ES384", P384),
    "OKP Ed25519": ("EdDSA", ED25519),
    "OKP Ed448": ("EdDSA", ED448),
}


def jwk(key: Any, **members: Any) -> dict[str, Any]:
    if isinstance(key, bytes):
        return {"kty": "oct", "k": base64.urlsafe_b64encode(key).rstrip(b"=").decode(), **members}
    kind: Any = {
        rsa.RSAPrivateKey: jwt.algorithms.RSAAlgorithm,
        ec.EllipticCurvePrivateKey: jwt.algorithms.ECAlgorithm,
    }.get(next((each for each in (rsa.RSAPrivateKey, ec.EllipticCurvePrivateKey) if isinstance(key, each)), object))
    algorithm = kind or jwt.algorithms.OKPAlgorithm
    return {**algorithm.to_jwk(key.public_key(), as_dict=True), **members}


ALL_KEYS = [jwk(key) for _, key in SIGNERS.values()]

Authenticate = Callable[[str], Any]


@pytest.fixture
def knowing(tmp_path: Path) -> Callable[..., Authenticate]:
    """A function from keys to a function from tokens to subjects."""

    def with_keys(*keys: Any) -> Authenticate:
        file = tmp_path / "keys.json"
        file.write_bytes(orjson.dumps({"keys": keys}))
        authenticator = Authenticator(Jwt(jwks=(str(file),), algorithms=ALGORITHMS))

        async def subject_of(token: str) -> str | None:
            return (await authenticator.authenticate(f"Bearer {token}")).subject

        return subject_of

    return with_keys


@pytest.mark.parametrize("signer", SIGNERS)
@pytest.mark.parametrize("kids", ["none", "equal", "of the token only", "of the keys only"])
async def test_a_token_is_known_by_a_set_of_all_kinds(
    knowing: Callable[..., Authenticate], signer: str, kids: str
) -> None:
    algorithm, key = SIGNERS[signer]
    keys = [each | ({"kid": "k"} if kids in ("equal", "of the keys only") else {}) for each in ALL_KEYS]
    headers = {"kid": "k"} if kids in ("equal", "of the token only") else {}
    for ring in (keys, keys[::-1]):
        assert await knowing(*ring)(jwt.encode(CLAIMS, key, algorithm, headers=headers)) == "u1"


@pytest.mark.parametrize("signer", SIGNERS)
async def test_a_token_of_no_key_of_the_set_is_refused(knowing: Callable[..., Authenticate], signer: str) -> None:
    algorithm, key = SIGNERS[signer]
    others = [jwk(other) for _, other in SIGNERS.values() if other is not key] + [jwk(OTHER_RSA)]
    with pytest.raises(UnauthenticatedError):
        await knowing(*others)(jwt.encode(CLAIMS, key, algorithm))


async def test_a_key_is_for_what_it_says(knowing: Callable[..., Authenticate]) -> None:
    token = jwt.encode(CLAIMS, RSA, "RS256")
    for members in ({"alg": "RS512"}, {"use": "enc"}, {"key_ops": ["encrypt"]}):
        with pytest.raises(UnauthenticatedError):
            await knowing(jwk(RSA, **members))(token)
    assert await knowing(jwk(RSA, alg="RS256", use="sig", key_ops=["verify"]))(token) == "u1"


async def test_broken_keys_spoil_no_other(knowing: Callable[..., Authenticate]) -> None:
    private = jwt.algorithms.RSAAlgorithm.to_jwk(RSA, as_dict=True)
    x25519_key = {"kty": "OKP", "crv": "X25519", "x": jwk(ED25519)["x"]}
    nonsense = [
        5, None, [], {}, {"kty": 5}, {"kty": "RSA"}, {"kty": "RSA", "n": 5, "e": []}, {"kty": "EC", "crv": "P-256"},
        {"kty": "EC", "crv": ["P-256"], "x": "AA", "y": "AA"}, {"kty": "oct", "k": "AA"}, {"kty": "oct", "k": None},
        x25519_key, {**jwk(P256), "y": jwk(P384)["y"]}, {"kty": "new"}, {**jwk(RSA), "alg": "none"},
    ]  # fmt: skip
    assert await knowing(*nonsense, jwk(P256))(jwt.encode(CLAIMS, P256, "ES256")) == "u1"
    assert await knowing(*nonsense, private)(jwt.encode(CLAIMS, RSA, "RS256")) == "u1"


def segment(value: Any) -> str:
    text = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def forged(header: Any, payload: Any = CLAIMS, secret: bytes = SECRET) -> str:
    """Whatever header and payload, with the signature that is right for HS256."""
    signed = f"{segment(header)}.{segment(payload)}"
    return f"{signed}.{segment(hmac.digest(secret, signed.encode(), 'sha256'))}"


HS256 = {"alg": "HS256"}
PUBLIC_AS_SECRET = json.dumps(jwk(RSA)).encode()
WRONG_TOKENS: dict[str, str] = {
    "no token": "nonsense",
    "empty segments": "..",
    "alg none": f"{segment({'alg': 'none'})}.{segment(CLAIMS)}.",
    "alg None": f"{segment({'alg': 'NoNe'})}.{segment(CLAIMS)}.",
    "no alg": forged({}),
    "alg is null": forged({"alg": None}),
    "alg is a list": forged({"alg": []}),
    "alg is an object": forged({"alg": {"HS256": 1}}),
    "alg is unknown": forged({"alg": "HS257"}),
    "alg is huge": forged({"alg": "H" * 10_000}),
    "kid is a number": forged({**HS256, "kid": 1}),
    "kid is a list": forged({**HS256, "kid": ["k"]}),
    "crit is unknown": forged({**HS256, "crit": ["exp"], "exp": 1}),
    "crit is no list": forged({**HS256, "crit": "b64"}),
    "crit is empty": forged({**HS256, "crit": []}),
    "payload is not encoded": forged({**HS256, "b64": False, "crit": ["b64"]}),
    "header is a list": forged(["HS256"]),
    "header is deep": forged(b'{"alg":' + b"[" * 5_000 + b"]" * 5_000 + b"}"),
    "header is not UTF-8": forged(b'{"alg":"\xff"}'),
    "payload is a list": forged(HS256, [1]),
    "payload is text": forged(HS256, "u1"),
    "payload is null": forged(HS256, None),
    "payload is no JSON": forged(HS256, b"{"),
    "payload is not UTF-8": forged(HS256, b'{"sub":"\xff","exp":4000000000}'),
    "payload is deep": forged(HS256, b'{"sub":"u1","exp":4000000000,"a":' + b"[" * 5_000 + b"]" * 5_000 + b"}"),
    "a number of many digits": forged(HS256, b'{"sub":"u1","exp":' + b"9" * 5_000 + b"}"),
    "exp is out of range": forged(HS256, b'{"sub":"u1","exp":1e999}'),
    "exp is huge": forged(HS256, b'{"sub":"u1","exp":' + b"9" * 400 + b"}"),
    "exp is NaN": forged(HS256, b'{"sub":"u1","exp":NaN}'),
    "exp is text": forged(HS256, {"sub": "u1", "exp": "tomorrow"}),
    "exp is a list": forged(HS256, {"sub": "u1", "exp": [1]}),
    "exp is null": forged(HS256, {"sub": "u1", "exp": None}),
    "exp is missing": forged(HS256, {"sub": "u1"}),
    "nbf is out of range": forged(HS256, b'{"sub":"u1","exp":4000000000,"nbf":1e999}'),
    "iat is a list": forged(HS256, {**CLAIMS, "iat": []}),
    "sub is a number": forged(HS256, {**CLAIMS, "sub": 1}),
    "sub is null": forged(HS256, {**CLAIMS, "sub": None}),
    "sub is half a character": forged(HS256, b'{"sub":"\\ud800","exp":4000000000}'),
    "sub is missing": forged(HS256, {"exp": 4_000_000_000}),
    "signed with a public key": forged(HS256, CLAIMS, PUBLIC_AS_SECRET),
    "a signature of another kind": forged({"alg": "RS256"}),
    "a signature of another curve": forged({"alg": "ES256"}),
    "no signature": forged(HS256).rpartition(".")[0] + ".",
    "five segments": forged(HS256) + ".a.b",
    "too long": forged(HS256, {**CLAIMS, "more": "x" * 20_000}),
}


@pytest.mark.parametrize("name", WRONG_TOKENS)
async def test_a_token_that_is_wrong_in_any_way_is_401_and_says_no_more(
    knowing: Callable[..., Authenticate], name: str
) -> None:
    with pytest.raises(UnauthenticatedError) as caught:
        await knowing(*ALL_KEYS)(WRONG_TOKENS[name])
    assert (caught.value.status, caught.value.code) == (401, "UNAUTHENTICATED")
    assert caught.value.message in ("The token is not valid.", "The token is longer than 16384 characters.")


async def test_odd_claims_that_nobody_asks_for_do_no_harm(knowing: Callable[..., Authenticate]) -> None:
    for odd in ({"roles": {"a": 1}}, {"scope": 5, "scp": [None, ["a"]]}, {"exp": 10**17}, {"jti": "j", "iat": 1.5}):
        assert await knowing(*ALL_KEYS)(forged(HS256, {**CLAIMS, **odd})) == "u1"


async def test_a_key_that_no_token_can_be_verified_with_spoils_no_other(knowing: Callable[..., Authenticate]) -> None:
    """A secret that looks like a public key is none to PyJWT, so that nobody signs with what everybody may read."""
    looks_public = b"-----BEGIN PUBLIC KEY-----\n" + b"x" * 40 + b"\n-----END PUBLIC KEY-----"
    ring = [jwk(looks_public), jwk(SECRET)]
    for keys in (ring, ring[::-1]):
        assert await knowing(*keys)(jwt.encode(CLAIMS, SECRET, "HS256")) == "u1"
    with pytest.raises(UnauthenticatedError):
        await knowing(*ring)(jwt.encode(CLAIMS, b"another secret of the tests that is long enough", "HS256"))
