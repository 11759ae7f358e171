"""People who sign in at a gateway: their tokens (RS256), and the key set with which a gateway checks them."""

from __future__ import annotations

import json
import time
from functools import cache

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

_KEY_ID = "benchmark"
_VALID_SECONDS = 24 * 3_600


@cache
def _key() -> rsa.RSAPrivateKey:
    """Of this run."""
    return rsa.generate_private_key(public_exponent=65_537, key_size=2_048)


def key_set() -> str:
    """As JSON (RFC 7517)."""
    public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(_key().public_key()))
    return json.dumps({"keys": [{**public, "kid": _KEY_ID, "alg": "RS256", "use": "sig"}]})


@cache
def authorizations(count: int) -> tuple[str, ...]:
    """Of as many people."""
    return tuple(_authorization(f"person-{number}", _key()) for number in range(count))


def forged_authorization() -> str:
    """Of one of them, signed with a key that is not in the set."""
    return _authorization("person-0", rsa.generate_private_key(public_exponent=65_537, key_size=2_048))


def _authorization(person: str, key: rsa.RSAPrivateKey) -> str:
    claims = {"sub": person, "exp": int(time.time()) + _VALID_SECONDS}
    return f"Bearer {jwt.encode(claims, key, algorithm='RS256', headers={'kid': _KEY_ID})}"
